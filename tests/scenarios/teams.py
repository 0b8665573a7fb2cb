"""The same people on Teams: every act goes to the real adapter's route, signed, in the form that Teams gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bot.app import open_bot
from bot.ports import PersonRef, Place
from bot.settings import load
from expertise_index import HashEmbedder
from tests.edges.teams_local.client import Client, Dialog, Person, Shown
from tests.edges.teams_local.microsoft import APP_ID, PASSWORD, TENANT, Microsoft
from tests.scenarios.chat import MovableClock
from tests.scenarios.conftest import COMMUNITIES, PEOPLE
from tests.scenarios.stage import Asked, Choice, House, OpenForm, Player, Seen, found_everything, listening


@dataclass(kw_only=True)
class TeamsHouse(House):
    """The tenant with one team, the bot, and what is needed to let both finish what they are about."""

    inbox: ClassVar[str] = "teams_inbox"
    client: Client
    channels: dict[str, str] = field(default_factory=dict)

    def be(self, key: str) -> TeamsActor:
        """One of these people."""
        return TeamsActor(self, key)

    def visible(self, key: str) -> list[Seen]:
        return [_seen(shown) for shown in self.client.people[key].visible()]

    async def after(self, act: Awaitable[Any]) -> Any:
        """Do it, and let everything that follows from it happen: Teams waits for the bot's answer meanwhile."""
        doing = asyncio.ensure_future(act)
        while not doing.done():
            await asyncio.wait({doing}, timeout=0.01)
            await self.settle()
        await self.settle()
        return await doing


def _seen(shown: Shown) -> Seen:
    return Seen(shown.id, shown.thread, shown.channel, shown.words, shown)


@dataclass
class TeamsActor(Player):
    """A person at their Teams."""

    house: TeamsHouse
    id: str

    @property
    def person(self) -> Person:
        return self.house.client.people[self.id]

    @property
    def ref(self) -> PersonRef:
        return PersonRef("teams", TENANT, self.person.account["aadObjectId"])

    def _id(self, key: str) -> str:
        return self.house.channels[key]

    async def says(self, text: str, *, to: str | None = None, thread: str | None = None, bot: bool = False) -> Seen:
        if to:
            act = self.person.says(text, self._id(to), root=thread or "", mention=bot)
        else:  # a reply in the chat quotes what it is about
            act = self.person.says(text, quoting=next((s.what for s in self._chat() if s.id == thread), None))
        return _seen(await self.house.after(act))

    def _chat(self) -> list[Seen]:
        return [seen for seen in self.house.visible(self.id) if seen.channel == self.person.chat]

    async def commands(self, name: str, text: str = "", *, to: str | None = None) -> None:
        await self.says(f"{name} {text}".strip(), to=to, bot=to is not None)

    async def presses(self, label: str, *, on: str = "") -> OpenForm | None:
        dialog = await self.house.after(self.person.presses(label, on=on))
        return _form(dialog) if dialog else None

    async def fills(self, form: OpenForm | None, **values: Any) -> None:
        assert form is not None, "no form was opened"
        filled = {name: self._value(value) for name, value in values.items()}
        again = await self.house.after(self.person.submits(form.what, **filled))
        assert again is None, again.card

    def _value(self, value: Any) -> str:
        if not isinstance(value, tuple):
            return str(value)
        people = self.house.client.people
        return ",".join(people[one].account["aadObjectId"] if one in people else one for one in value)

    async def edits(self, seen: Seen, text: str) -> None:
        await self.house.after(self.person.edits(seen.what, text))

    async def deletes(self, seen: Seen) -> None:
        await self.house.after(self.person.deletes(seen.what))

    async def leaves(self, channel: str) -> None:
        await self.house.after(self.person.leaves(self._id(channel)))


def _form(dialog: Dialog) -> OpenForm:
    """Choices have no hints in Teams: they stand behind the label."""
    inputs = [
        Asked(one["id"], [Choice(choice["value"], choice["title"].partition(" (")[0]) for choice in one["choices"]])
        if one["type"] == "Input.ChoiceSet"
        else Asked(one["id"], [])
        for one in dialog.inputs
    ]
    return OpenForm(dialog, inputs)


@asynccontextmanager
async def teams_house(
    client: Client, home: Path, *, clock: MovableClock | None = None, keys: Collection[str] = tuple(PEOPLE)
) -> AsyncIterator[TeamsHouse]:
    """The organisation of the dialogues (or some of its people), in a team that everybody may read."""
    clock = clock or MovableClock()
    client.now = clock.now
    everybody = {key: client.person(key, PEOPLE[key][0]) for key in keys}
    channels = {
        slug: client.channel(
            slug, *(p for key, p in everybody.items() if not private or key in ("ana", "mod", "eva")), private=private
        )
        for slug, (_, _, _, private) in COMMUNITIES.items()
    }
    settings = load(home=home, suggest_at=0.3, **bot_settings(client.microsoft))
    async with open_bot(settings, clock=clock, embedder=HashEmbedder()) as bot:
        house = TeamsHouse(bot=bot, clock=clock, client=client, channels=channels)
        async with listening(bot) as port:
            client.endpoint = f"http://127.0.0.1:{port}/api/messages"
            await settle_in(house)
            yield house


def bot_settings(microsoft: Microsoft) -> dict[str, str]:
    """What the bot has to be told of this Microsoft."""
    addresses = {"teams_login_url": microsoft.url("/login"), "teams_openid_url": microsoft.url("/openid")}
    return {"teams_app_id": APP_ID, "teams_app_password": PASSWORD, "teams_open": "*", **addresses}


async def settle_in(house: TeamsHouse) -> None:
    """The app is added to the team; something is said in each channel, so that the bot knows it; communities begin."""
    people, chat = house.client.people, house.bot.teams
    assert chat is not None
    first = next(reversed([one for key, one in people.items() if key in ("ana", "mod")]))
    await house.client.add_bot(first)
    for channel in house.channels.values():
        await first.says("Welcome, everybody.", channel)
    await house.settle()
    refs = {key: house.be(key).ref for key in people}
    places = {slug: Place("teams", TENANT, channel) for slug, channel in house.channels.items()}
    await found_everything(house.bot, chat, refs, places)
