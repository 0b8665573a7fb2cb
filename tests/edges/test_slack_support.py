"""What the Slack adapter's tests share: the local Slack server, the adapter on a real database, and a scripted bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.slack import SlackChat, SlackSettings, at_work, install
from adapters.slack.manifest import manifest
from adapters.slack.schema import inbox
from bot.migrations import migrate
from bot.ports import Event, Message, Place, SystemClock, Text
from bot.seal import Seal
from bot.store import open_engine
from tests.edges.slack_server import SlackServer, Workspace

SECRET = "a secret for tests, long enough"
ADDRESS = "https://weaver.example.com"


def words(text: str) -> Message:
    """A message of a few words."""
    return Message(text, (Text(text),))


@dataclass
class ScriptedBot:
    """Notes every event and does what the test says for it. Acts once for each event id, as the core does."""

    events: list[Event] = field(default_factory=list)
    script: Callable[[Event], Awaitable[None]] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, event: Event) -> None:
        if any(known.id == event.id for known in self.events):
            return
        if self.script is not None:
            await self.script(event)
        self.events.append(event)
        self._news.set()

    def of(self, kind: type[Event]) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, true: Callable[[], bool], *, seconds: float = 10.0) -> None:
        """Wait for what the bot is told after the acknowledgement."""
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def hears(self, kind: type[Event], count: int = 1) -> list[Any]:
        """Wait for so many events of one kind."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


@dataclass
class Desk:
    """A Slack, the adapter at work in one workspace of it, and the bot behind."""

    slack: SlackServer
    acme: Workspace
    chat: SlackChat
    bot: ScriptedBot
    engine: AsyncEngine

    def at(self, channel: Any, thread: str | None = None) -> Place:
        """A place in the first workspace."""
        return Place("slack", self.acme.team.id, channel.id, thread)

    async def rows(self) -> list[Any]:
        """The inbox."""
        async with self.engine.connect() as connection:
            return list(await connection.execute(select(inbox).order_by(inbox.c.id)))

    async def settled(self) -> None:
        """Wait until the inbox has nothing left to do."""
        await self.slack.quiet()
        async with asyncio.timeout(10):
            while any(not row.handled for row in await self.rows()):  # noqa: ASYNC110  (rows tell nobody)
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served(chat: SlackChat, bot: ScriptedBot, slack: SlackServer) -> AsyncIterator[None]:
    """The adapter on a port of its own, at work, and known to Slack."""
    application = web.Application()
    install(application, chat, bot)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        async with at_work(chat, bot):
            if slack.socket_mode:
                await slack.sockets.connected()
            yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def desk(
    folder: Path, *, socket_mode: bool = False, database: str = "", oauth: bool = False, **server: Any
) -> AsyncIterator[Desk]:
    """Everything, on HTTP or Socket Mode; with `oauth` no token is given, workspaces have to install the app."""
    url = database or f"sqlite:///{folder / 'weaver.db'}"
    await asyncio.to_thread(migrate, url)
    engine = open_engine(url)
    made = manifest("" if socket_mode else ADDRESS)
    async with SlackServer(made, socket_mode=socket_mode, **server) as slack:
        acme = slack.workspace("Acme", installed=not oauth)
        settings = SlackSettings(
            bot_token="" if oauth else acme.token,
            signing_secret=slack.signing_secret,
            app_token=slack.app_token if socket_mode else "",
            api_url=slack.api_url,
            client_id=slack.client_id,
            client_secret=slack.client_secret,
            public_url="",
        )
        chat = SlackChat(engine, SystemClock(), seal=Seal(SECRET), settings=settings)
        bot = ScriptedBot()
        try:
            async with served(chat, bot, slack):
                yield Desk(slack, acme, chat, bot, engine)
        finally:
            await chat.close()
            await engine.dispose()
