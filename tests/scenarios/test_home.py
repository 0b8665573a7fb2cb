"""The home view and the expertise profile: one's own things, kept up to date and never told to anybody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.models import Person, Skill, Work
from bot.ports import Capabilities, FormError
from tests.scenarios.chat import Actor
from tests.scenarios.conftest import World
from tests.scenarios.test_one_question import ANSWER, QUESTION


async def later(world: World) -> None:
    """A few seconds pass, and what is due is done."""
    world.clock.forward(seconds=5)
    await world.bot.worker.settle()


async def test_the_home_view_says_where_things_stand(world: World) -> None:
    """Nothing yet; then a question of one's own, a prompt for the expert, and how both change."""
    ana, ben = world.be("ana"), world.be("ben")
    empty = (await ana.opens_home()).words
    for words in ("Nothing waits for you", "None that you asked", "No topics yet", "all staff may see"):
        assert words in empty
    assert "#people" in empty  # the private channel she is in
    assert "#people" not in (await ben.opens_home()).words

    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    assert "Nothing waits for you" in ben.home.words  # it changes a few seconds later, once for many changes
    await later(world)
    assert QUESTION in ana.home.words
    assert "waiting for an answer" in ana.home.words
    assert QUESTION in ben.home.words

    form = await ben.presses_at_home("Answer")
    await ben.fills(form, answer=ANSWER)
    await later(world)
    assert "answered: have a look" in ana.home.words
    assert "Nothing waits for you" in ben.home.words


async def test_pass_and_not_now_on_the_home_view(world: World) -> None:
    """The same buttons as on the card, without a channel around them."""
    ana = world.be("ana")
    for key in ("ben", "chiara", "dev", "eva"):
        await world.be(key).opens_home()
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await later(world)
    asked = [key for key in ("ben", "chiara", "dev", "eva") if QUESTION in world.be(key).home.words]
    await world.be(asked[0]).presses_at_home("Pass")
    await world.be(asked[1]).presses_at_home("Not now")
    await later(world)
    assert "Nothing waits for you" in world.be(asked[0]).home.words
    world.be(asked[0]).sees("No hard feelings")
    assert "Nothing waits for you" in world.be(asked[1]).home.words
    world.be(asked[1]).sees("next working morning")


async def test_who_never_opened_it_has_none(world: World) -> None:
    """And nothing is made for them."""
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await later(world)
    assert world.chat.homes == {}


async def test_many_changes_are_one_update_and_name_nobody(world: World) -> None:
    """However much happens meanwhile; and the work waiting for it does not say whose it is."""
    ana = world.be("ana")
    await ana.opens_home()
    await ana.says(QUESTION)
    await ana.presses("Change …")
    await ana.presses("Ask under my name")
    async with world.bot.store.reading() as tx:
        rows = await tx.all(select(Work).where(Work.kind == "home"))
        person = await tx.person_of(ana.ref)
    assert len(rows) == 1
    assert person is not None
    assert rows[0].subject not in ("ana", str(person.id))
    assert "ana" not in rows[0].subject.split("/")


async def test_leaving_a_private_channel_changes_what_stands_there(world: World) -> None:
    """At once, for questions and prompts, too."""
    ana, eva = world.be("ana"), world.be("eva")
    await eva.opens_home()
    text = "How many days of leave does a salary band give?"
    await ana.says(text)
    form = await ana.presses("Change …")
    assert form is not None
    choice = next(item for item in form.inputs if item.name == "community")
    people = next(option.value for option in choice.options if option.label == "People practice")
    await ana.fills(form, community=people, experts=(), also=("eva",))
    await ana.presses("Ask under my name")
    await later(world)
    assert text in eva.home.words
    await eva.leaves("people")
    await later(world)
    assert text not in eva.home.words
    assert "#people" not in eva.home.words


async def test_a_guest_may_search_only_their_channels(world: World) -> None:
    """And is told which."""
    world.chat.add_person("guest", "Gus Guest", guest=True)
    world.chat.inside["people"].add("guest")
    guest = Actor(world.chat, world.bot, "guest")
    assert "you are in no channel I know" in (await guest.opens_home()).words
    await guest.joins("people")
    await later(world)
    assert "What was said in #people, where you are." in guest.home.words
    assert "all staff" not in guest.home.words


async def test_without_a_home_view_it_is_a_message(world: World) -> None:
    """Where the platform has no such page."""
    world.chat.capabilities = replace(world.chat.capabilities, home=False)
    assert world.chat.capabilities == Capabilities(private_in_channel=True)
    ana = world.be("ana")
    await ana._do(_opened(ana))
    ana.sees("you have asked nothing under your name yet")
    assert world.chat.homes == {}


