"""Calls to Slack: every method used, the scopes it needs, and Slack's answers as `DeliveryError`s.

Nothing is repeated in here: a message whose fate is unknown is looked for first, by `bot.delivery`.
Methods and scopes: https://docs.slack.dev/reference/methods; errors and limits: https://docs.slack.dev/apis/web-api.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.ports import DeliveryError

log = structlog.get_logger()

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

#: Every method this adapter may call, with the bot scopes it needs (checked against the manifest by a test).
METHODS: Mapping[str, tuple[str, ...]] = {
    "apps.connections.open": (),  # with the app-level token, whose scope is connections:write
    "auth.test": (),
    "chat.delete": ("chat:write",),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.unfurl": ("links:write",),
    "chat.update": ("chat:write",),
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.join": ("channels:join",),
    "conversations.members": _READ,
    "conversations.open": ("im:write",),
    "conversations.replies": _HISTORY,
    "dnd.info": ("dnd:read",),
    "oauth.v2.access": (),
    "users.info": ("users:read", "users:read.email"),
    "users.lookupByEmail": ("users:read.email",),
    "views.open": (),
    "views.publish": (),
}

TIMEOUT = 8.0
_PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
_LIMITED = {"ratelimited", "rate_limited"}
_DISMISSED = {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked", "org_login_required"}


class SlackError(DeliveryError):
    """Slack did not do it. `code` is Slack's name for the reason; `definite`: it certainly had no effect."""

    def __init__(self, code: str, reason: str, *, retry_after: float | None = None, definite: bool = True) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.code = code
        self.definite = definite


class Calls:
    """Slack's methods, for any workspace whose token `token_of` knows."""

    def __init__(self, base_url: str, token_of: Callable[[str], Awaitable[str]]) -> None:
        self._base_url = base_url
        self._token_of = token_of
        self._clients: dict[str, AsyncWebClient] = {}
        self._session: aiohttp.ClientSession | None = None

    async def call(self, team: str, method: str, **arguments: Any) -> dict[str, Any]:
        """Call `method` as the bot of this workspace. Raises `SlackError`, or `DeliveryError` where it has no bot."""
        return await self.call_with(await self._token_of(team), method, **arguments)

    async def call_with(self, token: str, method: str, **arguments: Any) -> dict[str, Any]:
        """Call `method` with a token. Raises `SlackError`."""
        return _body(await self._answered(method, getattr(self.client(token), method.replace(".", "_"))(**arguments)))

    async def introduce(self, token: str) -> tuple[dict[str, Any], frozenset[str] | None]:
        """Whose token this is (auth.test), and the scopes it was given, None where Slack does not say. Raises
        `SlackError`."""
        response = await self._answered("auth.test", self.client(token).auth_test())
        headers = {name.lower(): value for name, value in (response.headers or {}).items()}
        said = headers.get("x-oauth-scopes")
        return _body(response), None if said is None else frozenset(said.replace(" ", "").split(","))

    async def call_as_app(self, client_id: str, secret: str, method: str, **arguments: Any) -> dict[str, Any]:
        """Call `method` as the app itself, without a workspace's token. Raises `SlackError`."""
        # not the SDK's own method: it makes the header in a way that aiohttp gives up
        headers = {"Authorization": aiohttp.encode_basic_auth(client_id, secret)}
        return _body(await self._answered(method, self.client("").api_call(method, data=arguments, headers=headers)))

    async def _answered(self, method: str, answer: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
        assert method in METHODS, f"{method} is not in METHODS, so no scope is asked for it"
        try:
            return await answer
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError, AttributeError) as error:
            raise _translated(method, error) from error

    def client(self, token: str) -> AsyncWebClient:
        """The SDK's client for a token: short time-outs, no hidden repeats (they could post twice)."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
            self._clients.clear()
        if token not in self._clients:
            if len(self._clients) > 1000:
                self._clients.clear()
            self._clients[token] = AsyncWebClient(
                token=token or None,
                base_url=self._base_url,
                timeout=int(TIMEOUT),
                session=self._session,
                retry_handlers=[],
            )
        return self._clients[token]

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _body(response: AsyncSlackResponse) -> dict[str, Any]:
    return response.data if isinstance(response.data, dict) else {}


def _translated(method: str, error: Exception) -> SlackError:
    """What went wrong, as the error the core understands."""
    if not isinstance(error, SlackApiError):
        sent = not isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
        late = "did not answer in time" if isinstance(error, asyncio.TimeoutError) else "could not be reached"
        reason = f"Slack {late} ({method}: {type(error).__name__})"
        return SlackError("no_answer", reason, retry_after=1.0, definite=not sent)
    status, data, headers = _parts(error.response)
    code = str(data.get("error") or f"http_{status}")
    if status == 429 or code in _LIMITED:
        return SlackError("ratelimited", f"Slack asks for patience ({method})", retry_after=_seconds(headers))
    if status >= 500 or code in _PASSING or not data:
        return SlackError(code, f"Slack is out of order ({method}: {code})", retry_after=1.0, definite=False)
    if code == "missing_scope":
        needed = str(data.get("needed") or " or ".join(METHODS[method]))
        log.error(
            "slack.missing_scope",
            method=method,
            needed=needed,
            do="add the scope under OAuth & Permissions of the Slack app, and install the app again",
        )
        return SlackError(code, f"the Slack app lacks the scope {needed}, which {method} needs")
    if code in _DISMISSED:
        log.error("slack.not_accepted", method=method, error=code, do="install the Slack app again, or give its token")
    details = data.get("response_metadata")
    messages = details.get("messages") if isinstance(details, dict) else None
    more = f": {'; '.join(map(str, messages))[:300]}" if isinstance(messages, list) and messages else ""
    return SlackError(code, f"Slack refused {method}: {code}{more}")


def _parts(response: Any) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
    """Status, body and headers; the SDK passes its own response, or the raw one where the body is not JSON."""
    status = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
    data = getattr(response, "data", None)
    headers = getattr(response, "headers", None)
    return int(status), data if isinstance(data, dict) else {}, headers if isinstance(headers, Mapping) else {}


def _seconds(headers: Mapping[str, str]) -> float:
    """Slack's Retry-After, in seconds."""
    try:
        return max(1.0, min(float(headers.get("Retry-After", "1")), 3600.0))
    except ValueError:
        return 1.0
