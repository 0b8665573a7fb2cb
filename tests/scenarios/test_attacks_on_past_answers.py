"""Past answers that are closed or taken back while the bot finds, shows or shares them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import knowledge
from bot.models import Community, Entry, Question
from bot.replies import Past
from expertise_index import Match
from tests.scenarios.conftest import World
from tests.scenarios.test_acquaintance import an_entry, place_changed
from tests.scenarios.test_attacks_by_waiting import closes, community_of, hours_later, outage, presses, told
from tests.scenarios.test_listening import KNOWN, known
from tests.scenarios.test_one_question import QUESTION
from tests.scenarios.test_saving import TIP, save


@pytest.mark.parametrize("rule", ["publish", "review"])
async def test_past_answer_waits_while_it_is_taken_back(world: World, rule: str) -> None:
    """Removed by its author, or to be reviewed once more: nobody would find it by then, so nobody is shown it."""
    async with world.bot.store.transaction() as tx:
        (await tx.first(select(Community).where(Community.slug == "pumps"))).rule = rule
    ana, eva = world.be("ana"), world.be("eva")
    tip = await eva.says(TIP, to="pumps")
    await save(world, "mod", tip, title=QUESTION)
    if rule == "review":
        await world.be("mod").presses("Publish")
    over = []

    async def breaks_off() -> None:
        over.append(outage(world, person="ana"))

    world.chat.while_sending = breaks_off  # when she has seen that the bot has her question
    await ana.says(QUESTION)
    assert TIP not in await told(world, "ana")
    if rule == "review":
        await eva.edits(tip, "I was wrong about that: ask Ben before you do anything.")
    else:
        await eva.deletes(tip)
    over.pop()()
    await hours_later(world)
    assert TIP not in await told(world, "ana")
    ana.sees("I would post it")


async def test_share_waits_while_its_asker_asks_without_a_name(world: World) -> None:
    """What they shared is forgotten then; that it was not posted, they hear all the same."""
    await an_entry(world)
    eva = world.be("eva")
    await eva.says(QUESTION)
    over = outage(world, channel="pumps")
    await eva.presses("Share in #pumps")
    await eva.presses("Ask the experts")
    form = await eva.presses("Change …")
    assert form is not None
    await eva.fills(form, community=community_of(form, "Cloud"))
    await eva.presses("Ask anonymously")
    world.chat.channels["pumps"] = replace(world.chat.channels["pumps"], outsiders=True)
    await place_changed(world, "pumps")
    over()
    await hours_later(world)
    assert "useful" not in "".join(posted.words for posted in world.chat.posted if posted.channel == "pumps")
    eva.sees("I could not share that past answer")


async def test_what_was_overheard_waits_while_its_answer_is_closed(world: World) -> None:
    """Eva has not turned to the bot: she hears nothing."""
    await known(world)
    eva = world.be("eva")
    over, before = outage(world, person="eva"), await told(world, "eva")
    await eva.says(KNOWN, to="pumps")
    await closes(world, "pumps", ("ana", "mod"))
    over()
    await hours_later(world)
    assert await told(world, "eva") == before


@pytest.mark.parametrize("overheard", [True, False])
async def test_an_answer_is_taken_back_while_it_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, overheard: bool
) -> None:
    """Between the search and the card. Who asked gets to the experts; who did not, hears nothing."""
    await known(world)
    eva, find = world.be("eva"), knowledge.find

    async def found_and_taken_back(*args: Any, **more: Any) -> list[tuple[Past, Match]]:
        found = await find(*args, **more)
        async with world.bot.store.transaction() as tx:
            for past, _ in found:
                await knowledge.retire(
                    tx, await tx.get(Entry, past.entry_id), by=None, reason="its message was removed"
                )
        return found

    before = await told(world, "eva")
    monkeypatch.setattr(knowledge, "find", found_and_taken_back)
    await eva.says(KNOWN, to="pumps", bot=not overheard)
    await hours_later(world)
    assert ("I would post it" in await told(world, "eva")) is not overheard
    assert (await told(world, "eva") == before) is overheard
    async with world.bot.store.reading() as tx:
        kept = select(func.count()).select_from(Question).where(Question.text == KNOWN, Question.overheard)
        assert await tx.first(kept) == 0


async def test_an_old_button_shares_and_changes_no_newer_card(world: World) -> None:
    """The question is solved by one past answer; another is shared by its button of before."""
    for text in (TIP, f"{TIP} Listen to it, too."):
        await save(world, "mod", await world.be("eva").says(text, to="pumps"), title=f"{QUESTION} {len(text)}")
    ana = world.be("ana")
    await ana.says(QUESTION)
    shares = [button.value for button in ana.sees("answered before").buttons if button.action == "share"]
    await ana.presses("This solved it")
    await presses(ana, "share", shares[1], 1)
    assert "Solved" in ana.sees(QUESTION, to="dm-ana").words
    ana.sees("found this past answer useful", to="pumps")


async def test_what_belongs_to_no_community_is_shared_nowhere(world: World) -> None:
    """Not in a channel where no community lives, either; in the one it was asked in, it is."""
    await save(world, "mod", await world.be("eva").says(TIP, to="pumps"), title=QUESTION)
    world.chat.add_channel("bees", members=("ana",))
    ana = world.be("ana")
    await ana.commands("community", to="bees")
    async with world.bot.store.transaction() as tx:
        (await tx.first(select(Entry))).community_id = None  # as after an import
    await ana.says(QUESTION)
    assert "Share" not in ana.sees("answered before").words
    await ana.says(QUESTION, to="pumps", bot=True)
    assert "Share in #pumps" in ana.sees("answered before").words
