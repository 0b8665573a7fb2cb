"""People and channels change on their platform: what they may see changes with them, at once or in the next round."""

from __future__ import annotations

from dataclasses import replace

from bot import experts
from bot.acquaintance import EVERYBODY
from bot.ports import PersonChanged, PersonRef, PlaceChanged, Profile
from tests.scenarios.conftest import World

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: open the suction valve fully, and check the NPSH margin."


async def an_entry(world: World) -> None:
    """Ana asks in #pumps, Ben answers, Ana accepts."""
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    await ana.presses("This answers it")


async def finds_it(world: World, person: str) -> bool:
    """Whether this person finds the entry."""
    actor = world.be(person)
    await actor.commands("know", QUESTION)
    return "cavitation" in actor.sees("found ").words


async def place_changed(world: World, channel: str, by: str = "mod") -> None:
    """The platform says that something about the channel has changed."""
    await world.be(by)._do(PlaceChanged(**world.be(by)._event(world.chat.place_of(channel))))


async def person_changed(world: World, person: str) -> None:
    """The platform says that something about this person has changed."""
    await world.be(person)._do(PersonChanged(**world.be(person)._event(world.chat.place_of(""))))


async def test_a_channel_made_private_takes_its_knowledge_along(world: World) -> None:
    """Who is not in it finds nothing of it from then on; its members find it still."""
    await an_entry(world)
    assert await finds_it(world, "out")
    world.chat.add_channel("pumps", private=True, members=("ana", "ben"))
    await place_changed(world, "pumps")
    assert not await finds_it(world, "out")
    assert await finds_it(world, "ana")
    await world.be("out").commands("community")
    world.be("out").sees_nothing_of("Bearings, seals")


async def test_a_private_channel_made_public_keeps_what_its_members_wrote(world: World) -> None:
    """It was written for them."""
    world.chat.add_channel("pumps", private=True, members=("ana", "ben", "mod"))
    await place_changed(world, "pumps")
    await an_entry(world)
    world.chat.add_channel("pumps", members=("ana", "ben", "mod"))
    await place_changed(world, "pumps")
    assert not await finds_it(world, "out")
    assert await finds_it(world, "ana")


async def test_without_an_event_the_next_round_sees_it(world: World) -> None:
    """Platforms lose events, and the bot may have been down."""
    await an_entry(world)
    world.chat.add_channel("pumps", private=True, members=("ana", "ben"))
    world.chat.people["chiara"] = replace(world.chat.people["chiara"], guest=True)
    world.clock.forward(hours=25)
    await world.bot.store.run(lambda tx: tx.later("round", EVERYBODY))
    await world.bot.worker.settle()
    assert not await finds_it(world, "out")
    assert not await finds_it(world, "chiara")
    assert await finds_it(world, "ana")


async def test_a_member_nobody_knew_sees_the_channel_once_introduced(world: World) -> None:
    """They were in the private channel before they ever spoke to the bot."""
    world.chat.add_channel("pumps", private=True, members=("ana", "ben", "new"))
    await place_changed(world, "pumps")
    await an_entry(world)
    world.chat.add_person("new", "Nora New")
    world.chat.add_person("other", "Oda Other")
    assert await finds_it(world, "new")
    assert not await finds_it(world, "other")


async def test_a_person_made_a_guest_sees_only_their_channels(world: World) -> None:
    """At once; and is an insider again when the platform says so."""
    await an_entry(world)
    world.chat.people["chiara"] = replace(world.chat.people["chiara"], guest=True)
    await person_changed(world, "chiara")
    assert not await finds_it(world, "chiara")
    world.chat.people["chiara"] = replace(world.chat.people["chiara"], guest=False)
    await person_changed(world, "chiara")
    assert await finds_it(world, "chiara")


async def test_who_has_left_is_not_asked(world: World) -> None:
    """Their account was switched off; the next best is asked."""
    world.chat.people["ben"] = replace(world.chat.people["ben"], active=False)
    await person_changed(world, "ben")
    await world.be("ana").says(QUESTION)
    assert "Ben Okafor" not in world.be("ana").sees("I would post it").words
    assert "Chiara Rossi" in world.be("ana").sees("I would post it").words


async def test_a_channel_that_is_gone_is_offered_to_nobody(world: World) -> None:
    """The question goes to another community, which still has a channel."""
    del world.chat.channels["pumps"]
    await place_changed(world, "pumps")
    await world.be("ana").says(QUESTION)
    assert "Pumps" not in world.be("ana").sees("I would post it").words


async def test_the_embedded_chat_hears_who_has_left(world: World) -> None:
    """It knows people from the other platforms alone: nobody stays signed in there."""
    profile = Profile(ref=PersonRef("web", "local", "p1"), name="Ben Okafor", email="ben@acme.example")
    await world.bot.web.add_people([(profile, "")])
    await world.bot.store.run(lambda tx: experts.introduce(tx, profile))
    world.chat.people["ben"] = replace(world.chat.people["ben"], active=False)
    await person_changed(world, "ben")
    await world.bot.store.run(lambda tx: tx.later("round", EVERYBODY))
    await world.bot.worker.settle()
    assert not (await world.bot.web.profile(profile.ref)).active
