"""The bot as a process of its own, as `weaver serve` starts it, to be killed without a word of warning."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import closing
from pathlib import Path

SECONDS = 60  # on a busy machine, before it is given up

#: With the small honest model of the tests.
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
    """The bot, at home in a folder. `environment` is what it is told besides; `url` is where it listens."""

    def __init__(self, home: Path, **environment: str) -> None:
        with closing(socket.socket()) as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._home = home
        others = ("WEAVER_", "SLACK_", "TEAMS_")
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith(others)}
        self._environment |= {"WEAVER_HOME": str(home), "WEAVER_PORT": str(port), **environment}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return when it is at work."""
        with (self._home / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", SERVE, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            assert await self._process.stdout.readline() == b"ready\n", (self._home / "log").read_text()

    async def kill(self) -> None:
        """`kill -9`."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.communicate()
