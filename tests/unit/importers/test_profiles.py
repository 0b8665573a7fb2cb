"""People from a table: whatever program exported it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ImportProblem
from bot.importers import import_profiles
from bot.models import Community, ImportMark, Membership, Person, Skill, Work
from bot.store import Store


def table(tmp_path: Path, text: str | bytes, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("email,name,title\nJo@Acme.Example,Jo Doe,Engineer\n", ("jo@acme.example", "Jo Doe", "Engineer")),
        ('Worker,"Primary Work Email","Business Title"\n"Doe, Jo (On Leave)",jo@acme.example,Engineer\n',
         ("jo@acme.example", "Jo Doe", "Engineer")),
        ("First Name;Last Name;Preferred Name;Work Email;Job Title\nJoanna;Doe;Jo;jo@acme.example;Engineer\n",
         ("jo@acme.example", "Jo Doe", "Engineer")),
        ("displayName\tuserPrincipalName\tmail\tjobTitle\tuserType\n"
         "Jo Doe\tjo@acme.onmicrosoft.com\t\tEngineer\tMember\n",
         ("jo@acme.onmicrosoft.com", "Jo Doe", "Engineer")),
        ("First Name [Required],Last Name [Required],Email Address [Required],Employee Title\n"
         "Jo,Doe,jo@acme.example,Engineer\n",
         ("jo@acme.example", "Jo Doe", "Engineer")),
        ("Vorname;Name;Geschäftliche E-Mail;Stellenbezeichnung\nJo;Doe;jo@acme.example;Ingenieurin\n",
         ("jo@acme.example", "Jo Doe", "Ingenieurin")),
        ("Prénom;Nom;Adresse e-mail professionnelle;Intitulé du poste\nJo;Doe;jo@acme.example;Ingénieure\n",
         ("jo@acme.example", "Jo Doe", "Ingénieure")),
        ("sep=;\nE-MAIL_ADDRESS;Full-Name;JOB TITLE\njo@acme.example;Jo Doe;Engineer\n",
         ("jo@acme.example", "Jo Doe", "Engineer")),
        ("Employee report\nMade 2026-03-01\n\nEmail,Name,Title\njo@acme.example,Jo Doe,Engineer\n",
         ("jo@acme.example", "Jo Doe", "Engineer")),
        ("email,name\njo.van-dam@acme.example,\n", ("jo.van-dam@acme.example", "Jo Van Dam", "")),
    ],
)  # fmt: skip
async def test_common_exports_are_understood(
    store: Store, tmp_path: Path, rows: Callable[..., Any], text: str, expected: tuple[str, ...]
) -> None:
    """Headers of several programs and languages, any delimiter, and lines above the header."""
    report = await import_profiles(store, table(tmp_path, text))

    assert (report.taken, report.remarks_left.total) == (1, 0)
    assert [expected] == await rows(store, Person.email, Person.name, Person.title)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1", "cp1252"])
async def test_encodings(store: Store, tmp_path: Path, rows: Callable[..., Any], encoding: str) -> None:
    """What spreadsheets of the last thirty years write."""
    text = "email;Name;Abteilung\nj@acme.example;Jörg Müller;Großkunden\nh@acme.example;Hélène Lefèvre;Qualité\n"
    await import_profiles(store, table(tmp_path, text.encode(encoding)))

    assert await rows(store, Person.name, Person.department) == [
        ("Hélène Lefèvre", "Qualité"),
        ("Jörg Müller", "Großkunden"),
    ]


async def test_every_row_that_is_left_is_named_as_a_spreadsheet_numbers_it(store: Store, tmp_path: Path) -> None:
    """Left, or taken with a note; never silently."""
    text = (
        "email,name,time zone,status,away until,bio\n"
        'a@acme.example,A,Europe/Oslo,active,2026-04-01,"two\nlines"\n'
        ",No Mail,,,,\n"
        "not an address,B,,,,\n"
        "\n"
        "A@acme.example,Again,,,,\n"
        f"c@acme.example,{'x' * 300},Middle Earth,maybe,soon,\n"
        "d@acme.example,D,,,,,,one,too many\n"
    )
    report = await import_profiles(store, table(tmp_path, text))

    assert report.taken == 2
    assert [where for where, _ in report.left] == ["row 3", "row 4", "row 6", "row 8"]
    assert [where for where, _ in report.noted] == ["row 7"] * 4
    assert all(reason.endswith(".") for _, reason in report.left + report.noted)
    assert "2 people taken" in report.summary
    assert "4 left out" in report.summary
    assert report.as_dict()["left_total"] == 4


async def test_fields_are_kept(store: Store, tmp_path: Path, rows: Callable[..., Any]) -> None:
    """Absence as a date or in days, status, guests, NUL, time zones."""
    text = (
        "mail,name,accountEnabled,userType,away_until,time_zone,location\n"
        "a@acme.example,A\0da,False,Guest,3,europe/oslo,Oslo\n"
        "b@acme.example,Ben,True,Member,2026-05-06,Europe/Berlin (GMT+1),Berlin\n"
    )
    await import_profiles(store, table(tmp_path, text))

    assert [
        ("Ada", False, True, datetime(2026, 3, 13, tzinfo=UTC), "Europe/Oslo"),
        ("Ben", True, False, datetime(2026, 5, 6, tzinfo=UTC), "Europe/Berlin"),
    ] == await rows(store, Person.name, Person.active, Person.guest, Person.away_until, Person.time_zone)


async def test_skills_follow_the_file_and_leave_declared_ones_alone(
    store: Store, tmp_path: Path, rows: Callable[..., Any]
) -> None:
    """The imported list is replaced; what somebody declared, or has in other letters, is not doubled."""
    await import_profiles(
        store, table(tmp_path, 'email,skills\na@acme.example,"python; SQL | pumps, cloud (AWS, Azure)"\n')
    )

    async def declare(tx: Any) -> None:
        tx.session.add(Skill(person_id=1, topic="Welding", source="declared"))

    await store.run(declare)
    report = await import_profiles(store, table(tmp_path, "email,skills\na@acme.example,Python;welding;valves\n"))

    assert report.updated == 1
    assert await rows(store, Skill.topic, Skill.source) == [
        ("Welding", "declared"),
        ("python", "imported"),
        ("valves", "imported"),
    ]


async def test_communities_that_exist_are_joined(store: Store, tmp_path: Path, rows: Callable[..., Any]) -> None:
    """An unknown one is said."""
    await store.run(lambda tx: tx.add(Community(slug="pumps", name="Pumps")))
    report = await import_profiles(store, table(tmp_path, "email,communities\na@acme.example,pumps;poetry\n"))

    assert await rows(store, Membership.community_id, Membership.person_id, Membership.role) == [(1, 1, "member")]
    assert any("poetry" in reason for _, reason in report.noted)


async def test_a_repeated_import_changes_only_what_changed(
    store: Store, tmp_path: Path, rows: Callable[..., Any]
) -> None:
    """And asks for the index to follow only there; an empty cell changes nothing."""
    await import_profiles(store, table(tmp_path, "email,name,title\na@acme.example,A,Clerk\nb@acme.example,B,Clerk\n"))
    again = await import_profiles(
        store, table(tmp_path, "email,name,title\na@acme.example,A,Clerk\nb@acme.example,B,Clerk\n")
    )
    changed = await import_profiles(
        store, table(tmp_path, "email,name,title\na@acme.example,A,\nb@acme.example,B,Chief\n")
    )

    assert (again.taken, again.updated, again.unchanged) == (0, 0, 2)
    assert (changed.taken, changed.updated, changed.unchanged) == (0, 1, 1)
    assert await rows(store, Person.name, Person.title) == [("A", "Clerk"), ("B", "Chief")]
    assert await rows(store, Work.subject) == [("people:1-2",), ("people:2-2",)]
    assert await rows(store, ImportMark.source) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,title\nJo,Engineer\n", 'Its headers are "name", "title"'),
        (b"", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b'email,name\na@x.example,"Jo\nb@x.example,Ben\nc@x.example,Cy\n', "never closed"),
    ],
)
async def test_a_file_that_cannot_be_used_says_why(store: Store, tmp_path: Path, content: bytes, words: str) -> None:
    """Nothing is taken from it."""
    with pytest.raises(ImportProblem, match=words):
        await import_profiles(store, table(tmp_path, content))


async def test_a_missing_file(store: Store, tmp_path: Path) -> None:
    """Is a problem with a sentence, too."""
    with pytest.raises(ImportProblem, match="could not be read"):
        await import_profiles(store, tmp_path / "nowhere.csv")


async def test_twenty_thousand_rows_are_quick(store: Store, tmp_path: Path) -> None:
    """No query for each row; progress is told on the way."""
    lines = ["email,name,title,skills"]
    lines += [f'p{n}@acme.example,Person {n},Engineer {n % 50},"python;sql;topic {n % 90}"' for n in range(20_000)]
    seen: list[tuple[int, int]] = []
    started = time.monotonic()
    report = await import_profiles(
        store, table(tmp_path, "\n".join(lines)), progress=lambda done, total: seen.append((done, total))
    )

    assert report.taken == 20_000
    assert time.monotonic() - started < 20  # about 2 seconds on two idle cores
    assert seen[-1] == (20_000, 20_000)
    assert sorted(seen) == seen
