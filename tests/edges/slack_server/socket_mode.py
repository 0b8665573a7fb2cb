"""Socket Mode: tickets, WebSockets, envelopes and their acknowledgements.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import uuid
from typing import TYPE_CHECKING, Literal

from aiohttp import WSMsgType, web

from .inbound import Attempt, Delivery
from .state import Json, SlackError

if TYPE_CHECKING:
    from .server import SlackServer

Reason = Literal["warning", "refresh_requested", "link_disabled"]


class Sockets:
    """The open connections. Each envelope goes to one of them, in turn."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server
        self._tickets: set[str] = set()
        self._open: list[web.WebSocketResponse] = []
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._turn = itertools.count()
        self._changed = asyncio.Condition()

    def open(self, token: str) -> Json:
        """apps.connections.open: an address that is good for one connection."""
        if token != self._server.app_token:
            raise SlackError("not_allowed_token_type" if token.startswith("xoxb-") else "invalid_auth")
        if not self._server.socket_mode:
            raise SlackError("socket_mode_not_enabled")
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        url = self._server.url.replace("http", "ws", 1)
        return {"ok": True, "url": f"{url}/link/?ticket={ticket}&app_id={self._server.app_id}"}

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """`GET /link/`: one WebSocket, until either side closes it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="The ticket is unknown, or used.")
        self._tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        host = {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060}
        hello = {"type": "hello", "num_connections": len(self._open) + 1, "debug_info": host}
        await socket.send_json(hello | {"connection_info": {"app_id": self._server.app_id}})
        await self._change(socket, opened=True)
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            await self._change(socket, opened=False)
        return socket

    async def _change(self, socket: web.WebSocketResponse, *, opened: bool) -> None:
        async with self._changed:
            if opened:
                self._open.append(socket)
            elif socket in self._open:
                self._open.remove(socket)
            self._changed.notify_all()

    def _acknowledge(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        waiting = self._acks.pop(answer.get("envelope_id", ""), None) if isinstance(answer, dict) else None
        if waiting and not waiting.done():
            waiting.set_result(answer)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    async def connected(self, at_least: int = 1) -> None:
        """Wait for so many connections."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._open) >= at_least)

    async def disconnect(self, reason: Reason = "refresh_requested") -> None:
        """Announce the end to every connection; and end it, unless it is but a warning."""
        for socket in list(self._open):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}})
            if reason != "warning":
                await self._change(socket, opened=False)
                await socket.close()

    async def close(self) -> None:
        """Close every connection without a word."""
        for socket in list(self._open):
            await socket.close()

    async def send(self, delivery: Delivery, number: int, reason: str, patience: float) -> Attempt:
        """One envelope, and its acknowledgement."""
        started = time.perf_counter()
        if not self._open:
            return Attempt(None, "", 0.0, "no_active_sockets")
        socket = self._open[next(self._turn) % len(self._open)]
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": number, "retry_reason": reason}
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._acks[envelope["envelope_id"]] = waiting
        try:
            await socket.send_json(envelope)
            async with asyncio.timeout(patience):
                answer = await waiting
        except TimeoutError:
            return Attempt(None, "", time.perf_counter() - started, "timeout")
        except ConnectionError as error:
            return Attempt(None, str(error), time.perf_counter() - started, "connection_failed")
        finally:
            self._acks.pop(envelope["envelope_id"], None)
        payload = answer.get("payload")
        body = payload if isinstance(payload, str) else json.dumps(payload) if payload else ""
        return Attempt(200, body, time.perf_counter() - started)
