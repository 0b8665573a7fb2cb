"""Slack's events as neutral ones: https://docs.slack.dev/reference/events.

`EVENTS` lists every event the app subscribes to, with the scopes it needs and what it means; the manifest is made
from it. What a bot did (another one, or this one) is no event of a person and means nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.slack.people import PLATFORM
from adapters.slack.text import readable, without_mention
from bot.ports import (
    Deleted,
    Edited,
    Event,
    Heard,
    Joined,
    Left,
    LinkShared,
    Opened,
    PersonChanged,
    PersonRef,
    Place,
    PlaceChanged,
    Reacted,
)

#: Subtypes of messages that people write: https://docs.slack.dev/reference/events/message#subtypes
_WRITTEN = (None, "", "thread_broadcast", "file_share", "me_message")
_CONVERTED = ("channel_convert_to_private", "channel_convert_to_public")
#: The subtypes that mean anything here.
MESSAGES = (*_WRITTEN, *_CONVERTED, "message_changed", "message_deleted")
#: The message in a link preview's composer is not posted yet; it is known by another id.
COMPOSER = "COMPOSER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event with what is needed to understand it. `mark` makes keyed hashes; `name_of` knows names by user id."""

    body: Mapping[str, Any]
    team: str
    bot: str
    key: str
    mark: Callable[[str], str]
    name_of: Callable[[str], str | None]

    @property
    def event(self) -> Mapping[str, Any]:
        """The event itself."""
        event = self.body.get("event")
        return event if isinstance(event, dict) else {}

    @property
    def at(self) -> datetime:
        """When it happened, to the second."""
        return moment(self.event.get("event_ts") or self.body.get("event_time"))

    @property
    def id(self) -> str:
        """An id for what happened only once."""
        return f"slack:{self.key}"

    def id_of(self, *what: str) -> str:
        """An id for what Slack may tell more than once, in several events."""
        return "slack:" + self.mark("/".join((self.team, *what)))

    def person(self, user: object) -> PersonRef:
        """A user of this workspace, or one who shares a channel with it."""
        return PersonRef(PLATFORM, self.team, user if isinstance(user, str) else "")

    def place(self, channel: object, ts: object = None, thread: object = None) -> Place:
        """A channel, or the thread that the message `ts` is a reply in."""
        inside = str(thread) if thread and thread != ts else None
        return Place(PLATFORM, self.team, id_in(channel), inside)

    def is_person(self, user: object) -> bool:
        """Whether this is the id of somebody who may be a person."""
        return isinstance(user, str) and bool(user) and user not in (self.bot, "USLACKBOT")


