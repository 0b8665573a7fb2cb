"""One community on two platforms: asked in one, prompted, answered, accepted and credited in the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import communities
from bot.models import Channel, Community, Entry, Mirror, Person, Question
from bot.ports import BOARDS
from bot.store import Transaction
from tests.scenarios.bridge import OTHER, Bridge, two_platforms
from tests.scenarios.test_one_question import ANSWER, QUESTION


@pytest.fixture
async def bridge(tmp_path: Path, database: str) -> AsyncIterator[Bridge]:
    async with two_platforms(tmp_path, database) as made:
        yield made


async def test_asked_here_answered_there_accepted_here(bridge: Bridge) -> None:
    """Each side sees the question once, and the answer once, under the name of who gave it."""
    ana, dev = bridge.here("ana"), bridge.there("dev")
    await ana.says(QUESTION)
    assert "It would stand in #pumps on Other, too" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    asked, mirrored = bridge.cards()
    assert "Also in #pumps on Other. Replies are shown in both." in asked.words
    assert "Also in #pumps on Fake." in mirrored.words
    await dev.says(ANSWER, to="pumps", thread=mirrored.id)
    shown = bridge.here("ben").sees("Dev Patel answers")
    assert (shown.channel, shown.thread) == ("pumps", asked.id)
    assert ANSWER in ana.sees("Dev Patel answered your question").words
    await ana.presses("This answers it", on="Dev Patel answered your question")
    assert "Accepted answer" in shown.words
    for card in (asked, mirrored):
        assert "✓ Answered by Dev Patel" in card.words
    assert "under your name" in dev.sees("Your answer was accepted").words
    assert [len(bridge.said(chat, "gravel")) for chat in bridge.chats] == [1, 1]
    assert [len(bridge.said(chat, ANSWER)) for chat in bridge.chats] == [1, 1]
    async with bridge.bot.store.reading() as tx:
        (entry,) = await tx.all(select(Entry))
        owner = await tx.session.get_one(Person, entry.owner_id)
    assert (entry.link, owner.name) == (f"https://chat.example/pumps/{asked.id}", "Dev Patel")


async def test_asked_there_answered_here_accepted_by_a_reaction_there(bridge: Bridge) -> None:
    """The other way round: the home is where it was asked, and pointing at the copy means the answer."""
    chiara, ben = bridge.there("chiara"), bridge.here("ben")
    await chiara.says(QUESTION)
    await chiara.presses("Ask under my name")
    mirrored, asked = bridge.cards()
    await ben.says(ANSWER, to="pumps", thread=mirrored.id)
    shown = bridge.there("dev").sees("Ben Okafor answers")
    assert shown.thread == asked.id
    await chiara.reacts("white_check_mark", shown)
    assert "Accepted answer" in shown.words
    for card in (asked, mirrored):
        assert "✓ Answered by Ben Okafor" in card.words
    ben.sees("Your answer was accepted")
    async with bridge.bot.store.reading() as tx:
        assert [entry.link for entry in await tx.all(select(Entry))] == [f"https://other.example/pumps/{asked.id}"]


async def test_a_moderator_accepts_on_the_other_side(bridge: Bridge) -> None:
    """By the button on the copy, and by "this answers it" on a message too short to be taken for an answer."""
    asked, mirrored = await bridge.asks()
    await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    await bridge.there("mod").presses("This answers it", on="Ben Okafor answers")
    assert "✓ Answered by Ben Okafor" in asked.words
    short = await bridge.there("dev").says("port 8080", to="pumps", thread=mirrored.id)
    assert bridge.said("fake", "8080") == []
    await bridge.there("mod").points("accept", short)
    assert "Accepted answer" in bridge.here("ben").sees("Dev Patel answers").words


async def test_experts_are_asked_where_they_are(bridge: Bridge) -> None:
    """With the way to the thread they can open; what they answer stands on both sides, once."""
    asked, mirrored = await bridge.asks()
    ben, chiara, dev = bridge.here("ben"), bridge.there("chiara"), bridge.there("dev")
    assert f"(https://chat.example/pumps/{asked.id})" in ben.sees("you may know").words
    prompted = [who for who in (chiara, dev) if any("you may know" in m.words for m in who.chat.visible(who.id))]
    for who in prompted:
        assert f"(https://other.example/pumps/{mirrored.id})" in who.sees("you may know").words
    form = await prompted[0].presses("Answer", on="you may know")
    await prompted[0].fills(form, answer=ANSWER)
    for chat, card in (("fake", asked), ("other", mirrored)):
        (shown,) = bridge.said(chat, ANSWER)
        assert shown.thread == card.id
    await bridge.there("mod").presses("This answers it", on=ANSWER)
    for chat in bridge.chats:
        assert "Accepted answer" in bridge.said(chat, ANSWER)[0].words


async def test_one_person_on_both_sides(bridge: Bridge) -> None:
    """Eva is asked once, where the question was; what she writes on the other side is her answer, and what an asker
    writes there is the asker's."""
    _asked, mirrored = await bridge.asks()
    prompts = [m for chat in bridge.chats.values() for m in chat.visible("eva") if "you may know" in m.words]
    await bridge.there("eva").says(ANSWER, to="pumps", thread=mirrored.id)
    bridge.here("ben").sees("Eva Lind answers")
    assert len(prompts) == 1
    assert "Thank you. Your answer is in the thread" in prompts[0].words

    eva = bridge.here("eva")
    await eva.says("Which grease withstands the heat in the dryer of hall two?")
    await eva.presses("Ask under my name")
    there = bridge.there("dev").sees("hall two", to="pumps")
    await bridge.there("eva").says("It runs at two hundred degrees.", to="pumps", thread=there.id)
    assert "Eva Lind adds" in bridge.here("ben").sees("two hundred degrees").words
    for actor, site in ((eva, "chat"), (bridge.there("eva"), "other")):
        await actor.commands("mine")
        assert f"https://{site}.example/pumps/" in actor.sees("hall two", to="dm-eva").words


