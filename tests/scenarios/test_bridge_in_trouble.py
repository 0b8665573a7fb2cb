"""One community on two platforms, when a side is down, repeats itself, is closed, or is killed half-way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.models import Answer, Mirror, Work
from bot.ports import DeliveryError, Edited, Heard, Message, Place
from tests.scenarios.bridge import OTHER, Bridge, two_platforms
from tests.scenarios.test_one_question import ANSWER, QUESTION


@pytest.fixture
async def bridge(tmp_path: Path, database: str) -> AsyncIterator[Bridge]:
    async with two_platforms(tmp_path, database) as made:
        yield made


# --- no loop, no double post ------------------------------------------------------------------------------------------


async def test_the_bots_own_words_are_no_answer(bridge: Bridge) -> None:
    """A platform gives back what the bot posted, as if somebody had said it."""
    asked, _ = await bridge.asks()
    await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    before = [len(chat.posted) for chat in bridge.chats.values()]
    for name, chat in bridge.chats.items():
        for posted in [m for m in chat.posted if m.author == "bot" and m.channel == "pumps"]:
            await bridge.bot.dispatcher.handle(
                Heard(id=f"e{next(chat._ids)}", actor=chat.ref("mod"), place=chat.place_of("pumps", posted.thread),
                      at=bridge.clock.now(), message_id=posted.id, text=f"{name} says once more: {posted.words}")
            )  # fmt: skip
    await bridge.bot.worker.settle()
    assert [len(chat.posted) for chat in bridge.chats.values()] == before
    async with bridge.bot.store.reading() as tx:
        assert len(await tx.all(select(Answer))) == 1


async def test_lost_answers_of_a_platform_bring_nothing_twice(bridge: Bridge) -> None:
    """Each message was taken, and its sender killed before that was on record: it is looked for, and found."""
    for chat in bridge.chats.values():
        chat.late_faults = [DeliveryError("lost", retry_after=1) for _ in range(3)]
    ana = bridge.here("ana")
    await ana.says(QUESTION)
    await bridge.later(minutes=1)
    await ana.presses("Ask under my name")
    await bridge.later(minutes=1)
    asked, mirrored = bridge.cards()
    for chat in bridge.chats.values():
        chat.late_faults = [DeliveryError("lost", retry_after=1) for _ in range(3)]
    await bridge.there("dev").says(ANSWER, to="pumps", thread=mirrored.id)
    await bridge.here("ben").says(OTHER, to="pumps", thread=asked.id)
    await bridge.later(minutes=1)
    for words in ("gravel", ANSWER, OTHER):
        assert [len(bridge.said(chat, words)) for chat in bridge.chats] == [1, 1]


async def test_a_reply_may_be_faster_than_the_record_of_its_thread(bridge: Bridge) -> None:
    """Dev answers while the platform has not yet said that it took the card."""
    there = bridge.chats["other"]

    async def replies() -> None:
        card = next(m for m in there.posted if m.channel == "pumps")
        posted = there.put("pumps", card.id, "dev", ANSWER)
        place = there.place_of("pumps", card.id)
        heard = Heard(id="early", actor=there.ref("dev"), place=place, at=bridge.clock.now(), message_id=posted.id,
                      text=ANSWER)  # fmt: skip
        await bridge.bot.dispatcher.handle(heard)

    send = there.send

    async def first_in_channel(place: Place, message: Message, *, delivery_id: str) -> str:
        if place.channel == "pumps":
            there.send = send  # type: ignore[method-assign]
            there.while_sending = replies
        return await send(place, message, delivery_id=delivery_id)

    there.send = first_in_channel  # type: ignore[method-assign]
    await bridge.asks()
    await bridge.later(seconds=5)
    assert len(bridge.said("fake", "Dev Patel answers")) == 1


async def test_one_side_is_down_for_an_hour(bridge: Bridge) -> None:
    """The other is not held up; what was said meanwhile follows as it is by then, once, in order."""
    there = bridge.chats["other"]
    send = there.send

    async def down(place: Place, message: Message, *, delivery_id: str) -> str:
        raise DeliveryError("down", retry_after=300)

    there.send = down  # type: ignore[method-assign]
    ana, ben = bridge.here("ana"), bridge.here("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    asked = ben.sees("gravel", to="pumps")
    assert "Also in" not in asked.words  # it is not there yet
    first = await ben.says(ANSWER, to="pumps", thread=asked.id)
    gone = await bridge.here("eva").says("It is surely the motor, I think.", to="pumps", thread=asked.id)
    form = await ana.presses("Something is missing", on="Ben Okafor answered")
    await ana.fills(form, missing="And what does it do to the seals?")
    await ben.edits(first, ANSWER + " And the strainer.")
    await bridge.here("eva").deletes(gone)
    await bridge.later(minutes=20)
    there.send = send  # type: ignore[method-assign]
    await bridge.later(minutes=10)
    card, *thread = bridge.said("other")
    assert "Also in #pumps on Fake" in card.words
    assert "Also in #pumps on Other" in asked.words
    assert [m.thread for m in thread] == [card.id, card.id]
    assert "And the strainer" in thread[0].words
    assert "still needs to know" in thread[1].words
    bridge.there("chiara").sees("you may know")


async def test_what_waits_for_a_thread_does_not_overwrite_what_came_after_it(bridge: Bridge) -> None:
    """An answer is changed when the thread is on record already, and what waited for it has not gone yet."""
    there, worker = bridge.chats["other"], bridge.bot.worker
    there.faults = [DeliveryError("down", retry_after=60) for _ in range(20)]
    ben = bridge.here("ben")
    await bridge.here("ana").says(QUESTION)
    await bridge.here("ana").presses("Ask under my name")
    said = await ben.says(ANSWER, to="pumps", thread=ben.sees("gravel", to="pumps").id)
    there.faults.clear()
    bridge.clock.forward(minutes=20)
    await worker.settle(["deliver"])
    changed = Edited(id="changed", actor=ben.ref, place=ben.chat.place_of("pumps", said.thread), at=bridge.clock.now(),
                     message_id=said.id, text=ANSWER + " And the strainer.")  # fmt: skip
    await bridge.bot.dispatcher.handle(changed)
    assert len(bridge.said("other")) == 1  # the card, and nothing below it yet
    await worker.settle()
    assert "And the strainer" in bridge.said("other", "Ben Okafor answers")[0].words


async def test_a_channel_the_bot_was_removed_from_holds_nobody_up(bridge: Bridge) -> None:
    """Neither a mirror nor the home itself: people on the other side go on."""
    _asked, mirrored = await bridge.asks()
    await bridge.there("dev").says(ANSWER, to="pumps", thread=mirrored.id)
    here = bridge.chats["fake"]
    here.channels["pumps"] = replace(here.channels["pumps"], archived=True)
    await bridge.changed("fake")
    await bridge.there("chiara").says(OTHER, to="pumps", thread=mirrored.id)
    told = bridge.here("ana").sees("Chiara Rossi answered your question")
    assert f"https://other.example/pumps/{mirrored.id}" in [button.url for button in told.buttons]
    await bridge.here("ana").presses("This answers it", on="Chiara Rossi answered")
    assert "✓ Answered by Chiara Rossi" in mirrored.words
    assert bridge.said("fake", OTHER) == []
    async with bridge.bot.store.reading() as tx:
        assert await tx.all(select(Work).where(Work.failed)) == []


# --- who may read it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["fake", "other"])
async def test_a_channel_made_private_is_cut_off(bridge: Bridge, closed: str) -> None:
    """What is there stays; nothing goes in or out any more, and who writes learns it. What is removed is removed."""
    asked, mirrored = await bridge.asks()
    before = await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    await bridge.closes(closed)
    assert "Ben Okafor answers" in bridge.there("dev").sees(ANSWER).words
    await bridge.here("ben").says("Here is something else that I know.", to="pumps", thread=asked.id)
    assert bridge.said("other", "something else") == []
    await bridge.there("dev").says("There is more that I could tell.", to="pumps", thread=mirrored.id)
    assert bridge.said("fake", "could tell") == []
    bridge.there("dev").sees("I pass nothing on between them")
    await bridge.here("ben").edits(before, ANSWER + " Changed behind closed doors.")
    assert bridge.said("other", "closed doors") == []
    await bridge.here("ben").deletes(before)
    assert bridge.said("other", ANSWER) == []


@pytest.mark.parametrize("closed", ["fake", "other"])
async def test_what_waits_while_a_channel_is_made_private_stays(bridge: Bridge, closed: str) -> None:
    """Also a change to what was sent before."""
    asked, _ = await bridge.asks()
    said = await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    there = bridge.chats["other"]
    there.faults = [DeliveryError("down", retry_after=60) for _ in range(20)]
    await bridge.here("ben").edits(said, ANSWER + " Strictly between us.")
    await bridge.here("eva").says("I have heard of that, too.", to="pumps", thread=asked.id)
    await bridge.closes(closed)
    there.faults.clear()
    await bridge.later(hours=1)
    assert bridge.said("other", "Strictly between us") == []
    assert bridge.said("other", "heard of that") == []


async def test_a_card_that_waits_while_its_channel_is_made_private_is_given_up(bridge: Bridge) -> None:
    there = bridge.chats["other"]
    there.faults = [DeliveryError("down", retry_after=60) for _ in range(20)]
    await bridge.here("ana").says(QUESTION)
    await bridge.here("ana").presses("Ask under my name")
    asked = bridge.here("ben").sees("gravel", to="pumps")
    await bridge.here("ben").says(ANSWER, to="pumps", thread=asked.id)
    await bridge.closes("other")
    there.faults.clear()
    await bridge.later(hours=1)
    assert bridge.said("other") == []
    async with bridge.bot.store.reading() as tx:
        assert await tx.all(select(Mirror)) == []
        assert await tx.all(select(Work).where(Work.kind == "carry")) == []


@pytest.mark.parametrize("closed", ["fake", "other"])
@pytest.mark.parametrize("how", ["private", "outsiders"])
async def test_only_what_everybody_reads_is_mirrored(bridge: Bridge, closed: str, how: str) -> None:
    """Neither from nor into a private channel, or one that another organisation reads."""
    if how == "private":
        await bridge.closes(closed)
    else:
        chat = bridge.chats[closed]
        chat.channels["pumps"] = replace(chat.channels["pumps"], outsiders=True)
        await bridge.changed(closed)
    await bridge.here("ana").says(QUESTION)
    assert "on Other, too" not in bridge.here("ana").sees("I would post it").words
    await bridge.here("ana").presses("Ask under my name")
    assert len(bridge.said("fake", "gravel")) == 1
    assert bridge.said("other") == []
