"""What is said in the web chat, kept: posting, changing, removing, reacting, reading marks.

Every write takes the next revision first (see `schema.counter`). That one row also makes writers take turns, so
"is it there already? no: insert" cannot race, on PostgreSQL as on SQLite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Executable, Select, and_, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.web.pulse import Pulse
from adapters.web.schema import counter, messages, metadata, reactions, reads

__all__ = ["BOT", "Sealer", "Stored", "WebStore", "as_row_id", "metadata"]

#: The author of the bot's messages. No person can have this id: `@` is refused in ids.
BOT = "@bot"


class Sealer(Protocol):
    """Makes text unreadable at rest. The project passes in Fernet; the key never enters the database."""

    def seal(self, text: str) -> str:
        """The text, unreadable without the key."""
        ...

    def open(self, sealed: str) -> str:
        """The text again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One message as kept, its seal opened."""

    id: str
    channel: str
    thread: str | None
    author: str
    body: str
    only_for: str | None
    created: datetime
    edited: datetime | None
    deleted: datetime | None
    posted: int
    revision: int
    handled_at: datetime | None

    @property
    def by_bot(self) -> bool:
        """Whether the bot said it."""
        return self.author == BOT


def as_row_id(text: str | None) -> int | None:
    """An id from outside as a number, or None for anything that cannot be one."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


