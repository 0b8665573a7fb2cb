"""The bot's messages as JSON and back, without loss: what is stored is the neutral message, never its HTML."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from bot.ports import Button, Buttons, Context, Divider, Fields, Image, Message, Part, Quote, Text

_PARTS: dict[str, type[Any]] = {
    "text": Text,
    "quote": Quote,
    "fields": Fields,
    "context": Context,
    "buttons": Buttons,
    "image": Image,
    "divider": Divider,
}
_KINDS = {part: kind for kind, part in _PARTS.items()}


def encode(message: Message) -> str:
    """A message as one line of JSON."""
    parts = [{"kind": _KINDS[type(part)], **dataclasses.asdict(part)} for part in message.parts]
    return json.dumps({"summary": message.summary, "parts": parts}, ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Message:
    """The same message again: `decode(encode(m)) == m`."""
    data = json.loads(text)
    return Message(summary=data["summary"], parts=tuple(_part(part) for part in data["parts"]))


def _part(data: dict[str, Any]) -> Part:
    kind = data.pop("kind")
    if kind == "buttons":
        return Buttons(tuple(Button(**button) for button in data["items"]))
    if kind == "fields":
        return Fields(tuple((label, value) for label, value in data["items"]))
    part: Part = _PARTS[kind](**data)
    return part
