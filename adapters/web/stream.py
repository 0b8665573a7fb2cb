"""The live stream of a page: every change it may see, in order, and none lost over a broken connection."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from adapters.web.access import person_of
from adapters.web.client import WebChat
from adapters.web.requests import RequestError
from adapters.web.rooms import Person
from adapters.web.views import messages_view, rooms_view

#: Seconds between signs of life: short of the half minute after which proxies close a silent connection.
HEARTBEAT = 15.0
#: More changes than this at once, and the page had better load anew.
MOST = 200


class Stream:
    """`/api/stream`: server-sent events, each with the revision it brings the page up to as its id."""

    def __init__(self, chat: WebChat) -> None:
        self._chat = chat

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Go on from `Last-Event-ID` (a browser's own reconnect) or `after` (a page's first connection)."""
        chat = self._chat
        person = await person_of(chat, request)
        after = _revision(request.headers.get("Last-Event-ID") or request.query.get("after") or "")
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                # nginx gathers answers before it passes them on; a stream must not wait for that.
                "X-Accel-Buffering": "no",
                "X-Content-Type-Options": "nosniff",
            }
        )
        await response.prepare(request)
        chat.pulse.listen(chat.store.revision)
        try:
            await response.write(b"retry: 2000\n\n")
            await self._follow(response, person, after)
        except ConnectionError:
            pass  # The page has gone; it comes back by itself.
        finally:
            chat.pulse.unlisten()
        return response

    async def _follow(self, response: web.StreamResponse, person: Person, after: int) -> None:
        chat = self._chat
        shown: list[dict[str, Any]] = []
        # A pulse may know less than the database (a new process): look once before waiting.
        now = await chat.store.revision()
        while not chat.pulse.closed:
            current = await chat.rooms.person(person.id)
            if current is None or not current.active:
                return  # the page comes back, and is told that it is signed out
            if now > after:
                rooms, channels = await rooms_view(chat, current)
                changed = await chat.feed.changed(current.id, rooms, after, MOST + 1)
                event: dict[str, Any] = {}
                if len(changed) > MOST:
                    event["reload"] = True
                elif changed:
                    event["messages"] = await messages_view(chat, changed, current)
                    now = max(now, changed[-1].revision)
                if channels != shown:
                    event["channels"] = shown = channels
                after = now
                if event:
                    data = json.dumps(event, ensure_ascii=False)
                    await response.write(f"id: {after}\nevent: change\ndata: {data}\n\n".encode())
            now = await chat.pulse.wait(after, HEARTBEAT)
            if now <= after:
                await response.write(b": still here\n\n")


def _revision(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise RequestError(400, "This stream has no place to begin.")
    return int(text)
