"""The server itself: one aiohttp application on a local port, and what its parts share."""

from __future__ import annotations

import asyncio
import copy
import re
import uuid
from collections.abc import Callable, Coroutine
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.ports import Clock, SystemClock

from . import chat_methods, place_methods, view_methods  # noqa: F401  (they register their handlers)
from .events import Events
from .faults import Faults
from .inbound import Delivery, Inbound
from .interactions import OAuth, ResponseUrls, Triggers
from .pacing import Pacing
from .socket_mode import Sockets
from .state import Channel, Installation, Json, Message, Team, User, new_id
from .web_api import Recorded, Violation, WebApi
from .workspace import Workspace


class SlackServer:
    """A Slack with one app and any number of workspaces. `async with` it, then give the bot its `api_url`.

    `manifest` is the app's, as in deploy/: it says which scopes, events, commands and shortcuts there are.
    `retry_delays` stand for Slack's "at once, after a minute, after five minutes".
    """

    def __init__(
        self,
        manifest: Json,
        *,
        clock: Clock | None = None,
        socket_mode: bool = False,
        request_url: str = "",
        retry_delays: tuple[float, ...] = (0.0, 0.05, 0.1),
        ack_timeout: float = 3.0,
    ) -> None:
        self.manifest = manifest
        self.clock: Clock = clock or SystemClock()
        self.socket_mode = socket_mode
        self.request_url = request_url
        self.app_id = new_id("A")
        self.client_id, self.client_secret = f"{new_id('')}.{new_id('')}", uuid.uuid4().hex
        self.signing_secret, self.verification_token = uuid.uuid4().hex, uuid.uuid4().hex[:24]
        self.app_token = f"xapp-1-{self.app_id}-{uuid.uuid4().hex}"
        self.calls: list[Recorded] = []
        self.violations: list[Violation] = []
        self.workspaces: list[Workspace] = []
        self.faults = Faults()
        self.pacing: Pacing | None = None
        self.files: dict[str, Json] = {}
        self.unfurls: dict[str, tuple[str, str]] = {}
        self.events = Events(self)
        self.inbound = Inbound(self, retry_delays, ack_timeout)
        self.sockets = Sockets(self)
        self.triggers = Triggers(self.clock)
        self.response_urls = ResponseUrls(self)
        self.oauth = OAuth(self)
        self.session: aiohttp.ClientSession
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._last_ts = 0
        self._runner: web.AppRunner | None = None

    # --- its life ---

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=10 * 1024**2)
        api = WebApi(self)
        application.router.add_route("*", "/api/{method}", api.answer)
        application.router.add_get("/link/", self.sockets.connect)
        application.router.add_post("/respond/{secret}", self.response_urls.answer)
        application.router.add_post("/upload/{file}", self._upload)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        await self.session.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """For SLACK_API_URL."""
        return f"{self.url}/api/"

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something while the server lives."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def quiet(self) -> None:
        """Wait until everything sent so far, retries included, is taken or given up."""
        while pending := [task for task in self._tasks if not task.done()]:
            await asyncio.gather(*pending, return_exceptions=True)

    def news(self) -> None:
        """Something happened: whoever waits in `until` looks again."""
        self._news.set()

    async def until(self, true: Callable[[], bool], *, seconds: float = 10.0) -> None:
        """Wait for what the bot does after its acknowledgement; looks again after each of its calls and answers."""
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def tried(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Wait for the first try of each."""
        for delivery in deliveries:
            await delivery.tried()
        return deliveries

    async def _upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["file"]]["content"] = await request.read()
        return web.Response(text="OK")

    # --- what the manifest says ---

    @property
    def subscriptions(self) -> list[str]:
        """The bot events the app has subscribed to."""
        found: list[str] = self.manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", [])
        return found

    @property
    def scopes(self) -> frozenset[str]:
        """The bot scopes the app asks for."""
        return frozenset(self.manifest.get("oauth_config", {}).get("scopes", {}).get("bot", []))

    def feature(self, name: str) -> list[Json]:
        """`slash_commands` or `shortcuts`."""
        found: list[Json] = self.manifest.get("features", {}).get(name, [])
        return found

    def links_in(self, text: str) -> list[Json]:
        """Links to the app's domains, as `link_shared` tells them."""
        domains: list[str] = self.manifest.get("features", {}).get("unfurl_domains", [])
        links = []
        for url in re.findall(r"<?(https?://[^\s<>|]+)", text):
            host = re.sub(r"^https?://([^/:]+).*", r"\1", url)
            for domain in domains:
                if host == domain or host.endswith("." + domain):
                    links.append({"domain": domain, "url": url.replace("&amp;", "&")})
        return links

    # --- workspaces ---

    def workspace(self, name: str, *, installed: bool = True, scopes: frozenset[str] | None = None) -> Workspace:
        """A new workspace, the app installed in it with the manifest's scopes, or with these."""
        team = Team(id=new_id("T"), name=name, domain=re.sub(r"\W+", "-", name.casefold()))
        workspace = Workspace(self, team)
        self.workspaces.append(workspace)
        if installed:
            self.install(team, scopes if scopes is not None else self.scopes)
        return workspace

    def install(self, team: Team, scopes: frozenset[str]) -> Installation:
        """Put the app into a team; its bot user stays the same over installations."""
        known = team.installation
        name = self.manifest.get("features", {}).get("bot_user", {}).get("display_name", "weaver")
        bot_user, bot_id = (known.bot_user, known.bot_id) if known else (new_id("U"), new_id("B"))
        if known is None:
            user = User(id=bot_user, team_id=team.id, name=name.casefold(), real_name=name, bot_id=bot_id)
            team.users[bot_user] = user
        token = f"xoxb-{team.id[1:]}-{uuid.uuid4().hex}"
        team.installation = Installation(token=token, bot_user=bot_user, bot_id=bot_id, scopes=scopes)
        return team.installation

    def by_token(self, token: str) -> tuple[Team | None, Installation | None]:
        """Whose token this is."""
        for workspace in self.workspaces:
            installation = workspace.team.installation
            if installation and installation.token == token:
                return workspace.team, installation
        return None, None

    def is_bot(self, team: Team, user: str) -> bool:
        """Whether this is our bot's user."""
        return bool(team.installation and team.installation.bot_user == user)

    def slackbot(self, team: Team) -> User:
        """Slack's own voice in a team; in Slack's data it is no bot."""
        slackbot = User(id="USLACKBOT", team_id=team.id, name="slackbot", real_name="Slackbot", email_confirmed=False)
        return team.users.setdefault(slackbot.id, slackbot)

    def bot_profile(self, team: Team) -> Json:
        """As on messages of the bot, and in bots.info."""
        bot = team.bot()
        icons = {"image_36": "", "image_48": "", "image_72": ""}
        return {"id": bot.bot_id, "deleted": False, "name": bot.real_name, "updated": 1, "app_id": self.app_id,
                "icons": icons, "team_id": team.id}  # fmt: skip

    # --- channels and messages ---

    def next_ts(self) -> str:
        """The time as Slack writes it, and never the same twice."""
        now: datetime = self.clock.now()
        self._last_ts = max(self._last_ts + 1, int(now.timestamp() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    def direct_of(self, team: Team, person: User) -> Channel:
        """The direct conversation of the bot with a person."""
        found = next((c for c in team.channels.values() if c.kind == "im" and c.peer == person.id), None)
        return found or self._new_channel(team, "D", f"dm-{person.name}", "im", [person.id, team.bot().id], person.id)

    def group_direct_of(self, team: Team, people: list[User]) -> Channel:
        """The direct conversation of the bot with several."""
        members = [*sorted(person.id for person in people), team.bot().id]
        found = next((c for c in team.channels.values() if c.kind == "mpim" and c.members == members), None)
        return found or self._new_channel(team, "C", f"mpdm-{new_id('')}", "mpim", members, None)

    def _new_channel(
        self, team: Team, prefix: str, name: str, kind: Any, members: list[str], peer: str | None
    ) -> Channel:
        channel = Channel(
            id=new_id(prefix), team_id=team.id, name=name, kind=kind, creator=members[0] if members else "",
            created=int(self.clock.now().timestamp()), members=members, peer=peer,
        )  # fmt: skip
        team.channels[channel.id] = channel
        return channel

    def new_channel(self, team: Team, name: str, *, private: bool, members: list[str]) -> Channel:
        """A new channel."""
        return self._new_channel(team, "C", name, "private" if private else "public", members, None)

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """Blocks as Slack keeps them: with a block_id each, and an action_id in each element that acts."""
        kept = []
        for given in blocks:
            block = {"block_id": uuid.uuid4().hex[:5], **copy.deepcopy(given)}
            for element in [*block.get("elements", []), block.get("accessory") or {}, block.get("element") or {}]:
                if element.get("type") not in (None, "mrkdwn", "plain_text", "image") and block["type"] != "rich_text":
                    element.setdefault("action_id", uuid.uuid4().hex[:5])
            kept.append(block)
        return kept

    def attachments_with_ids(self, attachments: list[Json]) -> list[Json]:
        """The same for the blocks within attachments."""
        return [one | ({"blocks": self.with_ids(one["blocks"])} if one.get("blocks") else {}) for one in attachments]

    def new_unfurl(self, channel: Channel, message: Message) -> str:
        """An id for chat.unfurl."""
        unfurl_id = str(uuid.uuid4())
        self.unfurls[unfurl_id] = (channel.id, message.ts)
        return unfurl_id

    def permalink(self, team: Team, channel: Channel, message: Message) -> str:
        """The address that opens a message."""
        link = f"https://{team.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
        if message.thread_ts and message.thread_ts != message.ts:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return link
