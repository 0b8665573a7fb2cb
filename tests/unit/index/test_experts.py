"""Who is suggested, why, and where a question would be at home, on both backends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expertise_index import Expert, ExpertiseIndex
from tests.unit.index.conftest import NOW, by, item

ALL = {"open"}
LONG_AGO = NOW - timedelta(days=700)


async def ask(index: ExpertiseIndex, text: str = "printer jams", **rest: object) -> list[Expert]:
    return await index.experts(text, readable=ALL, now=NOW, **rest)  # type: ignore[arg-type]


def people(found: list[Expert]) -> list[str]:
    return [expert.person for expert in found]


async def test_profiles_alone_are_enough(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("profile/ann", "printers, scanners, copiers", kind="profile", people=(by("ann", LONG_AGO),)),
            item("profile/bob", "travel, visa, expenses", kind="profile", people=(by("bob"),)),
        ]
    )

    first, *_ = await ask(index, "my printer is broken")

    assert first.person == "ann"
    assert [(one.kind, one.item) for one in first.evidence] == [("profile", "profile/ann")]
    assert first.evidence[0].at == LONG_AGO


async def test_who_answered_the_like_question_comes_first_with_the_evidence(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("a", "printer jams on tray two", people=(by("ann"),)),
            item("b", "visa for Japan", people=(by("bob"),)),
        ]
    )

    found = await ask(index)

    assert people(found)[0] == "ann"
    assert found[0].evidence[0].kind == "answered"
    assert found[0].evidence[0].item == "a"
    assert 0 < found[0].evidence[0].weight <= found[0].score <= 1
    assert sum(expert.score for expert in found) == pytest.approx(1)


async def test_lately_beats_long_ago(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("old", "printer jams", created=LONG_AGO, people=(by("ann", LONG_AGO),)),
            item("new", "printer jams", people=(by("bob"),)),
        ]
    )

    assert people(await ask(index)) == ["bob", "ann"]


async def test_an_accepted_answer_beats_an_answer(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams", people=(by("ann"), by("bob", accepted=True)))])

    found = await ask(index)

    assert people(found) == ["bob", "ann"]
    assert found[0].evidence[0].kind == "accepted"


async def test_endorsements_count(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams", people=(by("ann"), by("bob", endorsements=3)))])

    assert people(await ask(index)) == ["bob", "ann"]


async def test_among_and_without(index: ExpertiseIndex) -> None:
    await index.put([item(name, "printer jams", people=(by(name),)) for name in ("ann", "bob", "cyd")])

    assert people(await ask(index, without=["ann"])) == ["bob", "cyd"]
    assert people(await ask(index, among=["cyd", "dee"])) == ["cyd"]
    assert people(await ask(index, among=[])) == []
    assert len(await ask(index, limit=2)) == 2


async def test_at_most_five_pieces_of_evidence_strongest_first(index: ExpertiseIndex) -> None:
    await index.put([item(f"{n}", f"printer jams {'again ' * n}", people=(by("ann"),)) for n in range(8)])

    (ann,) = await ask(index)

    weights = [one.weight for one in ann.evidence]
    assert len(weights) == 5
    assert weights == sorted(weights, reverse=True)


async def test_unrelated_answers_are_no_evidence_beside_a_related_one(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams", people=(by("ann"),)), item("b", "visa for Japan", people=(by("ann"),))])

    (ann,) = await ask(index)

    assert [one.item for one in ann.evidence] == ["a"]


async def test_hidden_answers_make_nobody_an_expert(index: ExpertiseIndex) -> None:
    await index.put([item("a", "printer jams", space="board", people=(by("ann"),))])

    assert await ask(index) == []


async def test_communities_by_their_questions_and_by_what_they_say_of_themselves(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("a", "printer jams", community="hardware"),
            item("b", "printer offline", community="hardware"),
            item("c", "visa for Japan", community="travel"),
            item("d", "Quantum annealing and qubits", kind="community", community="physics"),
        ]
    )

    found = await index.communities("the printer jams", readable=ALL, now=NOW)
    described = await index.communities("who knows about qubits?", readable=ALL, now=NOW, limit=1)

    assert found[0].community == "hardware"
    assert sum(one.score for one in found) == pytest.approx(1)
    assert [one.community for one in described] == ["physics"]


async def test_a_community_that_fell_silent_gives_way(index: ExpertiseIndex) -> None:
    await index.put(
        [
            item("a", "printer jams", community="old", created=LONG_AGO),
            item("b", "printer jams", community="new", created=NOW - timedelta(days=1)),
        ]
    )

    found = await index.communities("printer jams", readable=ALL, now=NOW)

    assert [one.community for one in found] == ["new", "old"]
