"""Who there is and where: people, channels, membership, and the one rule of who may see which channel."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.web.schema import channels, members, users
from adapters.web.store import WebStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can sign in."""

    id: str
    name: str
    email: str | None = None
    title: str = ""
    time_zone: str = "UTC"
    role: str = ""
    guest: bool = False
    active: bool = True

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = [word for word in self.name.split() if word[0].isalnum()]
        letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
        return "".join(letters).upper() or "?"

    @property
    def tone(self) -> int:
        """Which of the twelve avatar colours: always the same for one person."""
        return zlib.crc32(self.id.encode()) % 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel as one person sees it. `dm_of` is set where it is that person's talk with the bot."""

    id: str
    name: str
    topic: str
    private: bool
    dm_of: str | None
    joined: bool
    people: int = 0

    @property
    def direct(self) -> bool:
        """Whether only one person and the bot are here."""
        return self.dm_of is not None


def _folded(words: str) -> str:
    """Words as they are searched for: "tomas" finds Tomás, and so does "TOMÁS"."""
    plain = unicodedata.normalize("NFKD", words.strip().casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


_PERSON = [field.name for field in fields(Person)]
_ROOM = [field.name for field in fields(Room)]


class Rooms:
    """People and channels, in the tables of the same store."""

    def __init__(self, store: WebStore) -> None:
        self._store = store

    # --- people ---------------------------------------------------------------------------------------------------

    async def person(self, person_id: str) -> Person | None:
        """Somebody by id, active or not."""
        found = await self._people(select(users).where(users.c.id == person_id))
        return found[0] if found else None

    async def everyone(self) -> list[Person]:
        """All who can sign in, in the order they were added: for the demo's chooser only."""
        return await self._people(select(users).where(users.c.active).order_by(users.c.position, users.c.id).limit(500))

    async def find(self, words: str, asking: Person, limit: int = 20) -> list[Person]:
        """People whose name or title holds `words`. A guest meets only those they share a channel with."""
        pattern = "%" + _folded(words).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = (
            select(users)
            .where(users.c.active, users.c.search.like(pattern, escape="\\"))
            .order_by(users.c.name, users.c.id)
            .limit(limit)
        )
        return await self._people(query.where(self._met_by(asking)))

    async def met(self, ids: Iterable[str], asking: Person) -> set[str]:
        """Which of these ids are people whom `asking` can choose: the same whom `find` shows them."""
        query = select(users.c.id).where(users.c.active, users.c.id.in_(sorted(set(ids))), self._met_by(asking))
        async with self._store.engine.connect() as connection:
            return set((await connection.execute(query)).scalars())

    async def named(self, ids: Iterable[str]) -> dict[str, Person]:
        """The people of these ids."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        return {person.id: person for person in await self._people(select(users).where(users.c.id.in_(wanted)))}

    async def keep_person(self, person: Person, position: int = 0) -> None:
        """Add somebody, or bring what is known of them up to date."""
        values = {
            "name": person.name,
            "email": person.email,
            "title": person.title,
            "time_zone": person.time_zone,
            "role": person.role,
            "guest": person.guest,
            "active": person.active,
            "search": _folded(f"{person.name} {person.title}"),
            "position": position,
        }
        async with self._store.change() as (connection, _):
            done = await connection.execute(update(users).where(users.c.id == person.id).values(values))
            if not done.rowcount:
                await connection.execute(insert(users).values(id=person.id, **values))

    async def keep_rights(self, rights: Mapping[str, tuple[bool, bool]]) -> None:
        """By person: whether a guest, and whether active."""
        async with self._store.change() as (connection, _):
            for person, (guest, active) in rights.items():
                known = and_(users.c.id == person, or_(users.c.guest != guest, users.c.active != active))
                await connection.execute(update(users).where(known).values(guest=guest, active=active))

    # --- channels -------------------------------------------------------------------------------------------------

    async def seen_by(self, person: Person) -> list[Room]:
        """Every channel this person may see: theirs, and the public ones unless they are a guest."""
        return await self._rooms(person, true())

    async def room(self, channel: str, person: Person) -> Room | None:
        """One channel if this person may see it. What they may not see does not exist for them."""
        found = await self._rooms(person, channels.c.id == channel)
        return found[0] if found else None

    async def plain(self, channel: str) -> Room | None:
        """A channel with nobody's eyes: for the bot, which may know all of them."""
        async with self._store.engine.connect() as connection:
            row = (await connection.execute(select(channels).where(channels.c.id == channel))).mappings().first()
        if row is None:
            return None
        return Room(
            id=row["id"],
            name=row["name"],
            topic=row["topic"],
            private=row["private"],
            dm_of=row["dm_of"],
            joined=False,
        )

    async def present(self, channel: str) -> list[str]:
        """The ids of those in a channel."""
        query = (
            select(members.c.person)
            .where(members.c.channel == channel, members.c.present)
            .order_by(members.c.since, members.c.person)
        )
        async with self._store.engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def keep_channel(
        self,
        channel: str,
        *,
        name: str,
        topic: str = "",
        private: bool = False,
        dm_of: str | None = None,
        people: Sequence[str] = (),
    ) -> None:
        """Add a channel with its first members, or bring name and topic up to date. Nobody is thrown out."""
        values = {"name": name, "topic": topic, "private": private, "dm_of": dm_of}
        async with self._store.change() as (connection, revision):
            done = await connection.execute(update(channels).where(channels.c.id == channel).values(values))
            if not done.rowcount:
                await connection.execute(insert(channels).values(id=channel, **values))
            for person in people:
                await self._seat(connection, channel, person, revision, again=False)

    async def join(self, channel: str, person: str) -> None:
        """Into a channel, for the first time or again."""
        async with self._store.change() as (connection, revision):
            await self._seat(connection, channel, person, revision, again=True)

    async def leave(self, channel: str, person: str) -> None:
        """Out of a channel. The row stays, so that seeding the demo again does not bring the person back."""
        async with self._store.change() as (connection, _):
            await connection.execute(
                update(members).where(members.c.channel == channel, members.c.person == person).values(present=False)
            )

    # --- inside ---------------------------------------------------------------------------------------------------

    async def _seat(
        self, connection: AsyncConnection, channel: str, person: str, revision: int, *, again: bool
    ) -> None:
        seat = and_(members.c.channel == channel, members.c.person == person)
        present = (await connection.execute(select(members.c.present).where(seat))).scalar()
        if present is None:
            await connection.execute(
                insert(members).values(channel=channel, person=person, present=True, since=revision)
            )
        elif again and not present:
            await connection.execute(update(members).where(seat).values(present=True, since=revision))

    async def _people(self, query: Select[Any]) -> list[Person]:
        async with self._store.engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Person(**{name: row[name] for name in _PERSON}) for row in rows]

    def _met_by(self, person: Person) -> ColumnElement[bool]:
        if not person.guest:
            return true()
        return users.c.id.in_(
            select(members.c.person).where(members.c.present, members.c.channel.in_(self._mine(person)))
        )

    def _mine(self, person: Person) -> Select[Any]:
        return select(members.c.channel).where(members.c.person == person.id, members.c.present)

    async def _rooms(self, person: Person, condition: ColumnElement[bool]) -> list[Room]:
        mine = self._mine(person)
        seen: ColumnElement[bool] = channels.c.id.in_(mine)
        if not person.guest:
            seen = or_(seen, and_(channels.c.private.is_(False), channels.c.dm_of.is_(None)))
        people = (
            select(func.count())
            .where(members.c.channel == channels.c.id, members.c.present)
            .correlate(channels)
            .scalar_subquery()
        )
        query = (
            select(channels, channels.c.id.in_(mine).label("joined"), people.label("people"))
            .where(condition, seen)
            .order_by(channels.c.name, channels.c.id)
        )
        async with self._store.engine.connect() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [Room(**{name: row[name] for name in _ROOM}) for row in rows]
