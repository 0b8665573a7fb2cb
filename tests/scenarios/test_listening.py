"""Opt-in listening: help for who did not ask for it, in private, only where it is sure, and never unwanted twice."""

from __future__ import annotations

from sqlalchemy import select

from bot.models import Mute, Question, Work
from tests.scenarios.conftest import World
from tests.scenarios.test_one_question import ANSWER, QUESTION

KNOWN = "Why does the pump make a noise like gravel when the suction valve is half closed?"


async def known(world: World) -> None:
    """The question was answered before, and the bot listens in #pumps."""
    ana, ben, mod = world.be("ana"), world.be("ben"), world.be("mod")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    await ana.presses("This answers it", on="answered your question")
    await mod.commands("community", "listen on", to="pumps")


async def kept(world: World) -> list[str]:
    """The texts of questions in the database."""
    async with world.bot.store.reading() as tx:
        return [row.text for row in await tx.all(select(Question).where(Question.overheard))]


async def test_a_moderator_switches_listening_on_and_off(world: World) -> None:
    """In the channel itself; whoever else tries is told who can."""
    mod, ana = world.be("mod"), world.be("ana")
    world.chat.add_channel("lounge", members=("mod",))
    for actor, place, words in (
        (ana, "pumps", "Only a moderator of this channel's community"),
        (mod, None, "in the channel I should listen in"),
        (mod, "lounge", "No community lives in this channel"),
        (mod, "pumps", "I listen here now"),
    ):
        await actor.commands("community", "listen on", to=place)
        actor.sees(words)
    await mod.commands("community", "Listen  OFF", to="pumps")
    mod.sees("I do not listen here any more")
    await mod.commands("community", "listen off", to="pumps")
    mod.sees("Nothing has changed")
    ana.sees_nothing_of("I listen here")


async def test_a_question_said_to_nobody_is_helped_in_private(world: World) -> None:
    """Nobody else sees it; from there it goes on like any other question."""
    eva, ana = world.be("eva"), world.be("ana")
    await known(world)
    before = len(ana.chat.visible("ana"))
    await eva.says(KNOWN, to="pumps")
    offer = eva.sees("This may have been answered before", to="dm-eva")
    assert ANSWER in offer.words
    assert "You wrote this in #pumps" in offer.words
    assert len(ana.chat.visible("ana")) == before + 1  # what Eva wrote, and nothing of the bot
    await eva.presses("Ask the experts")
    await eva.presses("Ask under my name")
    ana.sees("Eva Lind asks", to="pumps")


async def test_nothing_is_kept_where_nothing_is_sure(world: World) -> None:
    """No question, no work, no word."""
    eva = world.be("eva")
    await known(world)
    seen = len(world.chat.visible("eva"))
    said = (
        "Where do I find the salary bands of this year?",
        "Does anybody have a noise meter I could borrow?",
        "I closed the suction valve and the pump made a noise like gravel.",
        "Pump noise?",
        "@ben why does the pump make a noise like gravel when the suction valve is half closed?",
    )
    for text in said:
        await eva.says(text, to="pumps")
    assert len(world.chat.visible("eva")) == seen + len(said)
    assert await kept(world) == []
    async with world.bot.store.reading() as tx:
        assert await tx.all(select(Work).where(Work.kind == "overhear")) == []


async def test_it_does_not_listen_elsewhere(world: World) -> None:
    """Neither where it was not asked to, nor in threads, nor after it was told to stop."""
    eva, mod = world.be("eva"), world.be("mod")
    await known(world)
    await eva.says(KNOWN, to="cloud")
    talk = await eva.says("Good morning to all of you.", to="pumps")
    await eva.says(KNOWN, to="pumps", thread=talk.id)
    await mod.commands("community", "listen off", to="pumps")
    await eva.says(KNOWN, to="pumps")
    eva.sees_nothing_of("This may have been answered before")
    assert await kept(world) == []


async def test_who_does_not_want_it_is_left_alone(world: World) -> None:
    """In that channel, for good; until they say otherwise on the same card."""
    eva, ana = world.be("eva"), world.be("ana")
    await known(world)
    await eva.says(KNOWN, to="pumps")
    await eva.presses("Don't offer here again")
    eva.sees("I will not offer you anything in #pumps any more")
    await eva.says(KNOWN, to="pumps")
    assert len(await kept(world)) == 1
    await ana.says(KNOWN, to="pumps")  # others still are
    ana.sees("You wrote this in #pumps")
    await eva.presses("Offer again")
    async with world.bot.store.reading() as tx:
        assert await tx.all(select(Mute)) == []
    await eva.says(KNOWN, to="pumps")
    eva.sees("This may have been answered before")
    assert len(await kept(world)) == 3


async def test_only_what_the_writer_may_see_is_offered(world: World) -> None:
    """What was answered in a private channel is no help for who is not in it."""
    ana, eva, mod, ben = world.be("ana"), world.be("eva"), world.be("mod"), world.be("ben")
    text = "How many days of leave does a salary band give in a year?"
    await mod.commands("community", "listen on", to="pumps")
    tip = await eva.says("Thirty days, and five more from band four on.", to="people")
    form = await mod.points("save", tip)
    await mod.fills(form, title=text)
    await ben.says(text, to="pumps")
    ben.sees_nothing_of("Thirty days")
    await ana.says(text, to="pumps")
    assert "Thirty days" in ana.sees("You wrote this in #pumps").words
