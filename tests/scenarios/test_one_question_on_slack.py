"""The dialogues of `test_one_question`, word for word, on Slack: signed HTTP or Socket Mode, and the real adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from adapters.server import application
from adapters.slack import at_work
from adapters.slack.manifest import manifest
from bot import communities, experts
from bot.app import open_bot
from bot.delivery import backlog
from bot.models import Community, Membership, Skill
from bot.ports import PersonRef, Place
from bot.settings import load
from bot.store import Transaction
from expertise_index import HashEmbedder
from tests.edges.slack_server import SlackServer
from tests.scenarios.chat import MovableClock
from tests.scenarios.conftest import COMMUNITIES, PEOPLE
from tests.scenarios.slack import SlackHouse
from tests.scenarios.test_one_question import *  # noqa: F403  (the same dialogues, another platform)

ADDRESS = "https://weaver.example.com"


@pytest.fixture(params=["http", "socket mode"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SlackHouse]:
    """The same organisation as on the fake chat, in a workspace of Slack."""
    socket_mode = request.param == "socket mode"
    clock = MovableClock()
    async with SlackServer(manifest("" if socket_mode else ADDRESS), socket_mode=socket_mode) as slack:
        acme = slack.workspace("Acme")
        people = {key: acme.person(name) for key, (name, _) in PEOPLE.items()}
        channels = {
            slug: acme.channel(
                slug, *(p for key, p in people.items() if not private or key in ("ana", "mod", "eva")), private=private
            )
            for slug, (_, _, _, private) in COMMUNITIES.items()
        }
        settings = load(
            home=tmp_path,
            suggest_at=0.3,
            slack_bot_token=acme.token,
            slack_signing_secret="" if socket_mode else slack.signing_secret,
            slack_app_token=slack.app_token if socket_mode else "",
            slack_api_url=slack.api_url,
        )
        async with open_bot(settings, clock=clock, embedder=HashEmbedder()) as bot:
            house = SlackHouse(slack, acme, bot, clock, people, channels)
            await found_everything(house)
            async with served(house):
                if socket_mode:
                    await slack.sockets.connected()
                yield house
        assert slack.violations == []


@asynccontextmanager
async def served(house: SlackHouse) -> AsyncIterator[None]:
    """The bot listens, and Slack knows where."""
    bot = house.bot
    assert bot.slack is not None
    pages = application(bot.web, bot.dispatcher.handle, health=lambda: backlog(bot.store), slack=bot.slack)
    runner = web.AppRunner(pages, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    house.server.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        async with at_work(bot.slack, bot.dispatcher.handle):
            yield
    finally:
        await runner.cleanup()


async def found_everything(house: SlackHouse) -> None:
    """Introduce the people of this house, and found the communities that have a channel in it."""
    chat, team = house.bot.slack, house.workspace.team.id
    assert chat is not None
    profiles = {key: await chat.profile(PersonRef("slack", team, one.id)) for key, one in house.people.items()}
    infos = {slug: await chat.place(Place("slack", team, one.id)) for slug, one in house.channels.items()}
    inside = {slug: await chat.members(Place("slack", team, one.id)) for slug, one in house.channels.items()}

    async def found(tx: Transaction) -> None:
        people = {key: await experts.introduce(tx, profile) for key, profile in profiles.items()}
        for key, person in people.items():
            for topic in filter(None, PEOPLE[key][1].split(", ")):
                tx.session.add(Skill(person_id=person.id, topic=topic, source="declared"))
            await tx.later("index", f"people:{person.id}-{person.id}")
        for slug, info in infos.items():
            name, domain, rule, private = COMMUNITIES[slug]
            community = await tx.add(Community(slug=slug, name=name, domain=domain, rule=rule))
            channel = await communities.learn(tx, info, inside[slug] if private else ())
            channel.community_id = community.id
            looks_after = people.get("mod", people["ana"])
            tx.session.add(Membership(community_id=community.id, person_id=looks_after.id, role="moderator"))
            await tx.later("index", f"communities:{community.id}-{community.id}")

    await house.bot.store.run(found)
    await house.bot.worker.settle()
