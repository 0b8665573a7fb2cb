"""What the dialogues need to be played on a real platform's edge: a house with people in it, and a bot that serves it.

A `House` is a world as `tests.scenarios.conftest.World` is, a `Player` acts as `tests.scenarios.chat.Actor` does.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from adapters.server import application
from adapters.slack import at_work as slack_at_work
from adapters.teams import at_work as teams_at_work
from bot import communities, experts
from bot.app import Bot
from bot.delivery import backlog
from bot.models import Community, Membership, Skill
from bot.ports import ChatPlatform, PersonRef, Place
from bot.store import Transaction
from tests.scenarios.chat import MovableClock
from tests.scenarios.conftest import COMMUNITIES, PEOPLE


@dataclass(frozen=True)
class Seen:
    """A message as its reader has it before them; `what` it is on its platform."""

    id: str
    thread: str | None
    channel: str
    words: str
    what: Any


@dataclass(frozen=True)
class OpenForm:
    """The form before somebody; `what` it is on its platform."""

    what: Any
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


@dataclass(kw_only=True)
class House(ABC):
    """One organisation on one platform, the bot, and what is needed to let both finish what they are about."""

    inbox: ClassVar[str]  # the table of what the platform sent
    bot: Bot
    clock: MovableClock

    @property
    def chat(self) -> House:
        """Where one looks for what somebody sees."""
        return self

    @abstractmethod
    def visible(self, key: str) -> list[Seen]:
        """What this person can see, oldest first."""

    async def quiet(self) -> None:
        """Until the platform has delivered what it has to deliver; at once, where its people wait for that."""
        return

    async def settle(self) -> None:
        """Until nothing is under way: what the platform sent, what the bot does and sends, now or a little later."""
        waiting = f"{self.inbox} WHERE handled = false"
        async with asyncio.timeout(60):
            while True:
                await self.quiet()
                for _ in range(40):
                    if not await self._count(waiting):
                        break
                    await asyncio.sleep(0.005)  # rows tell nobody when they are handled
                if await self.bot.worker.settle():
                    continue
                if not await self._count(waiting) and not await self._count(
                    "work WHERE kind NOT IN ('round', 'remind') AND failed = false"
                ):
                    return
                self.clock.forward(seconds=1)  # the pace in a channel; a pause before another try

    async def _count(self, rows: str) -> int:
        async with self.bot.store.engine.connect() as connection:
            counted = await connection.exec_driver_sql(f"SELECT count(*) FROM {rows}")
            return int(counted.scalar_one())


class Player(ABC):
    """A person of a house, with what is the same on every platform."""

    house: House
    id: str
    person: Any  # at their screen, on that platform; `sees` tells all that is on it

    @abstractmethod
    def _id(self, key: str) -> str:
        """The channel of this name, as the platform names it."""

    def sees(self, words: str = "", *, to: str | None = None) -> Seen:
        """The newest message this person sees (anywhere, or in one channel) that has these words."""
        for seen in reversed(self.house.visible(self.id)):
            if words in seen.words and (to is None or seen.channel == self._id(to)):
                return seen
        raise AssertionError(f"{self.id} does not see {words!r}. They see:\n{self.person.sees()}")

    def sees_nothing_of(self, words: str) -> None:
        assert words not in self.person.sees(), self.person.sees()


@asynccontextmanager
async def listening(bot: Bot) -> AsyncIterator[int]:
    """The bot hears its platforms on this port; it works when it is told to (`House.settle`)."""
    handle = bot.dispatcher.handle
    pages = application(bot.web, handle, health=lambda: backlog(bot.store), slack=bot.slack, teams=bot.teams)
    runner = web.AppRunner(pages, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with AsyncExitStack() as chats:
            if bot.slack:
                await chats.enter_async_context(slack_at_work(bot.slack, handle))
            if bot.teams:
                await chats.enter_async_context(teams_at_work(bot.teams, handle))
            yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def found_everything(
    bot: Bot, chat: ChatPlatform, people: Mapping[str, PersonRef], channels: Mapping[str, Place]
) -> None:
    """Introduce these people, and found the communities that have a channel here."""
    infos = {slug: await chat.place(place) for slug, place in channels.items()}
    inside = {slug: await chat.members(place) for slug, place in channels.items()}
    profiles = {key: await chat.profile(ref) for key, ref in people.items()}

    async def found(tx: Transaction) -> None:
        known = {key: await experts.introduce(tx, profile) for key, profile in profiles.items()}
        for key, person in known.items():
            for topic in filter(None, PEOPLE[key][1].split(", ")):
                tx.session.add(Skill(person_id=person.id, topic=topic, source="declared"))
            await tx.later("index", f"people:{person.id}-{person.id}")
        for slug, info in infos.items():
            name, domain, rule, private = COMMUNITIES[slug]
            community = await tx.add(Community(slug=slug, name=name, domain=domain, rule=rule))
            channel = await communities.learn(tx, info, inside[slug] if private else ())
            channel.community_id = community.id
            looks_after = known.get("mod", known["ana"])
            tx.session.add(Membership(community_id=community.id, person_id=looks_after.id, role="moderator"))
            await tx.later("index", f"communities:{community.id}-{community.id}")

    await bot.store.run(found)
    await bot.worker.settle()
