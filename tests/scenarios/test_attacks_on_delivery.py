"""What a platform takes without saying so, or refuses, while who may see it changes: nobody is shown it, or left."""

from __future__ import annotations

from bot.ports import DeliveryError, Message, Place
from tests.scenarios.chat import Posted
from tests.scenarios.conftest import World
from tests.scenarios.test_attacks_by_waiting import hours_later, opened
from tests.scenarios.test_attacks_on_places import ask_in_people


def standing(world: World, channel: str, words: str) -> list[Posted]:
    """What stands in a channel with these words."""
    here = (posted for posted in world.chat.posted if posted.channel == channel and not posted.deleted)
    return [posted for posted in here if words in posted.words]


async def test_posted_without_the_bot_hearing_of_it(world: World) -> None:
    """The channel is opened before the bot looks again: the question is taken away, and stands there once when Ana
    has agreed."""
    send = world.chat.send

    async def taken(place: Place, message: Message, *, delivery_id: str) -> str:
        message_id = await send(place, message, delivery_id=delivery_id)
        if place.channel == "people":
            raise DeliveryError("the answer was lost", retry_after=60)
        return message_id

    world.chat.send = taken  # type: ignore[method-assign]
    ana, out = world.be("ana"), world.be("out")
    await ask_in_people(world)
    assert standing(world, "people", "salary band")
    world.chat.send = send  # type: ignore[method-assign]
    await opened(world, "people")
    await hours_later(world)
    out.sees_nothing_of("salary band")
    assert "has changed since" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    assert len(standing(world, "people", "salary band")) == 1
