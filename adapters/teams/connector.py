"""Calls to the Bot Connector service, and its answers as `DeliveryError`s.

Methods: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference; limits:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit. botbuilder's own client is not used for
these: it repeats calls by itself (a message could be posted twice), fetches its token with blocking requests, and drops
fields that it has no name for. Nothing is repeated in here, but for a token that has run out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog
from yarl import URL

from adapters.teams.settings import SERVICE, TeamsSettings
from bot.ports import Clock, DeliveryError

log = structlog.get_logger()

TIMEOUT = 10.0
_CHECK = "check TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID"
_PASSING = (408, 412, 429, 500, 502, 503, 504)
_DISMISSED_PAUSE = 60.0  # seconds: an administrator has to do something


class TeamsError(DeliveryError):
    """Teams did not do it. `status` and `code` say why, in Teams' words."""

    def __init__(self, status: int, code: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.status = status
        self.code = code

    @property
    def gone(self) -> bool:
        """Whether what was to be changed or asked is not there any more, or out of the bot's reach for good."""
        return self.status in (403, 404, 410)


class Connector:
    """The Connector's methods, at whatever service URL a conversation has."""

    def __init__(self, settings: TeamsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self._good_until: datetime | None = None
        self._turn = asyncio.Lock()

    async def call(
        self,
        service_url: str,
        method: str,
        *path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call `method` on /v3/ and the steps of `path`, each escaped. Raises `TeamsError`."""
        address = f"{service_url.rstrip('/')}/v3/{'/'.join(quote(step, safe='') for step in path)}"
        url = URL(address, encoded=True).update_query(query or {})
        what = f"{method} {path[0]}/…/{path[2]}" if len(path) > 2 else f"{method} {path[0]}"  # for the log: nobody's id
        for again in (True, False):
            token = await self._authorised()
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            try:
                async with self._http().request(method, url, json=body, headers=headers) as answer:
                    data = await _json(answer)
                    if answer.status == 401 and again and token:
                        self._good_until = None
                        continue
                    if answer.status >= 400:
                        raise _translated(what, answer, data)
                    if data is None and method == "GET":  # else an empty list: a channel deleted, a team left by all
                        words = f"Teams' answer cannot be read ({what})"
                        raise TeamsError(answer.status, "no_json", words, retry_after=_jitter())
                    return data or {}
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                late = "did not answer in time" if isinstance(error, TimeoutError) else "could not be reached"
                reason = f"Teams {late} ({what}: {type(error).__name__})"
                raise TeamsError(0, "no_answer", reason, retry_after=_jitter()) from error
        raise AssertionError("unreachable")

    async def sign_in(self) -> None:
        """Have a token that is good. Raises `TeamsError` where Microsoft does not give one."""
        await self._authorised()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self._session

    async def _authorised(self) -> str:
        """The bot's token; empty for the emulator."""
        if self._settings.unauthenticated:
            return ""
        async with self._turn:
            now = self._clock.now()
            if self._good_until is None or now >= self._good_until:
                asked = {
                    "grant_type": "client_credentials",
                    "client_id": self._settings.app_id,
                    "client_secret": self._settings.app_password,
                    "scope": f"{SERVICE}/.default",
                }
                try:
                    async with self._http().post(self._settings.token_url, data=asked) as answer:
                        data = await _json(answer) or {}
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    reason = f"Microsoft's sign-in could not be reached ({type(error).__name__})"
                    raise TeamsError(0, "no_answer", reason, retry_after=_jitter()) from error
                if not data.get("access_token"):
                    code = str(data.get("error") or answer.status)
                    log.error("teams.not_accepted", error=code, do=_CHECK)
                    raise TeamsError(
                        answer.status, code, f"Microsoft does not accept the bot ({code})", retry_after=_DISMISSED_PAUSE
                    )
                self._token = str(data["access_token"])
                self._good_until = now + timedelta(seconds=max(60, _number(data.get("expires_in"), 3600) - 300))
            return self._token


async def _json(answer: aiohttp.ClientResponse) -> dict[str, Any] | None:
    """The JSON object that was answered; None where it is something else, or cut short."""
    try:
        data = await answer.json(content_type=None)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _translated(what: str, answer: aiohttp.ClientResponse, data: Mapping[str, Any] | None) -> TeamsError:
    """What went wrong, as the error the core understands."""
    error = (data or {}).get("error")
    said = error if isinstance(error, dict) else {}
    code = str(said.get("code") or f"http_{answer.status}")
    if answer.status in _PASSING:
        wait = max(_jitter(), _number(answer.headers.get("Retry-After"), 0))
        words = "asks for patience" if answer.status in (412, 429) else "is out of order"
        return TeamsError(answer.status, code, f"Teams {words} ({what}: {code})", retry_after=min(wait, 3600.0))
    if answer.status == 401:
        log.error("teams.not_accepted", error=code, do=_CHECK)
        return TeamsError(401, code, f"Teams does not accept the bot ({code})", retry_after=_DISMISSED_PAUSE)
    if answer.status == 403:
        return TeamsError(403, code, f"the app is not installed there any more, or was blocked ({what}: {code})")
    return TeamsError(answer.status, code, f"Teams refused {what}: {code}")


def _number(value: object, otherwise: float) -> float:
    try:
        return float(str(value))
    except ValueError:
        return otherwise


def _jitter() -> float:
    """Not all at once: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit asks for it."""
    return random.uniform(1.0, 3.0)
