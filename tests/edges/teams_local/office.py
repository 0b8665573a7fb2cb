"""A small office in Microsoft's local client: the whole bot, and a team whose General channel is a community's."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.app import Bot, open_bot, running
from bot.models import Community, Membership
from bot.ports import PersonRef, Place
from bot.settings import load
from bot.store import Transaction
from expertise_index import HashEmbedder
from tests.edges.teams_local.playground import MEGAN, TEAM, Playground, playground


@dataclass
class Office:
    """Both sides: the bot, and the client that its people sit at."""

    bot: Bot
    teams: Playground


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Office]:
    """The bot as `weaver serve` runs it (but for a model that needs no loading), installed in the client's team."""
    settings = load(home=folder / "home", port=free_port(), suggest_at=0.3, teams_emulator=True, teams_open="*")
    async with (
        open_bot(settings, embedder=HashEmbedder()) as bot,
        running(bot),
        playground(folder, port=free_port(), bot_port=bot.settings.port) as teams,
    ):
        general = Place("teams", teams.tenant, TEAM)
        megan = PersonRef("teams", teams.tenant, teams.account(MEGAN)["aadObjectId"])
        await teams.happens("botAdded", TEAM)
        await teams.until(lambda: any(one.get("activityName") == "getConversations" for one in teams.log), "a look")
        assert bot.teams is not None
        await bot.dispatcher._acquaintance.visit(general)
        await bot.teams.members(general)  # so that people are known who have not said anything yet
        await bot.dispatcher._acquaintance.ask_who(megan)
        await bot.store.run(lambda tx: found(tx, general, megan))
        yield Office(bot, teams)


async def found(tx: Transaction, general: Place, moderator: PersonRef) -> None:
    """A community in the channel, with somebody who looks after it."""
    community = await tx.add(Community(slug="pumps", name="Pumps", domain="Pumps, valves, noise", rule="publish"))
    channel = await tx.channel_at(general)
    person = await tx.person_of(moderator)
    assert channel is not None
    assert person is not None
    channel.community_id = community.id
    tx.session.add(Membership(community_id=community.id, person_id=person.id, role="moderator"))
    await tx.later("index", f"communities:{community.id}-{community.id}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
