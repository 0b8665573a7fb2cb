"""Teams' activities as neutral events: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/subscribe-to-conversation-events.

What a bot did (another one, or this one) is no event of a person and means nothing here. What needs an answer in the
response (dialogs, card actions, message extensions) is in `invokes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import emoji

from adapters.teams.references import CHANNEL, PERSONAL, Conversation
from adapters.teams.settings import PLATFORM
from adapters.teams.text import command_in, dict_in, dicts_in, text_in, words_of
from bot.ports import (
    Commanded,
    Deleted,
    Edited,
    Event,
    Heard,
    Joined,
    Left,
    PersonRef,
    Place,
    PlaceChanged,
    Pressed,
    Reacted,
)

#: The types that mean anything here; everything else is acknowledged and forgotten.
TYPES = (
    "message",
    "messageUpdate",
    "messageDelete",
    "messageReaction",
    "conversationUpdate",
    "installationUpdate",
    "invoke",
)
#: Teams' first reactions have names; all others are named by their character: "2705_whiteheavycheckmark".
_REACTIONS = {"like": "+1", "heart": "heart", "laugh": "laughing", "surprised": "open_mouth", "sad": "cry",
              "angry": "angry", "checkmark": "white_check_mark", "yes": "+1"}  # fmt: skip
_OF_TEAM = ("teamRenamed", "teamDeleted", "teamHardDeleted", "teamArchived", "teamUnarchived", "teamRestored")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An activity with what is needed to understand it.

    `mark` makes keyed hashes. `channels` are the known ones of its team, and whether everybody in the team is in them.
    """

    activity: Mapping[str, Any]
    key: str
    received: datetime
    mark: Callable[[str], str]
    channels: Mapping[str, bool] = field(default_factory=dict)

    @property
    def tenant(self) -> str:
        """The tenant that this conversation belongs to."""
        return tenant_of(self.activity)

    @property
    def at(self) -> datetime:
        """When it happened."""
        try:
            moment = datetime.fromisoformat(text_in(self.activity, "timestamp"))
        except ValueError:
            return self.received
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    @property
    def place(self) -> Place:
        """Where it happened: a chat, a channel, or a thread in a channel."""
        conversation, root = split_id(text_in(dict_in(self.activity, "conversation"), "id"))
        begins = root == text_in(self.activity, "id")  # a message that begins a thread is in none
        return Place(PLATFORM, self.tenant, conversation, root if root and not begins else None)

    @property
    def actor(self) -> PersonRef:
        """Who did it."""
        return self.person(dict_in(self.activity, "from"))

    def person(self, account: Mapping[str, Any]) -> PersonRef:
        """A person, by their id in Entra where they have one."""
        return PersonRef(PLATFORM, self.tenant, person_id(account))

    def is_bot(self, account: Mapping[str, Any]) -> bool:
        """Whether this is the bot itself, or another one."""
        return is_bot(account, self.activity)

    def common(self, *more: str) -> dict[str, Any]:
        """What every event of this activity says."""
        known = f"teams:{self.mark('/'.join((self.key, *more)))}"
        return {"id": known, "actor": self.actor, "place": self.place, "at": self.at}


def tenant_of(activity: Mapping[str, Any]) -> str:
    """The tenant of an activity."""
    return text_in(dict_in(activity, "conversation"), "tenantId") or text_in(
        dict_in(dict_in(activity, "channelData"), "tenant"), "id"
    )


def person_id(account: Mapping[str, Any]) -> str:
    """The id of an account: in Entra if there is one there, else in Teams."""
    return text_in(account, "aadObjectId") or text_in(account, "objectId") or text_in(account, "id")


def is_bot(account: Mapping[str, Any], activity: Mapping[str, Any]) -> bool:
    """Whether this account of an activity is no person's."""
    known = text_in(account, "id")
    me = text_in(dict_in(activity, "recipient"), "id")
    return (bool(known) and (known == me or known.startswith("28:"))) or text_in(account, "role") == "bot"


def split_id(conversation: str) -> tuple[str, str]:
    """A conversation's id, and the message that its thread hangs from."""
    channel, _, root = conversation.partition(";messageid=")
    return channel, root


def conversation_of(activity: Mapping[str, Any]) -> Conversation | None:
    """How the conversation of an activity is reached."""
    about, data = dict_in(activity, "conversation"), dict_in(activity, "channelData")
    known, _ = split_id(text_in(about, "id"))
    team, channel = dict_in(data, "team"), dict_in(data, "channel")
    if not known or not tenant_of(activity):
        return None
    in_channel = text_in(about, "conversationType") == CHANNEL
    return Conversation(
        id=known,
        kind=text_in(about, "conversationType"),
        service_url=text_in(activity, "serviceUrl"),
        bot=text_in(dict_in(activity, "recipient"), "id"),
        bot_name=text_in(dict_in(activity, "recipient"), "name"),
        team=text_in(team, "id") if in_channel else "",
        team_group=text_in(team, "aadGroupId") if in_channel else "",
        team_name=text_in(team, "name") if in_channel else "",
        name=text_in(channel, "name") if in_channel and text_in(channel, "id") == known else text_in(about, "name"),
    )


