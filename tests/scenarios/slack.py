"""The same people on Slack: an `Actor` whose every act goes through our local Slack, signed, to the real adapter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from bot.app import Bot
from bot.ports import PersonRef
from tests.edges.slack_server import Channel, Message, Person, SlackServer, View, Workspace
from tests.edges.slack_server.text import elements, message_text
from tests.scenarios.chat import MovableClock


@dataclass(frozen=True)
class Seen:
    """A message as its reader has it before them."""

    id: str
    thread: str | None
    channel: str
    words: str
    message: Message


@dataclass(frozen=True)
class OpenForm:
    """The form before somebody."""

    view: View
    inputs: list[Asked]


@dataclass(frozen=True)
class Asked:
    """One of its questions."""

    name: str
    options: list[Choice]


@dataclass(frozen=True)
class Choice:
    """One of the choices."""

    value: str
    label: str


@dataclass
class SlackHouse:
    """The workspace, the bot, and what is needed to let both finish what they are about."""

    server: SlackServer
    workspace: Workspace
    bot: Bot
    clock: MovableClock
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    async def settle(self) -> None:
        """Until nothing is under way: what Slack sent, what the bot does, and what it sends, now or a little later."""
        async with asyncio.timeout(60):
            while True:
                await self.server.quiet()
                for _ in range(40):
                    if not await self._count("slack_inbox WHERE handled = false"):
                        break
                    await asyncio.sleep(0.005)  # rows tell nobody when they are handled
                if await self.bot.worker.settle():
                    continue
                if not await self._count("slack_inbox WHERE handled = false") and not await self._count(
                    "work WHERE kind NOT IN ('round', 'remind') AND failed = false"
                ):
                    return
                self.clock.forward(seconds=1)  # one message a second in a channel; a pause before another try

    async def _count(self, rows: str) -> int:
        async with self.bot.store.engine.connect() as connection:
            counted = await connection.exec_driver_sql(f"SELECT count(*) FROM {rows}")
            return int(counted.scalar_one())

    @property
    def chat(self) -> SlackHouse:
        """Where one looks for what somebody sees."""
        return self

    def be(self, key: str) -> SlackActor:
        """One of these people."""
        return SlackActor(self, key)

    def visible(self, key: str) -> list[Seen]:
        """What this person can see, oldest first."""
        person = self.people[key]
        return [_seen(person, message) for message in person.messages()]


def _seen(person: Person, message: Message) -> Seen:
    words = message_text(message, person.team).replace("*", "")
    thread = message.thread_ts if message.thread_ts != message.ts else None
    return Seen(message.ts, thread, message.channel, words, message)


@dataclass
class SlackActor:
    """A person at their Slack; the same acts as `tests.scenarios.chat.Actor`."""

    house: SlackHouse
    id: str

    @property
    def person(self) -> Person:
        return self.house.people[self.id]

    @property
    def ref(self) -> PersonRef:
        return PersonRef("slack", self.person.team.id, self.person.id)

    async def _after(self, act: Awaitable[Any]) -> Any:
        result = await act
        await self.house.settle()
        return result

    def _channel(self, key: str | None) -> Channel:
        return self.house.channels[key] if key else self.person.dm

    async def says(self, text: str, *, to: str | None = None, thread: str | None = None, bot: bool = False) -> Seen:
        channel = self._channel(to)
        root = channel.messages[thread] if thread else None
        say = self.person.mentions_bot if bot else self.person.says
        return _seen(self.person, await self._after(say(text, channel, thread=root)))

    async def commands(self, name: str, text: str = "", *, to: str | None = None) -> None:
        await self._after(self.person.command(f"/{name}", text, channel=self._channel(to)))

    def sees(self, words: str = "", *, to: str | None = None) -> Seen:
        for seen in reversed(self.house.visible(self.id)):
            if words in seen.words and (to is None or seen.channel == self._channel(to).id):
                return seen
        raise AssertionError(f"{self.id} does not see {words!r}. They see:\n{self.person.sees()}")

    def sees_nothing_of(self, words: str) -> None:
        assert words not in self.person.sees(), self.person.sees()

    async def presses(self, label: str, *, on: str = "") -> OpenForm | None:
        for seen in reversed(self.house.visible(self.id)):
            labels = {element.get("text", {}).get("text") for _, element in elements(seen.message.blocks)}
            if label in labels and on in seen.words:
                await self._after(self.person.presses(label, on=seen.message))
                return _form(self.person.modal)
        raise AssertionError(f"{self.id} sees no button {label!r} on {on!r}")

    async def fills(self, form: OpenForm | None, **values: Any) -> None:
        assert form is not None, "no form was opened"
        kinds = {block["block_id"]: block["element"]["type"] for block in form.view.blocks if block["type"] == "input"}
        filled = {name: self._value(kinds[name], value) for name, value in values.items()}
        submission = await self._after(self.person.fills_and_submits(form.view, **filled))
        assert submission.accepted, submission.errors

    def _value(self, kind: str, value: Any) -> Any:
        if not isinstance(value, tuple):
            return value
        people = self.house.people
        chosen = [people[one].id if one in people else one for one in value]
        return chosen[0] if kind == "users_select" else chosen

    async def edits(self, seen: Seen, text: str) -> None:
        await self._after(self.person.edits(seen.message, text))

    async def deletes(self, seen: Seen) -> None:
        await self._after(self.person.deletes(seen.message))

    async def reacts(self, emoji: str, seen: Seen) -> None:
        await self._after(self.person.reacts(emoji, seen.message))

    async def leaves(self, channel: str) -> None:
        await self._after(self.person.leaves(self._channel(channel)))

    async def joins(self, channel: str) -> None:
        await self._after(self.person.joins(self._channel(channel)))


def _form(view: View | None) -> OpenForm | None:
    if view is None:
        return None
    inputs = [
        Asked(
            block["block_id"],
            [Choice(one["value"], one["text"]["text"]) for one in block["element"].get("options", [])],
        )
        for block in view.blocks
        if block["type"] == "input"
    ]
    return OpenForm(view, inputs)
