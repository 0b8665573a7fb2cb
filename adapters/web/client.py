"""The web chat as the core sees it: the chat port on the tables of `store`, and seeding a sample organisation."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.web import codec
from adapters.web.feed import Feed
from adapters.web.forms import Forms
from adapters.web.pulse import Pulse
from adapters.web.rooms import Person, Room, Rooms
from adapters.web.sessions import Sessions
from adapters.web.store import BOT, Sealer, Stored, WebStore
from bot.ports import (
    Capabilities,
    Clock,
    DeliveryError,
    EventHandler,
    Form,
    Heard,
    Message,
    PersonRef,
    Place,
    PlaceInfo,
    Profile,
)

log = logging.getLogger(__name__)

PLATFORM = "web"
WORKSPACE = "local"

#: Ids become parts of addresses and of the mention pattern: plain characters only, and never `@` (see `BOT`).
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")


@dataclass(frozen=True, slots=True)
class Command:
    """A line of the popup that opens when somebody types `/`."""

    name: str
    hint: str
    arguments: str = ""


COMMANDS: tuple[Command, ...] = (
    Command("ask", "Ask a question; I find past answers and the people who know", "your question"),
    Command("experts", "See who knows about a topic, and why", "topic"),
    Command("know", "Search what colleagues have already worked out", "topic"),
    Command("community", "The communities, and what is open in them", ""),
    Command("mine", "What waits for you, and where your questions stand", ""),
    Command("profile", "What you know, and until when you are away", ""),
    Command("help", "What I can do, and how", ""),
)


class WebChat:
    """`bot.ports.ChatPlatform` for the embedded chat. `workspace` is always the same one: this installation."""

    name = PLATFORM
    capabilities = Capabilities(private_in_channel=True)

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        *,
        seal: Sealer,
        secret: str,
        base_url: str,
        demo: bool,
        organisation: str = "Weaver",
        bot_name: str = "Weaver",
        commands: Sequence[Command] = COMMANDS,
    ) -> None:
        self.clock = clock
        self.base_url = base_url.rstrip("/")
        self.demo = demo
        self.organisation = organisation
        self.bot_name = bot_name
        self.commands = tuple(commands)
        self.pulse = Pulse()
        self.store = WebStore(engine, seal, self.pulse)
        self.rooms = Rooms(self.store)
        self.feed = Feed(self.store)
        self.sessions = Sessions(secret, secure=self.base_url.startswith("https://"))
        self.forms = Forms(secret)
        self._secret = secret.encode()
        self._mention = re.compile(rf"(?<![\w@.])@{re.escape(bot_name)}\b[,:]?[ \t]*", re.IGNORECASE)

    # --- the port -------------------------------------------------------------------------------------------------

    async def send(self, place: Place, message: Message, *, delivery_id: str) -> str:
        """Post as the bot; the same `delivery_id` again posts nothing and returns the first id."""
        room = await self._room(place)
        stored, _ = await self.store.post(
            channel=room.id,
            thread=await self._root(place),
            author=BOT,
            body=codec.encode(message),
            at=self.clock.now(),
            private=room.direct,
            delivery_id=delivery_id,
            handled=True,
        )
        return stored.id

    async def update(self, place: Place, message_id: str, message: Message) -> None:
        """Replace what a message of the bot says."""
        stored = await self.store.get(message_id, place.channel)
        if stored is not None and stored.by_bot and stored.deleted is None:
            await self.store.replace(stored.id, codec.encode(message))

    async def withdraw(self, place: Place, message_id: str) -> None:
        """Remove a message of the bot."""
        stored = await self.store.get(message_id, place.channel)
        if stored is not None and stored.by_bot and stored.deleted is None:
            await self.store.remove(stored.id, self.clock.now())

    async def whisper(self, place: Place, person: PersonRef, message: Message, *, delivery_id: str) -> str:
        """Post for one person's eyes. Kept sealed, like a direct message."""
        who = await self.rooms.person(person.id)
        if who is None or await self.rooms.room(place.channel, who) is None:
            raise DeliveryError("the person cannot see this channel")
        stored, _ = await self.store.post(
            channel=place.channel,
            thread=await self._root(place),
            author=BOT,
            body=codec.encode(message),
            at=self.clock.now(),
            only_for=who.id,
            delivery_id=delivery_id,
            handled=True,
        )
        return stored.id

    async def find(self, place: Place, *, delivery_id: str) -> str | None:
        """The message sent under `delivery_id`, if there is one."""
        stored = await self.store.delivered(place.channel, delivery_id)
        return None if stored is None else stored.id

    async def direct(self, person: PersonRef) -> Place:
        """The person's own conversation with the bot, made when first needed."""
        who = await self.rooms.person(person.id)
        if who is None:
            raise DeliveryError("nobody here has this id")
        channel = f"dm-{who.id}"
        if await self.rooms.plain(channel) is None:
            await self.rooms.keep_channel(channel, name=self.bot_name, private=True, dm_of=who.id, people=[who.id])
        return Place(PLATFORM, WORKSPACE, channel)

    async def open_form(self, trigger: str, form: Form) -> None:
        """Give the form to the request that is waiting under `trigger`; its page opens it."""
        self.forms.offer(trigger, form)

    async def show_home(self, person: PersonRef, message: Message) -> None:
        """There is no home view here: `capabilities.home` says so."""
        raise DeliveryError("the web chat has no home view")

    async def unfurl(self, place: Place, message_id: str, previews: Mapping[str, Message]) -> None:
        """Nothing: the chat's own links open in the page."""

    async def profile(self, person: PersonRef) -> Profile:
        """Who this is, as seeded or signed in."""
        who = await self.rooms.person(person.id)
        if who is None or person.platform != PLATFORM:
            raise LookupError(f"no person {person.id} in the web chat")
        return Profile(
            ref=self.ref(who.id),
            name=who.name,
            email=who.email,
            title=who.title,
            time_zone=who.time_zone,
            guest=who.guest,
            active=who.active,
        )

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        """Nobody: who is here was told by the core."""
        return None

    async def place(self, place: Place) -> PlaceInfo:
        """What this channel is."""
        room = await self.rooms.plain(place.channel)
        if room is None or place.platform != PLATFORM:
            raise LookupError(f"no channel {place.channel} in the web chat")
        return PlaceInfo(place=place, name=room.name, private=room.private, direct=room.direct)

    async def members(self, place: Place) -> list[PersonRef]:
        """Who is in the channel now."""
        return [self.ref(person) for person in await self.rooms.present(place.channel)]

    async def permalink(self, place: Place, message_id: str) -> str:
        """An address that opens the message, in its thread if it is in one, for those who may see it."""
        return f"{self.base_url}/c/{quote(place.channel, safe='')}/{quote(message_id, safe='')}"

    # --- seeding, all of it safe to repeat ------------------------------------------------------------------------

    async def add_people(self, people: Sequence[tuple[Profile, str]]) -> None:
        """Add people, each with a label for the chooser such as "Expert · Hydraulics"."""
        for position, (profile, role) in enumerate(people):
            if not _ID.fullmatch(profile.ref.id):
                raise ValueError(f"{profile.ref.id!r} cannot be an id: letters, digits and . _ : - only")
            person = Person(
                id=profile.ref.id,
                name=profile.name,
                email=profile.email,
                title=profile.title,
                time_zone=profile.time_zone,
                role=role,
                guest=profile.guest,
                active=profile.active,
            )
            await self.rooms.keep_person(person, position)

    async def welcome(self, key: str, name: str, email: str | None, title: str) -> Profile:
        """Somebody who may sign in from now on, and can be written to before they do."""
        profile = Profile(ref=self.ref(key), name=name, email=email, title=title)
        await self.add_people([(profile, title)])
        return profile

    async def keep_rights(self, rights: Mapping[str, tuple[bool, bool]]) -> None:
        """By user id: whether they are a guest, and whether their account is on. It holds from the next request."""
        await self.rooms.keep_rights(rights)

    async def add_channel(self, channel: str, name: str, topic: str, private: bool, members: Sequence[str]) -> None:
        """Add a channel, or bring its name, topic and first members up to date."""
        if not _ID.fullmatch(channel) or channel.startswith("dm-"):
            raise ValueError(f"{channel!r} cannot be a channel id")
        await self.rooms.keep_channel(channel, name=name, topic=topic, private=private, people=members)

    async def add_message(
        self, channel: str, author: str, text: str, at: datetime, *, key: str, thread: str | None = None
    ) -> str:
        """Put a message into the history. The bot hears nothing of it; nobody finds it unread."""
        stored, _ = await self.store.post(
            channel=channel,
            thread=thread,
            author=author,
            body=text,
            at=at,
            client_key=f"seed:{key}",
            history=True,
            handled=True,
        )
        return stored.id

    # --- for the edge itself --------------------------------------------------------------------------------------

    def signin_link(self, user_id: str) -> str:
        """An address that signs this person in. Good for a while; give it to nobody else."""
        return f"{self.base_url}/signin?token={self.sessions.signin_token(user_id)}"

    async def resume(self, handle: EventHandler) -> None:
        """Hand over again what people said and the bot was killed over. The core acts once on each event id."""
        for stored in await self.store.unhandled():
            room = await self.rooms.plain(stored.channel)
            if room is None:
                continue
            try:
                await handle(self.heard(stored, room))
            except Exception:
                log.exception("could not take up message %s again; it is tried at the next start", stored.id)
            else:
                await self.store.mark_handled(stored.id, self.clock.now())

    def heard(self, stored: Stored, room: Room) -> Heard:
        """The event of a person's message. Its id is the message's own, so handing it over twice acts once."""
        text, mentions = (stored.body, 0) if room.direct else self._mention.subn("", stored.body)
        return Heard(
            id=f"web:msg:{stored.id}",
            actor=self.ref(stored.author),
            place=self.at(room.id, stored.thread),
            at=stored.created,
            message_id=stored.id,
            text=text.strip() if mentions else stored.body,
            direct=room.direct,
            addressed=mentions > 0,
        )

    def ref(self, person: str) -> PersonRef:
        """A person of this chat in the port's words."""
        return PersonRef(PLATFORM, WORKSPACE, person)

    def at(self, channel: str, thread: str | None = None) -> Place:
        """A place of this chat in the port's words."""
        return Place(PLATFORM, WORKSPACE, channel, thread)

    def digest(self, person: str, key: str) -> str:
        """A page's own key as an event or row key: bounded, of one person only, and telling nobody who it was."""
        return hmac.new(self._secret, f"{person}\0{key}".encode(), hashlib.sha256).hexdigest()[:32]

    async def _room(self, place: Place) -> Room:
        room = await self.rooms.plain(place.channel) if place.platform == PLATFORM else None
        if room is None:
            raise DeliveryError("there is no such channel in the web chat")
        return room

    async def _root(self, place: Place) -> str | None:
        """The message a thread hangs from. Somebody who answers an answer is in the same thread."""
        if place.thread is None:
            return None
        stored = await self.store.get(place.thread, place.channel)
        if stored is None:
            raise DeliveryError("the thread is gone")
        return stored.thread or stored.id
