"""The page's requests about what is said: reading, posting, editing, deleting, reacting, coming and going."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from weakref import WeakValueDictionary

from aiohttp import web

from adapters.web.access import message_of, own_message_of, person_of, room_of
from adapters.web.client import WebChat
from adapters.web.emoji import EMOJI
from adapters.web.interactions import Interactions
from adapters.web.requests import RequestError, body, key_of, missing, text_of, words_of
from adapters.web.rooms import Person, Room
from adapters.web.store import Stored
from adapters.web.views import messages_view, person_view, rooms_view
from bot.ports import Deleted, Edited, EventHandler, Joined, Left, Reacted

_COMMAND = re.compile(r"/([a-z][a-z0-9_-]{0,31})(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


class Conversations:
    """Handlers of `/api/…`. Each answers only when the bot's own handling is committed."""

    def __init__(self, chat: WebChat, handle: EventHandler, interactions: Interactions) -> None:
        self._chat = chat
        self._handle = handle
        self._interactions = interactions
        #: The same message sent twice at once is handled once, the second waits for the first.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # --- reading --------------------------------------------------------------------------------------------------

    async def state(self, request: web.Request) -> web.Response:
        """Everything the page needs to begin, with the revision from which the stream goes on."""
        chat = self._chat
        person = await person_of(chat, request)
        await chat.direct(chat.ref(person.id))
        revision = await chat.store.revision()
        _, rooms = await rooms_view(chat, person)
        return web.json_response(
            {
                "revision": revision,
                "me": person_view(person) | {"role": person.role, "timeZone": person.time_zone},
                "bot": {"name": chat.bot_name},
                "organisation": chat.organisation,
                "demo": chat.demo,
                "channels": rooms,
                "commands": [{"name": c.name, "hint": c.hint, "arguments": c.arguments} for c in chat.commands],
                "emoji": EMOJI,
            }
        )

    async def people(self, request: web.Request) -> web.Response:
        """People by part of their name, for pickers."""
        person = await person_of(self._chat, request)
        found = await self._chat.rooms.find(request.query.get("q", "")[:80], person)
        return web.json_response({"people": [person_view(one) for one in found]})

    async def members(self, request: web.Request) -> web.Response:
        """Who is in a channel."""
        person = await person_of(self._chat, request)
        room = await room_of(self._chat, request.match_info["channel"], person)
        ids = await self._chat.rooms.present(room.id)
        people = await self._chat.rooms.named(ids[:500])
        return web.json_response({"people": [person_view(people[one]) for one in ids if one in people]})

    async def messages(self, request: web.Request) -> web.Response:
        """A page of a channel: the newest, those before one, or from around one on."""
        chat = self._chat
        person = await person_of(chat, request)
        room = await room_of(chat, request.match_info["channel"], person)
        around, thread = request.query.get("around"), None
        if around:
            target, where = await message_of(chat, around, person)
            root = await chat.store.get(target.thread, room.id) if target.thread else target
            if where.id != room.id or root is None:
                raise missing()
            thread = target.thread
            page = await chat.feed.around(room.id, person.id, root)
        else:
            page = await chat.feed.page(room.id, person.id, before=request.query.get("before"))
        shown = await messages_view(chat, page.messages, person)
        return web.json_response({"messages": shown, "older": page.older, "newer": page.newer, "thread": thread})

    async def thread(self, request: web.Request) -> web.Response:
        """A thread: the message it hangs from, and its newest answers."""
        chat = self._chat
        person = await person_of(chat, request)
        room = await room_of(chat, request.match_info["channel"], person)
        root = await chat.store.get(request.match_info["root"], room.id)
        if root is None or root.thread is not None or root.only_for not in (None, person.id):
            raise missing()
        page = await chat.feed.thread(room.id, root.id, person.id, before=request.query.get("before"))
        shown = await messages_view(chat, [root, *page.messages], person)
        return web.json_response({"root": shown[0], "messages": shown[1:], "older": page.older})

    # --- saying ---------------------------------------------------------------------------------------------------

    async def post(self, request: web.Request) -> web.Response:
        """Say something, or give a command. The same key again says nothing twice."""
        chat = self._chat
        person = await person_of(chat, request)
        room = await room_of(chat, request.match_info["channel"], person, to_write=True)
        data = await body(request)
        key, text = key_of(data), words_of(data)
        thread = await self._thread(data, room, person)
        command = _COMMAND.fullmatch(text)
        if command:
            return await self._interactions.command(
                person, room, thread, key=key, name=command[1].lower(), text=(command[2] or "").strip()
            )
        stored, _ = await chat.store.post(
            channel=room.id,
            thread=thread,
            author=person.id,
            body=text,
            at=chat.clock.now(),
            private=room.direct,
            client_key=chat.digest(person.id, key),
        )
        await self._have_handled(stored, room)
        view = (await messages_view(chat, [stored], person))[0]
        return web.json_response({"message": view})

    async def edit(self, request: web.Request) -> web.Response:
        """Change one's own words. The bot is told first: if that fails, nothing has changed."""
        chat = self._chat
        person = await person_of(chat, request)
        stored, room = await own_message_of(chat, request.match_info["message"], person)
        data = await body(request)
        key, text, now = key_of(data), words_of(data), chat.clock.now()
        if text != stored.body:
            await self._handle(
                Edited(
                    id=f"web:edit:{stored.id}:{chat.digest(person.id, key)}",
                    actor=chat.ref(person.id),
                    place=chat.at(room.id, stored.thread),
                    at=now,
                    message_id=stored.id,
                    text=text,
                )
            )
            await chat.store.replace(stored.id, text, edited=now)
        return await self._shown(stored.id, person)

    async def delete(self, request: web.Request) -> web.Response:
        """Remove one's own message; again the bot first, so that nothing it keeps outlives the message."""
        chat = self._chat
        person = await person_of(chat, request)
        stored, room = await own_message_of(chat, request.match_info["message"], person)
        now = chat.clock.now()
        await self._handle(
            Deleted(
                id=f"web:delete:{stored.id}",
                actor=chat.ref(person.id),
                place=chat.at(room.id, stored.thread),
                at=now,
                message_id=stored.id,
            )
        )
        await chat.store.remove(stored.id, now)
        return web.json_response({})

    async def react(self, request: web.Request) -> web.Response:
        """Put an emoji on a message, or take one's own away."""
        chat = self._chat
        person = await person_of(chat, request)
        stored, room = await message_of(chat, request.match_info["message"], person)
        data = await body(request)
        key, emoji, added, now = key_of(data), text_of(data, "emoji"), data.get("added") is not False, chat.clock.now()
        if emoji not in EMOJI:
            raise RequestError(422, "This emoji is not in the set here.")
        await self._handle(
            Reacted(
                id=f"web:react:{chat.digest(person.id, key)}",
                actor=chat.ref(person.id),
                place=chat.at(room.id, stored.thread),
                at=now,
                message_id=stored.id,
                emoji=emoji,
                added=added,
            )
        )
        await chat.store.react(stored.id, person.id, emoji, added=added, at=now)
        return await self._shown(stored.id, person)

    # --- coming and going -----------------------------------------------------------------------------------------

    async def read(self, request: web.Request) -> web.Response:
        """Everything in a channel up to a revision has been seen."""
        person = await person_of(self._chat, request)
        room = await room_of(self._chat, request.match_info["channel"], person)
        upto = (await body(request)).get("upto")
        if not isinstance(upto, int) or isinstance(upto, bool) or not 0 <= upto < 2**53:
            raise RequestError(400, "This request could not be read.")
        if room.joined:
            await self._chat.store.mark_read(room.id, person.id, upto)
        return web.json_response({})

    async def join(self, request: web.Request) -> web.Response:
        """Come into a public channel."""
        chat = self._chat
        person = await person_of(chat, request)
        room = await room_of(chat, request.match_info["channel"], person)
        data = await body(request)
        event = f"web:join:{chat.digest(person.id, key_of(data))}"
        if not room.joined:
            await chat.rooms.join(room.id, person.id)
        # In any case: the page may repeat this because it was cut short before the bot heard of it.
        await self._handle(Joined(id=event, actor=chat.ref(person.id), place=chat.at(room.id), at=chat.clock.now()))
        return web.json_response({})

    async def leave(self, request: web.Request) -> web.Response:
        """Go out of a channel. The talk with the bot cannot be left."""
        chat = self._chat
        person = await person_of(chat, request)
        room = await room_of(chat, request.match_info["channel"], person)
        data = await body(request)
        event = f"web:leave:{chat.digest(person.id, key_of(data))}"
        if room.direct:
            raise RequestError(422, f"Your conversation with {chat.bot_name} stays with you.")
        if room.joined:
            # The bot first: cut short in between, somebody is still in the channel, and leaves it once more.
            await self._handle(Left(id=event, actor=chat.ref(person.id), place=chat.at(room.id), at=chat.clock.now()))
            await chat.rooms.leave(room.id, person.id)
        return web.json_response({})

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _thread(self, data: Any, room: Room, person: Person) -> str | None:
        wanted = text_of(data, "thread")
        if not wanted:
            return None
        stored, where = await message_of(self._chat, wanted, person)
        if where.id != room.id:
            raise missing()
        return stored.thread or stored.id

    async def _have_handled(self, stored: Stored, room: Room) -> None:
        """Hand a message to the bot once. Should that fail, the message is taken back: its words are still in the
        composer of the person, who is told."""
        chat = self._chat
        lock = self._locks.setdefault(stored.id, asyncio.Lock())
        async with lock:
            current = await chat.store.get(stored.id)
            if current is None or current.deleted is not None or current.handled_at is not None:
                return
            try:
                await self._handle(chat.heard(current, room))
            except Exception:
                await chat.store.remove(stored.id, chat.clock.now(), forget_key=True)
                raise
            await chat.store.mark_handled(stored.id, chat.clock.now())

    async def _shown(self, message_id: str, person: Person) -> web.Response:
        stored = await self._chat.store.get(message_id)
        shown = await messages_view(self._chat, [stored] if stored else [], person)
        return web.json_response({"message": shown[0] if shown else None})
