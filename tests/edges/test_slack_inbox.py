"""What Slack was told is kept: nothing is lost, nothing acts twice, each channel keeps its order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import GIVE_UP_AFTER, LEASE, Act, Inbox
from adapters.slack import SlackChat
from adapters.slack.schema import inbox
from bot.migrations import migrate
from bot.ports import DeliveryError, Event, Heard
from bot.seal import Seal
from bot.store import open_engine
from tests.edges.test_slack_support import SECRET, Desk, ScriptedBot, desk, served
from tests.scenarios.chat import MovableClock

SEAL = Seal(SECRET)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """A migrated database of either kind."""
    await asyncio.to_thread(migrate, database)
    made = open_engine(database)
    yield made
    await made.dispose()


class Log:
    """Notes what it is given, and fails as told: with one payload only, or with whatever comes first."""

    def __init__(self, *failures: Exception, at: str = "") -> None:
        self.seen: list[str] = []
        self.failures = list(failures)
        self.at = at

    async def __call__(self, key: str, payload: str) -> None:
        if self.failures and self.at in ("", payload):
            raise self.failures.pop(0)
        self.seen.append(payload)


def inbox_of(engine: AsyncEngine, clock: MovableClock, act: Act, name: str = "one") -> Inbox:
    return Inbox(engine, inbox, clock, SEAL, act=act, name=name)


async def test_kept_once_in_order_and_emptied(engine: AsyncEngine) -> None:
    """Together in one commit, each key once, in the order they came; a handled row says nothing any more."""
    log, clock = Log(), MovableClock()
    inbox = inbox_of(engine, clock, log)
    kept = await asyncio.gather(*(inbox.keep(f"k{n % 10}", "lane", f"payload {n}", mine=False) for n in range(30)))
    assert sum(row is not None for row in kept) == 10
    assert await inbox.settle() == 10
    assert log.seen == [f"payload {n}" for n in range(10)]
    assert await inbox.keep("k3", "lane", "again", mine=False) is None
    async with engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT key, lane, sealed, handled, day FROM slack_inbox")).all()
    assert {(row.lane, row.sealed, bool(row.handled)) for row in rows} == {("", "", True)}
    assert all(row.day % 86_400_000 == 0 for row in rows)


async def test_a_failure_holds_up_its_channel_only_for_a_while(engine: AsyncEngine) -> None:
    """It is tried again with growing pauses; what came after it waits, at first; other channels do not."""
    clock = MovableClock()
    log = Log(DeliveryError("later", retry_after=5.0), at="a1")
    inbox = inbox_of(engine, clock, log)
    for lane, payload in (("a", "a1"), ("a", "a2"), ("b", "b1")):
        await inbox.keep(payload, lane, payload, mine=False)
    await inbox.settle()
    assert log.seen == ["b1"]
    clock.forward(seconds=8)
    await inbox.settle()
    assert log.seen == ["b1", "a1", "a2"]

    log.failures, log.at = [DeliveryError("much later", retry_after=600.0)], "a3"
    for payload in ("a3", "a4"):
        await inbox.keep(payload, "a", payload, mine=False)
    await inbox.settle()
    assert log.seen[3:] == ["a4"]
    clock.forward(seconds=800)
    await inbox.settle()
    assert log.seen[3:] == ["a4", "a3"]


async def test_it_is_dropped_when_nothing_helps(engine: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    """What can never be handled at once; what fails again and again in the end. The log says so."""
    clock = MovableClock()
    log = Log(DeliveryError("never"))
    inbox = inbox_of(engine, clock, log)
    await inbox.keep("k1", "a", "p1", mine=False)
    await inbox.settle()
    assert await inbox.settle() == 0
    assert "never" in caplog.text
    log.failures = [RuntimeError("a mistake")] * GIVE_UP_AFTER
    await inbox.keep("k2", "a", "p2", mine=False)
    for _ in range(GIVE_UP_AFTER):
        assert await inbox.settle() == 1
        clock.forward(hours=2)
    assert await inbox.settle() == 0
    assert "given_up" in caplog.text
    assert "p2" not in caplog.text


async def test_two_replicas_and_a_dead_one(engine: AsyncEngine) -> None:
    """Each row is one replica's; what a dead one had claimed is free after its lease, or when it is back."""
    clock = MovableClock()
    logs = Log(), Log()
    one, two = (inbox_of(engine, clock, log, name) for log, name in zip(logs, ("one", "two"), strict=True))
    for number in range(20):
        await one.keep(f"k{number}", f"lane {number}", str(number), mine=False)
    await asyncio.gather(one.settle(), two.settle())
    assert sorted(map(int, logs[0].seen + logs[1].seen)) == list(range(20))

    assert await one.keep("press", "", "press", mine=True) is not None  # and here it dies
    assert await two.settle() == 0
    clock.forward(seconds=LEASE.total_seconds() + 1)
    assert await two.settle() == 1
    assert await one.keep("press 2", "", "press 2", mine=True) is not None
    back = inbox_of(engine, clock, logs[0], "one")
    await back.start()
    async with asyncio.timeout(5):
        while "press 2" not in logs[0].seen:  # noqa: ASYNC110  (a list tells nobody)
            await asyncio.sleep(0.01)
    await back.stop()


