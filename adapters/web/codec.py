"""The bot's messages as one line of JSON and back: what is stored is the neutral message, never its HTML."""

from __future__ import annotations

import json

from bot.ports import Message


def encode(message: Message) -> str:
    """A message as one line of JSON."""
    return json.dumps(message.as_json(), ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Message:
    """The same message again: `decode(encode(m)) == m`."""
    return Message.from_json(json.loads(text))
