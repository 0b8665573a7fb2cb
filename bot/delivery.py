"""Durable work: outgoing messages and everything else that is due, done once, whatever restarts.

Rows of `work` are claimed for a lease, done, and deleted. A process that dies leaves its claims behind; they lapse (or
are taken back at once by the restarted process of the same name), and the work is done by whoever comes next. Several
replicas share the rows: a claim skips what another has locked. Why not DBOS: see ARCHITECTURE.md, "Durable work".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import aliased

from bot.models import Card, Lane, Work
from bot.ports import ChatPlatform, DeliveryError, Message, PersonRef, Place
from bot.store import About, Store, Transaction

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
GIVE_UP_AFTER = 22  # tries; with the pauses below that is about a day
LONGEST_PAUSE = 3 * 3600.0
WAIT_FOR_ORDER = timedelta(seconds=60)  # a message that is tried again this soon is waited for; a later one overtaken

Do = Callable[[str], Awaitable[None]]
WhenSent = Callable[[Transaction, Card, Place, str], Awaitable[None]]


class LastLook(Protocol):
    """Looks at a card just before it is sent: `bot.last_look`."""

    async def may_go(self, tx: Transaction, card: Card, to: Place | PersonRef, about: About, /) -> bool:
        """Whether it may be sent as it is."""
        ...

    async def instead(self, tx: Transaction, card: Card, to: Place | PersonRef, about: About, /) -> None:
        """What happens instead of one that may not."""
        ...

    async def given_up(self, tx: Transaction, card: Card, /) -> None:
        """The platform has refused it for good: who waits for it must not wait for ever."""
        ...


class Postpone(Exception):
    """Not yet: do this again after `seconds`. Counts as no failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"postponed by {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Claim:
    """A piece of work this process may do until its lease ends."""

    id: int
    kind: str
    subject: str
    version: int
    attempts: int