class WebStore:
    """Messages of the web chat, on an engine that somebody else owns."""

    def __init__(self, engine: AsyncEngine, seal: Sealer, pulse: Pulse) -> None:
        self.engine = engine
        self.pulse = pulse
        self._seal = seal

    @asynccontextmanager
    async def change(self) -> AsyncIterator[tuple[AsyncConnection, int]]:
        """One short write transaction with its revision. Listeners are woken after the commit, never before."""
        async with self.engine.begin() as connection:
            revision = int((await connection.execute(self._next_revision())).scalar_one())
            yield connection, revision
        self.pulse.beat(revision)

    async def revision(self) -> int:
        """The number of the last committed change."""
        async with self.engine.connect() as connection:
            return int((await connection.execute(select(counter.c.value))).scalar() or 0)

    async def post(
        self,
        *,
        channel: str,
        thread: str | None,
        author: str,
        body: str,
        at: datetime,
        private: bool = False,
        only_for: str | None = None,
        delivery_id: str | None = None,
        client_key: str | None = None,
        history: bool = False,
        handled: bool = False,
    ) -> tuple[Stored, bool]:
        """Keep a message; the same `delivery_id` or `client_key` again gives back the first one and False."""
        async with self.change() as (connection, revision):
            known = await self._known(connection, delivery_id, client_key)
            if known is not None:
                return known, False
            row = {
                "channel": channel,
                "thread": as_row_id(thread),
                "author": author,
                "body": self._seal.seal(body) if private or only_for else body,
                "sealed": bool(private or only_for),
                "only_for": only_for,
                "created": at,
                "posted": 0 if history else revision,
                "revision": revision,
                "delivery_id": delivery_id,
                "client_key": client_key,
                "handled_at": at if handled else None,
            }
            new_id = (await connection.execute(insert(messages).values(row).returning(messages.c.id))).scalar_one()
            if row["thread"] is not None and only_for is None:
                # The message the thread hangs from shows "3 replies": it has changed too.
                await connection.execute(
                    update(messages).where(messages.c.id == row["thread"]).values(revision=revision)
                )
            found = (await connection.execute(select(messages).where(messages.c.id == new_id))).mappings().one()
            return self.stored(found), True

    async def get(self, message_id: str | None, channel: str | None = None) -> Stored | None:
        """One message, or None. With `channel`, only if it is there."""
        row_id = as_row_id(message_id)
        if row_id is None:
            return None
        query = select(messages).where(messages.c.id == row_id)
        if channel is not None:
            query = query.where(messages.c.channel == channel)
        return await self._one(query)

    async def delivered(self, channel: str, delivery_id: str) -> Stored | None:
        """The message sent under `delivery_id`, if it arrived."""
        return await self._one(
            select(messages).where(messages.c.channel == channel, messages.c.delivery_id == delivery_id)
        )

    async def replace(self, message_id: str, body: str, *, edited: datetime | None = None) -> None:
        """New content. `edited` is set when a person changed their words; a card updating itself is not an edit."""
        row_id = as_row_id(message_id)
        async with self.change() as (connection, revision):
            query = select(messages.c.sealed).where(messages.c.id == row_id, messages.c.deleted.is_(None))
            sealed = (await connection.execute(query)).scalar()
            if sealed is None:
                return
            values: dict[str, Any] = {"body": self._seal.seal(body) if sealed else body, "revision": revision}
            if edited is not None:
                values["edited"] = edited
            await connection.execute(update(messages).where(messages.c.id == row_id).values(values))

    async def remove(self, message_id: str, at: datetime, *, forget_key: bool = False) -> None:
        """Empty a message and mark it gone. `forget_key` lets the same words be sent again under the same key."""
        row_id = as_row_id(message_id)
        async with self.change() as (connection, revision):
            values: dict[str, Any] = {"body": "", "sealed": False, "deleted": at, "revision": revision}
            if forget_key:
                values["client_key"] = None
            gone = await connection.execute(
                update(messages)
                .where(messages.c.id == row_id, messages.c.deleted.is_(None))
                .values(values)
                .returning(messages.c.thread)
            )
            await connection.execute(delete(reactions).where(reactions.c.message == row_id))
            root = gone.scalar()
            if root is not None:
                await connection.execute(update(messages).where(messages.c.id == root).values(revision=revision))

    async def mark_handled(self, message_id: str, at: datetime) -> None:
        """The bot has dealt with it. Nobody sees this, so it is no change in the sense of `change`."""
        async with self.engine.begin() as connection:
            await connection.execute(
                update(messages).where(messages.c.id == as_row_id(message_id)).values(handled_at=at)
            )

    async def unhandled(self) -> list[Stored]:
        """What people said that the bot has not finished dealing with, oldest first."""
        query = (
            select(messages)
            .where(messages.c.handled_at.is_(None), messages.c.deleted.is_(None), messages.c.author != BOT)
            .order_by(messages.c.id)
        )
        async with self.engine.connect() as connection:
            return [self.stored(row) for row in (await connection.execute(query)).mappings()]

    async def react(self, message_id: str, person: str, emoji: str, *, added: bool, at: datetime) -> None:
        """Put an emoji on a message, or take it away. Doing it twice changes nothing."""
        row_id = as_row_id(message_id)
        async with self.change() as (connection, revision):
            same = and_(reactions.c.message == row_id, reactions.c.person == person, reactions.c.emoji == emoji)
            await connection.execute(delete(reactions).where(same))
            if added:
                await connection.execute(insert(reactions).values(message=row_id, person=person, emoji=emoji, at=at))
            await connection.execute(update(messages).where(messages.c.id == row_id).values(revision=revision))

    async def mark_read(self, channel: str, person: str, upto: int) -> None:
        """This person has seen everything up to a revision. The mark never moves back, nor past the present."""
        async with self.change() as (connection, revision):
            mine = and_(reads.c.channel == channel, reads.c.person == person)
            known = (await connection.execute(select(reads.c.upto).where(mine))).scalar()
            seen = min(upto, revision)
            if known is None:
                await connection.execute(insert(reads).values(channel=channel, person=person, upto=seen))
            elif seen > known:
                await connection.execute(update(reads).where(mine).values(upto=seen))

    def visible(self, person: str) -> ColumnElement[bool]:
        """The condition for "not whispered to somebody else". Whether the channel may be seen is asked before."""
        return or_(messages.c.only_for.is_(None), messages.c.only_for == person)

    def stored(self, row: Mapping[Any, Any]) -> Stored:
        """A row with its seal opened and its numbers as the text ids the port speaks of."""
        return Stored(
            id=str(row["id"]),
            channel=row["channel"],
            thread=None if row["thread"] is None else str(row["thread"]),
            author=row["author"],
            body=self._seal.open(row["body"]) if row["sealed"] else row["body"],
            only_for=row["only_for"],
            created=row["created"],
            edited=row["edited"],
            deleted=row["deleted"],
            posted=row["posted"],
            revision=row["revision"],
            handled_at=row["handled_at"],
        )

    async def _one(self, query: Select[Any]) -> Stored | None:
        async with self.engine.connect() as connection:
            row = (await connection.execute(query)).mappings().first()
            return None if row is None else self.stored(row)

    async def _known(
        self, connection: AsyncConnection, delivery_id: str | None, client_key: str | None
    ) -> Stored | None:
        if delivery_id is None and client_key is None:
            return None
        same = messages.c.delivery_id == delivery_id if delivery_id else messages.c.client_key == client_key
        row = (await connection.execute(select(messages).where(same))).mappings().first()
        return None if row is None else self.stored(row)

    def _next_revision(self) -> Executable:
        maker = postgresql_insert if self.engine.dialect.name == "postgresql" else sqlite_insert
        return (
            maker(counter)
            .values(id=1, value=1)
            .on_conflict_do_update(index_elements=[counter.c.id], set_={"value": counter.c.value + 1})
            .returning(counter.c.value)
        )
