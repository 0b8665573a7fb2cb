"""What the Teams adapter keeps, on SQLite and on PostgreSQL, with one process and with several."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.migrations import migrate
from bot.ports import DeliveryError, Heard, Message, PersonRef, Text
from tests.edges.teams_local.bot import BEN, CHAT, Local, local
from tests.edges.teams_local.microsoft import BOT, TEAM, TENANT, Fault
from tests.log_lines import log_lines

HELLO = Message("Hello", (Text("Hello"),))


@pytest.fixture
def migrated(database: str) -> str:
    """A database as `weaver migrate` leaves it."""
    migrate(database)
    return database


def said(teams: Local) -> list[str]:
    return [event.text for event in teams.core.heard if isinstance(event, Heard)]


async def test_conversations_accounts_and_deliveries(migrated: str, tmp_path: Path) -> None:
    async with local(tmp_path, database=migrated) as teams:
        teams.microsoft.channels = [{"id": TEAM, "type": "standard"}]
        for number in range(3):
            teams.microsoft.add_person(TEAM, f"29:{number}", f"aad-{number}", f"Person {number}")
        first = teams.in_channel(text="hi", by=BEN)
        assert len(await teams.hears(first)) == 1
        assert await teams.hears(first) == []
        assert (await teams.chat.place(teams.place(TEAM))).name == "Field team"
        assert len(await teams.chat.members(teams.place(TEAM))) == 3
        assert len(await teams.chat.members(teams.place(TEAM))) == 3
        chat = await teams.chat.direct(PersonRef("teams", TENANT, "aad-1"))
        sent = await teams.chat.send(chat, HELLO, delivery_id="d")
        assert await teams.chat.send(chat, HELLO, delivery_id="d") == sent
        await teams.hears(teams.in_channel("conversationUpdate", membersRemoved=[{"id": BOT}]))
        with pytest.raises(LookupError):
            await teams.chat.place(teams.place(TEAM))
        await teams.hears(teams.in_channel("conversationUpdate", membersAdded=[{"id": BOT}]))
        assert not (await teams.chat.place(teams.place(TEAM))).direct
        await teams.chat.resume(teams.core.handle)  # which forgets old deliveries
        assert await teams.chat.find(chat, delivery_id="d") == sent


async def test_logs_name_nobody_and_quote_nothing(migrated: str, tmp_path: Path) -> None:
    """Whatever goes wrong: ids of people and places, names and words stay out of the log, and out of what is raised."""
    with log_lines() as lines:
        async with local(tmp_path, database=migrated) as teams:
            raised = await much_goes_wrong(teams)
    for happened in ("teams.refused", "teams.nobody", "inbox.failed", "inbox.postponed"):
        assert happened in lines.getvalue()
    for secret in ("aad-ana", "29:ana", "Ana D", "private question", CHAT, TENANT):
        assert secret not in lines.getvalue()
        assert secret not in raised


async def much_goes_wrong(teams: Local) -> str:
    """Activities and calls that fail; what was raised."""
    said, ana, raised = "a private question", PersonRef("teams", TENANT, "aad-ana"), []
    await teams.hears(teams.activity(text=said))
    await teams.send(teams.activity(text=said), token="Bearer garbled")
    await teams.send(teams.activity(text=said, conversation={}, channelData={}))
    for failure in (RuntimeError("out of order"), DeliveryError("not ready", retry_after=600.0)):
        teams.core.failures = [failure]
        await teams.hears(teams.in_channel(text=said, channel=f"19:{type(failure).__name__}"))
    for status in (404, 403, 429, 500):
        for attempt in (teams.chat.profile(ana), teams.chat.send(teams.place(), HELLO, delivery_id=f"d{status}")):
            teams.microsoft.faults = [Fault(status) for _ in range(4)]
            with pytest.raises((DeliveryError, LookupError)) as failed:
                await attempt
            raised.append(str(failed.value))
    return "\n".join(raised)


async def test_restarted_process_takes_up_what_was_acknowledged(migrated: str, tmp_path: Path) -> None:
    async with local(tmp_path, database=migrated) as before:
        for number in range(5):
            assert (await before.send(before.activity(text=f"line {number}"))).status == 200
        claimed = await before.chat.reception.inbox._claim(2)  # and killed in the middle of handling these
        assert claimed
        assert before.core.heard == []
    async with local(tmp_path, database=migrated) as after:
        await after.chat.resume(after.core.handle)
        await after.chat.reception.inbox.settle()
        for _ in range(100):
            if len(after.core.heard) == 5:
                break
            await asyncio.sleep(0.05)
        assert said(after) == [f"line {number}" for number in range(5)]


async def test_two_replicas_handle_each_activity_once_and_in_order(migrated: str, tmp_path: Path) -> None:
    async with (
        local(tmp_path, database=migrated, replica="one") as one,
        local(tmp_path, database=migrated, replica="two") as two,
    ):
        for number in range(10):
            activity = one.activity(text=f"line {number}")
            await one.send(activity)
            await two.send({**activity, "serviceUrl": two.microsoft.service_url})  # Teams repeats it, to the other
        heard: list[str] = []

        async def hear(event: Heard) -> None:
            heard.append(event.text)

        one.chat.reception.handle = two.chat.reception.handle = hear  # type: ignore[assignment]
        await asyncio.gather(one.chat.resume(hear), two.chat.resume(hear))  # type: ignore[arg-type]
        for _ in range(200):
            if len(heard) >= 10:
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        assert heard == [f"line {number}" for number in range(10)]