async def test_a_prompt_stays_where_it_was_sent(bridge: Bridge) -> None:
    """Chiara gets an account here, too: her card there is brought up to date, and no other one comes."""
    await bridge.asks()
    chiara, card = bridge.there("chiara"), bridge.there("chiara").sees("you may know")
    bridge.chats["fake"].add_person("chiara", "Chiara Rossi")
    await bridge.here("chiara").says("Good morning, everybody.", to="pumps")
    form = await chiara.presses("Answer", on="you may know")
    await chiara.fills(form, answer=ANSWER)
    assert "Thank you. Your answer is in the thread" in card.words
    bridge.here("chiara").sees_nothing_of("Thank you. Your answer")


async def test_what_an_asker_adds_and_misses_stands_on_both_sides(bridge: Bridge) -> None:
    asked, mirrored = await bridge.asks()
    ana = bridge.here("ana")
    await bridge.there("dev").says(ANSWER, to="pumps", thread=mirrored.id)
    form = await ana.presses("Something is missing")
    await ana.fills(form, missing="And what does it do to the seals?")
    for chat, card in (("fake", asked), ("other", mirrored)):
        (missing,) = bridge.said(chat, "still needs to know")
        assert missing.thread == card.id
    added = await ana.says("The pump stands outside, by the way.", to="pumps", thread=asked.id)
    shown = bridge.there("dev").sees("Ana Duarte adds")
    assert shown.thread == mirrored.id
    await ana.edits(added, "The pump stands inside, by the way.")
    assert "inside" in shown.words
    await ana.deletes(added)
    assert shown.deleted
    assert bridge.said("fake", "Ana Duarte adds") == []


async def test_edits_and_deletions_follow(bridge: Bridge) -> None:
    """From the side where they were written to the other, and into the entry."""
    asked, mirrored = await bridge.asks()
    ben, dev = bridge.here("ben"), bridge.there("dev")
    first = await ben.says(ANSWER, to="pumps", thread=asked.id)
    second = await dev.says(OTHER, to="pumps", thread=mirrored.id)
    there, here = dev.sees("Ben Okafor answers"), ben.sees("Dev Patel answers")
    await bridge.here("ana").presses("This answers it", on="Dev Patel answered")
    await dev.edits(second, OTHER + " Then the valve.")
    assert "Then the valve" in here.words
    await ben.edits(first, ANSWER + " And the strainer.")
    assert "And the strainer" in there.words
    await dev.deletes(second)
    assert here.deleted
    await ben.deletes(first)
    assert there.deleted
    async with bridge.bot.store.reading() as tx:
        assert [entry.state for entry in await tx.all(select(Entry))] == ["retired"]
    for card in (asked, mirrored):
        assert "Open: reply in the thread" in card.words


