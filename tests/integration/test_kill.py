"""`kill -9` on the real process while somebody asks: nothing is lost, nothing is said twice.

The process is `weaver demo` on a folder of its own, spoken to over HTTP as a browser does.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from adapters.web.pulse import Pulse
from adapters.web.store import WebStore
from bot.ports import SystemClock
from bot.seal import Seal, secret_in
from bot.store import open_engine

PERSON = "mateo.fuentes"
SECONDS = 60  # how long an answer may take on a busy machine before the test gives up
FOUND, PREVIEW = "may help", "Shall I ask in"
KNOWN = "How do I get the hourly flow for one pump station out of Heron into pandas?"
UNKNOWN = "Who has the key to the bicycle shed behind the canteen in Gdansk?"


class Bot:
    """The bot as a process, and one person's browser."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = _free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Start it, and return when it listens."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("WEAVER_")}
        environment |= {"WEAVER_HOME": str(self.home), "WEAVER_PORT": str(self.port)}
        with (self.home / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "demo", env=environment, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            while b"runs at" not in (line := await self._process.stdout.readline()):
                assert line, (self.home / "log").read_text()
        self._session = aiohttp.ClientSession(
            f"http://127.0.0.1:{self.port}", cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": self._origin}
        )
        async with self._session.post("/people", data={"person": PERSON}, allow_redirects=False) as response:
            assert response.status == 303, await response.text()

    @property
    def _origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill it, or ask it to stop."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)
            await self._process.communicate()
        if self._session:
            await self._session.close()

    async def says(self, text: str) -> int:
        """Say something to the bot in private; the status of the answer. The same again says nothing twice."""
        assert self._session is not None
        said = {"key": hashlib.sha256(text.encode()).hexdigest(), "text": text}
        async with self._session.post(f"/api/channels/dm-{PERSON}/messages", json=said) as response:
            return response.status

    async def messages(self) -> list[dict[str, Any]]:
        """The person's conversation with the bot."""
        assert self._session is not None
        async with self._session.get(f"/api/channels/dm-{PERSON}/messages") as response:
            messages: list[dict[str, Any]] = (await response.json())["messages"]
            return messages

    async def cards(self, text: str) -> list[dict[str, Any]]:
        """The bot's messages about a question."""
        mark = text[:20]
        return [one for one in await self.messages() if one["author"].get("bot") and mark in one["html"]]

    async def answers(self, text: str) -> dict[str, Any]:
        """The bot's answer to a question: past answers, or whom it would ask."""
        async with asyncio.timeout(SECONDS):
            while True:
                for card in await self.cards(text):
                    if FOUND in card["text"] or PREVIEW in card["text"]:
                        return card
                await asyncio.sleep(0.1)

    def rows(self, query: str, *values: object) -> list[Any]:
        """Rows of the database, read beside the process."""
        with closing(sqlite3.connect(f"file:{self.home / 'demo' / 'weaver.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    async def sees_once(self, text: str) -> None:
        """The question was taken once and answered in one message, and nothing is left to do."""
        await self.answers(text)
        assert self.rows("SELECT count(*) FROM questions WHERE text = ?", text) == [(1,)]
        assert len(await self.cards(text)) == 1
        assert len([one for one in await self.messages() if one["mine"] and one["text"] == text]) == 1
        twice = "SELECT delivery_id FROM web_messages GROUP BY delivery_id HAVING count(delivery_id) > 1"
        assert self.rows(twice) == []
        assert self.rows("SELECT kind FROM work WHERE failed") == []


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the sample organisation is loaded and everything is learnt."""
    bot = Bot(tmp_path_factory.mktemp("sample"))
    await bot.start()
    await bot.says(KNOWN)
    await bot.answers(KNOWN)
    await bot.end(signal.SIGTERM)
    return bot.home


@pytest.fixture
async def bot(sample: Path, tmp_path: Path) -> AsyncIterator[Bot]:
    """The bot on a copy of that home, not yet started."""
    home = tmp_path / "home"
    await asyncio.to_thread(shutil.copytree, sample, home)
    bot = Bot(home)
    yield bot
    await bot.end()


@asynccontextmanager
async def killed_during(bot: Bot, text: str) -> AsyncIterator[asyncio.Task[int]]:
    """Say something, and kill the process at the end of the block, whatever has become of it by then."""
    saying = asyncio.create_task(bot.says(text))
    try:
        yield saying
    finally:
        await bot.end()
        await asyncio.gather(saying, return_exceptions=True)


async def test_killed_right_after_the_message_was_acknowledged(bot: Bot) -> None:
    """What the bot has acknowledged it answers, whatever happens to it; here while its model is still loading."""
    began = time.monotonic()
    await bot.start()
    async with killed_during(bot, UNKNOWN) as saying:
        assert await saying == 200
        took = time.monotonic() - began
    print(f"\nfrom start to the first acknowledged message: {took:.2f} s")
    assert took < 15
    await bot.start()
    await bot.sees_once(UNKNOWN)


async def test_killed_at_several_moments_on_the_way(bot: Bot) -> None:
    """Killed as soon as a trace of the work is seen in the database. One question for each, and restarts between."""
    moments = {
        "the message is kept": "SELECT 1 FROM web_messages WHERE author = ? AND handled_at IS NULL AND id > {}",
        "the question is kept": "SELECT 1 FROM questions WHERE ? != '' AND id > {}",
        "the delivery has begun": "SELECT 1 FROM cards WHERE ? != '' AND attempted AND sent_version = 0",
        "the first card is there": "SELECT 1 FROM web_messages WHERE ? != '' AND author = '@bot' AND id > {}",
    }
    asked = []
    for number, query in enumerate(moments.values()):
        await bot.start()
        text = f"Question {number} {UNKNOWN}"
        tables = "questions" if "questions" in query else "web_messages"
        last = bot.rows(f"SELECT coalesce(max(id), 0) FROM {tables}")[0][0]
        async with killed_during(bot, text) as saying:
            await _seen(bot, query.format(last), saying)
        asked.append(text)
    await bot.start()
    for text in asked:
        await bot.says(text)  # nobody knows whether it came through: the page sends it again
        await bot.sees_once(text)


async def _seen(bot: Bot, query: str, saying: asyncio.Task[int]) -> None:
    """Wait for a row, or for what cannot be missed: that the message is acknowledged and its card was sent."""
    async with asyncio.timeout(SECONDS):
        while not bot.rows(query, PERSON):
            if saying.done() and not bot.rows("SELECT 1 FROM cards WHERE sent_version < version"):
                return
            await asyncio.sleep(0)


async def test_killed_in_the_middle_of_answering(bot: Bot) -> None:
    """Killed when the model is there and the answer is on its way."""
    await bot.start()
    await bot.says(KNOWN + " It is urgent.")
    await bot.answers(KNOWN + " It is urgent.")  # so the model is there
    text = "Second: " + KNOWN
    async with killed_during(bot, text) as saying:
        await saying
        async with asyncio.timeout(SECONDS):
            done = "SELECT 1 FROM questions WHERE text = ? AND state = 'suggested'"
            while not bot.rows(done, text):  # noqa: ASYNC110 (of another process there is no event)
                await asyncio.sleep(0)
    await bot.start()
    await bot.sees_once(text)


async def test_a_message_kept_but_not_handled_is_answered(bot: Bot) -> None:
    """The process died between keeping a message and handling it: the next one takes it up, once."""
    home = bot.home / "demo"
    engine = open_engine(f"sqlite:///{home / 'weaver.db'}")
    chat = WebStore(engine, Seal(secret_in(home)), Pulse())
    await chat.post(
        channel=f"dm-{PERSON}", thread=None, author=PERSON, body=UNKNOWN, at=SystemClock().now(), private=True,
        client_key="never handled",
    )  # fmt: skip
    await engine.dispose()
    await bot.start()
    await bot.sees_once(UNKNOWN)
    assert bot.rows("SELECT count(*) FROM web_messages WHERE handled_at IS NULL") == [(0,)]
