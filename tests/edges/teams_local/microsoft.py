"""Microsoft's side, as far as a bot sees it: signed tokens, its own token, and a Connector that keeps what is posted.

Signing is real (RSA, JSON Web Keys, an OpenID metadata document), and so is refusal: the Connector takes only the token
that it gave out, knows only its conversations, and has faults that a test switches on.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.edges.slack_server.faults import Faults

APP_ID = "0b1f1c58-1111-4222-8333-444455556666"
PASSWORD = "a password for tests"
TENANT = "7e9a4d1c-aaaa-4bbb-8ccc-ddddeeeeffff"
BOT = f"28:{APP_ID}"
ISSUER = "https://api.botframework.com"
TEAM = "19:team@thread.tacv2"
LARGEST = 28_000  # bytes of an activity


def new_key() -> rsa.RSAPrivateKey:
    """A key to sign with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Fault:
    """What the Connector answers in place of doing something."""

    status: int
    code: str = "Fault"
    headers: dict[str, str] = field(default_factory=dict)
    method: str = ""  # only for this one

    async def answer(self, _request: web.Request, _act: object) -> web.Response:
        return web.json_response({"error": {"code": self.code}}, status=self.status, headers=self.headers)


@dataclass(frozen=True)
class Killed:
    """`kill` is awaited before the call takes effect, which it then never does, or `after` it did; nobody answers."""

    kill: Callable[[], Awaitable[None]]
    after: bool = False

    async def answer(self, _request: web.Request, act: Callable[[], Awaitable[Any]]) -> web.Response:
        if self.after:
            await act()
        await self.kill()
        return web.Response(status=504)


