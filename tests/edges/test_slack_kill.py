"""`kill -9` on the real process in the middle of each of its calls to Slack: in the end everything is said once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.slack.manifest import manifest
from tests.edges.process import SECONDS, Process
from tests.edges.slack_server import Hook, SlackServer, Workspace
from tests.edges.test_slack_support import ADDRESS

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"


def process(home: Path, slack: SlackServer, acme: Workspace, **more: str) -> Process:
    """The bot, for this workspace; Slack knows where it is."""
    bot = Process(
        home,
        SLACK_BOT_TOKEN=acme.token,
        SLACK_SIGNING_SECRET=slack.signing_secret,
        SLACK_API_URL=slack.api_url,
        **more,
    )
    slack.request_url = f"{bot.url}/slack/events"
    return bot


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["users.info", "dnd.info", "conversations.open", "chat.postMessage", "chat.update"])
async def test_killed_at_a_call(tmp_path: Path, method: str, when: str) -> None:
    """Before Slack has done it, and after, with the answer never read."""
    async with SlackServer(manifest(ADDRESS)) as slack:
        acme = slack.workspace("Acme")
        ana = acme.person("Ana Duarte")
        bot = process(tmp_path, slack, acme)
        await bot.start()
        killed = asyncio.Event()

        async def kill() -> None:
            await bot.kill()
            killed.set()

        slack.faults.add(method, Hook(kill, before=when == "before"))
        try:
            await ana.dms(QUESTION)
            async with asyncio.timeout(SECONDS):
                await killed.wait()
            await bot.start()

            def answered() -> bool:
                said = ana.sees(ana.dm)
                return "No community" in said or "no community" in said

            await slack.until(answered, seconds=SECONDS)
            cards = [one for one in ana.messages(ana.dm) if one.user == acme.bot.id and "gravel" in ana.reads(one)]
            assert len(cards) == 1, ana.sees(ana.dm)
            assert slack.violations == []
        finally:
            await bot.kill()
