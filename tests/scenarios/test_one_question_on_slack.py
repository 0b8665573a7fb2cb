"""The dialogues of `test_one_question`, word for word, on Slack: signed HTTP or Socket Mode, and the real adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.manifest import manifest
from bot.app import open_bot
from bot.settings import load
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
            house = SlackHouse(server=slack, workspace=acme, bot=bot, clock=clock, people=people, channels=channels)
            await house.found_everything()
            async with house.served():
                if socket_mode:
                    await slack.sockets.connected()
                yield house
        assert slack.violations == []
