"""A small honest chat platform and the people on it, so that a scenario reads like a dialogue.

`FakeChat` keeps messages as a platform would; an `Actor` sees only what that person may see, says things, and presses
the buttons they see. The bot behind it is the real one: dispatcher, store, worker, index.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.app import Bot
from bot.ports import (
    Button,
    Buttons,
    Capabilities,
    Commanded,
    Context,
    Deleted,
    DeliveryError,
    Edited,
    Fields,
    Form,
    Heard,
    Joined,
    Left,
    LinkShared,
    Message,
    Opened,
    PersonRef,
    Place,
    PlaceInfo,
    Pointed,
    Pressed,
    Profile,
    Quote,
    Reacted,
    Submitted,
    Text,
)


class MovableClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Posted:
    """A message on the platform."""

    id: str
    channel: str
    thread: str | None
    author: str
    content: Message | str
    only_for: str | None = None
    delivery_id: str | None = None
    deleted: bool = False
    versions: int = 1

    @property
    def words(self) -> str:
        """All that one reads on it."""
        if isinstance(self.content, str):
            return self.content
        lines = []
        for part in self.content.parts:
            match part:
                case Text(words) | Context(words):
                    lines.append(words.replace("\\", "").replace("**", ""))
                case Quote(words):
                    lines.append(words)
                case Fields(items):
                    lines += [f"{label}: {text}" for label, text in items]
                case Buttons(items):
                    lines.append(" ".join(f"[{button.label}]" for button in items))
                case _:
                    pass
        return "\n".join(lines)

    @property
    def buttons(self) -> list[Button]:
        """The buttons on it."""
        if isinstance(self.content, str):
            return []
        return [b for part in self.content.parts if isinstance(part, Buttons) for b in part.items]


@dataclass
class FakeChat:
    """The platform."""

    name: str = "fake"
    site: str = "chat.example"
    workspace: str = "acme"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(private_in_channel=True, home=True))
    people: dict[str, Profile] = field(default_factory=dict)
    channels: dict[str, PlaceInfo] = field(default_factory=dict)
    inside: dict[str, set[str]] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    forms: dict[str, Form] = field(default_factory=dict)
    homes: dict[str, Message] = field(default_factory=dict)
    previews: dict[str, Message] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)  # raised in place of a call
    late_faults: list[Exception] = field(default_factory=list)  # raised after a message was taken
    while_sending: Callable[[], Awaitable[None]] | None = None  # happens once, while a message is on its way
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def add_person(self, key: str, name: str, *, email: str | None = None, guest: bool = False) -> None:
        email = email or f"{key}@acme.example"
        self.people[key] = Profile(ref=self.ref(key), name=name, email=email, guest=guest, title="")

    def add_channel(self, key: str, *, private: bool = False, members: Iterable[str] = ()) -> None:
        self.channels[key] = PlaceInfo(place=self.place_of(key), name=key, private=private)
        self.inside[key] = set(members)

    def ref(self, key: str) -> PersonRef:
        return PersonRef(self.name, self.workspace, key)

    def place_of(self, channel: str, thread: str | None = None) -> Place:
        return Place(self.name, self.workspace, channel, thread)

    def put(self, channel: str, thread: str | None, author: str, content: Message | str, **more: Any) -> Posted:
        posted = Posted(f"m{next(self._ids)}", channel, thread, author, content, **more)
        self.posted.append(posted)
        return posted

    def visible(self, person: str) -> list[Posted]:
        """What this person can see, oldest first."""
        return [
            m for m in self.posted
            if not m.deleted and m.only_for in (None, person) and (
                m.channel == f"dm-{person}" if m.channel.startswith("dm-")
                else not self.channels[m.channel].private or person in self.inside[m.channel])
        ]  # fmt: skip

    # --- the port ---------------------------------------------------------------------------------------------------

    def _fault(self) -> None:
        if self.faults:
            raise self.faults.pop(0)

    async def send(self, place: Place, message: Message, *, delivery_id: str) -> str:
        self._fault()
        if place.channel not in self.channels and not place.channel.startswith("dm-"):
            raise DeliveryError("no such channel")
        posted = self.put(place.channel, place.thread, "bot", message, delivery_id=delivery_id)
        await self._after_taking()
        return posted.id

    async def _after_taking(self) -> None:
        if happens := self.while_sending:
            self.while_sending = None
            await happens()
        if self.late_faults:
            raise self.late_faults.pop(0)

    async def update(self, place: Place, message_id: str, message: Message) -> None:
        self._fault()
        for posted in self.posted:
            if posted.id == message_id:
                posted.content, posted.versions = message, posted.versions + 1

    async def withdraw(self, place: Place, message_id: str) -> None:
        for posted in self.posted:
            posted.deleted = posted.deleted or posted.id == message_id

    async def whisper(self, place: Place, person: PersonRef, message: Message, *, delivery_id: str) -> str:
        self._fault()
        posted = self.put(place.channel, place.thread, "bot", message, delivery_id=delivery_id, only_for=person.id)
        await self._after_taking()
        return posted.id

    async def find(self, place: Place, *, delivery_id: str) -> str | None:
        here = (m for m in self.posted if m.channel == place.channel and not m.deleted)
        return next((m.id for m in here if m.delivery_id == delivery_id), None)

    async def direct(self, person: PersonRef) -> Place:
        return self.place_of(f"dm-{person.id}")

    async def open_form(self, trigger: str, form: Form) -> None:
        self.forms[trigger] = form

    async def show_home(self, person: PersonRef, message: Message) -> None:
        self.homes[person.id] = message

    async def unfurl(self, place: Place, message_id: str, previews: Mapping[str, Message]) -> None:
        self.previews.update(previews)

    async def profile(self, person: PersonRef) -> Profile:
        return self.people[person.id]

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        return next((profile for profile in self.people.values() if profile.email == email), None)

    async def place(self, place: Place) -> PlaceInfo:
        if place.channel.startswith("dm-"):
            return PlaceInfo(place=place, name="", private=True, direct=True)
        return self.channels[place.channel]

    async def members(self, place: Place) -> list[PersonRef]:
        return [self.ref(key) for key in sorted(self.inside[place.channel])]

    async def permalink(self, place: Place, message_id: str) -> str:
        return f"https://{self.site}/{place.channel}/{message_id}"


@dataclass
class Actor:
    """A person at their screen."""

    chat: FakeChat
    bot: Bot
    id: str

    @property
    def ref(self) -> PersonRef:
        return self.chat.ref(self.id)

    def _event(self, place: Place) -> dict[str, Any]:
        now = self.bot.store.clock.now()
        return {"id": f"e{next(self.chat._ids)}", "actor": self.ref, "place": place, "at": now}

    async def _do(self, event: Any) -> None:
        await self.bot.dispatcher.handle(event)
        await self.bot.worker.settle()

    async def says(self, text: str, *, to: str | None = None, thread: str | None = None, bot: bool = False) -> Posted:
        """Say something to the bot in private, or in a channel."""
        channel = to or f"dm-{self.id}"
        posted = self.chat.put(channel, thread, self.id, text)
        heard = Heard(**self._event(self.chat.place_of(channel, thread)), message_id=posted.id, text=text,
                      direct=to is None, addressed=bot)  # fmt: skip
        await self._do(heard)
        return posted

    async def commands(self, name: str, text: str = "", *, to: str | None = None, form: bool = False) -> Form | None:
        """A command; with `form`, the platform could open one, and what it opened comes back."""
        event = self._event(self.chat.place_of(to or f"dm-{self.id}"))
        trigger = event["id"] if form else ""
        await self._do(Commanded(**event, name=name, text=text, trigger=trigger))
        return self.chat.forms.pop(trigger, None)

    async def points(self, action: str, posted: Posted, *, form: bool = True) -> Form | None:
        """Choose one of the bot's actions on a message; the form it opened, if any."""
        event = self._event(self.chat.place_of(posted.channel, posted.thread))
        trigger = event["id"] if form else ""
        author = None if posted.author == "bot" else self.chat.ref(posted.author)
        await self._do(Pointed(**event, action=action, message_id=posted.id, text=posted.words, author=author,
                               trigger=trigger))  # fmt: skip
        return self.chat.forms.pop(trigger, None)

    async def opens_home(self) -> Posted:
        """Open the bot's home view; what is on it."""
        await self._do(Opened(**self._event(self.chat.place_of(""))))
        return self.home

    @property
    def home(self) -> Posted:
        """The home view as it stands on the screen."""
        return Posted("home", "", None, "bot", self.chat.homes[self.id])

    async def presses_at_home(self, label: str) -> Form | None:
        """Press the first button of that name on the home view."""
        button = next(b for b in self.home.buttons if b.label == label)
        event = self._event(self.chat.place_of(""))
        trigger = event["id"]
        await self._do(Pressed(**event, action=button.action, value=button.value, trigger=trigger))
        return self.chat.forms.pop(trigger, None)

    async def links(self, *urls: str, to: str) -> dict[str, Message]:
        """Write a message with addresses in it; the previews below it."""
        self.chat.previews.clear()
        posted = self.chat.put(to, None, self.id, " ".join(urls))
        await self._do(LinkShared(**self._event(self.chat.place_of(to)), message_id=posted.id, urls=urls))
        return dict(self.chat.previews)

    def sees(self, words: str = "", *, to: str | None = None) -> Posted:
        """The newest message this person sees (anywhere, or in one channel) that has these words."""
        for posted in reversed(self.chat.visible(self.id)):
            if words in posted.words and to in (None, posted.channel):
                return posted
        seen = "\n---\n".join(p.words for p in self.chat.visible(self.id))
        raise AssertionError(f"{self.id} does not see {words!r}. They see:\n{seen}")

    def sees_nothing_of(self, words: str) -> None:
        for posted in self.chat.visible(self.id):
            assert words not in posted.words, posted.words

    async def presses(self, label: str, *, on: str = "") -> Form | None:
        """Press a button on the newest message that has it (and these words); the form it opened, if any."""
        for posted in reversed(self.chat.visible(self.id)):
            button = next((b for b in posted.buttons if b.label == label), None)
            if button and on in posted.words:
                event = self._event(self.chat.place_of(posted.channel, posted.thread))
                trigger = event["id"]
                await self._do(Pressed(**event, action=button.action, value=button.value, message_id=posted.id,
                                       trigger=trigger))  # fmt: skip
                return self.chat.forms.pop(trigger, None)
        raise AssertionError(f"{self.id} sees no button {label!r} on {on!r}")

    async def fills(self, form: Form | None, **values: str | tuple[str, ...] | bool) -> None:
        """Send a form, everything else as it was filled in before."""
        assert form is not None, "no form was opened"
        filled = {item.name: item.initial for item in form.inputs} | values
        place = self.chat.place_of(f"dm-{self.id}")
        await self._do(Submitted(**self._event(place), form=form.name, value=form.value, values=filled))

    async def edits(self, posted: Posted, text: str) -> None:
        posted.content = text
        await self._do(Edited(**self._event(self.chat.place_of(posted.channel, posted.thread)),
                              message_id=posted.id, text=text))  # fmt: skip

    async def deletes(self, posted: Posted) -> None:
        posted.deleted = True
        place = self.chat.place_of(posted.channel, posted.thread)
        await self._do(Deleted(**self._event(place), message_id=posted.id))

    async def reacts(self, emoji: str, posted: Posted) -> None:
        place = self.chat.place_of(posted.channel, posted.thread)
        await self._do(Reacted(**self._event(place), message_id=posted.id, emoji=emoji))

    async def leaves(self, channel: str) -> None:
        self.chat.inside[channel].discard(self.id)
        await self._do(Left(**self._event(self.chat.place_of(channel))))

    async def joins(self, channel: str) -> None:
        self.chat.inside[channel].add(self.id)
        await self._do(Joined(**self._event(self.chat.place_of(channel))))


__all__ = ["Actor", "FakeChat", "MovableClock", "Posted", "replace"]
