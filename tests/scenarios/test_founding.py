"""A community begins in a channel: founded by a member, given another channel, changed by its moderators."""

from __future__ import annotations

import pytest

from bot.ports import Commanded, Form, FormError
from tests.scenarios.chat import Actor
from tests.scenarios.conftest import World


async def opens(actor: Actor, channel: str, text: str = "found") -> Form | None:
    """The form that the command opens in a channel."""
    event = actor._event(actor.chat.place_of(channel))
    await actor._do(Commanded(**event, name="community", text=text, trigger=event["id"]))
    return actor.chat.forms.pop(event["id"], None)


async def test_from_a_channel_to_a_community_that_gets_questions(world: World) -> None:
    """Its founder says what it is about, and the next question of that kind is brought there."""
    world.chat.add_channel("bees", members=("ana", "ben"))
    ana = world.be("ana")
    await ana.commands("community", to="bees")
    form = await ana.presses("Found a community in this channel")
    with pytest.raises(FormError) as caught:
        await ana.fills(form, name="Pumps", domain="bees", rule="odd")
    assert set(caught.value.errors) == {"name", "domain", "rule"}
    await ana.fills(form, name="Beekeeping", domain="Bees, swarms, honey, hives, varroa mites")
    assert "Beekeeping lives in this channel now" in world.be("ben").sees(to="bees").words
    await world.be("ben").says("Why do my bees swarm in a cold hive?")
    assert "#bees" in world.be("ben").sees("I would post it").words


async def test_only_its_moderators_change_it(world: World) -> None:
    """Others are told whom to turn to."""
    assert await opens(world.be("ana"), "pumps", "change") is None
    world.be("ana").sees("Its moderators can change it")
    form = await opens(world.be("mod"), "pumps", "change")
    await world.be("mod").fills(form, name="Pumps and valves")
    await world.be("ana").commands("community")
    world.be("ana").sees("Pumps and valves")


async def test_a_community_gets_a_second_channel(world: World) -> None:
    """Its moderator brings it there."""
    world.chat.add_channel("pumps-north", members=("mod",))
    form = await opens(world.be("mod"), "pumps-north")
    assert form is not None
    choice = next(item for item in form.inputs if item.name == "community")
    pumps = next(option.value for option in choice.options if option.label == "Pumps")
    await world.be("mod").fills(form, community=pumps)
    assert "Pumps lives in this channel now" in world.be("mod").sees(to="pumps-north").words


async def test_not_in_private_and_not_by_guests(world: World) -> None:
    """A community lives in a channel of the organisation."""
    assert await opens(world.be("ana"), "dm-ana") is None
    world.be("ana").sees("A community lives in a channel")
    world.chat.add_person("gus", "Gus Guest", guest=True)
    world.chat.add_channel("bees", members=("ana", "gus"))
    assert await opens(world.be("gus"), "bees") is None
    world.be("gus").sees("Only members of the organisation")
