"""At each of the bot's calls to Teams in turn something goes wrong: is every message there once in the end?

Run it by hand: python tests/bench/bench_teams_faults.py [FAULT …] (all but the kills, without any)
One question walks its whole path, from a mention to the next asker; first undisturbed, which counts the calls and keeps
what everybody sees at the end; then once for each call and each fault. "killed" and "killed, after" run the bot as a
process of its own, killed at each call in turn and started again. Prints a table; exits with 1 if anything is wrong.

Teams has no id of the sender's for a message, and cannot be asked which messages there are. So a post that took effect,
but whose answer never came, is sent once more, as better twice than never: the table says "twice" there. A process that
is killed may have had such posts on their way beside the call it is killed at: those that Teams has and it had not put
on record. Everywhere else, twice is wrong, and a message that is missing is wrong everywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.teams import connector
from tests.edges.process import Process
from tests.edges.slack_server import of_a_server
from tests.edges.teams_local.client import Client, Dialog, NotThere, Person, clients
from tests.edges.teams_local.microsoft import Fault, Killed, Microsoft, new_key
from tests.edges.test_teams_kill import process as teams_process
from tests.scenarios.chat import MovableClock
from tests.scenarios.teams import teams_house

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: open the suction valve, and check the NPSH margin."
FAULTS: dict[str, Callable[[], Any]] = {
    "429": lambda: Fault(429, "TooManyRequests", {"Retry-After": "4"}),
    "412": lambda: Fault(412, "PreconditionFailed"),
    **of_a_server(hang=1.5),
}
KILLS = ("killed", "killed, after")
POSTS = ("POST activities", "POST conversations")
NOTES = ("did not open in time",)  # shown besides, after a fault
KEYS = {"first": new_key()}
PEOPLE = ("ana", "ben", "eva")
#: People and channels were looked at longer ago than the bot believes it: they are asked for again on the way.
LONG_AGO = {"hours": 7}


class Street:
    """What a walk needs: the people, a way to wait, and a way to act while the bot works."""

    def __init__(self, client: Client) -> None:
        self.client, self.microsoft = client, client.microsoft
        self.ana, self.ben, self.eva = (client.people[key] for key in PEOPLE)
        self.pumps = "19:pumps@thread.tacv2"
        self.unheard = 0  # how many messages Teams has taken without the bot's hearing of it

    async def rest(self) -> None:
        """Let the bot work a little."""
        await asyncio.sleep(0.05)

    async def idle(self) -> None:
        """Until the bot has nothing more to do."""

    async def act(self, doing: Awaitable[Any]) -> Any:
        """Somebody does something, and Teams waits for the bot's answer."""
        return await doing

    async def sees(self, person: Person, words: str) -> None:
        """Wait for these words."""
        async with asyncio.timeout(60):
            while words not in person.sees():
                await self.rest()

    async def presses(self, person: Person, label: str, on: str = "") -> Dialog | None:
        """Press once; who hears nothing, since the bot was killed over it, waits for what comes."""
        try:
            return await self.act(person.presses(label, on=on))
        except aiohttp.ClientError:
            return None

    async def opens(self, person: Person, label: str) -> Dialog:
        """Press until the form is there, as somebody does who is told to press once more."""
        for _ in range(20):
            with contextlib.suppress(NotThere):
                if dialog := await self.presses(person, label):
                    return dialog
            await self.rest()
        raise AssertionError(f"{label} opens no form")

    async def submits(self, person: Person, dialog: Dialog, **values: str) -> None:
        """Send a form; who hears nothing sends it again, since it is still open."""
        for _ in range(3):
            with contextlib.suppress(aiohttp.ClientError):
                assert await self.act(person.submits(dialog, **values)) is None
                return

    async def walk(self) -> None:
        """The whole path."""
        await self.act(self.ana.says(QUESTION, self.pumps, mention=True))
        await self.sees(self.ana, "[Ask under my name]")
        await self.presses(self.ana, "Ask under my name")
        await self.sees(self.ben, "and you may know")
        await self.submits(self.ben, await self.opens(self.ben, "Answer"), answer=ANSWER)
        await self.sees(self.ana, "Ben Okafor answered your question")
        await self.presses(self.ana, "This answers it", "answered your question")
        await self.sees(self.ben, "Your answer was accepted")
        await self.sees(self.eva, "✓ Answered by Ben Okafor")
        await self.idle()  # what was accepted is found a moment later
        await self.act(self.eva.says("pump noise like gravel, suction valve half closed?"))
        await self.sees(self.eva, "This may have been answered before")
        await self.sees(self.eva, ANSWER)
        await self.idle()

    def said(self) -> Counter[tuple[str, str]]:
        """What the bot has said, by place, each with how often."""
        return Counter(
            (one["conversation"].partition(";")[0], one["activity"]["summary"])
            for one in self.microsoft.posted
            if "summary" in one["activity"] and not any(note in one["activity"]["summary"] for note in NOTES)
        )