async def test_old_keys_go(engine: AsyncEngine) -> None:
    """Slack repeats nothing after a day."""
    clock = MovableClock()
    inbox = inbox_of(engine, clock, Log())
    await inbox.keep("k1", "", "p", mine=False)
    await inbox.settle()
    clock.time = datetime(2026, 3, 9, tzinfo=UTC) + timedelta(hours=1)
    await inbox._tidy()
    assert await inbox.keep("k1", "", "p", mine=False) is not None


async def test_slack_is_answered_though_the_bot_is_slow_or_broken(tmp_path: Path) -> None:
    """The acknowledgement waits for the commit only."""
    async with desk(tmp_path) as here:
        ana = here.acme.person("Ana Lima")
        water = here.acme.channel("water", ana)
        free, failures = asyncio.Event(), [RuntimeError("a mistake"), DeliveryError("busy", retry_after=0.01)]

        async def script(event: Event) -> None:
            await free.wait()
            if failures:
                raise failures.pop()

        here.bot.script = script
        for number in range(5):
            await ana.says(f"message {number}", water)
        assert {attempt.status for one in here.slack.inbound.deliveries for attempt in one.attempts} == {200}
        assert here.bot.events == []
        free.set()
        await here.settled()
        assert [event.text for event in here.bot.of(Heard)] == [f"message {number}" for number in range(5)]


async def test_what_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    """So Slack tells it again; what it could tell once it does tell, and it acts once."""
    async with desk(tmp_path) as here:
        ana = here.acme.person("Ana Lima")
        async with here.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE slack_inbox RENAME TO gone")
        task = asyncio.create_task(ana.dms("hello"))
        await here.slack.until(lambda: any(one.attempts for one in here.slack.inbound.deliveries))
        async with here.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE gone RENAME TO slack_inbox")
        await task
        await here.slack.quiet()
        (delivery,) = here.slack.inbound.deliveries
        assert delivery.attempts[0].status == 500
        assert delivery.taken
        await here.settled()
        assert len(here.bot.of(Heard)) == 1


async def test_a_killed_process_forgets_nothing(tmp_path: Path) -> None:
    """What was acknowledged and not handled is handled by the next one."""
    async with desk(tmp_path) as here:
        ana = here.acme.person("Ana Lima")

        async def never(event: Event) -> None:
            await asyncio.sleep(3600)

        here.bot.script = never
        await ana.dms("before")
        await here.chat.reception.inbox.stop()  # cancels what is under way, as a kill would
        await ana.dms("while it was down")
        after = SlackChat(here.engine, here.chat.reception._clock, seal=SEAL, settings=here.chat.settings)
        bot = ScriptedBot()
        async with served(after, bot, here.slack):
            heard = await bot.hears(Heard, 2)
            assert [event.text for event in heard] == ["before", "while it was down"]
        await after.close()


async def test_load_of_many_channels(tmp_path: Path) -> None:
    """Everything that was acknowledged is heard, in the order of its channel."""
    async with desk(tmp_path) as here:
        ana = here.acme.person("Ana Lima")
        channels = [here.acme.channel(f"c{number}", ana) for number in range(5)]

        async def talk(desk: Desk, index: int) -> None:
            for number in range(20):
                await ana.says(f"{index} {number}", channels[index])

        await asyncio.gather(*(talk(here, index) for index in range(5)))
        await here.settled()
        for index in range(5):
            heard = [event.text for event in here.bot.of(Heard) if event.text.startswith(f"{index} ")]
            assert heard == [f"{index} {number}" for number in range(20)]
