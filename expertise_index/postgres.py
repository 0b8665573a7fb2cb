"""The backend to scale: items, words and vectors in PostgreSQL with pgvector, shared by any number of processes.

Words are an array column with a GIN index rather than PostgreSQL's full text: its ranks know nothing of how rare a
word is, and with arrays there is no query syntax that a text could break. All statements filter before they rank.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pgvector import Vector as PgVector
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from expertise_index.backend import (
    SCHEMA,
    Candidate,
    Debt,
    MissingExtensionError,
    Query,
    Record,
    Vector,
    WrongSchemaError,
)
from expertise_index.values import Contribution
from expertise_index.words import Weights, weigh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# CREATE IF NOT EXISTS is no protection against another process doing the same at the same time; a lock is.
_TABLES = """
SELECT pg_advisory_xact_lock(4702111234474983745);
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS index_meta (name text PRIMARY KEY, value integer NOT NULL);
CREATE TABLE IF NOT EXISTS index_items (
    id text PRIMARY KEY, kind text NOT NULL, space text NOT NULL, community text NOT NULL,
    created timestamptz NOT NULL, people jsonb NOT NULL, answer_key text NOT NULL, content text NOT NULL,
    terms text[] NOT NULL, digest text NOT NULL, model text, vector vector
);
CREATE INDEX IF NOT EXISTS index_items_terms ON index_items USING gin (terms) WITH (fastupdate = off);
CREATE INDEX IF NOT EXISTS index_items_space ON index_items (space, kind);
CREATE INDEX IF NOT EXISTS index_items_model ON index_items (model, id);
"""

_ALLOWED = """
    space = ANY(CAST(:spaces AS text[])) AND kind = ANY(CAST(:kinds AS text[]))
    AND (CAST(:before AS timestamptz) IS NULL OR created < CAST(:before AS timestamptz))
    AND NOT id = ANY(CAST(:without AS text[]))
"""

#: The rarest words are sought until they are in this many items; the others only add to what those score. Where fewer
#: items share a word, all are looked at.
SOUGHT = 2000

_TOTALS = text(f"SELECT count(*), avg(cardinality(terms)) FROM index_items WHERE {_ALLOWED}")

_COUNTS = text(
    "SELECT term, (SELECT count(*) FROM index_items WHERE terms @> ARRAY[term] AND"
    f" {_ALLOWED}) FROM unnest(CAST(:terms AS text[])) AS term"
)

# The formula is that of Weights.
_CANDIDATES = text(
    f"""
    WITH near AS (
        SELECT id FROM index_items WHERE model = :model AND {_ALLOWED}
        ORDER BY vector <#> CAST(:vector AS vector) LIMIT :depth
    ), worded AS (
        SELECT id FROM index_items WHERE terms && CAST(:sought AS text[]) AND {_ALLOWED}
        ORDER BY (
            SELECT sum(weight) FROM unnest(CAST(:terms AS text[]), CAST(:weights AS float8[])) AS asked (term, weight)
            WHERE terms @> ARRAY[term]
        ) / (:flat + :steep * cardinality(terms)) DESC LIMIT :depth
    ), newest AS (
        SELECT id FROM index_items WHERE {_ALLOWED} ORDER BY created DESC LIMIT :newest
    )
    SELECT id, kind, community, created, people, answer_key, cardinality(terms),
        CASE WHEN model = :model THEN -(vector <#> CAST(:vector AS vector)) ELSE 0 END,
        ARRAY(SELECT unnest(terms) INTERSECT SELECT unnest(CAST(:terms AS text[])))
    FROM index_items WHERE id IN (SELECT id FROM near UNION SELECT id FROM worded UNION SELECT id FROM newest)
    """
)

_WRITE = text(
    """
    INSERT INTO index_items AS old
        (id, kind, space, community, created, people, answer_key, content, terms, digest)
    VALUES (:id, :kind, :space, :community, :created, CAST(:people AS jsonb), :answer_key, :content,
        CAST(:terms AS text[]), :digest)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, space = excluded.space, community = excluded.community,
        created = excluded.created, people = excluded.people, answer_key = excluded.answer_key,
        content = excluded.content, terms = excluded.terms, digest = excluded.digest,
        model = CASE WHEN old.digest = excluded.digest THEN old.model END,
        vector = CASE WHEN old.digest = excluded.digest THEN old.vector END
    """
)

_FILL = text(
    "UPDATE index_items SET model = :model, vector = CAST(:vector AS vector) WHERE id = :id AND digest = :digest"
)


class PostgresBackend:
    """See `Backend`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, url: str) -> PostgresBackend:
        """``url``: "postgresql://user@host/database"."""
        engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
        try:
            async with engine.begin() as connection:
                await _prepare(connection)
        except DBAPIError as error:
            await engine.dispose()
            if "extension" not in str(error.orig):
                raise
            raise MissingExtensionError(
                "The database has no pgvector yet. Install it on the server, and let an administrator run "
                "CREATE EXTENSION vector; in this database."
            ) from error
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine)

    async def close(self) -> None:
        await self._engine.dispose()

    async def known(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT id, digest, coalesce(model, '') FROM index_items WHERE id = ANY(CAST(:ids AS text[]))"),
                {"ids": list(ids)},
            )
            return {item: (digest, model) for item, digest, model in rows}

    async def write(self, records: Sequence[Record], vectors: Sequence[Vector]) -> None:
        # In the order of ids: two writers of the same items wait for each other instead of locking each other out.
        rows = sorted((_row(record) for record in records), key=lambda row: row["id"])
        async with self._engine.begin() as connection:
            if rows:
                await connection.execute(_WRITE, rows)
            await _fill(connection, vectors)

    async def fill(self, vectors: Sequence[Vector]) -> None:
        async with self._engine.begin() as connection:
            await _fill(connection, vectors)

    async def debts(self, model: str, limit: int) -> list[Debt]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                text(
                    "SELECT id, digest, content FROM index_items WHERE model IS DISTINCT FROM :model"
                    " ORDER BY model NULLS FIRST, id LIMIT :limit"
                ),
                {"model": model, "limit": limit},
            )
            return [Debt(id=item, digest=digest, text=content) for item, digest, content in rows]

    async def remove(self, ids: Sequence[str]) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(
                text("DELETE FROM index_items WHERE id = ANY(CAST(:ids AS text[]))"), {"ids": list(ids)}
            )

    async def count(self, model: str) -> dict[str, int]:
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                text(
                    "SELECT kind, count(*), count(*) FILTER (WHERE model IS DISTINCT FROM :model)"
                    " FROM index_items GROUP BY kind"
                ),
                {"model": model},
            )
            found = rows.all()
        return {kind: number for kind, number, _ in found} | {"owed": sum(owed for _, _, owed in found)}

    async def candidates(self, query: Query) -> list[Candidate]:
        allowed = query.allowed
        visible = {
            "spaces": list(allowed.spaces),
            "kinds": list(allowed.kinds),
            "before": allowed.before,
            "without": list(allowed.without),
        }
        async with self._engine.connect() as connection:
            total, length = (await connection.execute(_TOTALS, visible)).one()
            if not total:
                return []
            counts = await connection.execute(_COUNTS, visible | {"terms": list(query.terms)})
            number: dict[str, int] = dict(counts.all())
            weights = weigh(number, total, float(length))
            rows = await connection.execute(
                _CANDIDATES,
                visible
                | {
                    "model": query.model,
                    "vector": PgVector(query.vector).to_text(),
                    "depth": query.depth,
                    "newest": query.newest,
                    "terms": list(weights.idf),
                    "sought": _sought(weights, number),
                    "weights": list(weights.idf.values()),
                    "flat": weights.flat,
                    "steep": weights.steep,
                },
            )
            return [_candidate(row, weights) for row in rows]


