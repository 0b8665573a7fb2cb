"""Writing knowledge entries in bulk: new ones inserted, changed ones revised, the rest left in peace."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from bot.importers.batches import ask_for_index
from bot.importers.bulk import insert_many
from bot.importers.report import Outcome, Remark
from bot.models import ORG, Entry, EntryAnswer, EntryVersion
from bot.store import Transaction

#: Why an import changed an entry. A version with any other reason was made by people, whose work is not overwritten.
REASON = "imported again, changed at its source"
EDITED_HERE = "It has been edited here since it was imported, and an import does not overwrite what people wrote."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """One contribution, as the source has it."""

    author_id: int | None
    text: str
    accepted: bool
    endorsements: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """An entry as the source has it. `where` is how the report calls it."""

    where: str
    source_key: str
    title: str
    body: str
    state: str
    space: str
    community_id: int | None
    owner_id: int | None
    asker_id: int | None
    link: str
    created_at: datetime
    verified_at: datetime | None
    review_at: datetime | None
    answers: tuple[NewAnswer, ...]
    origin: str | None = None  # the members' space of the channel it comes from


async def put_entries(tx: Transaction, entries: list[NewEntry]) -> Outcome:
    """Bring the database to what the source says, and ask for the index to follow."""
    outcome = Outcome()
    found = await tx.all(select(Entry).where(Entry.source_key.in_([entry.source_key for entry in entries])))
    known: dict[str, Entry] = {entry.source_key: entry for entry in found}
    fresh = [entry for entry in entries if entry.source_key not in known]
    added = await _insert(tx, fresh)
    outcome.taken = len(fresh)

    before = await _answers_of(tx, [entry.id for entry in known.values()])
    edited = await _edited_here(tx, [entry.id for entry in known.values()])
    revised: list[tuple[Entry, NewEntry]] = []
    touched: list[int] = []
    for new in entries:
        old = known.get(new.source_key)
        if old is None:
            continue
        narrowed = old.space == ORG and new.space != ORG
        if narrowed:  # its channel has become private: so has what was said there
            old.space = new.space
        if not _said_otherwise(old, before.get(old.id, []), new):
            counted = _count_again(before.get(old.id, []), new)
            outcome.updated += narrowed or counted
            outcome.unchanged += not (narrowed or counted)
            touched += [old.id] if narrowed else []
        elif old.id in edited:
            outcome.left.append(Remark(new.where, EDITED_HERE))
        else:
            revised.append((old, new))
            outcome.updated += 1
    await _revise(tx, revised, before)
    await ask_for_index(tx, "entries", [*added, *touched, *(old.id for old, _ in revised)])
    return outcome


def _said_otherwise(old: Entry, answers: list[EntryAnswer], new: NewEntry) -> bool:
    """Whether the source now says something else than the entry. Counts and dates are no content."""
    then = [(answer.author_id, answer.text, answer.accepted) for answer in answers]
    now = [(answer.author_id, answer.text, answer.accepted) for answer in new.answers]
    return (old.title, old.body, then) != (new.title, new.body, now)


def _count_again(answers: list[EntryAnswer], new: NewEntry) -> bool:
    """Take over endorsements; whether any have changed."""
    changed = False
    for old, answer in zip(answers, new.answers, strict=False):
        if old.endorsements != answer.endorsements:
            old.endorsements, changed = answer.endorsements, True
    return changed


async def _answers_of(tx: Transaction, ids: list[int]) -> dict[int, list[EntryAnswer]]:
    answers: dict[int, list[EntryAnswer]] = {}
    if ids:
        query = select(EntryAnswer).where(EntryAnswer.entry_id.in_(ids)).order_by(EntryAnswer.id)
        for answer in await tx.all(query):
            answers.setdefault(answer.entry_id, []).append(answer)
    return answers


async def _edited_here(tx: Transaction, ids: list[int]) -> set[int]:
    query = select(EntryVersion.entry_id).where(EntryVersion.entry_id.in_(ids), EntryVersion.reason != REASON)
    return set(await tx.all(query)) if ids else set()


async def _insert(tx: Transaction, entries: list[NewEntry]) -> list[int]:
    if not entries:
        return []
    await insert_many(tx, Entry, [_columns(entry) for entry in entries])
    keys = [entry.source_key for entry in entries]  # asking by key is faster than SQLite's returning, row by row
    found = await tx.session.execute(select(Entry.source_key, Entry.id).where(Entry.source_key.in_(keys)))
    ids = {row.source_key: row.id for row in found}
    await _insert_answers(tx, [(ids[entry.source_key], entry) for entry in entries])
    return list(ids.values())


def _columns(entry: NewEntry) -> dict[str, Any]:
    row = asdict(entry)
    del row["answers"], row["where"]
    return row | {"question_id": None, "version": 1}


async def _insert_answers(tx: Transaction, entries: list[tuple[int, NewEntry]]) -> None:
    rows = [
        asdict(answer) | {"entry_id": entry_id, "answer_id": None}
        for entry_id, entry in entries
        for answer in entry.answers
    ]
    await insert_many(tx, EntryAnswer, rows)


async def _revise(tx: Transaction, pairs: list[tuple[Entry, NewEntry]], before: dict[int, list[EntryAnswer]]) -> None:
    """Keep what each entry said as a version, then let it say what the source says. Its state stays."""
    if not pairs:
        return
    versions = []
    for old, new in pairs:
        said = [
            {"author": row.author_id, "text": row.text, "accepted": row.accepted, "endorsements": row.endorsements}
            for row in before.get(old.id, [])
        ]
        content = {"title": old.title, "body": old.body, "state": old.state, "answers": said}
        versions.append(
            {"entry_id": old.id, "version": old.version, "at": tx.now, "by_id": None, "reason": REASON}
            | {"content": content}
        )
        old.title, old.body, old.version = new.title, new.body, old.version + 1
        old.owner_id = old.owner_id or new.owner_id
    await insert_many(tx, EntryVersion, versions)
    await tx.session.execute(delete(EntryAnswer).where(EntryAnswer.entry_id.in_([old.id for old, _ in pairs])))
    await _insert_answers(tx, [(old.id, new) for old, new in pairs])
