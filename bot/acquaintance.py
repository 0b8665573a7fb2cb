"""Who acts and where: people and channels as their platforms tell of them, learnt when first met, and kept fresh.

What a person may see hangs on it (guest or not, gone or not, in which private channels). So it follows the platform's
events at once, is asked again when somebody acts and the last answer is old, and in rounds where no event ever comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import or_, select

from bot import communities, experts
from bot.errors import Stranger
from bot.models import Account, Channel, Person
from bot.ports import EMBEDDED, ChatPlatform, DeliveryError, Event, PersonRef, Place, Profile
from bot.store import Store

log = structlog.get_logger()

FRESH = timedelta(hours=6)  # who acts is asked for again after this long
ROUND, AT_MOST, STALE = timedelta(hours=1), 400, timedelta(days=1)  # in each round so many of those not seen for a day
EVERYBODY = "everybody"


class Embedded(Protocol):
    """The embedded chat, which knows people only from what it is told."""

    async def keep_rights(self, rights: Mapping[str, tuple[bool, bool]]) -> None:
        """By user id: whether they are a guest, and whether their account is on."""


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

    async def meet(self, event: Event) -> Person:
        """The person who acts, introduced if new; the channel learnt of if new; both asked for again if long ago.

        Raises `Stranger` for an actor whom the platform does not know.
        """
        async with self._store.reading() as tx:
            account = await tx.session.get(Account, _key(event.actor))
            person = await tx.person_of(event.actor)
            channel = await tx.channel_at(event.place)
            old = tx.now - FRESH
        if event.place.channel and (channel is None or channel.checked_at is None or channel.checked_at < old):
            await self.visit(event.place)
        if account and person and account.checked_at and account.checked_at >= old:
            return person
        return await self.ask_who(event.actor) or person or await self._stranger()

    async def introduce(self, ref: PersonRef) -> None:
        """Learn who this is, if nobody has told yet; whoever needs to know says so where it failed."""
        async with self._store.reading() as tx:
            known = await tx.person_of(ref)
        if known is None:
            await self.ask_who(ref)

    async def ask_who(self, ref: PersonRef) -> Person | None:
        """Ask the platform who this is, and keep it. Who is unknown there now is switched off; None if never known."""
        try:
            profile = await self._platforms[ref.platform].profile(ref)
        except LookupError:
            return await self._gone(ref)
        except DeliveryError as error:
            log.warning("person.not_asked", reason=str(error))
            return None
        return await self._store.run(lambda tx: experts.introduce(tx, profile))

    async def visit(self, place: Place) -> None:
        """Ask the platform what this channel is and, for a private one, who is in it; keep both."""
        platform = self._platforms[place.platform]
        try:
            info = await platform.place(place.root)
            if info.direct:
                return
            inside = await platform.members(place.root) if info.private else []
        except LookupError:
            await self._store.run(lambda tx: communities.lost(tx, place.root))
        except DeliveryError as error:
            log.warning("channel.not_asked", reason=str(error))
        else:
            await self._store.run(lambda tx: communities.learn(tx, info, inside))

    async def round(self, _subject: str = EVERYBODY) -> None:
        """Ask again for those of whom nothing was heard for a day; some in each round, the longest unseen first."""
        async with self._store.reading() as tx:
            old = tx.now - STALE
            unseen = select(Account).where(or_(Account.checked_at.is_(None), Account.checked_at < old))
            accounts: list[Account] = await tx.all(unseen.order_by(Account.checked_at).limit(AT_MOST))
            unvisited = select(Channel).where(or_(Channel.checked_at.is_(None), Channel.checked_at < old))
            channels: list[Channel] = await tx.all(unvisited.order_by(Channel.checked_at).limit(AT_MOST))
        for channel in channels:
            if channel.platform in self._platforms:
                await self.visit(Place(channel.platform, channel.workspace, channel.channel))
        for account in accounts:
            if account.platform in self._platforms and account.platform != EMBEDDED:
                await self.ask_who(PersonRef(account.platform, account.workspace, account.user))
        await align(self._store, self._embedded)
        await self._store.run(lambda tx: tx.later("round", EVERYBODY, after=ROUND))

    async def _gone(self, ref: PersonRef) -> Person | None:
        async with self._store.reading() as tx:
            person = await tx.person_of(ref)
        if person is None:
            return None
        known = Profile(ref=ref, name=person.name, time_zone=person.time_zone, active=False)
        return await self._store.run(lambda tx: experts.introduce(tx, known))

    async def _stranger(self) -> Person:
        raise Stranger


def _key(ref: PersonRef) -> tuple[str, str, str]:
    return ref.platform, ref.workspace, ref.id
