"""Times in the database: the column type of all of them, the web chat's too; and the hour, where more would tell."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.engine import Dialect
from sqlalchemy.types import DateTime, TypeDecorator


def hour(moment: datetime) -> datetime:
    """The hour of a moment: the exact time would lead to who did something then."""
    return moment.replace(minute=0, second=0, microsecond=0)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time on every database (SQLite knows no time zones); a naive one is refused, not guessed at."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database. Raises `ValueError` for a naive time: it is always a mistake."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the database are aware; got a naive one")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
