"""Commands, buttons, forms and the home view: acts that may end in a form opening on the page."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from aiohttp import web

from adapters.web import codec
from adapters.web.access import message_of, person_of, room_of, signed_in
from adapters.web.client import WebChat
from adapters.web.forms import checked
from adapters.web.render import render_markdown
from adapters.web.requests import RequestError, body, key_of, text_of
from adapters.web.rooms import Person, Room
from adapters.web.views import person_view
from bot.ports import Buttons, Commanded, Event, EventHandler, FormError, Message, Opened, Pressed, Submitted


class Interactions:
    """Handlers of presses and forms. The request that pressed waits for the bot and carries the form back."""

    def __init__(self, chat: WebChat, handle: EventHandler) -> None:
        self._chat = chat
        self._handle = handle

    async def command(
        self, person: Person, room: Room, thread: str | None, *, key: str, name: str, text: str
    ) -> web.Response:
        """A message that begins with a slash. It is not posted: only the bot hears it."""
        chat = self._chat
        trigger = chat.forms.expect()
        event = Commanded(
            id=f"web:command:{chat.digest(person.id, key)}",
            actor=chat.ref(person.id),
            place=chat.at(room.id, thread),
            at=chat.clock.now(),
            name=name,
            text=text,
            trigger=trigger,
        )
        return await self._answer(event, trigger, person, room, thread)

    async def press(self, request: web.Request) -> web.Response:
        """A button of a message of the bot. Only what the message shows now can be pressed."""
        chat = self._chat
        person = await person_of(chat, request)
        stored, room = await message_of(chat, request.match_info["message"], person)
        data = await body(request)
        key, action, value = key_of(data), text_of(data, "action"), text_of(data, "value")
        if not stored.by_bot or not _has_button(codec.decode(stored.body), action, value):
            raise RequestError(409, "This button is gone: the message has changed meanwhile.")
        trigger = chat.forms.expect()
        event = Pressed(
            id=f"web:press:{chat.digest(person.id, key)}",
            actor=chat.ref(person.id),
            place=chat.at(room.id, stored.thread),
            at=chat.clock.now(),
            action=action,
            value=value,
            message_id=stored.id,
            trigger=trigger,
        )
        return await self._answer(event, trigger, person, room, stored.thread)

    async def submit(self, request: web.Request) -> web.Response:
        """A form comes back. What is wrong with it is said at the inputs, and the form stays open."""
        chat = self._chat
        person = await person_of(chat, request)
        data = await body(request)
        key, typed = key_of(data), data.get("values")
        said = chat.forms.returned(text_of(data, "token"), person.id)
        channel, thread = said["in"]
        room = await room_of(chat, channel, person)
        values = typed if isinstance(typed, dict) else {}
        met = await chat.rooms.met(_ids(said["takes"], values), person)
        try:
            event = Submitted(
                id=f"web:submit:{chat.digest(person.id, key)}",
                actor=chat.ref(person.id),
                place=chat.at(room.id, thread),
                at=chat.clock.now(),
                form=said["form"],
                value=said["value"],
                values=checked(said["takes"], values, met.__contains__),
            )
            await self._handle(event)
        except FormError as wrong:
            raise RequestError(422, "Some of this cannot be taken as it is.", wrong.errors) from wrong
        return web.json_response({})

    async def home(self, request: web.Request) -> web.Response:
        """The person opens the bot's home view; the bot answers in their own conversation."""
        chat = self._chat
        person = await person_of(chat, request)
        key = key_of(await body(request))
        place = await chat.direct(chat.ref(person.id))
        await self._handle(
            Opened(
                id=f"web:home:{chat.digest(person.id, key)}",
                actor=chat.ref(person.id),
                place=place,
                at=chat.clock.now(),
            )
        )
        return web.json_response({"channel": place.channel})

    async def entry(self, request: web.Request) -> web.StreamResponse:
        """The address of a knowledge entry: the bot shows it to who opens it, in their own conversation.

        A page that loads the address as a picture or a frame does not make the bot speak.
        """
        chat = self._chat
        person = await signed_in(chat, request)
        if person is None:
            wanted = quote(request.path, safe="")
            return web.Response(status=303, headers={"Location": f"/people?next={wanted}" if chat.demo else "/signin"})
        place = await chat.direct(chat.ref(person.id))
        if request.headers.get("Sec-Fetch-Dest", "document") == "document":
            await self._handle(
                Pressed(
                    id=f"web:entry:{chat.digest(person.id, secrets.token_hex(16))}",
                    actor=chat.ref(person.id),
                    place=place,
                    at=chat.clock.now(),
                    action="read",
                    value=request.match_info["entry"],
                )
            )
        return web.Response(status=303, headers={"Location": f"/c/{quote(place.channel, safe='')}"})

    async def _answer(self, event: Event, trigger: str, person: Person, room: Room, thread: str | None) -> web.Response:
        try:
            await self._handle(event)
        finally:
            form = self._chat.forms.collect(trigger)
        if form is None:
            return web.json_response({})
        shown: dict[str, Any] = self._chat.forms.outgoing(form, person=person.id, channel=room.id, thread=thread)
        shown["intro"] = render_markdown(form.intro) if form.intro else ""
        named = await self._chat.rooms.named(
            one
            for question in form.inputs
            if question.kind in ("person", "people") and not isinstance(question.initial, bool)
            for one in ([question.initial] if isinstance(question.initial, str) else question.initial)
        )
        shown["people"] = [person_view(one) for one in named.values()]
        return web.json_response({"form": shown})


def _has_button(message: Message, action: str, value: str) -> bool:
    return any(
        button.action == action and button.value == value and not button.url
        for part in message.parts
        if isinstance(part, Buttons)
        for button in part.items
    )


def _ids(takes: list[Any], values: dict[str, Any]) -> set[str]:
    """The ids of people in what was typed: looked up at once, before the inputs are checked one by one."""
    found: set[str] = set()
    for name, kind, *_ in takes:
        typed = values.get(name)
        if kind in ("person", "people"):
            found.update(str(one) for one in (typed[:100] if isinstance(typed, list) else [typed]) if one)
    return found
