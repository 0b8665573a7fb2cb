"""Who is asking and what they may see: asked by every request before anything else.

What somebody may not see answers exactly as what does not exist.
"""

from __future__ import annotations

from aiohttp import web

from adapters.web.client import WebChat
from adapters.web.requests import RequestError, missing
from adapters.web.rooms import Person, Room
from adapters.web.store import Stored

#: The page says for whom it was opened: after changing person in one tab, another must not speak in the new name.
AS_HEADER = "X-Weaver-Person"


async def signed_in(chat: WebChat, request: web.Request) -> Person | None:
    """The person of a good cookie, while they are active here."""
    person_id = chat.sessions.person(request)
    person = await chat.rooms.person(person_id) if person_id else None
    return person if person is not None and person.active else None


async def person_of(chat: WebChat, request: web.Request) -> Person:
    """The person a request of the page comes from."""
    person = await signed_in(chat, request)
    if person is None:
        raise RequestError(401, "You are signed out. Reload the page to sign in again.")
    meant = request.headers.get(AS_HEADER) or request.query.get("as")
    if meant is not None and meant != person.id:
        raise RequestError(409, "You are somebody else in another tab now. Reload the page to go on here.")
    return person


async def room_of(chat: WebChat, channel: str, person: Person, *, to_write: bool = False) -> Room:
    """A channel this person may see, and for writing: one they are in."""
    room = await chat.rooms.room(channel, person)
    if room is None:
        raise missing()
    if to_write and not room.joined:
        raise RequestError(403, f"Join #{room.name} to write here.")
    return room


async def message_of(chat: WebChat, message_id: str, person: Person) -> tuple[Stored, Room]:
    """A message this person may see, with its channel."""
    stored = await chat.store.get(message_id)
    if stored is None or stored.deleted is not None or stored.only_for not in (None, person.id):
        raise missing()
    return stored, await room_of(chat, stored.channel, person)


async def own_message_of(chat: WebChat, message_id: str, person: Person) -> tuple[Stored, Room]:
    """A message this person wrote themselves."""
    stored, room = await message_of(chat, message_id, person)
    if stored.author != person.id:
        raise RequestError(403, "Only its author can change this message.")
    return stored, room
