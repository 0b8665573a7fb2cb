"""A Slack export as a whole: people, channels, who may see what, and archives that are not as they should be."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ImportProblem
from bot.importers import import_slack
from bot.models import Account, Channel, Community, Entry, EntryAnswer, EntryVersion, Person, SpaceMember
from bot.store import Store

Thread = Callable[..., list[dict[str, Any]]]
Export = Callable[..., Path]
Rows = Callable[..., Any]
ASKED = "How do I reset the flow meter after a firmware update?"
TOLD = "Hold the button for ten seconds."
DAY = "help-pumps/2026-01-02.json"
SECRET = [{"id": "G1", "name": "secret-pumps", "members": ["U1", "U2"], "purpose": {"value": "hush"}}]


async def test_an_export_becomes_people_channels_and_drafts(
    store: Store, make_export: Export, thread: Thread, rows: Rows
) -> None:
    """With accounts under which a live connection meets the same people."""
    users = [
        {
            "id": "U1",
            "team_id": "T1",
            "real_name": "Ada",
            "profile": {"email": "Ada@Acme.example"},
            "tz": "Europe/Oslo",
        },
        {"id": "U2", "team_id": "T1", "name": "ben", "profile": {}},
        {"id": "U4", "team_id": "T1", "name": "gone", "deleted": True, "profile": {"email": "gone@acme.example"}},
        {"id": "UB", "team_id": "T1", "name": "bot", "is_bot": True},
    ]
    await store.run(lambda tx: tx.add(Person(name="Ada Lovelace", email="ada@acme.example", title="Countess")))
    path = make_export({DAY: thread(1000, ("U1", ASKED), ("U2", TOLD))}, users=users)
    report = await import_slack(store, path, url="https://acme.slack.com/")

    assert tuple(report.facts[k] for k in ("threads", "people_taken", "people_updated", "bots")) == (1, 2, 1, 1)
    assert await rows(store, Person.name, Person.email, Person.active, Person.source_key, Person.time_zone) == [
        ("Ada Lovelace", "ada@acme.example", True, None, "Europe/Oslo"),
        ("ben", None, True, "slack:T1:U2", "UTC"),
        ("gone", "gone@acme.example", False, None, "UTC"),
    ]
    assert (await rows(store, Account.platform, Account.workspace, Account.user, Account.person_id))[:1] == [
        ("slack", "T1", "U1", 1)
    ]
    assert await rows(store, Channel.name, Channel.private, Channel.community_id) == [("help-pumps", False, 1)]
    assert await rows(store, Community.slug, Community.name, Community.domain, Community.rule) == [
        ("help-pumps", "Help pumps", "All about #pumps", "draft")
    ]
    [(title, state, space, key, link, asker, verified)] = await rows(
        store, Entry.title, Entry.state, Entry.space, Entry.source_key, Entry.link, Entry.asker_id, Entry.verified_at
    )
    assert (title, state, space, key, asker, verified) == (ASKED, "draft", "org", "slack:T1:C1:1000.000000", 1, None)
    assert link == "https://acme.slack.com/archives/C1/p1000000000?thread_ts=1000.000000&cid=C1"


async def test_private_channels_stay_private(store: Store, make_export: Export, thread: Thread, rows: Rows) -> None:
    """Their entries are in their space, their members alone see it, and no community tells of them."""
    days = {"secret-pumps/2026-01-02.json": thread(1000, ("U1", ASKED), ("U2", TOLD))}
    await import_slack(store, make_export(days, groups=SECRET))

    assert await rows(store, Entry.space, Entry.community_id) == [("slack:T1:G1", None)]
    assert await rows_of_members(store, rows) == [("slack:T1:G1", "Ada Asker"), ("slack:T1:G1", "Ben Answers")]
    assert await rows(store, Community.slug) == [("help-pumps",)]


async def rows_of_members(store: Store, rows: Rows) -> Any:
    names = dict(await rows(store, Person.id, Person.name))
    return [(space, names[person]) for space, person in await rows(store, SpaceMember.space, SpaceMember.person_id)]


async def test_an_old_export_lets_nobody_back_in(store: Store, make_export: Export, rows: Rows) -> None:
    """Members who left since are not added again; those who left by the newer export are taken out."""
    await import_slack(store, make_export({}, groups=SECRET))
    later = [SECRET[0] | {"members": ["U2", "U3"]}]
    report = await import_slack(store, make_export({}, groups=later))

    assert await rows_of_members(store, rows) == [("slack:T1:G1", "Ben Answers")]
    assert "let in when the bot is in the channel" in report.noted[0][1]


async def test_direct_messages_and_unknown_folders_are_never_read(
    store: Store, make_export: Export, thread: Thread, rows: Rows
) -> None:
    """Each is named in the report."""
    talk = thread(1000, ("U1", ASKED), ("U2", TOLD))
    days = {"D1/2026-01-02.json": talk, "mpdm-ada--ben-1/2026-01-02.json": talk, "who-knows/2026-01-02.json": talk}
    report = await import_slack(
        store, make_export(days, dms=[{"id": "D1"}], mpims=[{"id": "G9", "name": "mpdm-ada--ben-1"}])
    )

    assert await rows(store, Entry.id) == []
    assert {"D1", "mpdm-ada--ben-1", "who-knows"} == {where for where, _ in report.left}


async def test_a_repeat_adds_nothing_and_a_change_makes_a_version(
    store: Store, make_export: Export, thread: Thread, rows: Rows, everything: Rows
) -> None:
    """What the entry said before is kept. What people changed here is not overwritten."""
    await import_slack(store, make_export({DAY: thread(1000, ("U1", ASKED), ("U2", TOLD))}))
    before = await everything(store)
    again = await import_slack(store, make_export({DAY: thread(1000, ("U1", ASKED), ("U2", TOLD))}))
    after = await everything(store)
    newer = make_export({DAY: thread(1000, ("U1", ASKED), ("U2", "Hold it for twenty seconds."))})
    changed = await import_slack(store, newer)

    assert before == after
    assert (again.taken, again.updated, again.unchanged) == (0, 0, 1)
    assert changed.updated == 1
    assert await rows(store, Entry.version) == [(2,)]
    assert await rows(store, EntryAnswer.text) == [("Hold it for twenty seconds.",)]
    [(version, content)] = await rows(store, EntryVersion.version, EntryVersion.content)
    assert (version, content["answers"][0]["text"]) == (1, TOLD)

    async def edit(tx: Any) -> None:
        entry = await tx.get(Entry, 1)
        tx.session.add(EntryVersion(entry_id=1, version=2, at=tx.now, reason="better words", content={}))
        entry.title, entry.version = "Resetting flow meters", 3

    await store.run(edit)
    report = await import_slack(store, newer)

    assert await rows(store, Entry.title) == [("Resetting flow meters",)]
    assert "edited here" in report.left[0][1]


async def test_one_bad_day_does_not_stop_the_rest(
    store: Store, make_export: Export, thread: Thread, rows: Rows
) -> None:
    """It is left with a reason; so is a thread whose beginning is missing."""
    days = {
        "help-pumps/2026-01-01.json": b"[{ not json",
        DAY: thread(1000, ("U1", ASKED), ("U2", f"{TOLD}\0")) + thread(9000, ("U1", ASKED), ("U2", TOLD))[1:],
        "help-pumps/2026-01-03.json": {"not": "a list"},
        "help-pumps/2026-01-04.json": [None, 7, {"ts": "x", "thread_ts": "y"}, {"text": None}],
    }
    report = await import_slack(store, make_export(days))

    assert await rows(store, EntryAnswer.text) == [(TOLD,)]
    assert {"help-pumps/2026-01-01.json", "help-pumps/2026-01-03.json", "help-pumps 9000.000000"} == {
        where for where, _ in report.left
    }


async def test_archives_that_cannot_be_used(store: Store, make_export: Export, tmp_path: Path, rows: Rows) -> None:
    """Each says what is wrong, and nothing is taken."""
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 no zip at all")
    bare = tmp_path / "bare.zip"
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("channels.json", "[]")
    slip = make_export({"../../etc/2026-01-02.json": []}, name="slip.zip")
    bomb = make_export({DAY: b"[" + b" " * 40_000_000 + b"]"}, name="bomb.zip")
    garbled = make_export({"users.json": b"{"}, name="garbled.zip")

    for path, words in (
        (broken, "no zip archive"), (bare, "no users.json"), (slip, "points outside"), (bomb, "unpack to far more"),
        (garbled, "users.json"), (tmp_path / "missing.zip", "could not be read"),
    ):  # fmt: skip
        with pytest.raises(ImportProblem, match=words):
            await import_slack(store, path)
    assert await rows(store, Person.id) == []


async def test_a_truncated_archive(store: Store, make_export: Export, tmp_path: Path) -> None:
    """Is broken, too."""
    whole = make_export({DAY: []}).read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(ImportProblem, match="damaged"):
        await import_slack(store, cut)
