"""What the page gets to see: people, channels and messages as JSON, for one person's eyes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adapters.web import codec
from adapters.web.client import WebChat
from adapters.web.feed import Replies
from adapters.web.render import render_message, render_words
from adapters.web.rooms import Person, Room
from adapters.web.store import BOT, Stored


def person_view(person: Person) -> dict[str, Any]:
    """Somebody, as shown beside their words. No e-mail address: nobody asked for it to be shown around."""
    return {
        "id": person.id,
        "name": person.name,
        "title": person.title,
        "initials": person.initials,
        "tone": person.tone,
        "bot": False,
    }


def room_view(room: Room, unread: int, upto: int | None) -> dict[str, Any]:
    """A channel in the sidebar."""
    return {
        "id": room.id,
        "name": room.name,
        "topic": room.topic,
        "private": room.private,
        "direct": room.direct,
        "joined": room.joined,
        "people": room.people,
        "unread": unread,
        "readUpto": upto,
    }


async def rooms_view(chat: WebChat, person: Person) -> tuple[list[Room], list[dict[str, Any]]]:
    """All channels this person may see, with what is new in them; the talk with the bot comes first."""
    rooms = await chat.rooms.seen_by(person)
    unread = await chat.feed.unread(person.id)
    upto = await chat.feed.read_upto(person.id)
    rooms.sort(key=lambda room: (not room.direct, room.name.casefold(), room.id))
    return rooms, [room_view(room, unread.get(room.id, 0), upto.get(room.id)) for room in rooms]


async def messages_view(chat: WebChat, stored: Iterable[Stored], person: Person) -> list[dict[str, Any]]:
    """Messages with their authors, reactions and thread lines, gathered in bulk."""
    found = list(stored)
    ids = [one.id for one in found if one.deleted is None]
    reactions = await chat.feed.reactions(ids)
    replies = await chat.feed.replies([one.id for one in found if one.thread is None], person.id)
    ids_of_people = {one.author for one in found}
    ids_of_people.update(who for pairs in reactions.values() for _, who in pairs)
    ids_of_people.update(who for line in replies.values() for who in line.authors)
    people = await chat.rooms.named(ids_of_people - {BOT})

    def who(author: str) -> dict[str, Any]:
        if author == BOT:
            return {"id": BOT, "name": chat.bot_name, "title": "", "bot": True}
        known = people.get(author)
        return person_view(known or Person(id=author, name="Somebody who left"))

    return [
        _message_view(one, person)
        | {
            "author": who(one.author),
            "reactions": _reactions(reactions.get(one.id, []), person, people),
            "replies": _replies(replies.get(one.id), who),
        }
        for one in found
    ]


def _message_view(one: Stored, person: Person) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": one.id,
        "channel": one.channel,
        "thread": one.thread,
        "created": one.created.isoformat(),
        "edited": one.edited is not None,
        "deleted": one.deleted is not None,
        "private": one.only_for is not None,
        "mine": one.author == person.id,
        "posted": one.posted,
        "revision": one.revision,
        "html": "",
        "text": "",
    }
    if one.deleted is not None:
        return view
    if one.by_bot:
        message = codec.decode(one.body)
        view["html"], view["text"] = render_message(message), message.summary
    else:
        view["html"], view["text"] = render_words(one.body), one.body
    return view


def _reactions(pairs: list[tuple[str, str]], person: Person, people: dict[str, Person]) -> list[dict[str, Any]]:
    chips: dict[str, list[str]] = {}
    for emoji, who in pairs:
        chips.setdefault(emoji, []).append(who)
    return [
        {
            "emoji": emoji,
            "mine": person.id in ids,
            "count": len(ids),
            "names": [people[one].name for one in ids if one in people],
        }
        for emoji, ids in chips.items()
    ]


def _replies(line: Replies | None, who: Callable[[str], dict[str, Any]]) -> dict[str, Any] | None:
    if line is None:
        return None
    return {
        "count": line.count,
        "last": None if line.last is None else line.last.isoformat(),
        "people": [who(author) for author in line.authors[:4]],
    }
