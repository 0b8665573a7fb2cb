"""Who asked without a name: what others see of them, and what the database keeps, is as with anybody else."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.models import (
    Answer,
    Base,
    Card,
    Community,
    Endorsement,
    EntryVersion,
    Membership,
    Prompt,
    Question,
)
from tests.scenarios.chat import Posted
from tests.scenarios.conftest import PEOPLE, World
from tests.scenarios.test_attacks_by_waiting import a_secret
from tests.scenarios.test_one_question import ANSWER, QUESTION


async def asked_anonymously(world: World, who: str = "ana") -> Posted:
    """The question's message in its channel."""
    await world.be(who).says(QUESTION)
    await world.be(who).presses("Ask anonymously")
    return world.be("out").sees("A colleague asks", to="pumps")


@pytest.mark.parametrize("who", ["ana", "mod"])
async def test_a_reply_and_an_emoji_count_as_anybodys(world: World, who: str) -> None:
    """Ana asked, Maud did not: the card counts them alike."""
    asked, out = await asked_anonymously(world), world.be("out")
    await world.be(who).reacts("raising_hand", asked)
    assert "1 more has the same question" in out.sees("A colleague asks", to="pumps").words
    await world.be(who).says("Has somebody opened the valve fully?", to="pumps", thread=asked.id)
    assert "Answered, not accepted yet" in out.sees("A colleague asks", to="pumps").words


async def test_pointing_at_a_message_does_not_tell_whose_question_it_is(world: World) -> None:
    """ "This answers it", of a few words of hers and of his, is refused in the same words."""
    asked, out = await asked_anonymously(world), world.be("out")
    said = []
    for who in ("ana", "dev"):
        await out.points("accept", await world.be(who).says("port 8080", to="pumps", thread=asked.id))
        said.append(out.chat.visible("out")[-1].words)
    assert said[0] == said[1]


async def test_a_moderators_emoji_accepts_as_any_moderators(world: World) -> None:
    """Also of a question that they asked themselves, without a name."""
    async with world.bot.store.transaction() as tx:
        community = await tx.first(select(Community).where(Community.slug == "pumps"))
        ana = await tx.person_of(world.be("ana").ref)
        assert ana is not None
        tx.session.add(Membership(community_id=community.id, person_id=ana.id, role="moderator"))
    asked = await asked_anonymously(world)
    reply = await world.be("ben").says(ANSWER, to="pumps", thread=asked.id)
    await world.be("ana").reacts("white_check_mark", reply)
    assert "Answered by Ben Okafor" in world.be("out").sees("A colleague asks", to="pumps").words


async def test_who_follows_their_own_question_is_told_like_the_others(world: World) -> None:
    asked = await asked_anonymously(world)
    for who in ("ana", "dev"):
        await world.be(who).presses("Me too", on="A colleague asks")
    await world.be("ben").says(ANSWER, to="pumps", thread=asked.id)
    await world.be("mod").reacts("white_check_mark", world.be("mod").sees(ANSWER, to="pumps"))
    for who in ("ana", "dev"):
        world.be(who).sees("A question you follow was answered")


async def test_accepting_ones_own_answer_looks_like_any_acceptance(world: World) -> None:
    """Only who asks accepts an answer of their own: no card may be missing then."""
    await asked_anonymously(world)
    ana = world.be("ana")
    await ana.fills(await ana.presses("Answer", on="A colleague asks"), answer=ANSWER)
    await ana.presses("This answers it")
    async with world.bot.store.reading() as tx:
        accepted = await tx.first(select(Answer).where(Answer.accepted_at.is_not(None)))
        assert await tx.first(select(Card).where(Card.key == f"accepted:{accepted.id}")) is not None


@pytest.mark.parametrize("community", ["Pumps", "People practice"])
async def test_reasons_are_forgotten_that_only_some_may_know(world: World, community: str) -> None:
    """An entry of #people spoke for #pumps, or for Eva: whoever has the database would know that a member asked."""

    async def quoted() -> list[object]:
        async with world.bot.store.reading() as tx:
            question = await tx.first(select(Question).order_by(Question.id.desc()))
            kept = [question.community_why, *(planned["because"] for planned in question.plan)]
            kept += [prompt.because for prompt in await tx.all(select(Prompt))]
        return [item for because in kept for item in because if "entry" in item]

    await a_secret(world, community)
    ana = world.be("ana")
    await ana.says("Is the suction valve with pump noise and gravel why somebody was dismissed?")
    await ana.presses("Ask the experts")
    form = await ana.presses("Change …")
    assert form is not None
    chosen = next(one.value for item in form.inputs for one in item.options if one.label == "Pumps")
    await ana.fills(form, community=chosen)
    assert await quoted()
    await ana.presses("Ask anonymously")
    world.be("eva").sees("you may know")
    assert not await quoted()


async def test_when_they_accept_is_not_kept(world: World) -> None:
    """By the hour, in no table more exactly; nor when a past answer helped somebody."""
    asked, ana = await asked_anonymously(world), world.be("ana")
    for who in ("ben", "chiara"):
        await world.be(who).says(f"{ANSWER} Says {who}.", to="pumps", thread=asked.id)
    world.clock.forward(minutes=17, seconds=5)
    for who in ("Ben", "Chiara"):
        await ana.presses("This answers it", on=f"{PEOPLE[who.lower()][0]} answered your question")
    await world.be("dev").says(QUESTION)
    await world.be("dev").presses("This solved it")
    async with world.bot.store.reading() as tx:
        for table in Base.__subclasses__():
            for row in await tx.all(select(table)):
                exact = [column.key for column in table.__table__.columns if getattr(row, column.key) == tx.now]
                assert not exact, (table.__tablename__, exact)
        assert len(await tx.all(select(EntryVersion))) == len(await tx.all(select(Endorsement))) == 1


async def test_the_card_of_their_own_answer_looks_like_the_others(world: World) -> None:
    """It goes to nobody, and its row does not say so."""
    await asked_anonymously(world)
    for who in ("ben", "ana"):
        form = await world.be(who).presses("Answer", on="A colleague asks")
        await world.be(who).fills(form, answer=f"{ANSWER} Says {who}.")
    await world.be("ana").presses("This answers it", on="Says ana")  # which changes it
    async with world.bot.store.reading() as tx:
        told: list[Card] = [card for card in await tx.all(select(Card)) if card.key.startswith("told:")]
    assert len(told) == 2
    assert {(card.attempted, card.version == card.sent_version) for card in told} == {(True, True)}
    assert {len(card.sent_as or "") for card in told} == {40}
    assert len({len(card.sealed_message_id or "") for card in told}) == 1
    assert not [posted for posted in world.chat.visible("ana") if "Ana Duarte answered your" in posted.words]
