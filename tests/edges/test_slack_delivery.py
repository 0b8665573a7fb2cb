"""What the bot says arrives exactly once, whatever happens to the calls: through the real store and worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import Deliverer, Worker
from bot.ports import Button, Buttons, DeliveryError, Message, PersonRef, Place, SystemClock, Text
from bot.seal import Seal
from bot.store import Store
from tests.edges.slack_server import BadJson, Broken, Fails, Hang, Person, RateLimited, Reset
from tests.edges.test_slack_support import SECRET, Desk, desk, words


class Ahead:
    """The real time, and how far a test has gone ahead of it."""

    def __init__(self) -> None:
        self.by = timedelta()

    def now(self) -> Any:
        return SystemClock().now() + self.by


@dataclass
class Sender:
    """The adapter behind the real store and worker."""

    desk: Desk
    store: Store
    worker: Worker
    clock: Ahead
    ana: Person
    water: Any

    async def shows(self, key: str, message: Message, to: Place | PersonRef, whisper: PersonRef | None = None) -> None:
        await self.store.run(lambda tx: tx.show(key, message, to=to, whisper=whisper))

    async def settles(self) -> None:
        """Do what is due, however long it is put off."""
        for _ in range(12):
            await self.worker.settle()
            self.clock.by += timedelta(minutes=20)

    def posted(self, text: str) -> int:
        """How often a person finds this among all messages."""
        everywhere = [
            message for channel in self.desk.acme.team.channels.values() for message in channel.messages.values()
        ]
        return sum(text in (message.text or "") for message in everywhere)


@pytest.fixture
async def sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sender]:
    """A workspace, a person, a channel."""
    monkeypatch.setattr("adapters.slack.calls.TIMEOUT", 0.5)
    async with desk(tmp_path) as here:
        clock = Ahead()
        store = Store(here.engine, clock, Seal(SECRET))
        deliverer = Deliverer(store, {"slack": here.chat})
        worker = Worker(store, {"deliver": deliverer.deliver}, name="w")
        ana = here.acme.person("Ana Lima")
        yield Sender(here, store, worker, clock, ana, here.acme.channel("water", ana))


FAULTS = [
    RateLimited(2), Broken(500), Broken(500, after=True), Broken(503), Hang(3), Hang(3, after=True), Reset(),
    Reset(after=True), BadJson(), Fails("internal_error"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("method", ["chat.postMessage", "conversations.open", "chat.update"])
async def test_exactly_once_whatever_fails(sender: Sender, method: str, fault: Any) -> None:
    """A direct message and its update, with a fault at one of the calls that they take."""
    sender.desk.slack.faults.add(method, fault)
    ref = PersonRef("slack", sender.desk.acme.team.id, sender.ana.id)
    await sender.shows("k", words("first words"), ref)
    await sender.settles()
    await sender.shows("k", words("second words"), ref)
    await sender.settles()
    assert sender.desk.slack.faults.pending == 0
    assert (sender.posted("first words"), sender.posted("second words")) == (0, 1)
    assert sender.desk.slack.violations == []


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if "Fails" not in str(fault)], ids=str)
@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies"])
async def test_looking_for_a_message_may_fail_too(sender: Sender, method: str, fault: Any) -> None:
    """After a post of unknown fate, in the channel or in a thread of it."""
    root = await sender.ana.says("root", sender.water)
    place = sender.desk.at(sender.water, root.ts if method == "conversations.replies" else None)
    sender.desk.slack.faults.add("chat.postMessage", Reset(after=True))
    sender.desk.slack.faults.add(method, fault)
    await sender.shows("k", words("first words"), place)
    await sender.settles()
    assert sender.desk.slack.faults.pending == 0
    assert sender.posted("first words") == 1


async def test_retry_after_is_honoured(sender: Sender) -> None:
    """Slack says how long."""
    sender.desk.slack.faults.add("chat.postMessage", RateLimited(37))
    with pytest.raises(DeliveryError) as caught:
        await sender.desk.chat.send(sender.desk.at(sender.water), words("hello"), delivery_id="d")
    assert caught.value.retry_after == 37


async def test_a_hundred_messages_later_it_is_still_found(sender: Sender) -> None:
    """Beyond the first page."""
    place = sender.desk.at(sender.water)
    ts = await sender.desk.chat.send(place, words("here I am"), delivery_id="d")
    for number in range(450):
        await sender.desk.chat.send(place, words(f"n {number}"), delivery_id=f"n{number}")
    assert await sender.desk.chat.find(place, delivery_id="d") == ts
    assert await sender.desk.chat.find(place, delivery_id="nowhere") is None


async def test_it_is_joined_once_it_is_needed(sender: Sender) -> None:
    """Faults at joining, too."""
    other = sender.desk.acme.channel("other", sender.ana, bot=False)
    sender.desk.slack.faults.add("conversations.join", Reset(after=True))
    await sender.shows("k", words("hello others"), sender.desk.at(other))
    await sender.settles()
    assert sender.posted("hello others") == 1


# --- whispers -------------------------------------------------------------------------------------------------------


async def here_is(sender: Sender) -> PersonRef:
    """Ana has just said something in the channel."""
    await sender.ana.says("I am here", sender.water)
    await sender.desk.settled()
    return PersonRef("slack", sender.desk.acme.team.id, sender.ana.id)


async def test_a_note_is_shown_where_somebody_just_acted(sender: Sender) -> None:
    """Only to them. An update of it later is quietly nothing."""
    ref = await here_is(sender)
    await sender.shows("k", words("a note"), sender.desk.at(sender.water), whisper=ref)
    await sender.settles()
    assert "(only visible to you): a note" in sender.ana.sees(sender.water)
    await sender.shows("k", words("another note"), sender.desk.at(sender.water), whisper=ref)
    await sender.settles()
    assert sender.desk.slack.violations == []


@pytest.mark.parametrize("away", ["has a button", "acted elsewhere", "left the channel", "was long ago"])
async def test_else_it_goes_to_the_direct_conversation(
    sender: Sender, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is sure to be seen, and can be brought up to date."""
    message = words("a note")
    place = sender.desk.at(sender.water)
    if away == "acted elsewhere":
        await sender.ana.dms("hello")
        ref = PersonRef("slack", sender.desk.acme.team.id, sender.ana.id)
    else:
        ref = await here_is(sender)
    if away == "has a button":
        message = Message("a note", (Text("a note"), Buttons((Button("Go", "go", "1"),))))
    if away == "left the channel":
        await sender.ana.leaves(sender.water)
    if away == "was long ago":
        monkeypatch.setattr("adapters.slack.client._HERE_SECONDS", 0.0)
    await sender.shows("k", message, place, whisper=ref)
    await sender.settles()
    assert "a note" in sender.ana.sees(sender.ana.dm)
    assert "a note" not in sender.ana.sees(sender.water)
    await sender.shows("k", words("a newer one"), place, whisper=ref)
    await sender.settles()
    assert (sender.posted("a note"), sender.posted("a newer one")) == (0, 1)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if not getattr(fault, "after", False)], ids=str)
