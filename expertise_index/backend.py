"""What the index asks of a database, so that SQLite and PostgreSQL are interchangeable and ranking is written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from expertise_index.values import Contribution, Item

#: Version of the tables. A file of another version is refused rather than misread.
SCHEMA = 1


class WrongSchemaError(RuntimeError):
    """The index was written by another version of this library; rebuild it."""


class MissingExtensionError(RuntimeError):
    """PostgreSQL lacks pgvector, and this user may not add it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An item as it is stored."""

    item: Item
    #: What the vector is made of, and its hash.
    text: str
    digest: str
    #: Distinct words of title, body and answer.
    terms: tuple[str, ...]
    #: Equal for items with the same answer; empty: the item has none.
    answer_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """The vector of one item, good only while the item's text still has this digest."""

    id: str
    digest: str
    model: str
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """An item whose vector is owed, with the text to encode."""

    id: str
    digest: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which items may be looked at, at all. Nothing outside influences anything: not even how rare a word seems."""

    spaces: frozenset[str]
    kinds: frozenset[str]
    before: datetime | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question to the store."""

    #: Of unit length, made by ``model``; only items with vectors of this model have a similarity.
    vector: NDArray[np.float32]
    model: str
    terms: Sequence[str]
    allowed: Filter
    #: How many candidates by vector, how many by words, and how many of the newest.
    depth: int
    newest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stored item with what was measured between it and the question."""

    id: str
    kind: str
    community: str
    created: datetime
    people: tuple[Contribution, ...]
    answer_key: str
    #: Cosine with the question; 0 while the vector is owed.
    similarity: float
    #: BM25 of the question's words (each counted once), 0 when none is shared.
    bm25: float
    #: Words shared with the question, rarest first.
    words: tuple[str, ...]


class Backend(Protocol):
    """A store of items, words and vectors. Every method may be called at any time from the event loop."""

    async def known(self, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Digest and model ("" when owed) of those ids that are stored."""

    async def write(self, records: Sequence[Record], vectors: Sequence[Vector]) -> None:
        """Inserts or replaces in one transaction; an item keeps its old vector if its digest is unchanged."""

    async def fill(self, vectors: Sequence[Vector]) -> None:
        """Adds vectors to stored items, leaving out those whose text has changed since."""

    async def debts(self, model: str, limit: int) -> list[Debt]:
        """Items without a vector of this model, those without any first."""

    async def remove(self, ids: Sequence[str]) -> None:
        """Forgets these items; unknown ids are fine."""

    async def count(self, model: str) -> dict[str, int]:
        """Items per kind, and "owed"."""

    async def candidates(self, query: Query) -> list[Candidate]:
        """The nearest, the best by words and the newest of the allowed items, each once, in any order."""

    async def close(self) -> None: ...
