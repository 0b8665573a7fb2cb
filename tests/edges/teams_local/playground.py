"""Microsoft's own local client of Teams (`@microsoft/m365agentsplayground`), driven over its HTTP and WebSocket side.

It is installed once inside the virtual environment. Its page has one person; others act through activities that
are forwarded as they are (`customActivities`). Every request and answer, both ways, comes over its log.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from tests.node import node_modules

PACKAGES = ("@microsoft/m365agentsplayground@0.2.28", "@microsoft/app-manifest@1.1.2")
ALEX, MEGAN, ADELE = "user-id-0", "user-id-1", "user-id-2"  # Alex is the person on its page
TEAM = "team-id"
PATIENCE = 30.0


def packages() -> Path:
    """The folder with Microsoft's packages."""
    return node_modules(*PACKAGES)


def texts(value: Any) -> Iterator[str]:
    """What one reads on a card."""
    if isinstance(value, dict):
        if value.get("type") == "TextRun":
            yield value["text"]
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def actions(value: Any) -> Iterator[dict[str, Any]]:
    """The buttons on a card."""
    if isinstance(value, dict):
        if str(value.get("type", "")).startswith("Action.") and "title" in value:
            yield value
        for name, inner in value.items():
            if name != "fallback":
                yield from actions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from actions(inner)


@dataclass
class Shown:
    """A card of the bot, as the client has it now."""

    id: str
    card: dict[str, Any]
    to: dict[str, Any] = field(default_factory=dict)  # what the conversation was begun with, if it was

    @property
    def words(self) -> str:
        return " ".join(texts(self.card))

    def button(self, label: str) -> dict[str, Any]:
        """The button with this label."""
        return next(one for one in actions(self.card) if one["title"] == label)


@dataclass
class Playground:
    """The client, and what it has seen."""

    url: str
    http: aiohttp.ClientSession
    log: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tenant(self) -> str:
        return str(self.config["tenantId"])

    @property
    def chat(self) -> str:
        """Alex's chat with the bot."""
        return str(self.config["personalChat"]["id"])

    def account(self, user: str) -> dict[str, Any]:
        """Somebody's account, as activities name it."""
        everybody = [self.config["currentUser"], *self.config["users"]]
        known = next(one for one in everybody if one["id"] == user)
        return {name: known[name] for name in ("id", "name", "aadObjectId")}

    async def listen(self) -> None:
        """Follow its log."""
        async with self.http.ws_connect(f"{self.url}/_ws/log/stream") as stream:
            async for message in stream:
                self.log.append(message.json()["log"])
                self._news.set()

    def shown(self, words: str = "") -> list[Shown]:
        """The bot's cards that have these words now, the oldest first."""
        cards: dict[str, Shown] = {}
        for entry in self.log:
            body, answer = entry.get("request", {}).get("body") or {}, entry.get("response", {})
            if entry.get("to") == "User Application" or answer.get("statusCode", 500) >= 400:
                continue
            known = answer["body"].get("activityId") or answer["body"].get("id", "")
            activity = body.get("activity", body)
            for attachment in activity.get("attachments", ())[:1]:
                before = cards.get(known)
                cards[known] = Shown(known, attachment["content"], before.to if before else body)
        return [one for one in cards.values() if words in one.words]

    async def sees(self, words: str) -> Shown:
        """Wait for a card with these words; the newest."""
        await self.until(lambda: bool(self.shown(words)), words)
        return self.shown(words)[-1]

    async def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for something to come over the log."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            seen = "\n---\n".join(one.words for one in self.shown())
            raise AssertionError(f"nothing with {what!r} came. What came:\n{seen}") from None

    # --- doing ------------------------------------------------------------------------------------------------------

    async def says(self, text: str, *, to: str = "", mention: bool = False) -> None:
        """What Alex writes on the page, in their chat or in a channel."""
        bot = self.config["bot"]
        said: dict[str, Any] = {"from": {"id": ALEX}, "text": text, "textFormat": "xml" if mention else "plain"}
        if mention:
            called = f"<at>{bot['name']}</at>"
            said |= {"text": f"{called} {text}", "mentions": [{"mentioned": {"id": bot["id"]}, "text": called}]}
        await self._post(f"/_conversation/v1/conversations/{to or self.chat}/messages", said)

    async def presses(self, shown: Shown, label: str) -> dict[str, Any]:
        """What Alex presses on the page; the bot's answer."""
        button = shown.button(label)
        action = {"type": "Action.Execute", "verb": button["verb"], "data": button["data"]}
        value = {"action": action, "trigger": "manual"}
        where = {"conversation": {"id": self.chat}, "from": {"id": ALEX}, "replyToId": shown.id}
        name = "adaptiveCard/action"
        return dict(await self._post("/_conversation/v1/invoke", {"name": name, "value": value, **where}))

    async def act(self, kind: str, user: str = ALEX, *, conversation: str = "", **more: Any) -> dict[str, Any]:
        """Any activity, of anybody; what the bot answers."""
        known = f"custom-{next(self._ids)}"
        activity = {
            "type": kind,
            "id": known,
            "channelId": "msteams",
            "serviceUrl": f"{self.url}/_connector",
            "timestamp": datetime.now(UTC).isoformat(),
            "from": self.account(user),
            "recipient": self.config["bot"],
            "conversation": {
                "id": conversation or self.chat,
                "tenantId": self.tenant,
                "conversationType": "personal",
            },
            "channelData": {"tenant": {"id": self.tenant}},
            **more,
        }
        await self._post("/_internal/v1/customActivities", activity)

        def mine() -> list[dict[str, Any]]:
            return [one for one in self.log if (one.get("request", {}).get("body") or {}).get("id") == known]

        await self.until(lambda: bool(mine()), f"an answer to {kind}")
        return dict(mine()[0]["response"])

    async def template(self, kind: str, conversation: str = "") -> dict[str, Any]:
        """An activity as the client makes it: install, uninstall, botAdded, teamRenamed, channelDeleted, …"""
        asked = {"conversationId": conversation or self.chat, "type": kind}
        async with self.http.get(f"{self.url}/_internal/v1/customActivities/template", params=asked) as answer:
            assert answer.status == 200, await answer.text()
            return dict(await answer.json())

    async def happens(self, kind: str, conversation: str = "") -> None:
        """An activity of the client's own making."""
        made = await self.template(kind, conversation)
        await self._post("/_internal/v1/customActivities", made)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        async with self.http.post(f"{self.url}{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else {}


@asynccontextmanager
async def playground(folder: Path, *, port: int, bot_port: int) -> AsyncIterator[Playground]:
    """The client, for a bot that listens already. It keeps nothing between runs."""
    program = await asyncio.to_thread(packages) / "@microsoft" / "m365agentsplayground" / "cli.js"
    endpoint = f"http://127.0.0.1:{bot_port}/api/messages"
    process = await asyncio.create_subprocess_exec(
        *("node", str(program), "-e", endpoint, "-c", "msteams", "-p", str(port), "--dt"),
        cwd=folder,
        env={**os.environ, "TEAMSAPPTESTER_BROWSER": "none"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as http:
            made = Playground(f"http://localhost:{port}", http)
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        async with http.get(f"{made.url}/_internal/v1/config") as answer:
                            made.config = (await answer.json())["config"]
                            break
                    except aiohttp.ClientError:
                        await asyncio.sleep(0.2)
            listening = asyncio.create_task(made.listen())
            try:
                yield made
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        process.terminate()
        await process.wait()
