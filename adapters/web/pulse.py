"""Wakes the live streams: at once for changes made in this process, within a second or two for other replicas'."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

#: How long a change made by another replica may go unnoticed.
POLL_SECONDS = 1.5


class Pulse:
    """The last known revision, and everybody who waits for a later one.

    One task asks the database for all streams of the process, and only while somebody listens.
    """

    def __init__(self, poll_seconds: float = POLL_SECONDS) -> None:
        self._revision = 0
        self._changed = asyncio.Event()
        self._closed = False
        self._listeners = 0
        self._poller: asyncio.Task[None] | None = None
        self._poll_seconds = poll_seconds

    @property
    def closed(self) -> bool:
        """Whether the server is going down: streams end themselves then."""
        return self._closed

    def beat(self, revision: int) -> None:
        """Something changed."""
        if revision > self._revision:
            self._revision = revision
            self._wake()

    async def wait(self, after: int, seconds: float) -> int:
        """Return the revision as soon as it is later than `after`, or when `seconds` have passed."""
        try:
            async with asyncio.timeout(seconds):
                while self._revision <= after and not self._closed:
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self._revision

    def listen(self, ask: Callable[[], Awaitable[int]]) -> None:
        """A stream begins: from now on look for other replicas' changes too."""
        self._listeners += 1
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(ask), name="web-chat-pulse")

    def unlisten(self) -> None:
        """A stream has ended."""
        self._listeners -= 1
        if self._listeners <= 0 and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()
        if self._poller is not None:
            self._poller.cancel()

    def _wake(self) -> None:
        # Whoever waits holds the old event; those who come later wait for the next one.
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _poll(self, ask: Callable[[], Awaitable[int]]) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                self.beat(await ask())
            except Exception:
                continue