def _opened(actor: Actor) -> object:
    from bot.ports import Opened

    return Opened(**actor._event(actor.chat.place_of("")))


# --- the profile ----------------------------------------------------------------------------------------------------


async def skills(world: World, key: str) -> dict[str, str]:
    """Topics and where they come from."""
    async with world.bot.store.reading() as tx:
        person = await tx.person_of(world.chat.ref(key))
        assert person is not None
        return {row.topic: row.source for row in await tx.all(select(Skill).where(Skill.person_id == person.id))}


async def test_a_profile_is_edited_in_place(world: World) -> None:
    """What stands in the form is what is known from then on; experts are found by it."""
    ana, ben = world.be("ana"), world.be("ben")
    async with world.bot.store.transaction() as tx:
        person = await tx.person_of(ben.ref)
        assert person is not None
        tx.session.add(Skill(person_id=person.id, topic="welding", source="imported"))
        tx.session.add(Skill(person_id=person.id, topic="riveting", source="imported"))
        tx.session.add(Skill(person_id=person.id, topic="bearings", source="inferred"))
    await ben.opens_home()
    form = await ben.presses_at_home("Edit my profile")
    assert form is not None
    assert str(form.inputs[0].initial).splitlines() == [
        "noise like gravel", "pump noise", "suction valve", "riveting", "welding"
    ]  # fmt: skip
    await ben.fills(form, topics="- Cheese making\nwelding, pump noise;  PUMP NOISE\n\n, ")
    assert "3 topics" in ben.sees("Saved").words
    assert await skills(world, "ben") == {
        "Cheese making": "declared", "welding": "declared", "pump noise": "declared", "bearings": "inferred"
    }  # fmt: skip
    await later(world)
    assert "You say: Cheese making, pump noise, welding" in ben.home.words
    assert "From your answers: bearings" in ben.home.words
    await ana.commands("experts", "cheese making")
    assert "Ben Okafor" in ana.sees("Who knows about").words


async def test_the_command_shows_the_profile_or_opens_it(world: World) -> None:
    """With its button, where a command cannot open a form."""
    ben = world.be("ben")
    await ben.commands("profile")
    assert "pump noise" in ben.sees("My expertise").words
    form = await ben.presses("Edit my profile")
    assert form is not None
    assert form == await ben.commands("profile", form=True)
    await ben.fills(form, topics="")
    ben.sees("Saved: no topics")
    assert await skills(world, "ben") == {}
    await world.be("ana").commands("experts", "pump noise")
    assert "Ben Okafor" not in world.be("ana").sees("Who knows about").words


async def test_who_is_away_is_not_asked(world: World) -> None:
    """Until they are back; a time without a zone is their own."""
    ana, ben = world.be("ana"), world.be("ben")
    form = await ben.commands("profile", form=True)
    await ben.fills(form, away="2026-03-05T09:00+00:00")
    ben.sees("I ask you nothing before 5 Mar 2026, 09:00")
    again = await ben.commands("profile", form=True)
    assert again is not None
    assert again.inputs[1].initial == "2026-03-05T09:00+00:00"
    await ana.says(QUESTION)
    assert "Ben Okafor" not in ana.sees("I would post it").words
    await ben.fills(again, away="")
    await ana.says(QUESTION)
    assert "Ben Okafor" in ana.sees("I would post it").words


async def test_who_must_not_be_disturbed_is_not_asked(world: World) -> None:
    """As their status on the platform says."""
    ana = world.be("ana")
    async with world.bot.store.transaction() as tx:
        person = await tx.person_of(world.chat.ref("ben"))
        assert person is not None
        (await tx.get(Person, person.id)).quiet_until = world.clock.now().replace(hour=23)
    await ana.says(QUESTION)
    assert "Ben Okafor" not in ana.sees("I would post it").words


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("topics", "x" * 101, "is too long"),
        ("topics", ", ".join(f"topic {number}" for number in range(51)), "These are 51 topics; I can take 50"),
        ("away", "2026-03-01T09:00+00:00", "passed already"),
        ("away", "soon", "cannot read that"),
        ("away", "9999-12-31T23:59:59-23:59", "cannot read that"),
    ],
)
async def test_what_a_profile_does_not_take(world: World, name: str, typed: str, sentence: str) -> None:
    """Is said at its input; nothing is changed."""
    ben = world.be("ben")
    before = await skills(world, "ben")
    form = await ben.commands("profile", form=True)
    with pytest.raises(FormError) as caught:
        await ben.fills(form, **{name: typed})
    assert sentence in caught.value.errors[name]
    assert await skills(world, "ben") == before
