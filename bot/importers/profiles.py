"""`weaver import profiles`: people and what they know, from a table the HR system or the directory exports.

The file says how things are: people are found by e-mail address and brought up to date. An empty cell changes nothing,
except in the skills column, where the cell is the whole list of imported skills. Declared skills are never touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.errors import ImportProblem
from bot.importers.batches import ask_for_index, fingerprint, import_in_batches
from bot.importers.bulk import insert_many
from bot.importers.communities import known_communities
from bot.importers.csv_file import Table, open_table
from bot.importers.people import add_people, people_by_email
from bot.importers.profile_columns import EMAIL_HEADERS, columns_of, recognised
from bot.importers.profile_rows import ProfileRow, RowError, read_row
from bot.importers.report import Outcome, Progress, Remark, Report
from bot.importers.skills import put_skills
from bot.models import Membership, Person
from bot.store import Store, Transaction

TWICE = "Its e-mail address has been in an earlier row already, which counts."


async def import_profiles(store: Store, path: Path, *, progress: Progress | None = None) -> Report:
    """Bring people up to date with a CSV file. Safe to repeat, and to kill and run again."""
    report = Report("people")
    source = await asyncio.to_thread(fingerprint, "profiles", path)
    table = await asyncio.to_thread(open_table, path, recognised)
    if "email" not in columns_of(table.header):
        headers = ", ".join(f'"{name}"' for name in table.header[:30] if name) or "none"
        raise ImportProblem(
            f"{path} has no column with e-mail addresses, by which people are joined to their chat accounts. Its "
            f"headers are {headers}. Name one of them {EMAIL_HEADERS}."
        )
    report.facts["rows"] = table.rows

    def committed(row: int) -> None:
        if progress:
            progress(row - table.header_row, table.rows)

    rows = _rows(table, report, store.clock.now())
    await import_in_batches(store, source, rows, _put_people, report, committed=committed)
    if progress:
        progress(table.rows, table.rows)
    return report


def _rows(table: Table, report: Report, now: datetime) -> Iterator[tuple[int, ProfileRow]]:
    """The rows that can be taken; the others go into the report."""
    columns = columns_of(table.header)
    seen: set[str] = set()
    for number, cells in table.records():
        try:
            row = read_row(number, cells, columns, len(table.header), now)
        except RowError as problem:
            report.leave(f"row {number}", str(problem), kind=problem.kind)
            continue
        if row.email in seen:
            report.leave(row.where, TWICE)
            continue
        seen.add(row.email)
        yield number, row


async def _put_people(tx: Transaction, rows: list[ProfileRow]) -> Outcome:
    outcome = Outcome()
    known = await people_by_email(tx, [row.email for row in rows])
    changed: set[int] = set()
    for row in rows:
        if (person := known.get(row.email)) and _bring_up_to_date(person, row):
            changed.add(person.id)
    fresh = [row for row in rows if row.email not in known]
    added = await add_people(tx, [{"name": row.name, "email": row.email, **row.fields} for row in fresh])
    ids = {email: person.id for email, person in known.items()} | dict(
        zip((row.email for row in fresh), added, strict=True)
    )

    listed = {ids[row.email]: row.skills for row in rows if row.skills is not None}
    changed |= await put_skills(tx, listed)
    changed |= await _join_communities(tx, rows, ids, outcome)
    for row in rows:
        outcome.noted += row.notes
    outcome.taken = len(added)
    outcome.updated = len(changed.difference(added))
    outcome.unchanged = len(rows) - outcome.taken - outcome.updated
    await ask_for_index(tx, "people", changed.union(added))
    return outcome


def _bring_up_to_date(person: Person, row: ProfileRow) -> bool:
    """Whether anything was different."""
    fields: dict[str, Any] = dict(row.fields)
    if row.name_given:
        fields["name"] = row.name
    different = {field: value for field, value in fields.items() if getattr(person, field) != value}
    for field, value in different.items():
        setattr(person, field, value)
    return bool(different)


async def _join_communities(tx: Transaction, rows: list[ProfileRow], ids: dict[str, int], outcome: Outcome) -> set[int]:
    """Make people members of the communities they list; who was not yet one of some."""
    communities = await known_communities(tx, {slug for row in rows for slug in row.communities})
    wanted: dict[tuple[int, int], None] = {}
    for row in rows:
        for slug in row.communities:
            if slug in communities:
                wanted[communities[slug].id, ids[row.email]] = None
            else:
                outcome.noted.append(Remark(row.where, f'There is no community "{slug}"; create it and import again.'))
    if not wanted:
        return set()
    members = select(Membership.community_id, Membership.person_id).where(
        Membership.person_id.in_({person for _, person in wanted})
    )
    already = {(community, person) for community, person in await tx.session.execute(members)}
    new = [
        {"community_id": community, "person_id": person, "role": "member"}
        for community, person in wanted
        if (community, person) not in already
    ]
    await insert_many(tx, Membership, new)
    return {row["person_id"] for row in new if isinstance(row["person_id"], int)}
