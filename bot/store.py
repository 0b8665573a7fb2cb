"""The store: state and outgoing messages, in one transaction.

A use case works on a `Transaction`: it reads and changes rows, shows cards and asks for later work, and all of it is
committed together or not at all. Delivery (`bot.delivery`) does what was asked for, after the commit.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import delete, event, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.util import await_only

from bot.errors import Unknown
from bot.models import ORG, Account, Card, Channel, Person, SeenEvent, SpaceMember, Work
from bot.ports import Clock, Message, PersonRef, Place
from bot.seal import Seal

Row = TypeVar("Row")
Result = TypeVar("Result")


def open_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite:///file` or `postgresql://…` (the async drivers are chosen here).

    SQLite: write-ahead log, and transactions that take the write lock when they begin, so that none fails half-way
    because another wrote first (SQLite's own advice, https://www.sqlite.org/lang_transaction.html). Errors never quote
    the values of a statement: they end up in logs.
    """
    if url.startswith("postgresql"):
        address = "postgresql+psycopg://" + url.split("://", 1)[1]
        return create_async_engine(address, pool_pre_ping=True, pool_size=10, hide_parameters=True)
    address = "sqlite+aiosqlite://" + url.split("://", 1)[1]
    engine = create_async_engine(address, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    turn = _Turn()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        options = connection.get_execution_options()
        reading = options.get("reading", False)
        if not reading:
            turn.take(connection.connection.dbapi_connection, urgent=options.get("urgent", False))
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    def over(connection: Any) -> None:
        if not connection.invalidated:  # then the pool says so, below
            turn.give(connection.connection.dbapi_connection)

    for name in ("commit", "rollback"):
        event.listen(engine.sync_engine, name, over)
    for name in ("checkin", "invalidate", "close"):  # whatever else may end a transaction
        event.listen(engine.sync_engine.pool, name, lambda connection, *_: turn.give(connection))
    return engine


class _Turn:
    """Whose turn it is to write to SQLite, within this process: first come, first served, but the urgent before others.

    SQLite lets one connection write; the others try again and again with growing pauses, and under load some would wait
    for seconds. `urgent` (an execution option) is for what a person or a platform waits for this instant.
    """

    def __init__(self) -> None:
        self._holder: object = None
        self._busy = False
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque())

    def take(self, connection: object, *, urgent: bool) -> None:
        """Wait for the turn. Called in SQLAlchemy's greenlet, from which one may await."""
        if self._busy:
            await_only(self._wait(self._waiting[0 if urgent else 1]))
        self._busy, self._holder = True, connection

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came, but nobody is there to take it
                self._next()
            raise

    def give(self, connection: object) -> None:
        """Let the next one write, if it was this connection's turn."""
        if connection is not None and self._holder is connection:
            self._holder = None
            self._next()

    def _next(self) -> None:
        for queue in self._waiting:
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)  # still busy: the turn is handed over
                    return
        self._busy = False


@dataclass(frozen=True, slots=True)
class About:
    """What a message tells of: whether its readers may see that is asked again before it goes.

    A question, entries, a list of questions; `suggestion` is the one that is shared by it, `by` the account of whose
    words are in it, or who shares it. `mirrored`: it passes on, from one thread of the question to another, what goes
    only between channels with the same readers.
    """

    question: int = 0
    entries: tuple[int, ...] = ()
    suggestion: int = 0
    listed: tuple[int, ...] = ()
    by: tuple[str, ...] = ()
    mirrored: bool = False