class Worker:
    """Does due work, as many pieces at once as `hands`, one at a time in each lane."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Do],
        *,
        name: str,
        hands: int = 8,
        given_up: Mapping[str, Do] | None = None,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._given_up = given_up or {}  # by the kind of work
        self._name = name
        self._hands = hands
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take back what an earlier process of this name had claimed, and begin."""
        async with self._store.transaction() as tx:
            mine = update(Work).where(Work.claimed_by == self._name)
            await tx.session.execute(mine.values(claimed_by=None, claimed_until=None))
            given_up = update(Work).where(Work.failed)  # a restart is when somebody has mended something
            await tx.session.execute(given_up.values(failed=False, attempts=0, due_at=tx.now))
        self._loop = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Finish what is under way, at most ten seconds, and stop."""
        if self._loop:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._running:
            await asyncio.wait(self._running, timeout=10)
        for task in self._running:
            task.cancel()

    async def settle(self, kinds: Collection[str] = ()) -> int:
        """Do what is due now (of these kinds, or all), and what follows from it; how many pieces that were.

        For commands, and for tests.
        """
        done = 0
        while claims := await self._claim(self._hands, kinds or self._handlers):
            await asyncio.gather(*(self._do(claim) for claim in claims))
            done += len(claims)
        return done

    async def _work(self) -> None:
        while True:
            self._store.committed.clear()
            try:
                free = self._hands - len(self._running)
                claims = await self._claim(free, self._handlers) if free else []
            except Exception:
                log.exception("work.claim_failed")
                claims = []
                await asyncio.sleep(1)
            for claim in claims:
                task = asyncio.create_task(self._do(claim))
                self._running.add(task)
                task.add_done_callback(self._finished)
            if not claims:
                # Wake at once after a commit here; every half second for other replicas and what falls due.
                with suppress(TimeoutError):  # not `wait_for`: until Python 3.12 it may swallow a cancellation
                    async with asyncio.timeout(0.5):
                        await self._store.committed.wait()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._store.committed.set()

    async def _claim(self, count: int, kinds: Collection[str]) -> list[Claim]:
        other = aliased(Work)
        async with self._store.reading() as tx:  # the common case is that nothing is due: ask without a lock
            due = or_(Work.claimed_until.is_(None), Work.claimed_until <= tx.now)
            ready = select(Work.id).where(Work.kind.in_(kinds), Work.due_at <= tx.now, Work.failed.is_(False), due)
            if await tx.first(ready) is None:
                return []
        async with self._store._sessions.begin() as session:  # no wake-up of our own for a claim
            now = self._store.clock.now()
            due = or_(Work.claimed_until.is_(None), Work.claimed_until <= now)
            ahead = select(other.id).where(
                other.lane == Work.lane,
                other.failed.is_(False),
                or_(other.claimed_until > now, (other.due_at <= now + WAIT_FOR_ORDER) & (other.id < Work.id)),
            )
            found = await session.scalars(
                select(Work)
                .where(Work.kind.in_(kinds), Work.due_at <= now, Work.failed.is_(False), due)
                .where(or_(Work.lane.is_(None), ~ahead.exists()))
                .order_by(Work.due_at, Work.id)
                .limit(count)
                .with_for_update(skip_locked=True)
            )
            claims = []
            for work in found:
                work.claimed_by, work.claimed_until, work.attempts = self._name, now + LEASE, work.attempts + 1
                claims.append(Claim(work.id, work.kind, work.subject, work.version, work.attempts))
            return claims

    async def _do(self, claim: Claim) -> None:
        keeper = asyncio.create_task(self._keep(claim))
        try:
            await self._handlers[claim.kind](claim.subject)
        except Postpone as later:
            await self._again(claim, later.seconds, error="", counted=False)
        except DeliveryError as error:
            if error.retry_after is None:
                await self._give_up(claim, str(error))
            else:
                await self._again(claim, error.retry_after, error=str(error))
        except Exception as error:
            log.exception("work.failed", kind=claim.kind, subject=claim.subject, attempt=claim.attempts)
            await self._again(claim, 0, error=type(error).__name__)
        else:
            await self._done(claim)
        finally:
            keeper.cancel()

    async def _keep(self, claim: Claim) -> None:
        """Renew the lease while the work goes on."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            async with self._store.transaction() as tx:  # only while it is still ours: not once given back
                mine = (Work.id == claim.id, Work.claimed_by == self._name, Work.attempts == claim.attempts)
                await tx.session.execute(update(Work).where(*mine).values(claimed_until=tx.now + LEASE))

    async def _set(self, claim: Claim, **values: object) -> None:
        async with self._store.transaction() as tx:
            await tx.session.execute(update(Work).where(Work.id == claim.id).values(**values))

    async def _done(self, claim: Claim) -> None:
        async with self._store.transaction() as tx:
            await tx.session.execute(delete(Work).where(Work.id == claim.id, Work.version == claim.version))
            await tx.session.execute(  # asked for again meanwhile: free it for the next round
                update(Work).where(Work.id == claim.id).values(claimed_by=None, claimed_until=None, attempts=0)
            )

    async def _again(self, claim: Claim, at_least: float, *, error: str, counted: bool = True) -> None:
        if counted and claim.attempts >= GIVE_UP_AFTER:
            await self._give_up(claim, error)
            return
        pause = at_least
        if counted:
            pause = max(at_least, min(2.0 ** (claim.attempts - 1), LONGEST_PAUSE)) * random.uniform(1, 1.25)
        due = self._store.clock.now() + timedelta(seconds=pause)
        attempts = claim.attempts if counted else claim.attempts - 1
        await self._set(claim, claimed_by=None, claimed_until=None, due_at=due, error=error, attempts=attempts)

    async def _give_up(self, claim: Claim, error: str) -> None:
        log.error("work.given_up", kind=claim.kind, subject=claim.subject, error=error)
        if follow := self._given_up.get(claim.kind):
            try:
                await follow(claim.subject)
            except Exception:  # it is given up all the same
                log.exception("work.given_up_untold", kind=claim.kind, subject=claim.subject)
        await self._set(claim, claimed_by=None, claimed_until=None, failed=True, error=error)