async def test_a_whisper_is_never_lost(sender: Sender, fault: Any) -> None:
    """Of unknown fate, it goes to the direct conversation."""
    ref = await here_is(sender)
    sender.desk.slack.faults.add("chat.postEphemeral", fault)
    await sender.shows("k", words("a note"), sender.desk.at(sender.water), whisper=ref)
    await sender.settles()
    assert sender.posted("a note") >= 1
    assert "a note" in sender.ana.sees(sender.ana.dm) + sender.ana.sees(sender.water)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if "Fails" not in str(fault)], ids=str)
async def test_a_whisper_in_the_direct_conversation_comes_once(sender: Sender, fault: Any) -> None:
    """It can be found there."""
    ref = PersonRef("slack", sender.desk.acme.team.id, sender.ana.id)
    sender.desk.slack.faults.add("chat.postMessage", fault)
    await sender.shows("k", words("a note"), sender.desk.at(sender.water), whisper=ref)
    await sender.settles()
    assert sender.posted("a note") == 1


async def test_the_home_view(sender: Sender) -> None:
    """Published for one person."""
    ref = PersonRef("slack", sender.desk.acme.team.id, sender.ana.id)
    await sender.desk.chat.show_home(ref, words("Nothing waits for you."))
    assert sender.ana.home is not None
    assert "Nothing waits for you." in sender.ana.sees()


async def test_addresses_and_members(sender: Sender) -> None:
    """A permalink; everybody but the bot, over pages."""
    place = sender.desk.at(sender.water)
    ts = await sender.desk.chat.send(place, words("hello"), delivery_id="d")
    assert ts.replace(".", "") in await sender.desk.chat.permalink(place, ts)
    people = [sender.desk.acme.person(f"Person {number}") for number in range(450)]
    crowd = sender.desk.acme.channel("crowd", *people, private=True)
    members = await sender.desk.chat.members(sender.desk.at(crowd))
    assert {member.id for member in members} == {person.id for person in people}
    assert not [call for call in sender.desk.slack.calls if call.method in ("users.list", "conversations.list")]


async def test_two_calls_at_once_do_no_harm(sender: Sender) -> None:
    """One client for all."""
    place = sender.desk.at(sender.water)
    sends = (sender.desk.chat.send(place, words(f"m {number}"), delivery_id=f"d{number}") for number in range(20))
    assert len(set(await asyncio.gather(*sends))) == 20
