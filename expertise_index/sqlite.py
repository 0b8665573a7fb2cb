"""The embedded backend: items and vectors in one SQLite file, searched through a mirror of it in memory.

Several processes may share the file. Each row carries the number of the change that wrote it; before a search, a
look at `PRAGMA data_version` tells whether another process committed, and if so only rows changed since are read.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from expertise_index.backend import SCHEMA, Candidate, Debt, Query, Record, Vector, WrongSchemaError
from expertise_index.memory import Facts, Mirror
from expertise_index.values import Contribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_T = TypeVar("_T")

_TABLES = """
CREATE TABLE IF NOT EXISTS index_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS index_items (
    id TEXT PRIMARY KEY,
    change INTEGER NOT NULL,      -- number of the change that wrote this row
    gone INTEGER NOT NULL,        -- 1: removed; the row stays to tell other processes
    kind TEXT, space TEXT, community TEXT, created TEXT, people TEXT, answer_key TEXT,
    text TEXT,                    -- what the vector is made of
    terms TEXT,                   -- distinct words, separated by spaces
    digest TEXT, model TEXT, vector BLOB   -- model and vector are NULL while the vector is owed
);
CREATE INDEX IF NOT EXISTS index_items_change ON index_items (change);
CREATE INDEX IF NOT EXISTS index_items_model ON index_items (model, id) WHERE NOT gone;
"""

#: How long a writer waits for another process to finish, in seconds.
PATIENCE = 30.0


class SqliteBackend:
    """See `Backend`. One thread owns the connection and the mirror, so neither needs a lock."""

    def __init__(self, path: str) -> None:
        """``path`` of the file; empty: in memory."""
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")
        self._connection: sqlite3.Connection
        self._mirror = Mirror()
        self._model = ""
        self._seen = 0
        self._version = -1

    @classmethod
    async def open(cls, path: str, model: str) -> SqliteBackend:
        """Opens the file, and begins to read it for searches with this model."""
        self = cls(path)
        try:
            await self._run(self._connect)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._thread.submit(self._refresh, model)  # if it fails, so will the first search, and tell why
        return self

    async def _run(self, work: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def close(self) -> None:
        await self._run(self._connection.close)
        self._thread.shutdown(wait=False)

    async def known(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        return await self._run(self._known, ids)

    async def write(self, records: Sequence[Record], vectors: Sequence[Vector]) -> None:
        await self._run(self._write, records, vectors)

    async def fill(self, vectors: Sequence[Vector]) -> None:
        await self._run(self._fill, vectors)

    async def debts(self, model: str, limit: int) -> list[Debt]:
        return await self._run(self._debts, model, limit)

    async def remove(self, ids: Sequence[str]) -> None:
        await self._run(self._remove, ids)

    async def count(self, model: str) -> dict[str, int]:
        return await self._run(self._count, model)

    async def candidates(self, query: Query) -> list[Candidate]:
        return await self._run(self._candidates, query)

    # From here on: the thread.

    def _connect(self) -> None:
        if self._path:
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(
            self._path or ":memory:", timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        with _Transaction(self._connection):
            for statement in _TABLES.split(";\n"):
                self._connection.execute(statement)
            self._connection.execute("INSERT OR IGNORE INTO index_meta VALUES ('schema', ?), ('change', 0)", (SCHEMA,))
            found = self._meta("schema")
        if found != SCHEMA:
            self._connection.close()
            raise WrongSchemaError(
                f"{self._path} holds an index of version {found}, this is version {SCHEMA}: rebuild it"
            )

    def _meta(self, name: str) -> int:
        value: int = self._connection.execute("SELECT value FROM index_meta WHERE name = ?", (name,)).fetchone()[0]
        return value

    def _known(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        rows = self._connection.execute(
            "SELECT id, digest, coalesce(model, '') FROM index_items"
            " WHERE NOT gone AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {item: (digest, model) for item, digest, model in rows}

    def _write(self, records: Sequence[Record], vectors: Sequence[Vector]) -> None:
        with _Transaction(self._connection):
            change = self._meta("change")
            self._connection.executemany(
                "INSERT INTO index_items (change, id, gone, kind, space, community, created, people, answer_key, text,"
                " terms, digest) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET change = excluded.change, gone = 0, kind = excluded.kind,"
                " space = excluded.space, community = excluded.community, created = excluded.created,"
                " people = excluded.people, answer_key = excluded.answer_key, text = excluded.text,"
                " terms = excluded.terms, digest = excluded.digest,"
                " model = CASE WHEN digest = excluded.digest THEN model END,"
                " vector = CASE WHEN digest = excluded.digest THEN vector END",
                ((change + n, *_row(record)) for n, record in enumerate(records, start=1)),
            )
            self._store_vectors(change + len(records), vectors)

    def _fill(self, vectors: Sequence[Vector]) -> None:
        with _Transaction(self._connection):
            self._store_vectors(self._meta("change"), vectors)

    def _store_vectors(self, change: int, vectors: Sequence[Vector]) -> None:
        self._connection.executemany(
            "UPDATE index_items SET change = ?, model = ?, vector = ? WHERE id = ? AND digest = ? AND NOT gone",
            (
                (change + n, one.model, one.values.astype("<f4").tobytes(), one.id, one.digest)
                for n, one in enumerate(vectors, start=1)
            ),
        )
        self._connection.execute("UPDATE index_meta SET value = ? WHERE name = 'change'", (change + len(vectors),))
        self._version = -1  # our own commits do not move data_version

    def _debts(self, model: str, limit: int) -> list[Debt]:
        rows = self._connection.execute(
            "SELECT id, digest, text FROM index_items WHERE NOT gone AND model IS NOT ? ORDER BY model, id LIMIT ?",
            (model, limit),
        )
        return [Debt(id=item, digest=digest, text=text) for item, digest, text in rows]

    def _remove(self, ids: Sequence[str]) -> None:
        with _Transaction(self._connection):
            change = self._meta("change")
            self._connection.executemany(
                "UPDATE index_items SET change = ?, gone = 1, kind = NULL, space = NULL, community = NULL,"
                " people = NULL, answer_key = NULL, text = NULL, terms = NULL, digest = NULL, model = NULL,"
                " vector = NULL WHERE id = ?",
                ((change + n, item) for n, item in enumerate(ids, start=1)),
            )
            self._store_vectors(change + len(ids), ())

    def _count(self, model: str) -> dict[str, int]:
        counts = dict(self._connection.execute("SELECT kind, count(*) FROM index_items WHERE NOT gone GROUP BY kind"))
        (counts["owed"],) = self._connection.execute(
            "SELECT count(*) FROM index_items WHERE NOT gone AND model IS NOT ?", (model,)
        ).fetchone()
        return counts

    def _candidates(self, query: Query) -> list[Candidate]:
        self._refresh(query.model)
        return self._mirror.candidates(query)

    def _refresh(self, model: str) -> None:
        """Reads what changed since the last look: everything at first, nothing most of the time."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._version and model == self._model:
            return
        if model != self._model or self._mirror.dead > len(self._mirror) + 1000:
            self._mirror, self._seen = Mirror(), 0
        rows = self._connection.execute(
            "SELECT change, id, gone, kind, space, community, created, people, answer_key, terms,"
            " CASE WHEN model = ? THEN vector END FROM index_items WHERE change > ? ORDER BY change",
            (model, self._seen),
        )
        for change, item, gone, kind, space, community, created, people, answer_key, terms, vector in rows:
            self._seen = change
            if gone:
                self._mirror.remove(item)
                continue
            facts = Facts(
                id=item,
                kind=kind,
                space=space,
                community=community,
                created=datetime.fromisoformat(created),
                people=tuple(_people(people)),
                answer_key=answer_key,
            )
            self._mirror.put(facts, terms.split(), None if vector is None else np.frombuffer(vector, "<f4"))
        self._version, self._model = version, model


def _row(record: Record) -> tuple[Any, ...]:
    item = record.item
    people = [[one.person, one.at.isoformat(), one.accepted, one.endorsements] for one in item.people]
    return (
        item.id,
        item.kind,
        item.space,
        item.community,
        item.created.astimezone(UTC).isoformat(),
        json.dumps(people),
        record.answer_key,
        record.text,
        " ".join(record.terms),
        record.digest,
    )


def _people(text: str) -> Iterable[Contribution]:
    for person, at, accepted, endorsements in json.loads(text):
        yield Contribution(person=person, at=datetime.fromisoformat(at), accepted=accepted, endorsements=endorsements)


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, rolled back on any error: a writer takes its place before it reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