class Deliverer:
    """Brings cards to their platform: sends them, brings sent ones up to date, takes withdrawn ones away."""

    def __init__(
        self,
        store: Store,
        platforms: Mapping[str, ChatPlatform],
        *,
        when_sent: Mapping[str, WhenSent] | None = None,
        last_look: LastLook | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._last_look = last_look
        self._when_sent = when_sent or {}  # by the first word of the card's key, in the transaction that records it

    async def deliver(self, card_id: str) -> None:
        """Bring one card to its platform. Safe to repeat and to interrupt at any point."""
        async with self._store.transaction() as tx:
            card = await tx.session.get(Card, card_id, with_for_update=True)
            if card is None or card.sent_version >= card.version:
                return
            if card.sealed_message_id is None and card.withdrawn and not card.attempted:
                card.sent_version = card.version
                return
            target = tx.seal.open_json(card.sealed_to)
            named, only_for = _addressee(target)
            about = About(*target["about"]) if "about" in target else None
            reader, uncertain = only_for or named, card.attempted and card.sealed_message_id is None
            unwanted = not await self._may_go(tx, card, reader, about)
            if unwanted and not uncertain:
                card.sent_version = card.version  # why is kept nowhere: it may be who asked who has left
                if about and self._last_look:
                    await self._last_look.instead(tx, card, reader, about)
                return
            platform = self._platforms.get(named.platform)
            if platform is None:
                raise DeliveryError(f"{named.platform} is not configured")
            if only_for and not platform.capabilities.private_in_channel:
                if target["or_nowhere"]:
                    card.sent_version = card.version
                    return
                named, only_for = only_for, None
            if card.sealed_message_id is None:  # platforms pace posts; bringing one up to date is another matter
                await self._pace(tx, platform, card)
            attempted, card.attempted = card.attempted, True
            message_id = tx.seal.open(card.sealed_message_id) if card.sealed_message_id else None
            delivery_id = tx.seal.mark(card.id)  # the platform's copy must not lead back to the card
        place = await platform.direct(named) if isinstance(named, PersonRef) else named
        if unwanted:
            await self._take_away(platform, place, card_id, delivery_id)
            return
        message = Message.from_json(card.content)
        if message_id is None and attempted:  # its fate is unknown after a crash: look before sending again
            message_id = await platform.find(place, delivery_id=delivery_id)
            if message_id and not card.withdrawn:
                await platform.update(place, message_id, message)
        elif message_id and not card.withdrawn:
            await platform.update(place, message_id, message)
        if card.withdrawn:
            if message_id:
                await platform.withdraw(place, message_id)
        elif message_id is None:
            message_id = await self._send(platform, place, only_for, delivery_id, message)
        async with self._store.transaction() as tx:
            await self._record(tx, card, place, message_id)

    async def _may_go(self, tx: Transaction, card: Card, reader: Place | PersonRef, about: About | None) -> bool:
        """Whether its readers may still see it. What a place has read once is brought up to date there; what is passed
        on from elsewhere is looked at each time."""
        read = isinstance(reader, Place) and card.sealed_message_id is not None
        if about is None or self._last_look is None or card.withdrawn or (read and not about.mirrored):
            return True
        return await self._last_look.may_go(tx, card, reader, about)

    async def _take_away(self, platform: ChatPlatform, place: Place, card_id: str, delivery_id: str) -> None:
        """Its fate is unknown, and its readers have changed: if it stands there it goes, and is looked at anew."""
        if message_id := await platform.find(place, delivery_id=delivery_id):
            await platform.withdraw(place, message_id)
        async with self._store.transaction() as tx:
            (await tx.get(Card, card_id)).attempted = False
        await self.deliver(card_id)

    async def given_up(self, card_id: str) -> None:
        """This card will not get there. Safe to repeat."""
        async with self._store.transaction() as tx:
            card = await tx.session.get(Card, card_id, with_for_update=True)
            if card and self._last_look and card.sealed_message_id is None and not card.withdrawn:
                await self._last_look.given_up(tx, card)

    async def _send(
        self, platform: ChatPlatform, place: Place, only_for: PersonRef | None, delivery_id: str, message: Message
    ) -> str:
        if only_for is None:
            return await platform.send(place, message, delivery_id=delivery_id)
        return await platform.whisper(place, only_for, message, delivery_id=delivery_id)

    async def _record(self, tx: Transaction, sent: Card, place: Place, message_id: str | None) -> None:
        card = await tx.session.get(Card, sent.id, with_for_update=True, populate_existing=True)
        if card is None:
            return
        first = card.sealed_message_id is None and message_id is not None and not sent.withdrawn
        card.sent_version = sent.version
        if message_id and card.sealed_message_id is None:
            card.sent_as, card.sealed_message_id = tx.sent_as(place, message_id), tx.seal.seal(message_id)
        follow = self._when_sent.get(card.kind)
        if first and follow and message_id:
            await follow(tx, card, place, message_id)

    async def _pace(self, tx: Transaction, platform: ChatPlatform, card: Card) -> None:
        """Keep the platform's pace for one channel, across replicas. Raises `Postpone` when it is too early."""
        pace = platform.capabilities.seconds_between_posts
        if not pace:
            return
        name = await tx.first(select(Work.lane).where(Work.kind == "deliver", Work.subject == card.id))
        if name is None:
            return
        lane = await tx.session.get(Lane, name, with_for_update=True)
        if lane is None:
            await tx.add(Lane(name=name, next_at=tx.now + timedelta(seconds=pace)))
        elif lane.next_at > tx.now:
            raise Postpone((lane.next_at - tx.now).total_seconds())
        else:
            lane.next_at = tx.now + timedelta(seconds=pace)


def _addressee(target: dict[str, list[str]]) -> tuple[Place | PersonRef, PersonRef | None]:
    """Where a card goes, and for whose eyes only."""
    named: Place | PersonRef = Place(*target["place"]) if "place" in target else PersonRef(*target["person"])
    return named, PersonRef(*target["whisper"]) if "whisper" in target else None


async def backlog(store: Store) -> dict[str, int]:
    """How much work waits, is late by more than five minutes, or was given up: for `weaver doctor` and /metrics."""
    async with store.reading() as tx:
        late: datetime = tx.now - timedelta(minutes=5)
        count = select(func.count()).select_from(Work)
        asked = {
            "waiting": count.where(Work.failed.is_(False)),
            "late": count.where(Work.failed.is_(False), Work.due_at < late),
            "given_up": count.where(Work.failed.is_(True)),
        }
        return {name: int(await tx.first(query) or 0) for name, query in asked.items()}
