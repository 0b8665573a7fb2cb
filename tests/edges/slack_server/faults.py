"""What can go wrong at a call of the Web API, switched on by a test: per method and per nth call.

server.faults.add("chat.postMessage", Reset(after=True), nth=2)
server.faults.add("*", RateLimited(retry_after=1), nth=5)      # the fifth call of all
server.faults.add("chat.update", Hook(kill_the_bot), times=1)  # awaited when done, before the answer
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .state import Json

Act = Callable[[], Awaitable[Json]]


@dataclass(frozen=True)
class RateLimited:
    """429 with Retry-After; nothing takes effect."""

    retry_after: int = 1

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        headers = {"Retry-After": str(self.retry_after)}
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


@dataclass(frozen=True)
class Broken:
    """A server error with a page instead of JSON. `after`: the call took effect nevertheless."""

    status: int = 500
    after: bool = False

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.after:
            await act()
        page = f"<!DOCTYPE html><html><body><h1>{self.status}</h1>Slack is having trouble.</body></html>"
        return web.Response(status=self.status, text=page, content_type="text/html")


@dataclass(frozen=True)
class Hang:
    """No answer for so long that a client gives up. `after`: the call took effect before that."""

    seconds: float = 60.0
    after: bool = False

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.after:
            await act()
        await asyncio.sleep(self.seconds)
        return web.Response(status=504)


@dataclass(frozen=True)
class Reset:
    """The connection is reset before the call takes effect, or `after` it did."""

    after: bool = False

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.after:
            await act()
        if request.transport is not None:
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.abort()
        return web.Response()


@dataclass(frozen=True)
class BadJson:
    """200, but what comes is not JSON, though it took effect."""

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        await act()
        return web.Response(text='{"ok": tr', content_type="application/json")


@dataclass(frozen=True)
class Fails:
    """`ok: false` with any error; nothing takes effect."""

    error: str
    needed: str = ""

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        body: Json = {"ok": False, "error": self.error}
        return web.json_response(body | ({"needed": self.needed, "provided": ""} if self.needed else {}))


@dataclass(frozen=True)
class Hook:
    """The call takes effect (or, with `before`, not yet), then `call` is awaited, then the answer goes out."""

    call: Callable[[], Awaitable[None]]
    before: bool = False

    async def answer(self, request: web.Request, act: Act) -> web.StreamResponse:
        if self.before:
            await self.call()
        body = await act()
        if not self.before:
            await self.call()
        return web.json_response(body)


Fault = RateLimited | Broken | Hang | Reset | BadJson | Fails | Hook


@dataclass
class _Planned:
    method: str
    fault: Fault
    wait: int
    times: int


class Faults:
    """The faults that are to come, in the order they were added."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def add(self, method: str, fault: Fault, *, nth: int = 1, times: int = 1) -> None:
        """At the `nth` call of `method` from now on (`*`: any method), and at the `times - 1` calls after it.

        A post to a response_url counts as method `response_url`.
        """
        self._planned.append(_Planned(method, fault, nth - 1, times))

    def clear(self) -> None:
        """No more faults."""
        self._planned.clear()

    @property
    def pending(self) -> int:
        """How many have not happened yet."""
        return sum(planned.times for planned in self._planned)

    def due(self, method: str) -> Fault | None:
        """The fault of this call, if any."""
        found: Fault | None = None
        for planned in list(self._planned):
            if planned.method not in (method, "*"):
                continue
            if planned.wait > 0:
                planned.wait -= 1
            elif found is None:
                found = planned.fault
                planned.times -= 1
                if planned.times == 0:
                    self._planned.remove(planned)
        return found


def of_a_server(*, hang: float) -> dict[str, Callable[[], Any]]:
    """What may go wrong at any call of any server, by its name in a table; `hang`: longer than the caller waits."""
    return {
        "500": Broken,
        "500, after": lambda: Broken(after=True),
        "time-out": lambda: Hang(hang),
        "time-out, after": lambda: Hang(hang, after=True),
        "reset": Reset,
        "reset, after": lambda: Reset(after=True),
        "no JSON, after": BadJson,
    }
