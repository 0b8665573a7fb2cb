"""Inserting many rows the quickest way each database has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, inspect

from bot.models import Base
from bot.store import Transaction


async def insert_many(tx: Transaction, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """Insert rows, each with every column that has no default in the database.

    PostgreSQL: asked for something back, SQLAlchemy sends a thousand rows in one statement, else one by one. SQLite:
    the driver's own loop is quickest.
    """
    if not rows:
        return
    statement = insert(table)
    if tx.session.get_bind().dialect.name == "postgresql":
        await tx.session.execute(statement.returning(inspect(table).primary_key[0]), rows)
    else:
        await tx.session.execute(statement, rows)