async def test_a_copy_that_somebody_removes_takes_nothing_back(bridge: Bridge) -> None:
    """What its author wrote still stands where they wrote it."""
    asked, _ = await bridge.asks()
    await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    await bridge.there("mod").deletes(bridge.there("mod").sees("Ben Okafor answers"))
    assert "Answered, not accepted yet" in asked.words
    await bridge.here("ana").presses("This answers it", on="Ben Okafor answered")
    assert "✓ Answered by Ben Okafor" in asked.words


async def test_me_too_counts_on_both_sides(bridge: Bridge) -> None:
    cards = await bridge.asks()
    await bridge.there("dev").presses("Me too")
    await bridge.here("ben").reacts("raising_hand", cards[0])
    for card in cards:
        assert "2 more have the same question" in card.words
    await bridge.there("chiara").says(ANSWER, to="pumps", thread=cards[1].id)
    await bridge.here("ana").presses("This answers it", on="Chiara Rossi answered")
    for who, card, site in ((bridge.here("ben"), cards[0], "chat"), (bridge.there("dev"), cards[1], "other")):
        (link,) = [b.url for b in who.sees("A question you follow was answered").buttons]
        assert link == f"https://{site}.example/pumps/{card.id}"


async def test_an_answer_is_kept_once_wherever_one_points_at_it(bridge: Bridge) -> None:
    asked, _ = await bridge.asks()
    said = await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    copy = bridge.there("dev").sees("Ben Okafor answers")
    await bridge.there("mod").reacts("pushpin", copy)
    form = await bridge.here("mod").points("save", said)
    assert form is None  # kept already
    async with bridge.bot.store.reading() as tx:
        (entry,) = await tx.all(select(Entry))
    assert entry.link == f"https://chat.example/pumps/{said.id}"
    await bridge.here("ben").deletes(said)
    async with bridge.bot.store.reading() as tx:
        assert [entry.state for entry in await tx.all(select(Entry))] == ["retired"]


async def test_an_anonymous_asker_is_named_on_neither_side(bridge: Bridge) -> None:
    asked, mirrored = await bridge.asks("Ask anonymously")
    for card in (asked, mirrored):
        assert "A colleague asks" in card.words
    await bridge.here("ana").says("The pump stands outside, by the way.", to="pumps", thread=asked.id)
    [passed_on] = bridge.said("other", "outside")  # with her name, as she wrote it: like anybody who answers
    assert passed_on.words.startswith("Ana Duarte answers")
    assert not any("Ana" in posted.words for posted in bridge.said("other", "asks"))


async def test_once_in_each_workspace(bridge: Bridge) -> None:
    """People see all public channels of their workspace: a second channel there would say it to them twice. A board is
    no channel at all."""
    for chat in bridge.chats.values():
        chat.add_channel("pumps-too")

    async def more(tx: Transaction) -> None:
        community = await tx.first(select(Community))
        for chat in bridge.chats.values():
            (await communities.learn(tx, chat.channels["pumps-too"], ())).community_id = community.id
        await tx.add(
            Channel(platform="other", workspace=BOARDS, channel="wall", private=False, community_id=community.id)
        )

    await bridge.bot.store.run(more)
    await bridge.asks()
    for chat in bridge.chats.values():
        assert [m.channel for m in chat.posted if "gravel" in m.words and not m.channel.startswith("dm-")] == ["pumps"]
    async with bridge.bot.store.reading() as tx:
        assert [mirror.channel for mirror in await tx.all(select(Mirror))] == ["pumps"]
        assert (await tx.first(select(Question))).channel == "pumps"
