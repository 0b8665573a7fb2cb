"""A small organisation on a fake chat: two communities, a private one, and people with profiles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import communities, experts
from bot.app import Bot, open_bot
from bot.models import Community, Membership, Skill
from bot.settings import load
from bot.store import Transaction
from expertise_index import HashEmbedder
from tests.scenarios.chat import Actor, FakeChat, MovableClock

PEOPLE = {
    "ana": ("Ana Duarte", ""),
    "ben": ("Ben Okafor", "pump noise, suction valve, noise like gravel"),
    "chiara": ("Chiara Rossi", "pump noise, suction valve, hydraulics"),
    "dev": ("Dev Patel", "pump noise, suction valve, vibration"),
    "eva": ("Eva Lind", "pump noise, suction valve, commissioning"),
    "mod": ("Maud Keller", "moderation of communities"),
    "out": ("Otto Outside", "contracts"),
}
COMMUNITIES = {
    "pumps": ("Pumps", "Pumps, cavitation, bearings, seals, hydraulics", "publish", False),
    "cloud": ("Cloud", "Kubernetes, deployment, containers, networks", "draft", False),
    "people": ("People practice", "Salary, hiring, leave, appraisal", "publish", True),
}


@dataclass
class World:
    """The organisation, and a way to be any of its people."""

    bot: Bot
    chat: FakeChat
    clock: MovableClock
    be: Callable[[str], Actor]

    async def settle(self) -> None:
        """Do what is due."""
        await self.bot.worker.settle()


@pytest.fixture
async def world(tmp_path: Path, database: str) -> AsyncIterator[World]:
    """The organisation at nine o'clock on a Monday morning, on either database."""
    chat, clock = FakeChat(), MovableClock()
    for key, (name, _) in PEOPLE.items():
        chat.add_person(key, name)
    for slug, (_, _, _, private) in COMMUNITIES.items():
        chat.add_channel(slug, private=private, members=("ana", "mod", "eva") if private else PEOPLE)
    settings = load(home=tmp_path, database_url=database, suggest_at=0.3)
    async with open_bot(settings, clock=clock, embedder=HashEmbedder(), platforms={"fake": chat}) as bot:
        await bot.store.run(lambda tx: found(tx, chat))
        await bot.worker.settle()
        actors = {key: Actor(chat, bot, key) for key in PEOPLE}
        yield World(bot=bot, chat=chat, clock=clock, be=lambda key: actors.get(key) or Actor(chat, bot, key))


async def found(tx: Transaction, chat: FakeChat) -> None:
    """Introduce everybody, and found the communities."""
    people = {key: await experts.introduce(tx, profile) for key, profile in chat.people.items()}
    for key, (_, skills) in PEOPLE.items():
        for topic in filter(None, skills.split(", ")):
            tx.session.add(Skill(person_id=people[key].id, topic=topic, source="declared"))
        await tx.later("index", f"people:{people[key].id}-{people[key].id}")
    for slug, (name, domain, rule, _) in COMMUNITIES.items():
        community = await tx.add(Community(slug=slug, name=name, domain=domain, rule=rule))
        inside = [chat.ref(key) for key in sorted(chat.inside[slug])]
        channel = await communities.learn(tx, chat.channels[slug], inside)
        channel.community_id = community.id
        tx.session.add(Membership(community_id=community.id, person_id=people["mod"].id, role="moderator"))
        await tx.later("index", f"communities:{community.id}-{community.id}")
