"""What Slack sends to the bot: signed HTTP requests, or Socket Mode envelopes; with Slack's retries.

https://docs.slack.dev/authentication/verifying-requests-from-slack and https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import aiohttp

from .state import Json

if TYPE_CHECKING:
    from .server import SlackServer

Channel = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True)
class Attempt:
    """One try: the bot's status (None: no answer), what it said, how long it took, and why that was a failure."""

    status: int | None
    body: str
    seconds: float
    reason: str = ""  # as in X-Slack-Retry-Reason; empty if the bot took it

    def json(self) -> Json:
        """The answer's JSON; empty where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {"text": self.body} if self.body else {}
        return found if isinstance(found, dict) else {}


@dataclass
class Delivery:
    """One thing the bot is told, and its tries."""

    kind: Channel
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    _tried: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def taken(self) -> bool:
        """The bot has acknowledged it."""
        return any(not attempt.reason for attempt in self.attempts)

    async def tried(self) -> Attempt:
        """The first try, once it is over."""
        await self._tried.wait()
        return self.attempts[0]

    def note(self, attempt: Attempt) -> None:
        """Remember a try."""
        self.attempts.append(attempt)
        self._tried.set()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The v0 signature."""
    base = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Inbound:
    """The sender. Events are tried again after each of `retry_delays`, commands and interactions never."""

    def __init__(self, server: SlackServer, retry_delays: tuple[float, ...], timeout: float) -> None:
        self._server = server
        self._delays = retry_delays
        self._timeout = timeout
        self.deliveries: list[Delivery] = []

    def deliver(self, kind: Channel, payload: Json) -> Delivery:
        """Begin to send, and return at once."""
        delivery = Delivery(kind, payload)
        self.deliveries.append(delivery)
        delivery.task = self._server.spawn(self._run(delivery))
        return delivery

    def again(self, delivery: Delivery) -> Delivery:
        """The same thing once more, as Slack sometimes does though it was taken."""
        return self.deliver(delivery.kind, delivery.payload)

    async def _run(self, delivery: Delivery) -> None:
        delays = self._delays if delivery.kind == "events_api" else ()
        reason = ""
        for number, delay in enumerate((0.0, *delays)):
            if number:
                await asyncio.sleep(delay)
            if self._server.socket_mode:
                attempt, last = await self._server.sockets.send(delivery, number, reason, self._timeout), False
            else:
                attempt, last = await self._post(delivery, number, reason)
            delivery.note(attempt)
            self._server.news()
            reason = attempt.reason
            if not reason or last:
                return

    async def _post(self, delivery: Delivery, number: int, reason: str) -> tuple[Attempt, bool]:
        if delivery.kind == "events_api":
            body, content_type = json.dumps(delivery.payload).encode(), "application/json"
        else:
            form = delivery.payload
            if delivery.kind == "interactive":
                form = {"payload": json.dumps(delivery.payload)}
            body, content_type = urlencode(form).encode(), "application/x-www-form-urlencoded"
        headers = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason} if number else {}
        return await self._attempt(body, content_type, headers)

    async def _attempt(self, body: bytes, content_type: str, headers: Mapping[str, str]) -> tuple[Attempt, bool]:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                status, text, answered = await self.post(body, content_type=content_type, headers=headers)
        except TimeoutError:
            return Attempt(None, "", time.perf_counter() - started, "http_timeout"), False
        except aiohttp.ClientError as error:
            return Attempt(None, str(error), time.perf_counter() - started, "connection_failed"), False
        reason = "" if 200 <= status < 300 else "http_error"
        return Attempt(status, text, time.perf_counter() - started, reason), answered.get("X-Slack-No-Retry") == "1"

    async def post(
        self,
        body: bytes,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        timestamp: str | None = None,
        signature: str | None = None,
    ) -> tuple[int, str, Mapping[str, str]]:
        """One signed request as it is: status, text, headers. Tests of bad input bring another time or signature."""
        stamp = timestamp if timestamp is not None else str(int(time.time()))
        signed = signature if signature is not None else sign(self._server.signing_secret, stamp, body)
        sent = {"Content-Type": content_type, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}
        sent |= {"User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"} | dict(headers or {})
        async with self._server.session.post(self._server.request_url, data=body, headers=sent) as response:
            return response.status, await response.text(), response.headers

    async def verify_url(self) -> bool:
        """What Slack does when an administrator enters the request URL: the challenge must come back."""
        payload = {"token": self._server.verification_token, "challenge": "3eZbrw1aBm2r", "type": "url_verification"}
        status, text, _ = await self.post(json.dumps(payload).encode())
        return status == 200 and "3eZbrw1aBm2r" in text
