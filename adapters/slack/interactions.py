"""Commands, buttons, shortcuts and forms as neutral events: https://docs.slack.dev/interactivity.

`COMMANDS` and `SHORTCUTS` list what the app offers; the manifest is made from them. Whatever else Slack sends of this
kind (a card of an older release, say) goes to the core all the same, which has a sentence for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.events import Envelope, id_in, moment
from adapters.slack.forms import submitted_values
from adapters.slack.text import readable
from bot.ports import Commanded, Event, Place, Pointed, Pressed, Submitted

#: Buttons that open an address are told to the app, too; their action begins with this and means nothing to it.
LINK = "link:"


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command, as Slack's popup shows it."""

    name: str
    description: str
    hint: str


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut, of a message or (`everywhere`) of the whole workspace. At most 24 characters of name."""

    callback_id: str
    name: str
    description: str
    everywhere: bool = False


COMMANDS = (
    Command("ask", "Ask a question: past answers at once, then the people who know", "[your question]"),
    Command("experts", "Who knows about a topic, and why", "[topic]"),
    Command("know", "Search what colleagues have already worked out", "[topic]"),
    Command("community", "The communities, and what is open in them", ""),
)
SHORTCUTS = (
    Shortcut("ask", "Ask the experts", "Ask the experts about this message"),
    Shortcut("save", "Save as knowledge", "Keep this message, so that others find it"),
    Shortcut("accept", "This answers it", "Accept this message as the answer"),
    Shortcut("ask_form", "Ask the experts", "Write a question, and see who may know", everywhere=True),
)


def trigger_of(place: Place, trigger_id: str) -> str:
    """What a form can be opened with: Slack's trigger, and where the form belongs."""
    return "/".join((place.workspace, place.channel, place.thread or "", trigger_id))


def split_trigger(trigger: str) -> tuple[Place, str]:
    """The place and Slack's trigger again."""
    team, channel, thread, trigger_id = [*trigger.split("/", 3), "", "", ""][:4]
    return Place("slack", team, channel, thread or None), trigger_id


def translate(envelope: Envelope) -> Event | None:
    """The neutral event of a command or an interaction, or None for what needs no handling."""
    body = envelope.body
    if "command" in body:
        return _command(envelope)
    means = {
        "block_actions": _pressed,
        "message_action": _pointed,
        "shortcut": _shortcut,
        "view_submission": _submitted,
    }.get(str(body.get("type")))
    return means(envelope) if means else None


def _command(envelope: Envelope) -> Event:
    body = envelope.body
    place = envelope.place(body.get("channel_id"))
    return Commanded(
        id=envelope.id,
        actor=envelope.person(body.get("user_id")),
        place=place,
        at=moment(body.get("received")),
        name=str(body.get("command") or "").lstrip("/").lower(),
        text=readable(str(body.get("text") or ""), envelope.name_of).strip(),
        trigger=trigger_of(place, str(body.get("trigger_id") or "")),
    )


def _pressed(envelope: Envelope) -> Event | None:
    body = envelope.body
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    name = str(action.get("action_id") or "").partition("#")[0]
    if not name or name.startswith(LINK):
        return None
    message, container = _dict(body.get("message")), _dict(body.get("container"))
    ts = str(container.get("message_ts") or message.get("ts") or "")
    channel = id_in(body.get("channel")) or id_in(container.get("channel_id"))
    place = envelope.place(channel, ts, container.get("thread_ts") or message.get("thread_ts"))
    return Pressed(
        id=envelope.id,
        actor=envelope.person(id_in(body.get("user"))),
        place=place,
        at=moment(action.get("action_ts")),
        action=name,
        value=str(action.get("value") or ""),
        message_id=ts,
        trigger=trigger_of(place, str(body.get("trigger_id") or "")),
    )


def _pointed(envelope: Envelope) -> Event:
    body = envelope.body
    message = _dict(body.get("message"))
    ts = str(body.get("message_ts") or message.get("ts") or "")
    place = envelope.place(body.get("channel"), ts, message.get("thread_ts"))
    wrote = message.get("user")
    by_person = envelope.is_person(wrote) and not message.get("bot_id")
    return Pointed(
        id=envelope.id,
        actor=envelope.person(id_in(body.get("user"))),
        place=place,
        at=moment(body.get("action_ts")),
        action=str(body.get("callback_id") or ""),
        message_id=ts,
        text=readable(str(message.get("text") or ""), envelope.name_of),
        author=envelope.person(wrote) if by_person else None,
        trigger=trigger_of(place, str(body.get("trigger_id") or "")),
    )


def _shortcut(envelope: Envelope) -> Event:
    body = envelope.body
    place = envelope.place("")
    return Commanded(
        id=envelope.id,
        actor=envelope.person(id_in(body.get("user"))),
        place=place,
        at=moment(body.get("action_ts")),
        name=str(body.get("callback_id") or "").removesuffix("_form"),
        trigger=trigger_of(place, str(body.get("trigger_id") or "")),
    )


def _submitted(envelope: Envelope) -> Event:
    view = _dict(envelope.body.get("view"))
    try:
        kept = _dict(json.loads(str(view.get("private_metadata") or "{}")))
    except ValueError:
        kept = {}
    state = _dict(_dict(view.get("state")).get("values"))
    return Submitted(
        id=envelope.id,
        actor=envelope.person(id_in(envelope.body.get("user"))),
        place=envelope.place(kept.get("channel"), None, kept.get("thread")),
        at=moment(envelope.body.get("received")),
        form=str(view.get("callback_id") or ""),
        value=str(kept.get("value") or ""),
        values=submitted_values(state),
    )


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
