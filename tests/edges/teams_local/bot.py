"""The bot's side: the adapter behind its real route, on a real database, with a core that records what it hears."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.teams import TeamsChat, TeamsSettings, install, metadata
from bot.ports import Event, Form, FormError, Place
from bot.seal import Seal
from bot.store import open_engine
from tests.edges.teams_local.microsoft import APP_ID, PASSWORD, TEAM, TENANT, Microsoft

ANA = {"id": "29:ana", "aadObjectId": "aad-ana", "name": "Ana Duarte"}
BEN = {"id": "29:ben", "aadObjectId": "aad-ben", "name": "Ben Okafor"}
CHAT = "a:chat-29:ana"
FORMS = ("answer",)


class ShiftedClock:
    """The real time (tokens are checked by it), moved on by a test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Core:
    """A core that records events, and does with some what the test asked for."""

    heard: list[Event] = field(default_factory=list)
    form: Form | None = None  # opened in answer to presses
    wrong: dict[str, str] = field(default_factory=dict)  # what is wrong with forms
    failures: list[Exception] = field(default_factory=list)
    on_press: Any = None
    chat: TeamsChat | None = None

    async def handle(self, event: Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append(event)
        trigger = getattr(event, "trigger", "")
        if trigger and self.on_press is not None:
            await self.on_press(event)
        if trigger and self.form is not None:
            assert self.chat is not None
            await self.chat.open_form(trigger, self.form)
        if type(event).__name__ == "Submitted" and self.wrong:
            self.heard.pop()
            raise FormError(self.wrong)


@dataclass
class Local:
    """Both sides."""

    microsoft: Microsoft
    chat: TeamsChat
    core: Core
    client: TestClient[web.Request, web.Application]
    engine: AsyncEngine
    clock: ShiftedClock
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def activity(self, kind: str = "message", *, by: dict[str, Any] | None = ANA, **more: Any) -> dict[str, Any]:
        """An activity as Teams sends it, in Ana's chat with the bot unless `more` says otherwise."""
        return self.microsoft.activity(kind, by=by, chat=CHAT, **{"id": self._next(), **more})

    def in_channel(self, kind: str = "message", *, channel: str = TEAM, **more: Any) -> dict[str, Any]:
        """An activity of Ana in a channel of the team, in a thread if it has a root."""
        return self.microsoft.activity(kind, channel=channel, **{"by": ANA, "id": self._next(), **more})

    def _next(self) -> str:
        return f"activity-{next(self._ids)}"

    async def send(self, activity: Any, *, token: str | None = "") -> ClientResponse:
        """What Teams does: signed unless another token (or None) is given."""
        header = self.microsoft.signed() if token == "" else token
        headers = {} if header is None else {"Authorization": header}
        raw = io.BytesIO(json.dumps(activity).encode())
        return await self.client.post(
            "/api/messages", data=raw, headers={**headers, "Content-Type": "application/json"}
        )

    async def hears(self, activity: dict[str, Any]) -> list[Event]:
        """What the core hears of it."""
        before = len(self.core.heard)
        answer = await self.send(activity)
        assert answer.status == 200, await answer.text()
        await self.chat.reception.inbox.settle()
        return self.core.heard[before:]

    async def invoke(self, name: str, value: Any, **more: Any) -> Any:
        """The body of the answer to an invoke."""
        answer = await self.send(self.activity("invoke", name=name, value=value, **more))
        assert answer.status == 200, await answer.text()
        return await answer.json()

    def place(self, channel: str = CHAT, thread: str | None = None) -> Place:
        return Place("teams", TENANT, channel, thread)


@asynccontextmanager
async def local(folder: Path, *, database: str = "", replica: str = "weaver", **settings: Any) -> AsyncIterator[Local]:
    """Microsoft and the bot, each on a port of its own."""
    microsoft, core, clock = Microsoft(), Core(), ShiftedClock()
    await microsoft.start()
    engine = open_engine(database or f"sqlite:///{folder / 'teams.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)  # where they are not there already
    known = {
        "app_id": APP_ID,
        "app_password": PASSWORD,
        "login_url": microsoft.url("/login"),
        "openid_metadata_url": microsoft.url("/openid"),
        **settings,
    }
    said = TeamsSettings(**known)
    chat = TeamsChat(engine, clock, seal=Seal("for tests"), settings=said, forms=FORMS, replica=replica)
    core.chat = chat
    application = web.Application()
    install(application, chat, core.handle)
    try:
        async with TestClient(TestServer(application)) as client:
            yield Local(microsoft, chat, core, client, engine, clock)
    finally:
        await chat.close()
        await engine.dispose()
        await microsoft.stop()
