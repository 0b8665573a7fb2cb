"""Questions answered elsewhere, from JSON Lines."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ImportProblem
from bot.importers import import_qa
from bot.models import Community, Entry, EntryAnswer, Person
from bot.store import Store

Rows = Callable[..., Any]
LINE: dict[str, Any] = {
    "id": "z1", "community": "Pump-Talk", "title": "How often is oil changed?", "body": "The big pump.", "asker": "u1",
    "created": "2026-01-31T08:00:00Z", "answerers": ["u2", "ben@acme.example"],
    "answers": [
        {"author": "u2", "text": "Weekly.", "accepted": False},
        {"author": "Ben@acme.example", "text": "Monthly.\0", "accepted": True, "endorsements": 4},
        {"author": "u2", "text": "  ", "accepted": True},
    ],
}  # fmt: skip


def lines(tmp_path: Path, *rows: Any, name: str = "qa.jsonl") -> Path:
    path = tmp_path / name
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()
    opened = {".xz": lzma.compress, ".gz": gzip.compress}.get(path.suffix, bytes)
    path.write_bytes(opened(text))
    return path


@pytest.mark.parametrize("name", ["qa.jsonl", "qa.jsonl.xz", "qa.jsonl.gz"])
async def test_a_line_becomes_an_entry(store: Store, tmp_path: Path, rows: Rows, name: str) -> None:
    """Published by the rule, owned by who wrote the accepted answer, due for review in a year."""
    report = await import_qa(store, lines(tmp_path, LINE, name=name))

    assert report.taken == 1
    assert await rows(store, Community.slug, Community.name, Community.rule) == [("pump-talk", "Pump talk", "publish")]
    people = dict(await rows(store, Person.id, Person.name))
    assert {"Ben", "u1", "u2"} == set(people.values())
    assert {(None, "qa:u1"), (None, "qa:u2"), ("ben@acme.example", None)} == set(
        await rows(store, Person.email, Person.source_key)
    )
    [(key, state, owner, verified, review)] = await rows(
        store, Entry.source_key, Entry.state, Entry.owner_id, Entry.verified_at, Entry.review_at
    )
    assert (key, state, people[owner]) == ("qa:pump-talk:z1", "published", "Ben")
    assert (None, datetime(2027, 1, 31, 8, tzinfo=UTC)) == (verified, review)  # accepted, and reviewed by nobody here
    assert await rows(store, EntryAnswer.text, EntryAnswer.accepted, EntryAnswer.endorsements) == [
        ("Monthly.", True, 4),
        ("Weekly.", False, 0),
    ]


async def test_who_was_not_known_before_is_named(store: Store, tmp_path: Path) -> None:
    """People and communities that the file made: how many, and the first ten of them."""
    report = await import_qa(store, lines(tmp_path, LINE))
    assert report.news == [
        "3 people were not known here and were added: ben@acme.example, u1, u2.",
        "1 community was not known here and was added: Pump talk.",
    ]
    many = [{**LINE, "id": f"m{n}", "asker": f"new{n:03}"} for n in range(600)]  # more than one batch
    report = await import_qa(store, lines(tmp_path, *many, name="many.jsonl"))
    assert report.news == [
        "600 people were not known here and were added: "
        + ", ".join(f"new{n:03}" for n in range(10))
        + " and 590 more."
    ]
    assert report.as_dict()["new_people"]["total"] == 600
    assert (await import_qa(store, lines(tmp_path, *many, name="many.jsonl"))).news == []


async def test_rule_community_and_days_ago(store: Store, tmp_path: Path, rows: Rows) -> None:
    """Options stand in for what the lines say."""
    line = {key: value for key, value in LINE.items() if key != "created"} | {"days_ago": 10}
    await import_qa(store, lines(tmp_path, line), community="Valves & Co", rule="draft")

    assert [("qa:valves-co:z1", "draft", None, datetime(2026, 2, 28, 12, tzinfo=UTC))] == await rows(
        store, Entry.source_key, Entry.state, Entry.review_at, Entry.created_at
    )
    assert await rows(store, Community.rule) == [("draft",)]


async def test_lines_that_are_left_are_named(store: Store, tmp_path: Path, rows: Rows) -> None:
    """With their number; the others are taken. An answer key stands in for an answer."""
    report = await import_qa(
        store,
        lines(
            tmp_path, "{ not json", "[1]", LINE | {"title": " ", "body": ""}, LINE | {"answers": []}, "", LINE, LINE,
            LINE | {"id": "z2", "community": ""}, LINE | {"id": "z3", "created": "yesterday"},
            {"id": "k1", "community": "c", "title": "Where is my card?", "body": "", "answer_key": "card_arrival"},
        ),
    )  # fmt: skip

    assert report.taken == 2
    assert [f"line {n}" for n in (1, 2, 3, 4, 7, 8, 9)] == [where for where, _ in report.left]
    assert ("card_arrival", None, True) in await rows(
        store, EntryAnswer.text, EntryAnswer.author_id, EntryAnswer.accepted
    )


async def test_a_repeat_adds_nothing_and_changes_are_taken_over(store: Store, tmp_path: Path, rows: Rows) -> None:
    """Another count of endorsements is no new version; another answer is."""
    await import_qa(store, lines(tmp_path, LINE))
    again = await import_qa(store, lines(tmp_path, LINE))
    counted = json.loads(json.dumps(LINE))
    counted["answers"][1]["endorsements"] = 9
    await import_qa(store, lines(tmp_path, counted))
    versions = [await rows(store, Entry.version)]
    counted["answers"][0]["text"] = "Every Monday."
    changed = await import_qa(store, lines(tmp_path, counted))
    versions.append(await rows(store, Entry.version))

    assert (again.taken, again.updated, again.unchanged) == (0, 0, 1)
    assert (changed.taken, changed.updated, changed.unchanged) == (0, 1, 0)
    assert versions == [[(1,)], [(2,)]]
    assert await rows(store, EntryAnswer.text, EntryAnswer.endorsements) == [("Every Monday.", 0), ("Monthly.", 9)]


async def test_files_that_cannot_be_used(store: Store, tmp_path: Path, rows: Rows) -> None:
    """Each says why, and nothing is taken."""
    cut = lines(tmp_path, *[LINE | {"id": str(n)} for n in range(2000)], name="cut.jsonl.xz")
    cut.write_bytes(cut.read_bytes()[:-200])
    prose = tmp_path / "prose.jsonl"
    prose.write_text("Dear all,\nsee below.\n")
    for path, words in (
        (cut, "damaged or incomplete"), (prose, "No line of .* is JSON"), 
        (tmp_path / "missing.jsonl", "could not be read"),
    ):  # fmt: skip
        with pytest.raises(ImportProblem, match=words):
            await import_qa(store, path)
    with pytest.raises(ImportProblem, match="no rule"):
        await import_qa(store, lines(tmp_path, LINE), rule="burn")
    assert await rows(store, Entry.id) == []
