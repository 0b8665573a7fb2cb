"""Finding the people an import names, and making those not yet known: a few queries a batch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from bot.importers.bulk import insert_many
from bot.importers.text import email_of, is_email, name_from_email
from bot.models import Person
from bot.store import Transaction

#: The columns a bulk insert must name, as the models' own defaults do not apply to it.
NOBODY: dict[str, Any] = {
    "name": "",
    "email": None,
    "title": "",
    "department": "",
    "location": "",
    "bio": "",
    "time_zone": "UTC",
    "guest": False,
    "active": True,
    "away_until": None,
    "source_key": None,
}


async def people_by_email(tx: Transaction, emails: Iterable[str]) -> dict[str, Person]:
    """The known people with these addresses."""
    found = await tx.all(select(Person).where(Person.email.in_(sorted(set(emails)))))
    return {person.email: person for person in found}


async def people_by_source(tx: Transaction, keys: Iterable[str]) -> dict[str, Person]:
    """The people known from an import under these names."""
    found = await tx.all(select(Person).where(Person.source_key.in_(sorted(set(keys)))))
    return {person.source_key: person for person in found}


async def add_people(tx: Transaction, rows: list[dict[str, Any]]) -> list[int]:
    """Insert people, each given by the columns that differ from `NOBODY`; their ids, in order.

    Each needs an `email` or a `source_key`: asking for the ids by these afterwards is many times faster than having
    SQLite return them, which it does row by row.
    """
    if not rows:
        return []
    full = [NOBODY | row for row in rows]
    await insert_many(tx, Person, full)
    ids: dict[str, int] = {}
    for column in (Person.email, Person.source_key):
        keys = [row[column.key] for row in full if row[column.key]]
        if keys:
            ids |= {
                key: own
                for key, own in (await tx.session.execute(select(column, Person.id).where(column.in_(keys))))
                if key
            }
    return [ids[row["email"] or row["source_key"]] for row in full]


async def named_people(tx: Transaction, names: Iterable[str], *, source: str) -> tuple[dict[str, int], list[int]]:
    """Who is meant by each name, an e-mail address or an id that means something only where it comes from.

    People not yet known are made. Gives the person's id by name, and the ids of the new ones.
    """
    wanted = {name: email_of(name) if is_email(email_of(name)) else f"{source}:{name}" for name in sorted(set(names))}
    emails = {key for key in wanted.values() if is_email(key)}
    keys = set(wanted.values()) - emails
    known = {key: person.id for key, person in (await people_by_email(tx, emails)).items()}
    known |= {key: person.id for key, person in (await people_by_source(tx, keys)).items()}
    fresh = {key: name for name, key in wanted.items() if key not in known}
    rows: list[dict[str, Any]] = [
        {"name": name_from_email(key), "email": key} if key in emails else {"name": name, "source_key": key}
        for key, name in fresh.items()
    ]
    added = await add_people(tx, rows)
    known |= dict(zip(fresh, added, strict=True))
    return {name: known[key] for name, key in wanted.items()}, added
