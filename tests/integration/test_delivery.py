"""Outgoing messages when the platform is in trouble: in the end each is there exactly once, in its last version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import func, select

from bot.delivery import Deliverer, Worker, backlog
from bot.migrations import migrate
from bot.models import Card, Work
from bot.ports import Capabilities, DeliveryError, Message, PersonRef, Place, Text
from bot.seal import Seal
from bot.store import Store, Transaction, open_engine
from tests.scenarios.chat import FakeChat, MovableClock, Posted


def words(text: str) -> Message:
    """A message of a few words."""
    return Message(text, (Text(text),))


@dataclass
class Desk:
    """A store, a platform, and the worker between them."""

    store: Store
    chat: FakeChat
    clock: MovableClock
    worker: Worker
    sent: list[str]

    async def show(self, key: str, text: str, *, to: Place | PersonRef | None = None) -> None:
        """Show a card in the channel, or elsewhere."""
        place = to or self.chat.place_of("pumps")
        await self.store.run(lambda tx: tx.show(key, words(text), to=place))

    async def settle(self) -> None:
        """Let everything be done, however long the pauses in between are."""
        for _ in range(20):
            await self.worker.settle()
            async with self.store.reading() as tx:
                waits = select(func.min(Work.due_at)).where(Work.failed.is_(False), Work.due_at > tx.now)
                due = await tx.first(waits)
            if due is None:
                return
            self.clock.time = due
        raise AssertionError("the work does not end")

    @property
    def seen(self) -> list[Posted]:
        """What is on the platform."""
        return [posted for posted in self.chat.posted if not posted.deleted]


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    """A desk with one channel and one person."""
    await asyncio.to_thread(migrate, database)
    chat, clock = FakeChat(), MovableClock()
    chat.add_person("ana", "Ana Duarte")
    chat.add_channel("pumps", members=("ana",))
    store = Store(open_engine(database), clock, Seal("a secret"))
    yield desk_on(store, chat, clock)
    await store.close()


def desk_on(store: Store, chat: FakeChat, clock: MovableClock, *, name: str = "w") -> Desk:
    """A desk on a store and a platform."""
    sent: list[str] = []

    async def when_sent(_tx: Transaction, card: Card, _place: Place, _message_id: str) -> None:
        sent.append(card.key)

    deliverer = Deliverer(store, {"fake": chat}, when_sent={"card": when_sent})
    return Desk(store, chat, clock, Worker(store, {"deliver": deliverer.deliver}, name=name), sent)


async def test_the_platform_asks_to_wait(desk: Desk) -> None:
    """The wait it asked for is kept, and the message comes once."""
    desk.chat.faults = [DeliveryError("too many requests", retry_after=30)]
    await desk.show("card:1", "hello")
    await desk.worker.settle()
    assert desk.seen == []
    desk.clock.forward(seconds=29)
    await desk.worker.settle()
    assert desk.seen == []
    desk.clock.forward(seconds=10)
    await desk.worker.settle()
    assert [posted.words for posted in desk.seen] == ["hello"]
    assert desk.sent == ["card:1"]


async def test_the_platform_refuses_for_good(desk: Desk) -> None:
    """A refused message is set aside where an administrator sees it, and holds up no other."""
    desk.chat.faults = [DeliveryError("the channel is archived")]
    await desk.show("card:1", "hello")
    await desk.show("card:2", "world")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["world"]
    assert (await backlog(desk.store))["given_up"] == 1


async def test_an_error_before_the_platform_took_it(desk: Desk) -> None:
    """It is looked for, not found, and sent."""
    desk.chat.faults = [RuntimeError("connection refused")]
    await desk.show("card:1", "hello")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["hello"]
    assert desk.sent == ["card:1"]


async def test_an_error_after_the_platform_took_it(desk: Desk) -> None:
    """It is looked for, found, and not sent again; what follows on its being sent happens once."""
    desk.chat.late_faults = [RuntimeError("connection lost")]
    await desk.show("card:1", "hello")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["hello"]
    assert desk.sent == ["card:1"]


async def test_changed_while_its_fate_is_unknown(desk: Desk) -> None:
    """The message that arrived is brought up to date, not sent beside a second one."""
    desk.chat.late_faults = [RuntimeError("connection lost")]
    await desk.show("card:1", "first words")
    await desk.worker.settle()
    await desk.show("card:1", "last words")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["last words"]


async def test_changed_while_it_is_being_sent(desk: Desk) -> None:
    """The change made meanwhile follows at once."""
    desk.chat.while_sending = lambda: desk.show("card:1", "last words")
    await desk.show("card:1", "first words")
    await desk.worker.settle()
    assert [posted.words for posted in desk.seen] == ["last words"]
    assert desk.seen[0].versions == 2


async def test_changed_while_an_update_is_refused(desk: Desk) -> None:
    """An update that failed is made up for."""
    await desk.show("card:1", "first words")
    await desk.worker.settle()
    desk.chat.faults = [DeliveryError("busy", retry_after=3), RuntimeError("connection lost")]
    await desk.show("card:1", "second words")
    await desk.worker.settle()
    await desk.show("card:1", "last words")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["last words"]


async def test_withdrawn_before_it_was_sent(desk: Desk) -> None:
    """It is never seen."""
    await desk.show("card:1", "hello")
    await desk.store.run(lambda tx: tx.withdraw("card:1"))
    await desk.settle()
    assert desk.chat.posted == []
    assert desk.sent == []


async def test_withdrawn_while_it_is_being_sent(desk: Desk) -> None:
    """It goes away again at once."""
    desk.chat.while_sending = lambda: desk.store.run(lambda tx: tx.withdraw("card:1"))
    await desk.show("card:1", "hello")
    await desk.settle()
    assert desk.seen == []


async def test_withdrawn_while_its_fate_is_unknown(desk: Desk) -> None:
    """It is looked for and taken away; nothing follows on its having been sent."""
    desk.chat.late_faults = [RuntimeError("connection lost")]
    await desk.show("card:1", "hello")
    await desk.worker.settle()
    await desk.store.run(lambda tx: tx.withdraw("card:1"))
    await desk.settle()
    assert desk.seen == []
    assert len(desk.chat.posted) == 1
    assert desk.sent == []


async def test_shown_again_after_it_was_withdrawn(desk: Desk) -> None:
    """A card that was taken away and is wanted again is there again."""
    await desk.show("card:1", "hello")
    await desk.settle()
    await desk.store.run(lambda tx: tx.withdraw("card:1"))
    await desk.settle()
    await desk.show("card:1", "hello again")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["hello again"]


async def test_every_kind_of_trouble_and_many_messages(desk: Desk) -> None:
    """In the end every message is there exactly once, in the order of each channel."""
    desk.chat.add_channel("valves")
    desk.chat.faults = [DeliveryError("wait", retry_after=2), RuntimeError("down")] * 3
    desk.chat.late_faults = [RuntimeError("lost")] * 4
    for number in range(12):
        await desk.show(f"card:{number}", f"message {number}", to=desk.chat.place_of(("pumps", "valves")[number % 2]))
    await desk.settle()
    for channel, first in (("pumps", 0), ("valves", 1)):
        here = [posted.words for posted in desk.seen if posted.channel == channel]
        assert here == [f"message {number}" for number in range(first, 12, 2)]
    assert sorted(desk.sent) == sorted(f"card:{number}" for number in range(12))


async def test_two_replicas_post_every_message_once(desk: Desk, database: str) -> None:
    """Both take from the same pile."""
    other_store = Store(open_engine(database), desk.clock, desk.store.seal)
    other = desk_on(other_store, desk.chat, desk.clock, name="other")
    for number in range(20):
        await desk.show(f"card:{number}", f"message {number}")
    async with desk.store.reading() as tx:
        assert await tx.first(select(func.count()).select_from(Work)) == 20
    while (await backlog(desk.store))["waiting"]:
        await asyncio.gather(desk.worker.settle(), other.worker.settle())
    await other_store.close()
    assert [posted.words for posted in desk.seen] == [f"message {number}" for number in range(20)]


async def test_the_platforms_pace_is_kept(desk: Desk) -> None:
    """One message a second to one channel, if that is what the platform asks for; other channels do not wait."""
    desk.chat.capabilities = Capabilities(private_in_channel=True, seconds_between_posts=1)
    for number in range(3):
        await desk.show(f"card:{number}", f"message {number}")
    await desk.show("card:dm", "hello Ana", to=desk.chat.ref("ana"))
    await desk.worker.settle()
    assert sorted(posted.words for posted in desk.seen) == ["hello Ana", "message 0"]
    for expected in (2, 3):
        desk.clock.forward(seconds=1)
        await desk.worker.settle()
        assert len([posted for posted in desk.seen if posted.channel == "pumps"]) == expected
    assert [posted.words for posted in desk.seen if posted.channel == "pumps"] == [f"message {n}" for n in range(3)]


async def test_private_words_where_a_channel_cannot_whisper(desk: Desk) -> None:
    """They go into the direct conversation, and are found and changed there."""
    desk.chat.capabilities = Capabilities(private_in_channel=False)
    desk.chat.late_faults = [RuntimeError("connection lost")]

    async def show(text: str) -> None:
        place, ana = desk.chat.place_of("pumps"), desk.chat.ref("ana")
        await desk.store.run(lambda tx: tx.show("card:1", words(text), to=place, whisper=ana))

    await show("for Ana only")
    await desk.settle()
    assert [(posted.channel, posted.words) for posted in desk.seen] == [("dm-ana", "for Ana only")]
    await show("changed for Ana")
    await desk.settle()
    assert [(posted.channel, posted.words) for posted in desk.seen] == [("dm-ana", "changed for Ana")]
    async with desk.store.reading() as tx:
        card = await tx.card_at(desk.chat.place_of("dm-ana"), desk.seen[0].id)
    assert card is not None


async def test_what_makes_sense_in_the_channel_only(desk: Desk) -> None:
    """Where nothing can be private there, it is not said at all."""
    place, ana = desk.chat.place_of("pumps"), PersonRef("fake", "acme", "ana")
    for private in (True, False):
        desk.chat.capabilities = Capabilities(private_in_channel=private)
        key = f"card:{private}"
        await desk.store.run(lambda tx: tx.show(key, words(key), to=place, whisper=ana, or_nowhere=True))  # noqa: B023
        await desk.settle()
    assert [(posted.words, posted.channel) for posted in desk.seen] == [("card:True", "pumps")]


async def test_a_platform_that_is_not_configured_any_more(desk: Desk) -> None:
    """Its messages are set aside and hold up nobody."""
    await desk.show("card:1", "hello", to=Place("gone", "acme", "pumps"))
    await desk.show("card:2", "world")
    await desk.settle()
    assert [posted.words for posted in desk.seen] == ["world"]
    assert (await backlog(desk.store))["given_up"] == 1