def translate(envelope: Envelope) -> list[Event]:
    """The neutral events; none for what means nothing to the bot."""
    means = {
        "message": _message,
        "messageUpdate": _updated,
        "messageDelete": _deleted,
        "messageReaction": _reactions,
        "conversationUpdate": _conversation,
        "installationUpdate": _installation,
    }.get(text_in(envelope.activity, "type"))
    return means(envelope) if means else []


# --- messages -------------------------------------------------------------------------------------------------------


def _by_person(envelope: Envelope) -> bool:
    return bool(envelope.actor.id) and not envelope.is_bot(dict_in(envelope.activity, "from"))


def _message(envelope: Envelope) -> list[Event]:
    activity = envelope.activity
    if not _by_person(envelope):
        return []
    said = dict_in(activity, "value")
    if said and text_in(said, "action"):  # a button, on a client that does not know Action.Execute
        common = {**envelope.common(), "action": text_in(said, "action"), "value": text_in(said, "value")}
        return [Pressed(**common, message_id=text_in(activity, "replyToId"))]
    text, mentioned, quoted = words_of(activity)
    direct = text_in(dict_in(activity, "conversation"), "conversationType") == PERSONAL
    common = envelope.common()
    command = command_in(text) if (direct or mentioned) and not quoted else None
    if command is not None:
        return [Commanded(**common, name=command[0], text=command[1], aloud=not direct)]
    if direct and quoted:
        common["place"] = envelope.place.in_thread(quoted)
    message_id = text_in(activity, "id")
    return [Heard(**common, message_id=message_id, text=text, direct=direct, addressed=mentioned and not direct)]


def _updated(envelope: Envelope) -> list[Event]:
    if not _by_person(envelope):
        return []
    text, _, _ = words_of(envelope.activity)
    return [Edited(**envelope.common(), message_id=text_in(envelope.activity, "id"), text=text)]


def _deleted(envelope: Envelope) -> list[Event]:
    message = text_in(envelope.activity, "id")
    return [Deleted(**envelope.common(), message_id=message)] if _by_person(envelope) and message else []


def _reactions(envelope: Envelope) -> list[Event]:
    activity = envelope.activity
    message = text_in(activity, "replyToId")
    if not _by_person(envelope) or not message:
        return []
    return [
        Reacted(**envelope.common(name, str(number)), message_id=message, emoji=emoji_name(kind), added=added)
        for name, added in (("reactionsAdded", True), ("reactionsRemoved", False))
        for number, reaction in enumerate(dicts_in(activity, name))
        if (kind := text_in(reaction, "type"))
    ]


def emoji_name(reaction: str) -> str:
    """The plain name of a reaction, such as `white_check_mark`."""
    if reaction in _REACTIONS:
        return _REACTIONS[reaction]
    points = reaction.partition("_")[0].split("-")
    try:
        character = "".join(chr(int(point, 16)) for point in points)
    except (ValueError, OverflowError):
        return reaction
    named = emoji.demojize(character, language="alias")
    return named.strip(":") if named.startswith(":") and named.endswith(":") else reaction


# --- people and places ----------------------------------------------------------------------------------------------


def _conversation(envelope: Envelope) -> list[Event]:
    activity = envelope.activity
    data = dict_in(activity, "channelData")
    happened = text_in(data, "eventType")
    events: list[Event] = []
    for name, kind in (("membersAdded", Joined), ("membersRemoved", Left)):
        for member in dicts_in(activity, name):
            if envelope.is_bot(member):
                events += [_changed(envelope, channel) for channel in envelope.channels or [envelope.place.channel]]
            elif person_id(member):
                events += _membership(envelope, kind, member)
    if happened in _OF_TEAM:
        events += [_changed(envelope, channel) for channel in envelope.channels or [envelope.place.channel]]
    elif happened.startswith("channel") and "Member" not in happened:
        events.append(_changed(envelope, text_in(dict_in(data, "channel"), "id") or envelope.place.channel))
    return events


def _membership(envelope: Envelope, kind: type[Joined | Left], member: Mapping[str, Any]) -> list[Event]:
    """Who leaves a team leaves all its channels. Who joins one is in those that are everybody's; who is in the others
    now, Teams is asked."""
    data = dict_in(envelope.activity, "channelData")
    here = text_in(dict_in(data, "channel"), "id") if text_in(data, "eventType").startswith("channelMember") else ""
    channels = {here: True} if here else envelope.channels or {envelope.place.channel: True}
    events: list[Event] = []
    for channel, of_all in channels.items():
        if kind is Joined and not of_all:
            events.append(_changed(envelope, channel))
            continue
        common = envelope.common(kind.__name__, person_id(member), channel)
        common |= {"actor": envelope.person(member), "place": Place(PLATFORM, envelope.tenant, channel)}
        events.append(kind(**common))
    return events


def _installation(envelope: Envelope) -> list[Event]:
    """Somebody who has just got the app is told what it can do; a channel is looked at."""
    action = text_in(envelope.activity, "action")
    personal = text_in(dict_in(envelope.activity, "conversation"), "conversationType") == PERSONAL
    if not personal:
        return [_changed(envelope, channel) for channel in envelope.channels or [envelope.place.channel]]
    return [Commanded(**envelope.common(), name="help")] if action == "add" and _by_person(envelope) else []


def _changed(envelope: Envelope, channel: str) -> Event:
    common = envelope.common("changed", channel)
    return PlaceChanged(**{**common, "place": Place(PLATFORM, envelope.tenant, channel)})
