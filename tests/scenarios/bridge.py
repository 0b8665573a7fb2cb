"""One community with a channel on each of two fake platforms, and people on either or both, for the dialogues."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot import communities, experts
from bot.app import Bot, open_bot
from bot.models import Community, Membership, Person, Skill
from bot.ports import PlaceChanged
from bot.settings import load
from bot.store import Transaction
from expertise_index import HashEmbedder
from tests.scenarios.chat import Actor, FakeChat, MovableClock, Posted
from tests.scenarios.conftest import PEOPLE
from tests.scenarios.test_one_question import QUESTION

#: Who is where: Ben on one platform only, Chiara and Dev on the other only; Eva and Maud on both.
HERE, THERE = ("ana", "ben", "eva", "mod"), ("chiara", "dev", "eva", "mod")
OTHER = "Look at the suction line first, it may draw air."


@dataclass
class Bridge:
    """One organisation on two platforms, and a community with a channel on each."""

    bot: Bot
    clock: MovableClock
    chats: dict[str, FakeChat]

    def here(self, key: str) -> Actor:
        return Actor(self.chats["fake"], self.bot, key)

    def there(self, key: str) -> Actor:
        return Actor(self.chats["other"], self.bot, key)

    async def asks(self, button: str = "Ask under my name") -> tuple[Posted, Posted]:
        """Ana asks here; the question's card here, and the one there."""
        ana = self.here("ana")
        await ana.says(QUESTION)
        await ana.presses(button)
        return self.cards()

    def cards(self) -> tuple[Posted, Posted]:
        """The question as it stands on the two sides."""
        return self.here("ben").sees("gravel", to="pumps"), self.there("dev").sees("gravel", to="pumps")

    def said(self, chat: str, words: str = "") -> list[Posted]:
        """What stands in the channel there that has these words."""
        return [m for m in self.chats[chat].posted if m.channel == "pumps" and not m.deleted and words in m.words]

    async def closes(self, chat: str) -> None:
        """The channel on this side is made private."""
        self.chats[chat].add_channel("pumps", private=True, members=self.chats[chat].people)
        await self.changed(chat)

    async def changed(self, chat: str) -> None:
        """The platform says that something about the channel has changed."""
        fake = self.chats[chat]
        place, actor = fake.place_of("pumps"), fake.ref("mod")
        event = PlaceChanged(id=f"e{next(fake._ids)}", actor=actor, place=place, at=self.clock.now())
        await self.bot.dispatcher.handle(event)
        await self.bot.worker.settle()

    async def later(self, **by: float) -> None:
        """Time passes, and what is due is done."""
        for _ in range(3):
            self.clock.forward(**by)
            await self.bot.worker.settle()


@asynccontextmanager
async def two_platforms(home: Path, database: str) -> AsyncIterator[Bridge]:
    """The organisation, at nine o'clock on a Monday morning."""
    here = FakeChat()
    there = FakeChat(name="other", site="other.example", workspace="acme-too", _ids=here._ids)
    chats, clock = {"fake": here, "other": there}, MovableClock()
    for chat, keys in ((here, HERE), (there, THERE)):
        for key in keys:
            chat.add_person(key, PEOPLE[key][0])
        chat.add_channel("pumps", members=keys)
    settings = load(home=home, database_url=database, suggest_at=0.3)
    async with open_bot(settings, clock=clock, embedder=HashEmbedder(), platforms=chats) as bot:
        await bot.store.run(lambda tx: found(tx, here, there))
        await bot.worker.settle()
        yield Bridge(bot, clock, chats)


async def found(tx: Transaction, *chats: FakeChat) -> None:
    """Introduce everybody, and found one community with a channel on each platform."""
    community = await tx.add(Community(slug="pumps", name="Pumps", domain="Pumps, cavitation, hydraulics"))
    known = dict[str, Person]()
    for chat in chats:
        for key, profile in chat.people.items():
            known[key] = await experts.introduce(tx, profile)
        (await communities.learn(tx, chat.channels["pumps"], ())).community_id = community.id
    for key, person in known.items():
        for topic in filter(None, PEOPLE[key][1].split(", ")):
            tx.session.add(Skill(person_id=person.id, topic=topic, source="declared"))
        await tx.later("index", f"people:{person.id}-{person.id}")
    tx.session.add(Membership(community_id=community.id, person_id=known["mod"].id, role="moderator"))
    await tx.later("index", f"communities:{community.id}-{community.id}")
