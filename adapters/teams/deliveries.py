"""What was sent under which delivery id: Teams cannot be asked, so the bot remembers it for a month."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import Sealer
from adapters.teams.schema import sent
from bot.ports import Clock

_DAY = 86_400
_KEPT = 30 * _DAY


class Deliveries:
    """Message ids by delivery id, on an engine that somebody else owns."""

    def __init__(self, engine: AsyncEngine, clock: Clock, seal: Sealer) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert
        self._clock = clock
        self._seal = seal

    async def find(self, delivery_id: str) -> str | None:
        """The message that Teams took under this id, as far as its answer was recorded."""
        async with self._reading.connect() as connection:
            sealed = await connection.scalar(select(sent.c.sealed_id).where(sent.c.delivery == delivery_id))
        return None if sealed is None else self._seal.open(sealed)

    async def record(self, delivery_id: str, message_id: str) -> None:
        """Teams has taken it."""
        row = {"delivery": delivery_id, "sealed_id": self._seal.seal(message_id), "day": self._today()}
        async with self._engine.begin() as connection:
            insert = self._insert(sent).values(row).on_conflict_do_nothing(index_elements=["delivery"])
            await connection.execute(insert)

    async def tidy(self) -> None:
        """Forget what is older than a month."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(sent).where(sent.c.day < self._today() - _KEPT))

    def _today(self) -> int:
        now = int(self._clock.now().timestamp())
        return now - now % _DAY
