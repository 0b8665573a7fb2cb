"""The same on PostgreSQL: one import of each kind, repeated, changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.importers import import_profiles, import_qa, import_slack
from bot.models import Entry, Person, Skill, SpaceMember
from bot.store import Store


async def test_profiles(postgres_store: Store, tmp_path: Path, rows: Callable[..., Any]) -> None:
    """NUL and all."""
    path = tmp_path / "people.csv"
    path.write_text("email,name,title,skills\n" + "".join(f"p{n}@a.example,P\0{n},T,a;b\n" for n in range(1200)))
    first = await import_profiles(postgres_store, path)
    path.write_text("email,name,title,skills\np5@a.example,P5,Chief,b;c\n")
    second = await import_profiles(postgres_store, path)

    assert (first.taken, second.updated) == (1200, 1)
    [(own, title)] = [
        row[1:] for row in await rows(postgres_store, Person.email, Person.id, Person.title) if row[0] == "p5@a.example"
    ]
    assert title == "Chief"
    assert [topic for person, topic in await rows(postgres_store, Skill.person_id, Skill.topic) if person == own] == [
        "b",
        "c",
    ]


async def test_slack(
    postgres_store: Store, make_export: Callable[..., Path], thread: Any, rows: Callable[..., Any]
) -> None:
    """With a private channel."""
    talk = thread(1000, ("U1", "How do I reset the flow meter after an update?"), ("U2", "Hold the button\0 for long."))
    groups = [{"id": "G1", "name": "secret", "members": ["U1", "U2"]}]
    path = make_export({"help-pumps/2026-01-02.json": talk, "secret/2026-01-02.json": talk}, groups=groups)
    first, second = await import_slack(postgres_store, path), await import_slack(postgres_store, path)

    assert (first.taken, second.unchanged) == (2, 2)
    assert await rows(postgres_store, Entry.space) == [("org",), ("slack:T1:G1",)]
    assert len(await rows(postgres_store, SpaceMember.person_id)) == 2


async def test_qa(postgres_store: Store, tmp_path: Path, rows: Callable[..., Any]) -> None:
    """A changed answer is a new version."""
    path = tmp_path / "qa.jsonl"
    line: dict[str, Any] = {"id": "1", "community": "c", "title": "Why?\0", "asker": "a@b.example"}
    line["answers"] = [{"author": "u2", "text": "Because.\0", "accepted": True}]
    path.write_text(json.dumps(line))
    first = await import_qa(postgres_store, path)
    line["answers"][0]["text"] = "Therefore."
    path.write_text(json.dumps(line))
    second = await import_qa(postgres_store, path)

    assert (first.taken, second.updated) == (1, 1)
    assert await rows(postgres_store, Entry.title, Entry.version) == [("Why?", 2)]
