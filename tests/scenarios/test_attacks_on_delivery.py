"""What a platform takes without saying so, or refuses, while who may see it changes: nobody is shown it, or left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.ports import DeliveryError, Message, Place
from tests.scenarios.chat import Posted
from tests.scenarios.conftest import World
from tests.scenarios.test_acquaintance import place_changed
from tests.scenarios.test_attacks_by_waiting import hours_later, opened, outage
from tests.scenarios.test_attacks_on_places import ask_in_people
from tests.scenarios.test_one_question import ANSWER, QUESTION


def standing(world: World, channel: str, words: str) -> list[Posted]:
    """What stands in a channel with these words."""
    here = (posted for posted in world.chat.posted if posted.channel == channel and not posted.deleted)
    return [posted for posted in here if words in posted.words]


def takes_without_saying_so(world: World, channel: str) -> Callable[[], None]:
    """The platform posts in this channel, and its answer is lost, until what is returned is called."""
    send = world.chat.send

    async def taken(place: Place, message: Message, *, delivery_id: str) -> str:
        message_id = await send(place, message, delivery_id=delivery_id)
        if place.channel == channel:
            raise DeliveryError("the answer was lost", retry_after=60)
        return message_id

    def over() -> None:
        world.chat.send = send  # type: ignore[method-assign]

    world.chat.send = taken  # type: ignore[method-assign]
    return over


async def test_posted_without_the_bot_hearing_of_it(world: World) -> None:
    """The channel is opened before the bot looks again: the question is taken away, and stands there once when Ana
    has agreed."""
    ana, out, over = world.be("ana"), world.be("out"), takes_without_saying_so(world, "people")
    await ask_in_people(world)
    assert standing(world, "people", "salary band")
    over()
    await opened(world, "people")
    await hours_later(world)
    out.sees_nothing_of("salary band")
    assert "has changed since" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    assert len(standing(world, "people", "salary band")) == 1


async def test_the_channel_is_archived_while_the_question_waits(world: World) -> None:
    """Another community is found."""
    over, ana = outage(world, channel="pumps"), world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    world.chat.channels["pumps"] = replace(world.chat.channels["pumps"], archived=True)
    await place_changed(world, "pumps")
    over()
    await hours_later(world)
    assert not standing(world, "pumps", "Ana Duarte asks")
    assert "#cloud" in ana.sees("I would post it").words


def refuses(world: World, channel: str) -> Callable[[], None]:
    """The platform takes nothing for this channel or direct conversation, until what is returned is called."""
    send = world.chat.send

    async def refuse(place: Place, message: Message, *, delivery_id: str) -> str:
        if place.channel == channel:
            raise DeliveryError("not_in_channel")
        return await send(place, message, delivery_id=delivery_id)

    def over() -> None:
        world.chat.send = send  # type: ignore[method-assign]

    world.chat.send = refuse  # type: ignore[method-assign]
    return over


async def test_the_channel_refuses_the_question(world: World) -> None:
    """Ana is told, and asks again when the bot has been invited: it stands there once, also after a restart."""
    over, ana = refuses(world, "pumps"), world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    assert "does not take my messages" in ana.sees("I would post it").words
    over()
    await ana.presses("Ask under my name")
    ana.sees("Posted in #pumps")
    await world.bot.worker.start()
    await world.bot.worker.stop()
    await hours_later(world)
    assert len(standing(world, "pumps", "Ana Duarte asks")) == 1


async def test_nobody_can_be_reached_who_was_to_be_asked(world: World) -> None:
    """Ben has blocked the bot: the next best is asked for him."""
    refuses(world, "dm-ben")
    ana = world.be("ana")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    for who in ("chiara", "dev", "eva"):
        world.be(who).sees("you may know")


async def test_words_for_the_members_wait_while_their_channel_is_opened(world: World) -> None:
    """Eva's answer and what Ana still misses are not posted for everybody: both get their words back, and Ana the
    answer."""
    await ask_in_people(world)
    ana, eva, over = world.be("ana"), world.be("eva"), outage(world, channel="people")
    await eva.says("Thirty days are given, as I know.", thread=eva.sees("you may know").id)
    await ana.fills(await ana.presses("Something is missing"), missing="And for those above the band?")
    await opened(world, "people")
    over()
    await hours_later(world)
    assert "Thirty days" in ana.sees("Eva Lind answered your question").words
    assert "Thirty days" in eva.sees("I have not posted this in the thread").words
    assert "above the band" in ana.sees("I have not posted this in the thread").words
    for words in ("Thirty days", "above the band"):
        assert not standing(world, "people", words)


async def test_where_outsiders_read_answers_come_if_their_asker_agreed(world: World) -> None:
    """Ana has seen that they do."""
    world.chat.channels["pumps"] = replace(world.chat.channels["pumps"], outsiders=True)
    await place_changed(world, "pumps")
    ana, ben = world.be("ana"), world.be("ben")
    await ana.says(QUESTION)
    assert "other organisations" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    await ben.says(ANSWER, thread=ben.sees("you may know").id)
    assert standing(world, "pumps", ANSWER)


async def test_an_answer_before_the_question_is_on_record(world: World) -> None:
    """It would stand in the channel instead of the thread: who is so quick is asked to try again."""
    ana, out = world.be("ana"), world.be("out")
    over = takes_without_saying_so(world, "pumps")
    await ana.says(QUESTION)
    await ana.presses("Ask under my name")
    assert await out.presses("Answer", on="Ana Duarte asks") is None
    out.sees("on its way into its channel")
    over()
    await hours_later(world)
    await out.fills(await out.presses("Answer", on="Ana Duarte asks"), answer=ANSWER)
    [asked], [answer] = standing(world, "pumps", "Ana Duarte asks"), standing(world, "pumps", "Otto Outside answers")
    assert answer.thread == asked.id
