"""What Slack sent, kept before it is acknowledged and handled after: never lost, never late, in order per channel.

Rows are written in groups: requests that come while a commit is under way share the next one. Waiting rows are claimed
for a lease, by one statement that only one replica can win; the claims of a dead process lapse, or are taken back at
once by the restarted process of the same name. The core acts once on each event, so a row handled twice does no harm.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.slack.schema import inbox
from adapters.slack.settings import Sealer
from bot.ports import Clock, DeliveryError

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
WAIT_FOR_ORDER = timedelta(seconds=60)  # a row that is tried again this soon is waited for; a later one overtaken
KEEP_KEYS = timedelta(days=2)  # Slack repeats an event for a day at most
GIVE_UP_AFTER = 22  # tries: about half a day
LONGEST_PAUSE = 3600.0
POLL = 1.0  # seconds: for what falls due, and for other replicas' rows


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored request that this process may handle until its lease ends."""

    id: int
    key: str
    sealed: str
    attempts: int


class GivenBack(Exception):
    """The sender has it back and will send it again: as if it had never come."""


#: Handles the text of a stored request; `key` identifies it. Raises to have it tried again.
Act = Callable[[str, str], Awaitable[None]]


class Inbox:
    """Requests of Slack, on an engine that somebody else owns."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, seal: Sealer, *, act: Act, name: str = "weaver", hands: int = 8
    ) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self._urgent = engine.execution_options(urgent=True)  # Slack waits for this commit
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert
        self._clock = clock
        self._seal = seal
        self._act = act
        self._name = name
        self._hands = hands
        self._incoming: list[tuple[dict[str, Any], asyncio.Future[Kept | None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    # --- taking in --------------------------------------------------------------------------------------------------

    async def keep(self, key: str, lane: str, payload: str, *, mine: bool) -> Kept | None:
        """Store a request; returns when it is committed, or None if it was there already.

        With `mine` the caller handles it at once (`work`); otherwise its turn comes after those before it in `lane`.
        """
        now = self._now()
        row = {
            "key": key,
            "lane": lane,
            "sealed": self._seal.seal(payload),
            "day": now - now % 86_400_000,
            "due_at": now,
            "attempts": 1 if mine else 0,
            "claimed_by": self._name if mine else "",
            "claimed_until": now + _ms(LEASE) if mine else 0,
            "handled": False,
        }
        stored: asyncio.Future[Kept | None] = asyncio.get_running_loop().create_future()
        self._incoming.append((row, stored))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        while self._incoming:
            batch, self._incoming = self._incoming[:200], self._incoming[200:]
            try:
                rows = {row["key"]: row for row, _ in reversed(batch)}  # of equal ones in one batch, the first counts
                new = (
                    self._insert(inbox)
                    .values([row for row, _ in batch if rows[row["key"]] is row])
                    .on_conflict_do_nothing(index_elements=["key"])
                    .returning(inbox.c.id, inbox.c.key)
                )
                async with self._urgent.begin() as connection:
                    ids = {key: number for number, key in await connection.execute(new)}
            except Exception as error:
                for _, stored in batch:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for row, stored in batch:
                number = ids.pop(row["key"], None)
                kept = None if number is None else Kept(number, row["key"], row["sealed"], row["attempts"])
                if not stored.done():
                    stored.set_result(kept)
            self._news.set()

    # --- handling ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take back what an earlier process of this name had claimed, and handle whatever waits, from now on."""
        async with self._engine.begin() as connection:
            lapsed = update(inbox).where(inbox.c.claimed_by == self._name, inbox.c.handled.is_(False))
            await connection.execute(lapsed.values(claimed_by="", claimed_until=0))
        if self._loop is None:
            self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Finish what is under way, at most five seconds, and stop."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        if self._running:
            await asyncio.wait(self._running, timeout=5)
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, *([self._writer] if self._writer else []), return_exceptions=True)

    async def settle(self) -> int:
        """Handle what waits now; how many rows that were. For tests."""
        done = 0
        while rows := await self._claim(self._hands):
            await asyncio.gather(*(self.work(row) for row in rows))
            done += len(rows)
        return done

    async def _run(self) -> None:
        tidied = 0
        while True:
            self._news.clear()
            try:
                if self._now() - tidied > 3_600_000:
                    tidied = self._now()
                    await self._tidy()
                free = self._hands - len(self._running)
                rows = await self._claim(free) if free > 0 else []
            except Exception:
                log.exception("slack.inbox_unreadable")
                rows = []
                await asyncio.sleep(POLL)
            for row in rows:
                self.begin(row)
            if not rows:
                with suppress(TimeoutError):  # not `wait_for`: until Python 3.12 it may swallow a cancellation
                    async with asyncio.timeout(POLL):
                        await self._news.wait()

    def begin(self, row: Kept) -> asyncio.Task[None]:
        """Handle a claimed row in the background."""
        task = asyncio.create_task(self.work(row))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._news.set()

    async def work(self, row: Kept) -> None:
        """Handle a claimed row: done, dropped with a reason in the log, or put back for later."""
        pause = 0.0
        try:
            await self._act(row.key, self._seal.open(row.sealed))
        except GivenBack:
            await self._forget(row)
            return
        except DeliveryError as error:
            if error.retry_after is None:
                log.warning("slack.event_dropped", reason=str(error))
                await self._done(row)
                return
            pause = error.retry_after
            log.warning("slack.event_postponed", attempt=row.attempts, reason=str(error))
        except Exception:
            log.exception("slack.event_failed", attempt=row.attempts)
        else:
            await self._done(row)
            return
        if row.attempts >= GIVE_UP_AFTER:
            log.error("slack.event_given_up", attempts=row.attempts)
            await self._done(row)
            return
        pause = max(pause, min(2.0 ** (row.attempts - 1), LONGEST_PAUSE)) * random.uniform(1, 1.25)
        await self._set(row, due_at=self._now() + int(pause * 1000), claimed_by="", claimed_until=0)

    async def _done(self, row: Kept) -> None:  # only its key stays, so that a repeat does nothing
        await self._set(row, handled=True, sealed="", lane="", due_at=0, claimed_by="", claimed_until=0)

    async def _forget(self, row: Kept) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(inbox).where(inbox.c.id == row.id))

    async def _set(self, row: Kept, **values: object) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(update(inbox).where(inbox.c.id == row.id).values(**values))

    async def _claim(self, count: int) -> list[Kept]:
        now = self._now()
        free = self._free(now)
        ready = select(inbox.c.id).where(free).order_by(inbox.c.due_at, inbox.c.id).limit(count)
        async with self._reading.connect() as connection:  # mostly nothing is due: ask without a lock
            ids = list(await connection.scalars(ready))
        if not ids:
            return []
        take = (
            update(inbox)
            .where(inbox.c.id.in_(ids), inbox.c.handled.is_(False), inbox.c.claimed_until <= now)
            .values(claimed_by=self._name, claimed_until=now + _ms(LEASE), attempts=inbox.c.attempts + 1)
            .returning(inbox.c.id, inbox.c.key, inbox.c.sealed, inbox.c.attempts)
        )
        async with self._engine.begin() as connection:
            taken = [Kept(*row) for row in await connection.execute(take)]
        return sorted(taken, key=lambda row: row.id)

    def _free(self, now: int) -> ColumnElement[bool]:
        """Due, claimed by nobody, and nothing before it in its lane that it should wait for."""
        other = inbox.alias()
        soon = and_(other.c.due_at <= now + _ms(WAIT_FOR_ORDER), other.c.id < inbox.c.id)
        ahead = exists().where(
            other.c.lane == inbox.c.lane,
            other.c.id != inbox.c.id,
            other.c.handled.is_(False),
            or_(other.c.claimed_until > now, soon),
        )
        return and_(
            inbox.c.handled.is_(False),
            inbox.c.due_at <= now,
            inbox.c.claimed_until <= now,
            or_(inbox.c.lane == "", ~ahead),
        )

    async def _tidy(self) -> None:
        async with self._engine.begin() as connection:
            old = inbox.c.day < self._now() - _ms(KEEP_KEYS) - 86_400_000
            await connection.execute(delete(inbox).where(inbox.c.handled.is_(True), old))

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
