"""Who acts and where: people and channels as their platforms tell of them, learnt when first met, and kept fresh.

What a person may see hangs on it (guest or not, gone or not, in which private channels). So it follows the platform's
events at once, is asked again when somebody acts and the last answer is old, and in rounds where no event ever comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import or_, select

from bot import communities, experts, questions
from bot.errors import Stranger
from bot.models import Account, Channel, Person
from bot.ports import EMBEDDED, ChatPlatform, DeliveryError, Event, Joined, Left, PersonRef, Place, Profile
from bot.store import Store, Transaction

log = structlog.get_logger()

FRESH = timedelta(hours=6)  # who acts is asked for again after this long
ROUND, AT_MOST, STALE = timedelta(hours=1), 400, timedelta(days=1)  # in each round so many of those not seen for a day
EVERYBODY = "everybody"
TRIES = 4  # of asking about a channel that changes meanwhile


class Embedded(Protocol):
    """The embedded chat, which knows people only from what it is told."""

    async def keep_rights(self, rights: Mapping[str, tuple[bool, bool]]) -> None:
        """By user id: whether they are a guest, and whether their account is on."""

    async def welcome(self, key: str, name: str, email: str | None, title: str) -> Profile:
        """Let somebody in whom an import knows."""


async def align(store: Store, embedded: Embedded) -> None:
    """Tell the embedded chat who has become a guest, has left, or is back: an import, or another platform, knew."""
    async with store.reading() as tx:
        mine = select(Account, Person).join(Person, Person.id == Account.person_id).where(Account.platform == EMBEDDED)
        rights = {
            account.user: (person.guest, person.active) for account, person in (await tx.session.execute(mine)).all()
        }
    await embedded.keep_rights(rights)


class Acquaintance:
    """Knows people and channels of all platforms."""

    def __init__(self, store: Store, platforms: Mapping[str, ChatPlatform], embedded: Embedded) -> None:
        self._store = store
        self._platforms = platforms
        self._embedded = embedded
        self._checked: dict[PersonRef, datetime] = {}  # the row keeps the day only: finer tells who acted
        self._asking: WeakValueDictionary[PersonRef, asyncio.Lock] = WeakValueDictionary()

    async def meet(self, event: Event) -> Person:
        """The person who acts, introduced if new; the channel learnt of if new; both asked for again if long ago.

        Raises `Stranger` for an actor whom the platform does not know.
        """
        async with self._store.reading() as tx:
            channel = await tx.channel_at(event.place)
            old = tx.now - FRESH
        if event.place.channel and (channel is None or channel.checked_at is None or channel.checked_at < old):
            await self.visit(event.place)
        return await self.who(event.actor)

    async def who(self, ref: PersonRef) -> Person:
        """The person behind an account, asked for if new or long not asked for. Raises `Stranger` for nobody."""
        async with self._store.reading() as tx:
            account = await tx.session.get(Account, _key(ref))
            person = await tx.person_of(ref)
            old = tx.now - FRESH
        checked = self._checked.get(ref) or (account.checked_at if account else None)
        if account and person and checked and checked >= old:
            return person
        found = await self.ask_who(ref) or person
        if found is None:
            raise Stranger
        return found

    async def moved(self, event: Joined | Left) -> None:
        """Somebody came into a channel or left it. Of a private one the platform is asked who is in it: events come
        late, and twice, and in another order."""
        left = event.actor if isinstance(event, Left) else None
        await self._store.run(lambda tx: communities.moved(tx, event.place.root, left=left))
        async with self._store.reading() as tx:
            channel = await tx.channel_at(event.place)
        if channel is None or channel.private:
            await self.visit(event.place)

    async def changed(self, place: Place) -> None:
        """Something about a channel has changed."""
        await self._store.run(lambda tx: communities.moved(tx, place.root))
        await self.visit(place)

    async def reach(self, people: Sequence[int], near: PersonRef) -> None:
        """Find an account for those whom only an import knows, on the platform of `near`: by their address or, where
        there is no platform but the embedded chat, by letting them in there."""
        async with self._store.reading() as tx:
            known = set(await tx.all(select(Account.person_id).where(Account.person_id.in_(people))))
            unknown = await tx.all(select(Person).where(Person.id.in_(set(people) - known), Person.active))
        for person in unknown:
            profile = None
            try:
                if [name for name, chat in self._platforms.items() if chat.capabilities.people] == [EMBEDDED]:
                    profile = await self._embedded.welcome(f"p{person.id}", person.name, person.email, person.title)
                elif person.email:
                    profile = await self._platforms[near.platform].lookup(near.workspace, person.email)
            except DeliveryError as error:
                log.warning("person.not_looked_up", reason=str(error))
            if profile:
                await self._keep(profile)

    async def introduce(self, ref: PersonRef) -> None:
        """Learn who this is, if nobody has told yet; whoever needs to know says so where it failed."""
        async with self._store.reading() as tx:
            known = await tx.person_of(ref)
        if known is None:
            await self.ask_who(ref)

    async def ask_who(self, ref: PersonRef) -> Person | None:
        """Ask the platform who this is, and keep it. Who is unknown there now is switched off; None if never known.

        One at a time for each: an answer that was asked for earlier never comes after a newer one.
        """
        async with self._asking.setdefault(ref, asyncio.Lock()):
            return await self._ask_who(ref)

    async def _ask_who(self, ref: PersonRef) -> Person | None:
        try:
            profile = await self._platforms[ref.platform].profile(ref)
        except LookupError:
            return await self._gone(ref)
        except DeliveryError as error:
            log.warning("person.not_asked", reason=str(error))
            return None
        return await self._keep(profile)

    async def _keep(self, profile: Profile) -> Person:
        """Keep what a platform says of somebody; what hangs on it follows at once."""

        async def keep(tx: Transaction) -> tuple[Person, bool]:
            before = await tx.person_of(profile.ref)
            rights = (before.guest, before.active) if before else None
            person = await experts.introduce(tx, profile)
            changed = rights not in (None, (person.guest, person.active))
            if changed:
                await questions.home_changed(tx, person.id)
            return person, changed

        person, changed = await self._store.run(keep)
        self._checked[profile.ref] = self._store.clock.now()
        if changed:
            await align(self._store, self._embedded)
        return person

    async def visit(self, place: Place) -> None:
        """Ask the platform what this channel is and, for a private one, who is in it; keep both."""
        for _ in range(TRIES):
            with suppress(communities.OldAnswer):
                await self._visit(place.root)
                return
        log.warning("channel.not_asked", reason="it changes faster than its platform answers")

    async def _visit(self, place: Place) -> None:
        platform = self._platforms[place.platform]
        async with self._store.reading() as tx:
            known = await tx.channel_at(place)
        try:
            info = await platform.place(place)
            if info.direct:
                return
            inside = await platform.members(place) if info.private else []
        except LookupError:
            await self._store.run(lambda tx: communities.lost(tx, place))
        except DeliveryError as error:
            log.warning("channel.not_asked", reason=str(error))
        else:
            asked_at = known.changes if known else -1

            async def learn(tx: Transaction) -> None:
                before = await experts.members(tx, known.space) if known else None
                channel = await communities.learn(tx, info, inside, asked_at=asked_at)
                after = await experts.members(tx, channel.space)
                if before != after:
                    await questions.homes_changed(tx)

            await self._store.run(learn)

    async def round(self, _subject: str = EVERYBODY) -> None:
        """Ask again for those of whom nothing was heard for a day; some in each round, the longest unseen first."""
        async with self._store.reading() as tx:
            old, here = tx.now - STALE, list(self._platforms)
            unseen = select(Account).where(or_(Account.checked_at.is_(None), Account.checked_at < old))
            unseen = unseen.where(Account.platform.in_(here), Account.platform != EMBEDDED)
            accounts: list[Account] = await tx.all(unseen.order_by(Account.checked_at).limit(AT_MOST))
            unvisited = select(Channel).where(or_(Channel.checked_at.is_(None), Channel.checked_at < old))
            unvisited = unvisited.where(Channel.platform.in_(here)).order_by(Channel.checked_at)
            channels: list[Channel] = await tx.all(unvisited.limit(AT_MOST))
        for channel in channels:
            key = (channel.platform, channel.workspace, channel.channel)
            await self._try(Channel, key, self.visit(Place(*key)))
        for account in accounts:
            ref = PersonRef(account.platform, account.workspace, account.user)
            await self._try(Account, _key(ref), self.ask_who(ref))
        await align(self._store, self._embedded)
        await self._store.run(lambda tx: tx.later("round", EVERYBODY, after=ROUND))

    async def _try(
        self, kind: type[Account] | type[Channel], key: tuple[str, str, str], asking: Awaitable[object]
    ) -> None:
        """One of a round. Whatever is wrong with it, the others have their turn, and it has no other in this one."""
        try:
            await asking
        except Exception:
            log.exception("round.one_failed", kind=kind.__name__)

        async def mark(tx: Transaction) -> None:
            row: Account | Channel | None = await tx.session.get(kind, key)
            if row and (row.checked_at is None or row.checked_at < tx.now - STALE):
                row.checked_at = tx.now - STALE + ROUND

        await self._store.run(mark)

    async def _gone(self, ref: PersonRef) -> Person | None:
        async with self._store.reading() as tx:
            person = await tx.person_of(ref)
        if person is None:
            return None
        known = Profile(ref=ref, name=person.name, time_zone=person.time_zone, active=False)
        return await self._keep(known)


def _key(ref: PersonRef) -> tuple[str, str, str]:
    return ref.platform, ref.workspace, ref.id
