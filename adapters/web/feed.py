"""What one person reads: pages of a channel, a thread, what changed since, what is unread, reactions and summaries.

Every query here takes the person and leaves out what was whispered to others. Whether they may see the channel is
asked of `Rooms` first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from adapters.web.rooms import Room
from adapters.web.schema import channels, members, messages, reactions, reads
from adapters.web.store import Stored, WebStore, as_row_id

PAGE = 50
#: A permalink far back loads everything from there on, up to this many; beyond, the page offers a jump.
REACH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Messages in their order, and whether there are more before and after them."""

    messages: list[Stored]
    older: bool = False
    newer: bool = False


@dataclass(slots=True)
class Replies:
    """The line under a message that started a thread."""

    count: int = 0
    last: datetime | None = None
    authors: list[str] = field(default_factory=list)


class Feed:
    """Reading, for one person at a time."""

    def __init__(self, store: WebStore) -> None:
        self._store = store

    async def page(self, channel: str, person: str, *, before: str | None = None, limit: int = PAGE) -> Page:
        """The newest messages of a channel, or those before one of them."""
        query = self._top(channel, person)
        edge = await self._edge(channel, before)
        if edge is not None:
            query = query.where(_earlier(edge))
        rows = await self._read(query.order_by(messages.c.created.desc(), messages.c.id.desc()).limit(limit + 1))
        return Page(messages=rows[:limit][::-1], older=len(rows) > limit)

    async def around(self, channel: str, person: str, message: Stored) -> Page:
        """From a little before a message up to now: what a permalink opens."""
        before = await self.page(channel, person, before=message.id, limit=25)
        query = self._top(channel, person).where(_later_or_same(message))
        rows = await self._read(query.order_by(messages.c.created, messages.c.id).limit(REACH + 1))
        return Page(messages=before.messages + rows[:REACH], older=before.older, newer=len(rows) > REACH)

    async def thread(
        self, channel: str, root: str, person: str, *, before: str | None = None, limit: int = 200
    ) -> Page:
        """The newest answers in a thread, without the message it hangs from."""
        query = select(messages).where(
            messages.c.thread == as_row_id(root), messages.c.deleted.is_(None), self._store.visible(person)
        )
        edge = await self._edge(channel, before)
        if edge is not None:
            query = query.where(_earlier(edge))
        rows = await self._read(query.order_by(messages.c.created.desc(), messages.c.id.desc()).limit(limit + 1))
        return Page(messages=rows[:limit][::-1], older=len(rows) > limit)

    async def changed(self, person: str, rooms: Sequence[Room], after: int, limit: int = 200) -> list[Stored]:
        """What is new, edited or gone since a revision, in the channels of `rooms`."""
        query = (
            select(messages)
            .where(
                messages.c.revision > after,
                messages.c.channel.in_([room.id for room in rooms]),
                self._store.visible(person),
            )
            .order_by(messages.c.revision, messages.c.id)
            .limit(limit)
        )
        return await self._read(query)

    async def unread(self, person: str) -> dict[str, int]:
        """How much is new in each channel of this person: messages, and answers in threads they take part in."""
        taking_part = (
            select(messages.c.id)
            .where(messages.c.author == person, messages.c.thread.is_(None))
            .union_all(select(messages.c.thread).where(messages.c.author == person, messages.c.thread.is_not(None)))
        )
        query = (
            select(messages.c.channel, func.count().label("news"))
            .join(
                members,
                and_(members.c.channel == messages.c.channel, members.c.person == person, members.c.present),
            )
            .join(channels, channels.c.id == messages.c.channel)
            .outerjoin(reads, and_(reads.c.channel == messages.c.channel, reads.c.person == person))
            .where(
                messages.c.posted > func.coalesce(reads.c.upto, members.c.since),
                messages.c.author != person,
                messages.c.deleted.is_(None),
                self._store.visible(person),
                or_(
                    messages.c.thread.is_(None),
                    messages.c.only_for == person,
                    channels.c.dm_of == person,
                    messages.c.thread.in_(taking_part),
                ),
            )
            .group_by(messages.c.channel)
        )
        async with self._store.engine.connect() as connection:
            return {row.channel: row.news for row in await connection.execute(query)}

    async def read_upto(self, person: str) -> dict[str, int]:
        """Up to which revision each channel has been seen."""
        query = (
            select(members.c.channel, func.coalesce(reads.c.upto, members.c.since).label("upto"))
            .outerjoin(reads, and_(reads.c.channel == members.c.channel, reads.c.person == members.c.person))
            .where(members.c.person == person, members.c.present)
        )
        async with self._store.engine.connect() as connection:
            return {row.channel: row.upto for row in await connection.execute(query)}

    async def reactions(self, ids: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """(emoji, person) for each message, in the order they came."""
        wanted = [int(message_id) for message_id in ids]
        found: dict[str, list[tuple[str, str]]] = {}
        if wanted:
            query = (
                select(reactions.c.message, reactions.c.emoji, reactions.c.person)
                .where(reactions.c.message.in_(wanted))
                .order_by(reactions.c.at, reactions.c.person)
            )
            async with self._store.engine.connect() as connection:
                for row in await connection.execute(query):
                    found.setdefault(str(row.message), []).append((row.emoji, row.person))
        return found

    async def replies(self, ids: Iterable[str], person: str) -> dict[str, Replies]:
        """The thread line of each message that has one."""
        wanted = [int(message_id) for message_id in ids]
        found: dict[str, Replies] = {}
        if wanted:
            query = (
                select(messages.c.thread, messages.c.author, func.count().label("said"), func.max(messages.c.created))
                .where(messages.c.thread.in_(wanted), messages.c.deleted.is_(None), self._store.visible(person))
                .group_by(messages.c.thread, messages.c.author)
                .order_by(func.max(messages.c.created).desc())
            )
            async with self._store.engine.connect() as connection:
                for root, author, said, last in await connection.execute(query):
                    line = found.setdefault(str(root), Replies())
                    line.count += said
                    line.last = max(line.last or last, last)
                    line.authors.append(author)
        return found

    def _top(self, channel: str, person: str) -> Select[Any]:
        # A removed message stays in sight as an empty line where answers hang from it.
        answered = select(messages.c.thread).where(
            messages.c.channel == channel, messages.c.thread.is_not(None), messages.c.deleted.is_(None)
        )
        return select(messages).where(
            messages.c.channel == channel,
            messages.c.thread.is_(None),
            self._store.visible(person),
            or_(messages.c.deleted.is_(None), messages.c.id.in_(answered)),
        )

    async def _edge(self, channel: str, message_id: str | None) -> Stored | None:
        return await self._store.get(message_id, channel) if message_id else None

    async def _read(self, query: Select[Any]) -> list[Stored]:
        async with self._store.engine.connect() as connection:
            return [self._store.stored(row) for row in (await connection.execute(query)).mappings()]


def _earlier(edge: Stored) -> Any:
    same_time = and_(messages.c.created == edge.created, messages.c.id < int(edge.id))
    return or_(messages.c.created < edge.created, same_time)


def _later_or_same(edge: Stored) -> Any:
    same_time = and_(messages.c.created == edge.created, messages.c.id >= int(edge.id))
    return or_(messages.c.created > edge.created, same_time)