@contextlib.asynccontextmanager
async def in_here() -> AsyncIterator[Street]:
    """The bot in this process, on a clock that is moved on whenever somebody waits."""
    clock = MovableClock()
    clock.forward(hours=-LONG_AGO["hours"])
    with tempfile.TemporaryDirectory() as home:
        async with (
            clients(Microsoft(keys=dict(KEYS))) as client,
            teams_house(client, Path(home), clock=clock, keys=PEOPLE) as house,
        ):
            clock.forward(**LONG_AGO)
            street = Street(client)
            street.rest = street.idle = house.settle
            street.act = house.after
            yield street


@contextlib.asynccontextmanager
async def as_process(kill_at: str = "", nth: int = 1, *, after: bool = False) -> AsyncIterator[Street]:
    """The bot as a process, killed at the nth of these calls, and started again."""
    clock = MovableClock()
    clock.time = datetime.now(UTC)
    clock.forward(hours=-LONG_AGO["hours"])
    with tempfile.TemporaryDirectory() as home:
        async with clients(Microsoft(keys=dict(KEYS))) as client:
            async with teams_house(client, Path(home), clock=clock, keys=PEOPLE):
                pass
            client.now = lambda: datetime.now(UTC)
            bot = teams_process(Path(home), client.microsoft, WEAVER_SUGGEST_AT="0.3")
            client.endpoint = f"{bot.url}/api/messages"
            up = asyncio.Event()

            async def start() -> None:
                await bot.start()
                up.set()

            async def kill() -> None:
                up.clear()
                await bot.kill()
                with contextlib.closing(sqlite3.connect(Path(home) / "weaver.db")) as database:
                    [on_record] = database.execute("SELECT count(*) FROM teams_sent").fetchone()
                street.unheard = sum("summary" in one["activity"] for one in client.microsoft.posted) - on_record
                tasks.append(asyncio.create_task(start()))

            street = Street(client)
            tasks: list[asyncio.Task[None]] = []
            _wait_for(street, bot, up)
            await start()
            if kill_at:
                client.microsoft.planned.add(kill_at, Killed(kill, after=after), nth=nth)
            try:
                yield street
            finally:
                await asyncio.gather(*tasks, return_exceptions=True)
                await bot.kill()


def _wait_for(street: Street, bot: Process, up: asyncio.Event) -> None:
    """What Teams does with activities for a bot that is down is not what is tried here: people act while it is up."""

    async def act(doing: Awaitable[Any]) -> Any:
        await up.wait()
        return await doing

    async def idle() -> None:
        async with asyncio.timeout(60):
            while True:
                await up.wait()
                with contextlib.suppress(aiohttp.ClientError):
                    async with street.client.http.get(f"{bot.url}/readyz") as answer:
                        if (await answer.json())["waiting"] <= 1:  # the next round of looking at people waits always
                            return
                await street.rest()

    street.act, street.idle = act, idle


Table = dict[str, Counter[str]]


async def try_all(name: str) -> tuple[Table, list[str]]:
    """One fault at each call: by call, how often every message was there once, or one of them twice; what is wrong."""
    kills = name in KILLS
    async with as_process() if kills else in_here() as street:
        before = len(street.microsoft.calls)
        await street.walk()
        expected, calls = street.said(), Counter(street.microsoft.calls[before:])
    table: Table = {}
    wrong: list[str] = []
    for call, nth in ((call, nth + 1) for call, count in sorted(calls.items()) for nth in range(count)):
        if name == "412" and not call.startswith("PUT"):
            continue
        async with as_process(call, nth, after="after" in name) if kills else in_here() as street:
            if not kills:
                street.microsoft.planned.add(call, FAULTS[name](), nth=nth)
            failed = ""
            try:
                await street.walk()
            except (TimeoutError, AssertionError, LookupError) as error:
                failed = f"{type(error).__name__} {error} "
            extra, missing = street.said() - expected, expected - street.said()
            never = street.microsoft.planned.pending
        hows = table.setdefault(call, Counter())
        if not kills and "after" in name and call in POSTS:
            street.unheard = 1
        if failed or missing or extra.total() > street.unheard:
            hows["wrong"] += 1
            wrong.append(f"{name} at {call} {nth}: {failed}more {dict(extra)}, missing {dict(missing)}"[:600])
        else:  # a call may be spared: two cards shown within a moment are one update
            hows["twice" if extra else "never came" if never else "once"] += 1
    return table, wrong


def printed(name: str, table: Table) -> str:
    """One line of the table."""
    cells = [f"{call}: {', '.join(f'{n} {how}' for how, n in sorted(hows.items()))}" for call, hows in table.items()]
    return f"{name:<16}{'; '.join(sorted(cells))}"


async def main(names: list[str]) -> int:
    """All of these faults."""
    found: list[str] = []
    for name in names:
        table, wrong = await try_all(name)
        print(printed(name, table), flush=True)
        found += wrong
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    connector.TIMEOUT = 1  # seconds: Teams does not hang, it only seems so
    sys.exit(asyncio.run(main(sys.argv[1:] or list(FAULTS))))
