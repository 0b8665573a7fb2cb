"""Default deny: what a reader may not see is not there, not even as a change of scores."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expertise_index import ExpertiseIndex, HashEmbedder, Item
from tests.unit.index.conftest import NOW, Open, by, item

WORDS = ("printer", "jams", "vpn", "password", "coffee", "leaks", "travel", "visa")
SPACES = ("open", "board", "works-council", "m&a")

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
items = st.lists(
    st.tuples(texts, st.sampled_from(SPACES), st.sampled_from(("entry", "profile", "community")), texts),
    max_size=25,
)


def build(drawn: list[tuple[str, str, str, str]]) -> list[Item]:
    """Items from what hypothesis drew; everything in them tells the space it belongs to."""
    return [
        item(
            f"{space}/{n}",
            title,
            space=space,
            kind=kind,
            answer=answer,
            community=f"{space}/c{n % 2}",
            people=(by(f"{space}/p{n % 3}"),),
        )
        for n, (title, space, kind, answer) in enumerate(drawn)
    ]


async def everything(index: ExpertiseIndex, text: str, readable: set[str]) -> list[object]:
    """All that can be asked."""
    return [
        await index.similar(text, readable=readable, limit=50, kinds=("entry", "profile", "community")),
        await index.experts(text, readable=readable, now=NOW, limit=50),
        await index.communities(text, readable=readable, now=NOW, limit=50),
    ]


@given(drawn=items, text=texts, readable=st.sets(st.sampled_from((*SPACES, "unknown"))))
@settings(max_examples=60, deadline=None)
def test_results_are_those_of_an_index_without_the_hidden_items(
    drawn: list[tuple[str, str, str, str]], text: str, readable: set[str]
) -> None:
    async def check() -> None:
        whole, visible = [await ExpertiseIndex.open("sqlite://", HashEmbedder()) for _ in range(2)]
        try:
            await whole.put(build(drawn))
            await visible.put([one for one in build(drawn) if one.space in readable])
            assert await everything(whole, text, readable) == await everything(visible, text, set(SPACES))
        finally:
            await whole.close()
            await visible.close()

    asyncio.run(check())


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@given(drawn=items, text=texts, readable=st.sets(st.sampled_from((*SPACES, "unknown"))))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_backends_find_the_same(
    url: str, drawn: list[tuple[str, str, str, str]], text: str, readable: set[str]
) -> None:
    async def check() -> None:
        embedded = await ExpertiseIndex.open("sqlite://", HashEmbedder())
        scaled = await ExpertiseIndex.open(url, HashEmbedder())
        try:
            await scaled.remove([f"{space}/{n}" for space in SPACES for n in range(25)])
            for index in (embedded, scaled):
                await index.put(build(drawn))
            one, other = [await everything(index, text, readable) for index in (embedded, scaled)]
            assert rounded(one) == rounded(other)
        finally:
            await embedded.close()
            await scaled.close()

    asyncio.run(check())


def rounded(found: list[object]) -> list[object]:
    """Ids and scores; the last digits of sums may differ, and with them the order of equals."""
    matches, experts, communities = found
    return [
        sorted((one.id, round(one.score, 4), one.words) for one in matches),  # type: ignore[attr-defined]
        sorted((one.person, round(one.score, 4)) for one in experts),  # type: ignore[attr-defined]
        sorted((one.community, round(one.score, 4)) for one in communities),  # type: ignore[attr-defined]
    ]


async def test_no_readable_space_finds_nothing(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams", people=(by("ann"),), community="print")])

    assert await everything(index, "printer", set()) == [[], [], []]
    assert await everything(index, "printer", {"unknown"}) == [[], [], []]


async def test_one_string_is_no_set_of_spaces(index: ExpertiseIndex) -> None:
    with pytest.raises(TypeError):
        await index.similar("printer", readable="open")


async def test_a_reader_of_one_in_a_thousand_still_finds_all_of_it(open_index: Open) -> None:
    index = await open_index(HashEmbedder(32))
    await index.put([item(f"h{n}", "vpn password reset", space="hidden") for n in range(3000)])
    await index.put([item(f"v{n}", "coffee machine leaks", space="mine") for n in range(3)])

    found = await index.similar("vpn password reset", readable={"mine"})

    assert {match.id for match in found} == {"v0", "v1", "v2"}


async def test_moving_an_item_to_another_space_moves_who_sees_it(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams", space="open")])
    await index.put([item("a", "printer jams", space="board")])

    assert await index.similar("printer", readable={"open"}) == []
    assert [match.id for match in await index.similar("printer", readable={"board"})] == ["a"]


async def test_a_large_index_is_scanned_by_signs_and_still_finds_the_nearest(tmp_path: Path) -> None:
    index = await ExpertiseIndex.open(f"sqlite:///{tmp_path / 'large.db'}", HashEmbedder(128))
    try:
        await index.put([item(f"e{n}", f"subject{n % 50} detail{n}") for n in range(5000)])
        for n in (7, 1234, 4999):
            (best, *_) = await index.similar(f"subject{n % 50} detail{n}", readable={"open"})
            assert best.id == f"e{n}"
            assert best.similarity == pytest.approx(1, abs=1e-3)
    finally:
        await index.close()