def row_id(text: str) -> int:
    """The id of a row, as a button or a form gave it back. Raises `Unknown` for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**31):
        raise Unknown
    return int(text)


class Transaction:
    """One unit of work. `now` is the same throughout."""

    def __init__(self, session: AsyncSession, now: datetime, seal: Seal) -> None:
        self.session = session
        self.now = now
        self.seal = seal

    async def get(self, kind: type[Row], key: object) -> Row:
        """A row, locked until the end of the transaction. Raises `Unknown` where it is gone."""
        await self.session.flush()
        if key is None:
            raise Unknown
        # as it is now, also if it was read before
        row = await self.session.get(kind, key, with_for_update=True, populate_existing=True)
        if row is None:
            raise Unknown
        return row

    async def add(self, row: Row) -> Row:
        """Insert, and give the row its id."""
        self.session.add(row)
        await self.session.flush()
        return row

    async def first(self, query: Any) -> Any:
        """The first row (its only column), or None."""
        return (await self.session.scalars(query.limit(1))).first()

    async def all(self, query: Any) -> list[Any]:
        """All rows (their only column)."""
        return list(await self.session.scalars(query))

    async def first_time(self, event_id: str) -> bool:
        """Whether this event has not had its effect before; marks it as having it now."""
        if await self.had(event_id):
            return False
        day = self.now.replace(hour=0, minute=0, second=0, microsecond=0)  # finer would tell who asked what when
        await self.add(SeenEvent(id=self.seal.mark(event_id), at=day))  # ids name people on some platforms
        return True

    async def had(self, event_id: str) -> bool:
        """Whether this event has had its effect."""
        return await self.session.get(SeenEvent, self.seal.mark(event_id)) is not None

    # --- people and places --------------------------------------------------------------------------------------

    async def person_of(self, ref: PersonRef) -> Person | None:
        """The person behind an account."""
        account = await self.session.get(Account, (ref.platform, ref.workspace, ref.id))
        return await self.session.get(Person, account.person_id) if account else None

    async def account_of(self, person_id: int, *, platform: str | None = None) -> PersonRef | None:
        """An account of this person, on `platform` if they have one there; one that is switched on, if any is."""
        accounts = await self.all(select(Account).where(Account.person_id == person_id).order_by(Account.platform))
        best = min(accounts, key=lambda a: (not a.active, a.platform != platform), default=None)
        return PersonRef(best.platform, best.workspace, best.user) if best else None

    async def recipient(self, person_id: int, space: str | None, *, platform: str | None = None) -> PersonRef | None:
        """Where to tell this person of something in `space`; None where they may not see it (any more)."""
        person = await self.session.get(Person, person_id)
        allowed = person is not None and await self.may_see(person, space)
        return await self.account_of(person_id, platform=platform) if allowed else None

    async def channel_at(self, place: Place) -> Channel | None:
        """What is known of the channel of this place."""
        return await self.session.get(Channel, (place.platform, place.workspace, place.channel))

    async def readable(self, person: Person) -> frozenset[str]:
        """The spaces this person may see. Guests see only the channels they are in."""
        if not person.active:
            return frozenset()
        spaces = await self.all(select(SpaceMember.space).where(SpaceMember.person_id == person.id))
        return frozenset(spaces if person.guest else [*spaces, ORG])

    async def may_see(self, person: Person, space: str | None) -> bool:
        """Whether this person may see what is in `space`."""
        return space is not None and space in await self.readable(person)

    # --- what goes out, now or later ----------------------------------------------------------------------------

    async def show(
        self,
        key: str,
        message: Message,
        *,
        to: Place | PersonRef,
        whisper: PersonRef | None = None,
        or_nowhere: bool = False,
        about: About | None = None,
    ) -> Card:
        """Send `message`, or bring the card sent earlier under `key` up to date, where it stands.

        To a place, to one person in private, or (`whisper`) to one person in a place: where a platform cannot do that,
        in their direct conversation, `or_nowhere`. `about`: see `bot.last_look`.
        """
        card: Card | None = await self.first(select(Card).where(Card.key == key).with_for_update())
        if card and card.withdrawn:  # the platform has removed that message, or will: this becomes another one
            card.key = f"{key}#{card.id}"
            await self.session.flush()
            card = None
        target: dict[str, Any] = {"place" if isinstance(to, Place) else "person": astuple(to)}
        if about:
            target["about"] = astuple(about)
        if whisper:
            target |= {"whisper": astuple(whisper), "or_nowhere": or_nowhere}
        if card is None:
            card = await self.add(
                Card(id=uuid.uuid4().hex, key=key, sealed_to=self.seal.seal_json(target), content=message.as_json())
            )
        elif card.content != message.as_json():
            card.content, card.version = message.as_json(), card.version + 1
            if card.attempted:  # a message cannot move, wherever its reader has another account by now
                stands = self.seal.open_json(card.sealed_to)
                told = {"about": target["about"]} if about else {}
                target = {name: where for name, where in stands.items() if name != "about"} | told
            card.sealed_to = self.seal.seal_json(target)
        else:
            return card
        await self.later("deliver", card.id, lane=self.lane(to))
        return card

    def lane(self, to: Place | PersonRef) -> str:
        """The lane of what is sent there: all of it goes in order, and at the pace of that place."""
        return self.seal.mark("/".join(str(part) for part in astuple(to)[:3]))

    def hidden(self, about: str, *parts: object) -> str:
        """A card's key that leads neither to the event nor to the row it is about: where those lead to a person."""
        return f"{about}:{self.seal.mark('/'.join(map(str, parts)))[:40]}"

    async def refresh(self, key: str, message: Message) -> None:
        """Bring the card sent under `key` up to date, if there is one."""
        card = await self.first(select(Card).where(Card.key == key).with_for_update())
        if card and not card.withdrawn and card.content != message.as_json():
            card.content, card.version = message.as_json(), card.version + 1
            await self.later("deliver", card.id)

    async def withdraw(self, key: str) -> None:
        """Take back the card sent under `key`, if there is one."""
        card = await self.first(select(Card).where(Card.key == key).with_for_update())
        if card and not card.withdrawn:
            card.withdrawn, card.version = True, card.version + 1
            await self.later("deliver", card.id)

    async def card_at(self, place: Place, message_id: str) -> Card | None:
        """The card that was sent as this message."""
        found: Card | None = await self.first(select(Card).where(Card.sent_as == self.sent_as(place, message_id)))
        return found

    def sent_as(self, place: Place, message_id: str) -> str:
        """What a card keeps of where it went: enough to find it again, not to tell which cards went to one person."""
        return self.seal.mark("/".join((place.platform, place.workspace, place.channel, message_id)))

    async def later(
        self,
        kind: str,
        subject: object,
        *,
        after: timedelta = timedelta(),
        lane: str | None = None,
        knowing: dict[str, Any] | None = None,
    ) -> None:
        """Ask for work on `subject`, once `after` has passed. Asked for again, it is moved to the new time.

        `knowing` is kept sealed with it (see `known_for`); the newest counts.
        """
        found = await self.first(select(Work).where(Work.kind == kind, Work.subject == str(subject)).with_for_update())
        sealed = self.seal.seal_json(knowing) if knowing else ""
        if found is None:
            await self.add(Work(kind=kind, subject=str(subject), lane=lane, sealed=sealed, due_at=self.now + after))
        else:
            found.due_at, found.version, found.attempts = self.now + after, found.version + 1, 0
            found.failed, found.error, found.sealed = False, "", sealed or found.sealed

    async def known_for(self, kind: str, subject: str) -> dict[str, Any]:
        """What was said with `later(…, knowing=…)`."""
        sealed = await self.first(select(Work.sealed).where(Work.kind == kind, Work.subject == subject))
        return dict(self.seal.open_json(sealed)) if sealed else {}

    async def never_mind(self, kind: str, subject: object) -> None:
        """Drop work that is no longer wanted."""
        await self.session.execute(delete(Work).where(Work.kind == kind, Work.subject == str(subject)))


class Store:
    """Opens transactions on one database."""

    def __init__(self, engine: AsyncEngine, clock: Clock, seal: Seal) -> None:
        self.engine = engine
        self.clock = clock
        self.seal = seal
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._reading = async_sessionmaker(engine.execution_options(reading=True), expire_on_commit=False)
        self.committed = asyncio.Event()  # set after each commit: delivery looks for work at once

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commit at the end of the block; an exception rolls everything back."""
        async with self._sessions.begin() as session:
            yield Transaction(session, self.clock.now(), self.seal)
        self.committed.set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction that only reads, and holds nobody up."""
        async with self._reading() as session:
            yield Transaction(session, self.clock.now(), self.seal)

    async def run(self, work: Callable[[Transaction], Awaitable[Result]], *, tries: int = 4) -> Result:
        """Do `work` in a transaction; again, in a new one, if it lost a race with another writer."""
        for attempt in range(tries):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except (IntegrityError, OperationalError):
                if attempt == tries - 1:
                    raise
                await asyncio.sleep(0.05 * 2**attempt)
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the connections."""
        await self.engine.dispose()
