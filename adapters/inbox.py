"""What a platform sent, kept before it is acknowledged and handled after: never lost, never late, in order per channel.

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
from typing import Any, Protocol

import structlog
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import Clock, DeliveryError

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
WAIT_FOR_ORDER = timedelta(seconds=60)  # a row that is tried again this soon is waited for; a later one overtaken
KEEP_KEYS = timedelta(days=2)  # no platform repeats an event for longer than a day
GIVE_UP_AFTER = 22  # tries: about half a day
LONGEST_PAUSE = 3600.0
POLL = 1.0  # seconds: for what falls due, and for other replicas' rows


class Sealer(Protocol):
    """Makes text unreadable at rest, and makes hashes that tell nothing without the key. The core passes it in."""

    def seal(self, text: str) -> str:
        """The text, unreadable without the key."""
        ...

    def open(self, sealed: str) -> str:
        """The text again."""
        ...

    def mark(self, text: str) -> str:
        """A keyed hash, equal for equal texts."""
        ...


def inbox_table(name: str, metadata: MetaData) -> Table:
    """The table of one platform's inbox.

    A handled row keeps its key (a repeat of it does nothing) for two days, and nothing of what was in it.
    """
    unhandled = text("NOT handled")
    return Table(
        name,
        metadata,
        # SQLite counts rows by itself only in a column typed exactly INTEGER.
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
        Column("key", String(64), nullable=False, unique=True, comment="keyed hash of the platform's id"),
        Column("lane", String(64), nullable=False, comment="keyed hash of the channel: its rows keep their order"),
        Column("sealed", Text, nullable=False, comment="the payload; emptied when handled"),
        Column("day", BigInteger, nullable=False, comment="when it came, to the day: finer would tell who did what"),
        Column("due_at", BigInteger, nullable=False, comment="milliseconds since 1970, UTC, as in claimed_until"),
        Column("attempts", Integer, nullable=False, default=0),
        Column("claimed_by", String(60), nullable=False, default=""),
        Column("claimed_until", BigInteger, nullable=False, default=0),
        Column("handled", Boolean, nullable=False, default=False),
        Index(f"ix_{name}_waiting", "lane", "id", sqlite_where=unhandled, postgresql_where=unhandled),
    )


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
    """Requests of one platform in their `table`, on an engine that somebody else owns."""

    def __init__(
        self,
        engine: AsyncEngine,
        table: Table,
        clock: Clock,
        seal: Sealer,
        *,
        act: Act,
        name: str = "weaver",
        hands: int = 8,
    ) -> None:
        self._engine = engine
        self._table = table
        self._urgent = engine.execution_options(urgent=True)  # the platform waits for this commit
        self._reading = engine.execution_options(reading=True)
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
                    self._insert(self._table)
                    .values([row for row, _ in batch if rows[row["key"]] is row])
                    .on_conflict_do_nothing(index_elements=["key"])
                    .returning(self._table.c.id, self._table.c.key)
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
            lapsed = update(self._table).where(self._table.c.claimed_by == self._name, self._table.c.handled.is_(False))
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
                log.exception("inbox.unreadable", inbox=self._table.name)
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
                log.warning("inbox.dropped", inbox=self._table.name, reason=str(error))
                await self._done(row)
                return
            pause = error.retry_after
            log.warning("inbox.postponed", inbox=self._table.name, attempt=row.attempts, reason=str(error))
        except Exception:
            log.exception("inbox.failed", inbox=self._table.name, attempt=row.attempts)
        else:
            await self._done(row)
            return
        if row.attempts >= GIVE_UP_AFTER:
            log.error("inbox.given_up", inbox=self._table.name, attempts=row.attempts)
            await self._done(row)
            return
        pause = max(pause, min(2.0 ** (row.attempts - 1), LONGEST_PAUSE)) * random.uniform(1, 1.25)
        await self._set(row, due_at=self._now() + int(pause * 1000), claimed_by="", claimed_until=0)

    async def _done(self, row: Kept) -> None:  # only its key stays, so that a repeat does nothing
        await self._set(row, handled=True, sealed="", lane="", due_at=0, claimed_by="", claimed_until=0)

    async def _forget(self, row: Kept) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(self._table).where(self._table.c.id == row.id))

    async def _set(self, row: Kept, **values: object) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(update(self._table).where(self._table.c.id == row.id).values(**values))

    async def _claim(self, count: int) -> list[Kept]:
        now = self._now()
        free = self._free(now)
        ready = select(self._table.c.id).where(free).order_by(self._table.c.due_at, self._table.c.id).limit(count)
        async with self._reading.connect() as connection:  # mostly nothing is due: ask without a lock
            ids = list(await connection.scalars(ready))
        if not ids:
            return []
        take = (
            update(self._table)
            .where(self._table.c.id.in_(ids), self._table.c.handled.is_(False), self._table.c.claimed_until <= now)
            .values(claimed_by=self._name, claimed_until=now + _ms(LEASE), attempts=self._table.c.attempts + 1)
            .returning(self._table.c.id, self._table.c.key, self._table.c.sealed, self._table.c.attempts)
        )
        async with self._engine.begin() as connection:
            taken = [Kept(*row) for row in await connection.execute(take)]
        return sorted(taken, key=lambda row: row.id)

    def _free(self, now: int) -> ColumnElement[bool]:
        """Due, claimed by nobody, and nothing before it in its lane that it should wait for."""
        other = self._table.alias()
        soon = and_(other.c.due_at <= now + _ms(WAIT_FOR_ORDER), other.c.id < self._table.c.id)
        ahead = exists().where(
            other.c.lane == self._table.c.lane,
            other.c.id != self._table.c.id,
            other.c.handled.is_(False),
            or_(other.c.claimed_until > now, soon),
        )
        return and_(
            self._table.c.handled.is_(False),
            self._table.c.due_at <= now,
            self._table.c.claimed_until <= now,
            or_(self._table.c.lane == "", ~ahead),
        )

    async def _tidy(self) -> None:
        async with self._engine.begin() as connection:
            old = self._table.c.day < self._now() - _ms(KEEP_KEYS) - 86_400_000
            await connection.execute(delete(self._table).where(self._table.c.handled.is_(True), old))

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