async def _prepare(connection: AsyncConnection) -> None:
    for statement in filter(str.strip, _TABLES.split(";\n")):
        await connection.execute(text(statement))
    await connection.execute(
        text("INSERT INTO index_meta VALUES ('schema', :schema) ON CONFLICT DO NOTHING"), {"schema": SCHEMA}
    )
    found = (await connection.execute(text("SELECT value FROM index_meta WHERE name = 'schema'"))).scalar_one()
    if found != SCHEMA:
        raise WrongSchemaError(f"the database holds an index of version {found}, this is version {SCHEMA}: rebuild it")


async def _fill(connection: AsyncConnection, vectors: Sequence[Vector]) -> None:
    if vectors:
        rows = [
            {"id": one.id, "digest": one.digest, "model": one.model, "vector": PgVector(one.values).to_text()}
            for one in sorted(vectors, key=lambda one: one.id)
        ]
        await connection.execute(_FILL, rows)


def _sought(weights: Weights, number: Mapping[str, int]) -> list[str]:
    sought: list[str] = []
    for term in weights.idf:
        if sum(number[one] for one in sought) >= SOUGHT:
            break
        sought.append(term)
    return sought


def _row(record: Record) -> dict[str, Any]:
    item = record.item
    return {
        "id": item.id,
        "kind": item.kind,
        "space": item.space,
        "community": item.community,
        "created": item.created,
        "people": json.dumps([[one.person, one.at.isoformat(), one.accepted, one.endorsements] for one in item.people]),
        "answer_key": record.answer_key,
        "content": record.text,
        "terms": list(record.terms),
        "digest": record.digest,
    }


def _candidate(row: Row[*tuple[Any, ...]], weights: Weights) -> Candidate:
    item, kind, community, created, people, answer_key, length, similarity, shared = row
    return Candidate(
        id=item,
        kind=kind,
        community=community,
        created=created,
        people=tuple(
            Contribution(person=person, at=datetime.fromisoformat(at), accepted=accepted, endorsements=endorsements)
            for person, at, accepted, endorsements in people
        ),
        answer_key=answer_key,
        similarity=float(similarity),
        bm25=weights.score(shared, length),
        words=tuple(term for term in weights.idf if term in shared),
    )
