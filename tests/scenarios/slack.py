"""The same people on Slack: an `Actor` whose every act goes through our local Slack, signed, to the real adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bot.ports import PersonRef, Place
from tests.edges.slack_server import Channel, Message, Person, SlackServer, View, Workspace
from tests.edges.slack_server.text import elements, message_text
from tests.scenarios.stage import Asked, Choice, House, OpenForm, Player, Seen, found_everything, listening


@dataclass(kw_only=True)
class SlackHouse(House):
    """The workspace, the bot, and what is needed to let both finish what they are about."""

    inbox: ClassVar[str] = "slack_inbox"
    server: SlackServer
    workspace: Workspace
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    async def quiet(self) -> None:
        await self.server.quiet()

    async def found_everything(self) -> None:
        """Introduce the people of this house, and found the communities that have a channel in it."""
        chat, team = self.bot.slack, self.workspace.team.id
        assert chat is not None
        people = {key: PersonRef("slack", team, one.id) for key, one in self.people.items()}
        channels = {slug: Place("slack", team, one.id) for slug, one in self.channels.items()}
        await found_everything(self.bot, chat, people, channels)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """The bot listens, and Slack knows where."""
        async with listening(self.bot) as port:
            self.server.request_url = f"http://127.0.0.1:{port}/slack/events"
            yield

    def be(self, key: str) -> SlackActor:
        """One of these people."""
        return SlackActor(self, key)

    def visible(self, key: str) -> list[Seen]:
        person = self.people[key]
        return [_seen(person, message) for message in person.messages()]


def _seen(person: Person, message: Message) -> Seen:
    words = message_text(message, person.team).replace("*", "")
    thread = message.thread_ts if message.thread_ts != message.ts else None
    return Seen(message.ts, thread, message.channel, words, message)


@dataclass
class SlackActor(Player):
    """A person at their Slack."""

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

    def _id(self, key: str) -> str:
        return self._channel(key).id

    async def says(self, text: str, *, to: str | None = None, thread: str | None = None, bot: bool = False) -> Seen:
        channel = self._channel(to)
        root = channel.messages[thread] if thread else None
        say = self.person.mentions_bot if bot else self.person.says
        return _seen(self.person, await self._after(say(text, channel, thread=root)))

    async def commands(self, name: str, text: str = "", *, to: str | None = None) -> None:
        await self._after(self.person.command(f"/{name}", text, channel=self._channel(to)))

    async def presses(self, label: str, *, on: str = "") -> OpenForm | None:
        for seen in reversed(self.house.visible(self.id)):
            labels = {element.get("text", {}).get("text") for _, element in elements(seen.what.blocks)}
            if label in labels and on in seen.words:
                await self._after(self.person.presses(label, on=seen.what))
                return _form(self.person.modal)
        raise AssertionError(f"{self.id} sees no button {label!r} on {on!r}")

    async def fills(self, form: OpenForm | None, **values: Any) -> None:
        assert form is not None, "no form was opened"
        kinds = {block["block_id"]: block["element"]["type"] for block in form.what.blocks if block["type"] == "input"}
        filled = {name: self._value(kinds[name], value) for name, value in values.items()}
        submission = await self._after(self.person.fills_and_submits(form.what, **filled))
        assert submission.accepted, submission.errors

    def _value(self, kind: str, value: Any) -> Any:
        if not isinstance(value, tuple):
            return value
        people = self.house.people
        chosen = [people[one].id if one in people else one for one in value]
        return chosen[0] if kind == "users_select" else chosen

    async def edits(self, seen: Seen, text: str) -> None:
        await self._after(self.person.edits(seen.what, text))

    async def deletes(self, seen: Seen) -> None:
        await self._after(self.person.deletes(seen.what))

    async def reacts(self, emoji: str, seen: Seen) -> None:
        await self._after(self.person.reacts(emoji, seen.what))

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