def id_in(value: object) -> str:
    """An id, given by itself or in an object."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def moment(stamp: object) -> datetime:
    """Slack's time stamp ("1355517523.000005") as a time."""
    try:
        return datetime.fromtimestamp(float(str(stamp)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def translate(envelope: Envelope) -> Event | None:
    """The neutral event, or None for what means nothing to the bot."""
    kind = EVENTS.get(str(envelope.event.get("type")))
    return kind.means(envelope) if kind else None


# --- messages -------------------------------------------------------------------------------------------------------


def _message(envelope: Envelope) -> Event | None:
    event = envelope.event
    subtype = event.get("subtype")
    if subtype == "message_changed":
        return _changed(envelope)
    if subtype == "message_deleted":
        return _deleted(envelope, event.get("previous_message"), event.get("deleted_ts"))
    if subtype in _CONVERTED:
        return _place_changed(envelope)
    if subtype not in _WRITTEN or event.get("bot_id") or not envelope.is_person(event.get("user")):
        return None
    text, mentioned = without_mention(str(event.get("text") or ""), envelope.bot)
    ts = str(event.get("ts") or "")
    channel = id_in(event.get("channel"))
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    return Heard(
        id=envelope.id_of("message", channel, ts),
        actor=envelope.person(event.get("user")),
        place=envelope.place(channel, ts, event.get("thread_ts")),
        at=moment(ts),
        message_id=ts,
        text=readable(text, envelope.name_of),
        direct=direct,
        addressed=not direct and (mentioned or event.get("type") == "app_mention"),
    )


def _changed(envelope: Envelope) -> Event | None:
    event = envelope.event
    now, before = event.get("message"), event.get("previous_message")
    if not isinstance(now, dict):
        return None
    if now.get("subtype") == "tombstone":  # deleted, with replies that stay
        return _deleted(envelope, before, now.get("ts"))
    if now.get("bot_id") or now.get("subtype") not in _WRITTEN or not envelope.is_person(now.get("user")):
        return None
    if isinstance(before, dict) and before.get("text") == now.get("text"):
        return None  # a preview was added, or the thread grew: nobody has edited anything
    ts = str(now.get("ts") or "")
    edited = now.get("edited") if isinstance(now.get("edited"), dict) else {}
    text, _ = without_mention(str(now.get("text") or ""), envelope.bot)
    return Edited(
        id=envelope.id_of("edit", id_in(event.get("channel")), ts, str(edited.get("ts") or event.get("event_ts"))),  # type: ignore[union-attr]
        actor=envelope.person(now.get("user")),
        place=envelope.place(event.get("channel"), ts, now.get("thread_ts")),
        at=envelope.at,
        message_id=ts,
        text=readable(text, envelope.name_of),
    )


def _deleted(envelope: Envelope, before: object, ts: object) -> Event | None:
    was = before if isinstance(before, dict) else {}
    if was.get("bot_id") or not ts or (was.get("user") and not envelope.is_person(was.get("user"))):
        return None
    channel = envelope.event.get("channel")
    return Deleted(
        id=envelope.id_of("delete", id_in(channel), str(ts)),
        actor=envelope.person(was.get("user")),
        place=envelope.place(channel, ts, was.get("thread_ts")),
        at=envelope.at,
        message_id=str(ts),
    )


def _reacted(envelope: Envelope) -> Event | None:
    event = envelope.event
    item = event.get("item")
    if not isinstance(item, dict) or item.get("type") != "message" or not envelope.is_person(event.get("user")):
        return None
    return Reacted(
        id=envelope.id,
        actor=envelope.person(event.get("user")),
        place=envelope.place(item.get("channel")),
        at=envelope.at,
        message_id=str(item.get("ts") or ""),
        emoji=str(event.get("reaction") or "").partition("::")[0],  # without the tone of the skin
        added=event.get("type") == "reaction_added",
    )


def _link_shared(envelope: Envelope) -> Event | None:
    event = envelope.event
    links = event.get("links")
    urls = tuple(str(one.get("url")) for one in links if isinstance(one, dict)) if isinstance(links, list) else ()
    if not urls or not envelope.is_person(event.get("user")):
        return None
    posted = event.get("channel") != COMPOSER
    ts = str(event.get("message_ts") or "") if posted else str(event.get("unfurl_id") or "")
    return LinkShared(
        id=envelope.id,
        actor=envelope.person(event.get("user")),
        place=envelope.place(event.get("channel"), ts, event.get("thread_ts") if posted else None),
        at=envelope.at,
        message_id=ts,
        urls=urls,
    )


# --- people and channels --------------------------------------------------------------------------------------------


def _opened(envelope: Envelope) -> Event | None:
    event = envelope.event
    if event.get("tab", "home") != "home" or not envelope.is_person(event.get("user")):
        return None
    place = envelope.place(event.get("channel"))
    return Opened(id=envelope.id, actor=envelope.person(event.get("user")), place=place, at=envelope.at)


def _membership(envelope: Envelope) -> Event | None:
    event = envelope.event
    if event.get("user") == envelope.bot:  # the bot itself: it sees the channel now, or no longer
        return _place_changed(envelope)
    if not envelope.is_person(event.get("user")):
        return None
    kind = Joined if event.get("type") == "member_joined_channel" else Left
    place = envelope.place(event.get("channel"))
    return kind(id=envelope.id, actor=envelope.person(event.get("user")), place=place, at=envelope.at)


def _place_changed(envelope: Envelope) -> Event | None:
    event = envelope.event
    channel = id_in(event.get("channel")) or id_in(event.get("old_channel_id"))
    if not channel:
        return None
    actor = envelope.person(event.get("user") or event.get("actor_id") or envelope.bot)
    return PlaceChanged(id=envelope.id, actor=actor, place=envelope.place(channel), at=envelope.at)


def _person_changed(envelope: Envelope) -> Event | None:
    user = id_in(envelope.event.get("user"))
    whole = envelope.event.get("user")
    if not envelope.is_person(user) or (isinstance(whole, dict) and whole.get("is_bot")):
        return None
    return PersonChanged(id=envelope.id, actor=envelope.person(user), place=envelope.place(""), at=envelope.at)


def _nothing(_envelope: Envelope) -> Event | None:
    """For what only the adapter itself must know."""
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event needs, and what it means. `names`: what it is called in a subscription, if not as it comes."""

    means: Callable[[Envelope], Event | None]
    scopes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


_CHANNELS = ("channels:read",)
_GROUPS = ("groups:read",)

EVENTS: Mapping[str, Kind] = {
    "message": Kind(
        _message,
        ("channels:history", "groups:history", "im:history", "mpim:history"),
        ("message.channels", "message.groups", "message.im", "message.mpim"),
    ),
    "app_mention": Kind(_message, ("app_mentions:read",)),
    "app_home_opened": Kind(_opened),
    "link_shared": Kind(_link_shared, ("links:read",)),
    "reaction_added": Kind(_reacted, ("reactions:read",)),
    "reaction_removed": Kind(_reacted, ("reactions:read",)),
    "member_joined_channel": Kind(_membership, (*_CHANNELS, *_GROUPS)),
    "member_left_channel": Kind(_membership, (*_CHANNELS, *_GROUPS)),
    "channel_archive": Kind(_place_changed, _CHANNELS),
    "channel_deleted": Kind(_place_changed, _CHANNELS),
    "channel_left": Kind(_place_changed, _CHANNELS),
    "channel_rename": Kind(_place_changed, _CHANNELS),
    "channel_shared": Kind(_place_changed, (*_CHANNELS, *_GROUPS)),
    "channel_unarchive": Kind(_place_changed, _CHANNELS),
    "channel_unshared": Kind(_place_changed, (*_CHANNELS, *_GROUPS)),
    "group_archive": Kind(_place_changed, _GROUPS),
    "group_deleted": Kind(_place_changed, _GROUPS),
    "group_left": Kind(_place_changed, _GROUPS),
    "group_rename": Kind(_place_changed, _GROUPS),
    "group_unarchive": Kind(_place_changed, _GROUPS),
    "dnd_updated_user": Kind(_person_changed, ("dnd:read",)),
    "user_change": Kind(_person_changed, ("users:read",)),
    "app_uninstalled": Kind(_nothing),
    "tokens_revoked": Kind(_nothing),
}
