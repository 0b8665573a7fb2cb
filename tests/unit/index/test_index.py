"""What both backends promise: items go in, change and go; texts are embedded once; nothing breaks on any text."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from expertise_index import ExpertiseIndex, HashEmbedder, WrongSchemaError
from tests.unit.index.conftest import NOW, Open, by, item

ALL = {"open"}

NASTY = [
    "",
    "   \n\t ",
    "\0",
    "vpn \0 password",
    "\ud800 half a pair",
    "'; DROP TABLE index_items; --",
    'AND OR NOT NEAR("vpn" password) title:vpn -vpn ^vpn vpn*',
    "a & b | !c <-> d:*",
    "{}[]()%s %(name)s :name ?1 $1 \\",
    "🎉🧑‍🚀 e\u0301 ﬁ İ ß",
    "شبكة افتراضية خاصة",
    "如何重置密码",
    "x" * 40_000,
    "word " * 8_000,
    " ".join(f"different{n}" for n in range(5_000)),
]


async def test_a_put_item_is_found_at_once_with_the_words_it_shares(index: ExpertiseIndex) -> None:
    await index.put([item("VPN", "How do I reset the VPN password?"), item("lunch", "Where is lunch today?")])

    first, *_ = await index.similar("Passwords of the VPN", readable=ALL)

    assert first.id == "VPN"
    assert set(first.words) == {"VPN", "Passwords"}
    assert 0 < first.score < 1
    assert first.similarity > 0.5


async def test_words_come_most_telling_first(index: ExpertiseIndex) -> None:
    await index.put([item(f"n{n}", f"printer number{n}") for n in range(9)])

    (match, *_) = await index.similar("printer number3", readable=ALL)

    assert match.words == ("number3", "printer")


async def test_putting_again_replaces(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams"), item("b", "coffee machine leaks")])
    await index.put([item("a", "travel expenses")])

    assert (await index.similar("travel expenses", readable=ALL))[0].id == "a"
    assert all(not match.words for match in await index.similar("printer jams", readable=ALL))
    assert (await index.count())["entry"] == 2


async def test_a_removed_item_is_gone_and_may_come_back(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams")])
    await index.remove(["a", "never there"])

    assert await index.similar("printer jams", readable=ALL) == []
    assert await index.count() == {"entry": 0, "profile": 0, "community": 0, "owed": 0}

    await index.put([item("a", "printer jams")])

    assert [match.id for match in await index.similar("printer jams", readable=ALL)] == ["a"]


async def test_unchanged_text_is_not_embedded_again_but_its_metadata_change(open_index: Open) -> None:
    embedder = HashEmbedder()
    index = await open_index(embedder)
    assert await index.put([item("a", "printer jams"), item("b", "coffee leaks")]) == 2
    encoded = embedder.encoded

    assert await index.put([item("a", "printer jams", space="elsewhere", answer="Pull gently."), item("b", "tea")]) == 1

    assert embedder.encoded == encoded + 1
    assert [match.id for match in await index.similar("printer jams", readable={"elsewhere"})] == ["a"]
    assert (await index.similar("gently", readable={"elsewhere"}))[0].words == ("gently",)


async def test_equal_texts_are_separate_items(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams"), item("b", "printer jams")])

    assert {match.id for match in await index.similar("printer jams", readable=ALL)} == {"a", "b"}


async def test_the_same_answer_is_shown_once(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("a", "printer jams again", answer="Pull  the tray and close it."),
            item("b", "printer jams always", answer="pull the tray and close it."),
            item("c", "printer is jammed", answer="Call Ann."),
        ]
    )

    found = [match.id for match in await index.similar("printer jams again", readable=ALL)]

    assert found == ["a", "c"]


async def test_a_short_answer_is_no_sign_of_the_same_question(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams again", answer="Yes."), item("b", "printer jams always", answer="yes.")])

    assert len(await index.similar("printer jams again", readable=ALL)) == 2


async def test_staged_items_are_found_by_words_and_embedded_later(index: ExpertiseIndex) -> None:
    await index.stage([item(str(n), f"printer number{n}") for n in range(5)])

    (match, *_) = await index.similar("number3", readable=ALL)
    assert (match.id, match.similarity) == ("3", 0)
    assert await index.owed() == 5

    assert await index.embed_owed(limit=3) == 3
    assert await index.owed() == 2
    assert await index.embed_owed(limit=3) == 2
    assert await index.embed_owed(limit=3) == 0
    assert (await index.similar("number3", readable=ALL))[0].similarity > 0.3


async def test_embedding_may_be_interrupted_and_repeated(open_index: Open) -> None:
    class Slow(HashEmbedder):
        """Never finishes the second batch."""

        async def encode(self, texts):  # type: ignore[no-untyped-def]
            if self.encoded:
                await asyncio.sleep(3600)
            return await super().encode(texts)

    slow = await open_index(Slow())
    await slow.stage([item(str(n), f"printer number{n}") for n in range(6)])
    assert await slow.embed_owed(limit=4) == 4
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slow.embed_owed(limit=4), timeout=0.2)

    again = await open_index()

    assert await again.owed() == 2
    assert await again.embed_owed() == 2
    assert await again.owed() == 0


async def test_a_text_changed_while_it_was_embedded_stays_owed(open_index: Open) -> None:
    other = await open_index()

    class Overtaken(HashEmbedder):
        """While it encodes, somebody edits the item."""

        async def encode(self, texts):  # type: ignore[no-untyped-def]
            await other.stage([item("a", "travel expenses")])
            return await super().encode(texts)

    index = await open_index(Overtaken())
    await index.stage([item("a", "printer jams")])

    await index.embed_owed()

    assert await index.owed() == 1


async def test_another_model_owes_all_and_compares_nothing_meanwhile(open_index: Open) -> None:
    first = await open_index(HashEmbedder())
    await first.put([item("a", "printer jams"), item("b", "coffee leaks")])

    second = await open_index(HashEmbedder(64, name="other"))

    assert await second.owed() == 2
    assert [(one.id, one.similarity) for one in await second.similar("printer", readable=ALL)] == [("a", 0)]
    assert await second.embed_owed() == 2
    assert (await second.similar("printer", readable=ALL))[0].similarity > 0


async def test_two_on_one_database_see_each_other(open_index: Open) -> None:
    server, importer = await open_index(), await open_index()
    assert await server.similar("printer", readable=ALL) == []

    await importer.put([item("a", "printer jams")])
    assert [match.id for match in await server.similar("printer", readable=ALL)] == ["a"]

    await server.put([item("b", "printer offline")])
    await importer.put([item("a", "coffee leaks")])
    assert {one.id for one in await importer.similar("printer", readable=ALL) if one.words} == {"b"}
    assert {one.id for one in await server.similar("printer", readable=ALL) if one.words} == {"b"}

    await importer.remove(["b"])
    assert {one.id for one in await server.similar("printer", readable=ALL) if one.words} == set()


async def test_many_write_and_ask_at_the_same_time(open_index: Open) -> None:
    indexes = [await open_index() for _ in range(3)]

    async def work(number: int) -> None:
        index = indexes[number % 3]
        await index.put([item(f"{number}-{n}", f"printer number{n}") for n in range(5)])
        await index.similar("printer", readable=ALL)

    await asyncio.gather(*(work(number) for number in range(12)))

    assert (await indexes[0].count())["entry"] == 60


async def test_only_what_was_created_before(index: ExpertiseIndex) -> None:
    await index.put([item(f"{n}", "printer jams", created=NOW + timedelta(days=n)) for n in range(4)])

    found = await index.similar("printer", readable=ALL, before=NOW + timedelta(days=2))

    assert {match.id for match in found} == {"0", "1"}


async def test_kinds_and_items_left_out(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("a", "printer jams"),
            item("b", "printer offline"),
            item("c", "printers and copiers", kind="community", community="print"),
            item("p", "I know printers", kind="profile", people=(by("ann"),)),
        ]
    )

    assert {match.id for match in await index.similar("printer", readable=ALL, without=["a"])} == {"b"}
    assert {match.id for match in await index.similar("printer", readable=ALL, kinds=["profile"])} == {"p"}
    assert await index.count() == {"entry": 2, "profile": 1, "community": 1, "owed": 0}


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
async def test_any_text_may_be_stored_and_asked(index: ExpertiseIndex, text: str) -> None:
    await index.put([item("nasty", text, body=text, answer=text, people=(by("ann"),)), item("plain", "vpn password")])

    for match in await index.similar(text, readable=ALL):
        assert match.id in {"nasty", "plain"}
    await index.experts(text, readable=ALL, now=NOW)
    await index.communities(text, readable=ALL, now=NOW)
    assert "plain" in {match.id for match in await index.similar("vpn password", readable=ALL)}


def test_naive_times_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        item("a", created=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="aware"):
        by("ann", datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="kind"):
        item("a", kind="banana")
    with pytest.raises(ValueError, match="person"):
        item("a", kind="profile")


async def test_unknown_addresses_are_refused() -> None:
    with pytest.raises(ValueError, match="sqlite"):
        await ExpertiseIndex.open("mysql://localhost", HashEmbedder())


async def test_tables_of_another_version_are_refused(open_index: Open, url: str) -> None:
    await open_index()
    await asyncio.to_thread(_age, url)

    with pytest.raises(WrongSchemaError):
        await open_index()


def _age(url: str) -> None:
    import sqlite3

    import psycopg

    statement = "UPDATE index_meta SET value = 0 WHERE name = 'schema'"
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        with psycopg.connect(url) as postgres:
            postgres.execute(statement)
