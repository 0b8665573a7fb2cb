"""`kill -9` on the real process in the middle of each of its calls to Slack: in the end everything is said once."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters.slack.manifest import manifest
from tests.edges.slack_server import Hook, SlackServer, Workspace
from tests.edges.test_slack_support import ADDRESS

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
SECONDS = 60  # on a busy machine, before the test gives up

#: The bot as `weaver serve` starts it, with the small honest model of the tests.
SERVE = """
import asyncio
from bot.app import open_bot, running
from bot.settings import load
from expertise_index import HashEmbedder

async def serve():
    async with open_bot(load(), embedder=HashEmbedder()) as bot, running(bot):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""


class Process:
    """The bot."""

    def __init__(self, home: Path, slack: SlackServer, acme: Workspace) -> None:
        with closing(socket.socket()) as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        self.home = home
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("WEAVER_", "SLACK_"))
        }
        self.environment |= {
            "WEAVER_HOME": str(home),
            "WEAVER_PORT": str(port),
            "SLACK_BOT_TOKEN": acme.token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return when it is at work."""
        with (self.home / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", SERVE, env=self.environment, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            assert await self._process.stdout.readline() == b"ready\n", (self.home / "log").read_text()

    async def kill(self) -> None:
        """Without a word of warning."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["users.info", "dnd.info", "conversations.open", "chat.postMessage", "chat.update"])
async def test_killed_at_a_call(tmp_path: Path, method: str, when: str) -> None:
    """Before Slack has done it, and after, with the answer never read."""
    async with SlackServer(manifest(ADDRESS)) as slack:
        acme = slack.workspace("Acme")
        ana = acme.person("Ana Duarte")
        bot = Process(tmp_path, slack, acme)
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
