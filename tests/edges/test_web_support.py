"""What the web chat's tests share: a small organisation, a scripted bot, and people with a browser each.

The browser is aiohttp's test client with the headers a browser sends; the database is a real file.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.web import WebChat, metadata, web_application
from bot.ports import Event, PersonRef, Place, Profile

SECRET = "a secret for tests, long enough"
NOON = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)


class TestClock:
    """A clock that goes on by a second each time it is read, so that the order of things is certain."""

    __test__ = False

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class XorSeal:
    """No cipher at all, but one that leaves no plain text: enough to see that sealing is asked for."""

    def seal(self, text: str) -> str:
        return base64.b64encode(bytes(byte ^ 0x5A for byte in text.encode())).decode()

    def open(self, sealed: str) -> str:
        return bytes(byte ^ 0x5A for byte in base64.b64decode(sealed)).decode()


def ref(person: str) -> PersonRef:
    """Somebody of the web chat."""
    return PersonRef("web", "local", person)


def at(channel: str, thread: str | None = None) -> Place:
    """Somewhere in the web chat."""
    return Place("web", "local", channel, thread)


class ScriptedBot:
    """Notes every event and does what the test says for it. Acts once for each event id, as the core does."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.script: Callable[[Event], Awaitable[None]] | None = None

    async def __call__(self, event: Event) -> None:
        if any(known.id == event.id for known in self.events):
            return
        if self.script is not None:
            await self.script(event)
        self.events.append(event)

    def heard(self, kind: type[Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class Browser:
    """One person's browser."""

    def __init__(self, client: TestClient[Any, Any], person: str) -> None:
        self.client = client
        self.person = person
        self.headers = {"Origin": str(client.make_url("/")).rstrip("/")}

    async def get(self, path: str, **options: Any) -> ClientResponse:
        return await self.client.get(path, allow_redirects=False, **options)

    async def post(self, path: str, /, **data: Any) -> ClientResponse:
        data.setdefault("key", uuid4().hex)
        return await self.client.post(path, json=data, headers=self.headers, allow_redirects=False)

    async def json(self, path: str) -> Any:
        response = await self.get(path)
        assert response.status == 200, await response.text()
        return await response.json()

    async def say(self, channel: str, text: str, **more: Any) -> dict[str, Any]:
        response = await self.post(f"/api/channels/{channel}/messages", text=text, **more)
        assert response.status == 200, await response.text()
        message: dict[str, Any] = (await response.json()).get("message")
        return message

    async def reads(self, channel: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.json(f"/api/channels/{channel}/messages"))["messages"]
        return messages

    @asynccontextmanager
    async def stream(self, after: int, **options: Any) -> AsyncIterator[Stream]:
        async with self.client.get(f"/api/stream?after={after}", timeout=None, **options) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)


class Stream:
    """The events of `/api/stream`, one at a time."""

    def __init__(self, response: ClientResponse) -> None:
        self._response = response

    async def next(self, seconds: float = 5) -> tuple[int, dict[str, Any]]:
        """The next change: its number and what it says."""
        number = 0
        async with asyncio.timeout(seconds):
            while True:
                line = (await self._response.content.readline()).decode().rstrip("\n")
                if line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("data: "):
                    return number, json.loads(line[6:])

    async def messages(self, wanted: str) -> tuple[int, dict[str, Any]]:
        """The next change that has a message with these words in it."""
        while True:
            number, change = await self.next()
            for message in change.get("messages", []):
                if wanted in message["text"]:
                    return number, message


@dataclass
class House:
    """A running web chat."""

    chat: WebChat
    bot: ScriptedBot
    engine: AsyncEngine
    server: TestServer
    database: Path
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def browser(self, person: str) -> Browser:
        """A new browser in which somebody is signed in."""
        client = await self._stack.enter_async_context(_client(self.server))
        browser = Browser(client, person)
        token = self.chat.sessions.signin_token(person)
        response = await browser.get(f"/signin?token={token}")
        assert response.status == 303
        return browser

    async def stranger(self) -> Browser:
        """A browser in which nobody is signed in."""
        return Browser(await self._stack.enter_async_context(_client(self.server)), "")


@asynccontextmanager
async def _client(server: TestServer) -> AsyncIterator[TestClient[Any, Any]]:
    # The server is shared between browsers: only the client is closed with its browser.
    client: TestClient[Any, Any] = TestClient(server)
    yield client
    await client.session.close()


def new_chat(engine: AsyncEngine, *, demo: bool = False) -> WebChat:
    """A web chat on an engine, as the composition root makes it."""
    return WebChat(
        engine,
        TestClock(),
        seal=XorSeal(),
        secret=SECRET,
        base_url="http://chat.example",
        demo=demo,
        organisation="Northwind",
    )


async def furnish(chat: WebChat) -> None:
    """The small organisation: three people, a guest, a public and a private channel."""
    people = [("maria", "Maria"), ("tomas", "Tomás"), ("amina", "Amina"), ("jonas", "Jonas")]
    await chat.add_people(
        [
            (Profile(ref=ref(i), name=name, email=f"{i}@example.org", guest=i == "jonas"), f"Role of {name}")
            for i, name in people
        ]
    )
    await chat.add_channel("water", "water", "Pumps", False, ["maria", "tomas"])
    await chat.add_channel("leads", "leads", "Budgets", True, ["maria"])


@asynccontextmanager
async def open_house(folder: Path, *, demo: bool = False) -> AsyncIterator[House]:
    """The whole chat, served, with its small organisation."""
    database = folder / "chat.db"
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    chat, bot = new_chat(engine, demo=demo), ScriptedBot()
    await furnish(chat)
    server = TestServer(web_application(chat, bot))
    await server.start_server()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(server.close)
        browsers = await stack.enter_async_context(AsyncExitStack())
        yield House(chat, bot, engine, server, database, browsers)