@dataclass
class Microsoft:
    """The services, and what they have seen."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"first": new_key()})
    endorsements: tuple[str, ...] = ("msteams",)
    members: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # of a conversation
    channels: list[dict[str, Any]] = field(default_factory=list)
    team: dict[str, Any] = field(default_factory=lambda: {"id": TEAM, "name": "Field team", "aadGroupId": "group-1"})
    posted: list[dict[str, Any]] = field(default_factory=list)  # conversation, id, activity; the bot's and people's
    begun: list[dict[str, Any]] = field(default_factory=list)  # conversations that the bot began
    faults: list[Fault] = field(default_factory=list)  # at the next calls
    planned: Faults = field(default_factory=Faults)  # at the nth call of a name such as "POST activities"
    calls: list[str] = field(default_factory=list)  # their names
    metadata_asked: int = 0
    tokens: set[str] = field(default_factory=set)
    _ids: Any = field(default_factory=lambda: itertools.count(1_700_000_000_000))
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._checked])
        app.router.add_get("/openid", self._metadata)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/login/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_post("/connector/v3/conversations", self._begin)
        app.router.add_post("/connector/v3/conversations/{conversation}/activities", self._post)
        app.router.add_put("/connector/v3/conversations/{conversation}/activities/{activity}", self._put)
        app.router.add_delete("/connector/v3/conversations/{conversation}/activities/{activity}", self._delete)
        app.router.add_get("/connector/v3/conversations/{conversation}/members/{member}", self._member)
        app.router.add_get("/connector/v3/conversations/{conversation}/pagedmembers", self._paged)
        app.router.add_get("/connector/v3/teams/{team}", self._team)
        app.router.add_get("/connector/v3/teams/{team}/conversations", self._channels)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def url(self, path: str) -> str:
        assert self._runner is not None
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}{path}"

    @property
    def service_url(self) -> str:
        return self.url("/connector/")

    def signed(self, key: str = "first", *, with_key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """A header as the Bot Framework sends it; `claims` replace the right ones, None leaves one out."""
        now = datetime.now(UTC)
        said = {
            "iss": ISSUER,
            "aud": APP_ID,
            "serviceurl": self.service_url,
            "nbf": now - timedelta(minutes=1),
            "exp": now + timedelta(hours=1),
            **claims,
        }
        body = {name: value for name, value in said.items() if value is not None}
        return "Bearer " + jwt.encode(body, with_key or self.keys[key], algorithm="RS256", headers={"kid": key})

    def add_person(self, conversation: str, account: str, aad: str, name: str, **more: Any) -> None:
        """Somebody in a conversation."""
        known = {"id": account, "aadObjectId": aad, "name": name, "tenantId": TENANT, "userRole": "user", **more}
        self.members.setdefault(conversation, []).append(known)

    def activity(
        self, kind: str, *, by: dict[str, Any] | None, chat: str = "", channel: str = "", root: str = "", **more: Any
    ) -> dict[str, Any]:
        """An activity as Teams sends it: in somebody's `chat` with the bot, or in a `channel` of the team, there in a
        thread if it has a `root`. `data` is more to say about the channel; None leaves something out."""
        about = {"tenant": {"id": TENANT}}
        conversation: dict[str, Any] = {"conversationType": "personal", "tenantId": TENANT, "id": chat}
        if channel:
            inside = f"{channel};messageid={root}" if root else channel
            conversation |= {"conversationType": "channel", "isGroup": True, "id": inside}
            about |= {"team": self.team, "channel": {"id": channel}}
        about |= more.pop("data", {})
        made = {
            "type": kind,
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "timestamp": datetime.now(UTC).isoformat(),
            "localTimezone": "Europe/Berlin",
            "from": by,
            "recipient": {"id": BOT, "name": "Weaver"},
            "conversation": conversation,
            "channelData": about,
            **more,
        }
        return {name: value for name, value in made.items() if value is not None}

    def chat_of(self, known: str) -> str:
        """The chat of somebody with the bot: one, under whichever of their ids it is begun."""
        everybody = (one for inside in self.members.values() for one in inside)
        ids = (one["id"] for one in everybody if known in (one["id"], one["aadObjectId"]))
        return f"a:chat-{next(ids, known)}"

    def next_id(self) -> str:
        """The id of what comes next."""
        return str(next(self._ids))

    def put(self, conversation: str, activity: dict[str, Any], *, begins: bool = False) -> str:
        """Keep a message; its id. One that begins a thread is in a conversation of its own."""
        known = self.next_id()
        where = f"{conversation};messageid={known}" if begins else conversation
        self.posted.append({"conversation": where, "id": known, "activity": activity})
        return known

    async def until(self, true: Callable[[], bool], *, seconds: float) -> None:
        """Wait for something to come of the bot's calls."""
        async with asyncio.timeout(seconds):
            while not true():
                self._news.clear()
                await self._news.wait()

    def cards(self, conversation: str = "") -> list[dict[str, Any]]:
        """The bot's cards as they are now, oldest first."""
        return [
            one["activity"]["attachments"][0]["content"]
            for one in self.posted
            if conversation in ("", one["conversation"]) and one["activity"]["from"]["id"] == BOT
        ]

    # --- the services -----------------------------------------------------------------------------------------------

    async def _metadata(self, _request: web.Request) -> web.Response:
        self.metadata_asked += 1
        return web.json_response({"issuer": ISSUER, "jwks_uri": self.url("/keys")})

    async def _keys(self, _request: web.Request) -> web.Response:
        made = [
            {
                **json.loads(RSAAlgorithm.to_jwk(key.public_key())),
                "kid": name,
                "use": "sig",
                "endorsements": list(self.endorsements),
            }
            for name, key in self.keys.items()
        ]
        return web.json_response({"keys": made})

    async def _token(self, request: web.Request) -> web.Response:
        asked = await request.post()
        right = (asked.get("client_id"), asked.get("client_secret"), asked.get("grant_type"))
        if right != (APP_ID, PASSWORD, "client_credentials"):
            return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_hex(8)
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    @web.middleware
    async def _checked(self, request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
        """A call of the bot is counted, and may meet a fault; to the Connector it must bring the bot's token."""
        if request.path in ("/openid", "/keys"):
            return await handler(request)
        to_connector = request.path.startswith("/connector/")
        resource = request.match_info.route.resource
        steps = resource.canonical.split("/") if resource else []
        name = f"{request.method} {[step for step in steps if not step.startswith('{')][-1]}"
        self.calls.append(name)
        if to_connector and request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return _error(401, "Unauthorized")
        if len(await request.read()) > LARGEST:
            return _error(413, "MessageSizeTooBig")
        fault: Any = self.planned.due(name)
        for one in self.faults:
            if to_connector and fault is None and one.method in ("", request.method):
                fault = one
                self.faults.remove(one)
                break
        try:
            return await (handler(request) if fault is None else fault.answer(request, lambda: handler(request)))
        finally:
            self._news.set()

    async def _begin(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.begun.append(asked)
        if not asked.get("isGroup"):
            return web.json_response({"id": self.chat_of(asked["members"][0]["id"])}, status=201)
        channel = asked["channelData"]["channel"]["id"]
        known = self.put(channel, asked["activity"], begins=True)
        return web.json_response({"id": f"{channel};messageid={known}", "activityId": known}, status=201)

    async def _post(self, request: web.Request) -> web.Response:
        known = self.put(request.match_info["conversation"], await request.json())
        return web.json_response({"id": known}, status=201)

    async def _put(self, request: web.Request) -> web.Response:
        for one in self.posted:
            if one["id"] == request.match_info["activity"]:
                one["activity"] = await request.json()
                return web.json_response({"id": one["id"]})
        return _error(404, "ActivityNotFoundInConversation")

    async def _delete(self, request: web.Request) -> web.Response:
        before = len(self.posted)
        self.posted = [one for one in self.posted if one["id"] != request.match_info["activity"]]
        return web.Response() if len(self.posted) < before else _error(404, "ActivityNotFoundInConversation")

    async def _member(self, request: web.Request) -> web.Response:
        for member in self.members.get(request.match_info["conversation"], ()):
            if request.match_info["member"] in (member["id"], member["aadObjectId"]):
                return web.json_response(member)
        return _error(404, "MemberNotFoundInConversation")

    async def _paged(self, request: web.Request) -> web.Response:
        everybody = self.members.get(request.match_info["conversation"], [])
        at = int(request.query.get("continuationToken", "0"))
        page = {"members": everybody[at : at + 2]}  # small pages, so that there are several
        more = {"continuationToken": str(at + 2)} if at + 2 < len(everybody) else {}
        return web.json_response({**page, **more})

    async def _team(self, request: web.Request) -> web.Response:
        return web.json_response(self.team)

    async def _channels(self, request: web.Request) -> web.Response:
        return web.json_response({"conversations": self.channels})


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "Not so."}}, status=status)
