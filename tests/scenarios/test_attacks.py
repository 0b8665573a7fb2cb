"""What a hostile or unlucky person might try, and does not get."""

from __future__ import annotations

from sqlalchemy import select

from bot.models import Card, Entry, Person, Skill
from tests.scenarios.chat import Posted
from tests.scenarios.conftest import World
from tests.scenarios.test_one_question import ANSWER, QUESTION


async def test_cards_to_one_person_cannot_be_told_to_belong_together(world: World) -> None:
    """Or the prompts of an anonymous asker, which name them, would tell whose question the other card is about."""
    ana, ben = world.be("ana"), world.be("ben")
    await ben.says("Which seal do I take for hot water?")
    await ben.presses("Ask anonymously")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    ben.sees("you may know")
    async with world.bot.store.reading() as tx:
        cards = await tx.all(select(Card))
    assert len({card.sent_as for card in cards}) == len(cards)
    shown = {posted.id for posted in world.chat.posted} | {posted.delivery_id for posted in world.chat.posted}
    assert not shown & {value for card in cards for value in (card.id, card.sent_as, card.sealed_message_id)}


async def test_an_anonymous_asker_who_writes_in_the_thread_is_not_connected_with_it(world: World) -> None:
    """Their reply and their emoji stand there under their name; the bot does not say that they asked."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask anonymously")
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    thread = ben.sees("A colleague asks", to="pumps").id
    await ana.says("How far may the valve be closed at most?", to="pumps", thread=thread)
    await ana.reacts("white_check_mark", ana.sees("Ben Okafor answers"))
    assert not any("wrote back" in posted.words for posted in world.chat.visible("ben"))
    assert "Answered, not accepted yet" in ben.sees("A colleague asks", to="pumps").words
    ana.sees("You asked without your name")


async def test_who_left_a_private_channel_is_told_nothing_of_it(world: World) -> None:
    """Neither as an expert who was planned, nor as a follower, nor as the asker."""
    ana, eva, mod = world.be("ana"), world.be("eva"), world.be("mod")
    await ana.says("How many days of leave does a salary band give?")
    form = await ana.presses("Change …")
    assert form is not None
    choice = next(item for item in form.inputs if item.name == "community")
    people = next(option.value for option in choice.options if option.label == "People practice")
    await ana.fills(form, community=people, experts=(), also=("eva",))
    await eva.leaves("people")
    await ana.presses("Ask under my name")
    eva.sees_nothing_of("salary band")
    mod.sees("you may know")  # somebody is asked in their place

    await mod.presses("Me too", on="salary band")
    await mod.leaves("people")
    await ana.says("thanks", to="people", thread=ana.sees("Ana Duarte asks", to="people").id)
    assert "Thirty" not in "".join(posted.words for posted in world.chat.visible("mod"))


async def test_nobody_is_promised_who_cannot_be_reached(world: World) -> None:
    """A colleague known only from an import has no account to be asked by."""
    async with world.bot.store.transaction() as tx:
        ida = await tx.add(Person(name="Imported Ida", email="ida@acme.example"))
        for topic in ("pump noise", "suction valve", "noise like gravel"):
            tx.session.add(Skill(person_id=ida.id, topic=topic, source="imported"))
        await tx.later("index", f"people:{ida.id}-{ida.id}")
    await world.bot.worker.settle()
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    ana.sees_nothing_of("Imported Ida")


async def test_an_answer_taken_back_cannot_be_published(world: World) -> None:
    """The moderator's card says so, and its button is gone."""
    ana, ben, mod = world.be("ana"), world.be("ben"), world.be("mod")
    reply = await _draft(world)
    await ben.deletes(reply)
    assert "Taken back" in mod.sees("restart the deployment", to="dm-mod").words
    assert await _states(world) == ["retired"]
    ana.sees("taken back by its author")


async def test_editing_after_review_asks_for_review_again(world: World) -> None:
    """What was reviewed is what is published."""
    ben, mod = world.be("ben"), world.be("mod")
    reply = await _draft(world)
    await mod.presses("Publish")
    world.clock.forward(minutes=5)
    await ben.edits(reply, "Buy my course on kubernetes, it answers everything.")
    assert await _states(world) == ["draft"]
    assert "[Publish]" in mod.sees("Buy my course", to="dm-mod").words


async def _draft(world: World) -> Posted:
    """An accepted answer in the community whose entries are drafts until reviewed; its message in the thread."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says("How do I restart the deployment of a container in kubernetes?")
    await ana.presses("Ask under my name")
    thread = ana.sees("Ana Duarte asks", to="cloud").id
    reply = await ben.says("kubectl rollout restart deployment NAME does it.", to="cloud", thread=thread)
    await ana.presses("This answers it", on="answered your question")
    return reply


async def _states(world: World) -> list[str]:
    async with world.bot.store.reading() as tx:
        return [entry.state for entry in await tx.all(select(Entry))]


async def test_a_long_answer_can_be_read_to_its_end(world: World) -> None:
    """In the thread and by the asker: no platform's limit cuts what an expert wrote."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    form = await ben.presses("Answer", on="you may know")
    await ben.fills(form, answer="It is cavitation. " * 500 + "That is the end.")
    assert "That is the end." in world.be("eva").sees("Ben Okafor answers").words
    assert "That is the end." in ana.sees("Ben Okafor answered your question").words
