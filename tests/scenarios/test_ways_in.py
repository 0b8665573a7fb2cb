"""Other ways to ask than writing to the bot: a form, and somebody's message; and saying that a message answers it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from bot.models import Entry, Question
from bot.ports import FormError, Pointed
from tests.scenarios.conftest import World
from tests.scenarios.test_bad_input import questions_kept
from tests.scenarios.test_one_question import ANSWER, QUESTION


async def test_a_command_without_words_opens_a_form(world: World) -> None:
    """The question and, if one likes, more detail; both are asked."""
    ana = world.be("ana")
    form = await ana.commands("ask", form=True)
    assert form is not None
    await ana.fills(form, text=QUESTION, detail="It began after the strainer was cleaned.")
    assert await questions_kept(world) == [f"{QUESTION}\n\nIt began after the strainer was cleaned."]
    ana.sees("I would post it")
    await ana.fills(await ana.commands("ask", form=True), text="Which seal do I take for hot water?")
    assert "Which seal do I take for hot water?" in await questions_kept(world)


@pytest.mark.parametrize("typed", ["", " \0 ", "👍", "x" * 12_001])
async def test_a_form_without_a_question_stays_open(world: World, typed: str) -> None:
    """With the reason at its input."""
    ana = world.be("ana")
    with pytest.raises(FormError) as caught:
        await ana.fills(await ana.commands("ask", form=True), text=typed)
    assert set(caught.value.errors) == {"text"}
    assert await questions_kept(world) == []


async def test_commands_without_words_say_how(world: World) -> None:
    """Where no form can open, or none is needed."""
    ana = world.be("ana")
    await ana.commands("ask")
    ana.sees("Ask me anything")
    await ana.commands("know")
    ana.sees("for instance: /know pump cavitation")
    await ana.commands("experts", "  ", form=True)
    ana.sees("for instance: /experts pump cavitation")


async def test_somebodys_message_is_brought_to_the_experts(world: World) -> None:
    """Its words stand in the form, which says whose they are; the question is of who points."""
    ana, ben = world.be("ana"), world.be("ben")
    posted = await ben.says(QUESTION, to="pumps")
    form = await ana.points("ask", posted)
    assert form is not None
    assert form.inputs[0].initial == QUESTION
    assert "Ben Okafor's words" in form.intro
    assert "nothing is posted before" in form.intro
    await ana.fills(form, text="Why does pump 7 make a noise like gravel?")
    await ana.presses("Ask under my name")
    world.be("eva").sees("Ana Duarte asks", to="pumps")
    assert not any("asks in" in message.words and "gravel" in message.words for message in world.chat.visible("ana"))

    own = await ben.points("ask", posted)
    assert own is not None
    assert "words" not in own.intro


async def test_without_a_form_the_words_are_asked_as_they_are(world: World) -> None:
    """And one without words is not."""
    ana, ben = world.be("ana"), world.be("ben")
    assert await ana.points("ask", await ben.says(QUESTION, to="pumps"), form=False) is None
    ana.sees("I would post it")
    await ana.points("ask", await ben.says("👍", to="pumps"), form=False)
    ana.sees("I see no words in that")
    assert await questions_kept(world) == [QUESTION]


async def test_this_answers_it_is_said_of_a_message(world: World) -> None:
    """By who asked; a reply too short to be taken for an answer becomes one."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    thread = ana.sees("Ana Duarte asks", to="pumps").id
    reply = await ben.says("Cavitation.", to="pumps", thread=thread)
    await ana.points("accept", reply)
    ana.sees("Accepted. Its author hears of it")
    ben.sees("Your answer was accepted")
    async with world.bot.store.reading() as tx:
        assert (await tx.first(select(Entry))).title == QUESTION
    await ana.points("accept", reply)
    ana.sees("accepted already")


async def test_an_answer_posted_by_the_bot_is_accepted_by_a_moderator(world: World) -> None:
    """It has an author, though the bot posted it."""
    ana, ben, mod = world.be("ana"), world.be("ben"), world.be("mod")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    await mod.points("accept", mod.sees("Ben Okafor answers", to="pumps"))
    mod.sees("Accepted. Its author hears of it")
    ana.sees("Answered in #pumps by Ben Okafor")


async def test_what_cannot_be_accepted_says_why(world: World) -> None:
    """No answer, not theirs, or the asker's own words: a sentence, and nothing changes."""
    ana, ben, eva = world.be("ana"), world.be("ben"), world.be("eva")
    talk = await ben.says("Lunch is at noon today.", to="pumps")
    await ana.points("accept", talk)
    ana.sees("no answer to a question I know")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    thread = ben.sees("Ana Duarte asks", to="pumps").id
    reply = await ben.says("Cavitation.", to="pumps", thread=thread)
    await eva.points("accept", reply)
    eva.sees("Only the person who asked, or a moderator")
    own = await ana.says("It is pump 7 in the north hall.", to="pumps", thread=thread)
    await world.be("mod").points("accept", own)
    world.be("mod").sees("no answer to a question I know")
    async with world.bot.store.reading() as tx:
        assert await tx.first(select(func.count()).select_from(Entry)) == 0
        assert [row.state for row in await tx.all(select(Question))] == ["routed"]


async def test_an_action_of_an_older_version(world: World) -> None:
    """Says that it is."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.points("praise", await ben.says("Well done everybody.", to="pumps"))
    ana.sees("older version")


async def test_one_s_own_message_was_read_under_one_s_name(world: World) -> None:
    """Brought to the experts, it cannot be asked anonymously any more, and the preview says why."""
    ben = world.be("ben")
    form = await ben.points("ask", await ben.says(QUESTION, to="pumps"))
    await ben.fills(form)
    card = ben.sees("I would post it").words
    assert "Others have read it under your name already" in card
    assert "anonymously" not in card


async def test_nobody_names_everybody(world: World) -> None:
    """Five people at most, however often the preview is changed; those unticked again do not count."""
    for number in range(7):
        world.chat.add_person(f"p{number}", f"Person {number}")
        world.chat.inside["pumps"].add(f"p{number}")
        await world.be(f"p{number}").commands("mine")
    ana = world.be("ana")
    await ana.says("What is a good name for a boat?")
    await ana.fills(await ana.presses("Change …"), also=("p0", "p1", "p2", "p3"))
    form = await ana.presses("Change …")
    picked = next(item.initial for item in form.inputs if item.name == "experts")
    with pytest.raises(FormError, match="5 people at most"):
        await ana.fills(form, experts=picked, also=("p4", "p5"))
    await ana.fills(form, experts=picked[:3], also=("p4", "p5"))
    card = ana.sees("I would post it").words
    assert "Person 5" in card
    assert "Person 3" not in card


async def test_others_may_have_read_ones_own_message_where_the_bot_is_not(world: World) -> None:
    """Pointed at in a channel that nobody has invited it to."""
    ben = world.be("ben")
    now, place = world.clock.now(), world.chat.place_of("elsewhere")
    pointed = Pointed(id="p1", actor=ben.ref, place=place, at=now, action="ask", message_id="m1", text=QUESTION,
                      author=ben.ref, trigger="t1")  # fmt: skip
    await world.bot.dispatcher.handle(pointed)
    await ben.fills(world.chat.forms.pop("t1"))
    assert "Ask anonymously" not in ben.sees("I would post it").words
