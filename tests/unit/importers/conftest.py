"""A store with all tables, a clock that stands still, and small exports made on the spot."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.models import Base, Community, Entry, EntryAnswer, Person, Skill, SpaceMember, Work
from bot.seal import Seal
from bot.store import Store, open_engine
from tests.databases import Postgres

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class StillClock:
    """Always the same moment."""

    def now(self) -> datetime:
        """That moment."""
        return NOW


async def open_store(url: str) -> Store:
    """A store with all tables."""
    store = Store(open_engine(url), StillClock(), Seal("a secret of the tests"))
    async with store.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    return store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store on a SQLite file."""
    store = await open_store(f"sqlite:///{tmp_path / 'weaver.db'}")
    yield store
    await store.close()


@pytest.fixture
async def postgres_store(postgres: Postgres) -> AsyncIterator[Store]:
    """A store on PostgreSQL."""
    store = await open_store(postgres.empty())
    yield store
    await store.close()


@pytest.fixture
def opened() -> Callable[[str], Any]:
    """Opens a store at an address."""
    return open_store


async def _rows(store: Store, *columns: Any) -> list[tuple[Any, ...]]:
    async with store.reading() as tx:
        return sorted((tuple(row) for row in await tx.session.execute(select(*columns))), key=repr)


@pytest.fixture
def rows() -> Callable[..., Any]:
    """Reads columns of the database, sorted."""
    return _rows


async def _everything(store: Store) -> dict[str, Any]:
    return {
        "people": await _rows(store, Person.name, Person.email, Person.title, Person.active, Person.source_key),
        "skills": await _rows(store, Skill.person_id, Skill.topic, Skill.source),
        "communities": await _rows(store, Community.slug, Community.name, Community.rule),
        "entries": await _rows(
            store, Entry.id, Entry.source_key, Entry.title, Entry.body, Entry.state, Entry.space, Entry.owner_id,
            Entry.version,
        ),
        "answers": await _rows(store, EntryAnswer.entry_id, EntryAnswer.author_id, EntryAnswer.text),
        "members": await _rows(store, SpaceMember.space, SpaceMember.person_id),
        "index": await _rows(store, Work.kind, Work.subject),
    }  # fmt: skip


@pytest.fixture
def everything() -> Callable[[Store], Any]:
    """All that imports write, for comparing."""
    return _everything


def user(key: str, name: str, **more: Any) -> dict[str, Any]:
    """A user as Slack exports one."""
    profile = {"real_name": name, "email": more.pop("email", f"{name.split(maxsplit=1)[0].lower()}@acme.example")}
    return {"id": key, "team_id": "T1", "name": name.lower(), "real_name": name, "profile": profile, **more}


USERS = [
    user("U1", "Ada Asker"),
    user("U2", "Ben Answers"),
    user("U3", "Cleo Other"),
    user("U4", "Gone Girl", deleted=True),
]


@pytest.fixture
def make_export(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export: `days` maps "folder/2026-01-02.json" to messages, or to bytes as they are to stand there."""

    def make(
        days: dict[str, Any],
        *,
        users: list[dict[str, Any]] | None = None,
        groups: list[dict[str, Any]] | None = None,
        name: str = "export.zip",
        **lists: Any,
    ) -> Path:
        path = tmp_path / name
        public = [{"id": "C1", "name": "help-pumps", "members": ["U1"], "purpose": {"value": "All about <#C1|pumps>"}}]
        files: dict[str, Any] = {"users.json": USERS if users is None else users, "channels.json": public}
        files |= {"groups.json": groups} if groups else {}
        files |= {f"{kind}.json": rows for kind, rows in lists.items()} | days
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, content in files.items():
                archive.writestr(file, content if isinstance(content, bytes) else json.dumps(content))
        return path

    return make


def _thread(start: float, *messages: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    root = f"{start:.6f}"
    result = []
    for place, (who, text, *more) in enumerate(messages):
        stamp = {"type": "message", "user": who, "text": text, "ts": f"{start + place * 60:.6f}", "thread_ts": root}
        result.append(stamp | (more[0] if more else {}))
    return result


@pytest.fixture
def thread() -> Callable[..., list[dict[str, Any]]]:
    """Messages of one thread, a minute apart: (user, text) or (user, text, more fields)."""
    return _thread
