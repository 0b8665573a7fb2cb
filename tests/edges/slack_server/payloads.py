"""The bodies of commands and interactions, with the fields Slack documents.

https://docs.slack.dev/interactivity/implementing-slash-commands and
https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from .state import Channel, Json, Message, View

if TYPE_CHECKING:
    from .people import Person


def rich_text(text: str) -> list[Json]:
    """The block that Slack's own editor makes of a message."""
    found: list[Json] = []
    for piece in re.split(r"(<[^>]*>)", text):
        if piece.startswith("<@"):
            found.append({"type": "user", "user_id": piece[2:-1]})
        elif piece.startswith("<#"):
            found.append({"type": "channel", "channel_id": piece[2:-1]})
        elif piece.startswith("<!"):
            found.append({"type": "broadcast", "range": piece[2:-1]})
        elif piece.startswith("<"):
            found.append({"type": "link", "url": html.unescape(piece[1:-1])})
        elif piece:
            found.append({"type": "text", "text": html.unescape(piece)})
    section = {"type": "rich_text_section", "elements": found}
    return [{"type": "rich_text", "block_id": "rich0", "elements": [section]}]


def _channel_name(channel: Channel) -> str:
    return {"im": "directmessage", "private": "privategroup", "mpim": "mpdm"}.get(channel.kind, channel.name)


def command(person: Person, channel: Channel, name: str, text: str) -> Json:
    """A slash command's form."""
    server, team, user = person.server, person.team, person.user
    return {
        "token": server.verification_token,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": server.app_id,
        "is_enterprise_install": "false",
        "response_url": server.response_urls.new(team, channel, user.id),
        "trigger_id": server.triggers.new(team, user.id),
    }


def _interaction(person: Person, kind: str) -> Json:
    server, team, user = person.server, person.team, person.user
    return {
        "type": kind,
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": server.app_id,
        "token": server.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _container(place: Message | View, unfurl: str = "") -> Json:
    if isinstance(place, View):
        return {"type": "view", "view_id": place.id}
    if unfurl:
        return {"type": "message_attachment", "message_ts": place.ts, "attachment_id": 1, "channel_id": place.channel,
                "is_ephemeral": False, "is_app_unfurl": True, "app_unfurl_url": unfurl}  # fmt: skip
    it: Json = {"type": "message", "message_ts": place.ts, "channel_id": place.channel,
                "is_ephemeral": place.only_for is not None}  # fmt: skip
    return it | ({"thread_ts": place.thread_ts} if place.thread_ts else {})


def _where(person: Person, place: Message | View) -> Json:
    """What an interaction says of the message or view it happened on."""
    if isinstance(place, View):
        return {"container": _container(place), "view": place.as_json()}
    channel = person.team.channels[place.channel]
    it: Json = {"container": _container(place), "channel": {"id": channel.id, "name": _channel_name(channel)}}
    if place.only_for is None:
        it["message"] = channel.message_json(place, with_metadata=True)
    return it


def block_actions(person: Person, place: Message | View, action: Json, *, unfurl: str = "") -> Json:
    """A button or a menu; `unfurl`: the link whose preview it is in."""
    it = _interaction(person, "block_actions") | _where(person, place)
    if unfurl and isinstance(place, Message):
        it |= {"container": _container(place, unfurl), "app_unfurl": place.unfurls[unfurl]}
    it |= {"trigger_id": person.server.triggers.new(person.team, person.id), "actions": [action]}
    if isinstance(place, Message):
        channel = person.team.channels[place.channel]
        it["state"] = {"values": {}}
        it["response_url"] = person.server.response_urls.new(person.team, channel, person.id, place)
    return it


def block_suggestion(person: Person, place: Message | View, block: Json, element: Json, text: str) -> Json:
    """A few letters typed into an external select."""
    which = {"block_id": block["block_id"], "action_id": element["action_id"], "value": text}
    return _interaction(person, "block_suggestion") | _where(person, place) | which


def shortcut(person: Person, callback_id: str, message: Message | None) -> Json:
    """A global shortcut, or one on a message."""
    it = _interaction(person, "message_action" if message else "shortcut")
    it |= {"callback_id": callback_id, "action_ts": person.server.next_ts()}
    it["trigger_id"] = person.server.triggers.new(person.team, person.id)
    if message:
        channel = person.team.channels[message.channel]
        it["channel"] = {"id": channel.id, "name": _channel_name(channel)}
        it["message"] = channel.message_json(message)
        it["message_ts"] = message.ts
        it["response_url"] = person.server.response_urls.new(person.team, channel, person.id)
    return it


def view_submission(person: Person, view: View) -> Json:
    """A form sent back."""
    it = _interaction(person, "view_submission")
    return it | {
        "trigger_id": person.server.triggers.new(person.team, person.id),
        "view": view.as_json(),
        "response_urls": [],
    }


def view_closed(person: Person, view: View) -> Json:
    """A form closed without being sent."""
    return _interaction(person, "view_closed") | {"view": view.as_json(), "is_cleared": False}
