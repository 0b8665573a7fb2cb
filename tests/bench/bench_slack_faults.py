"""At each of the bot's calls to Slack in turn something goes wrong: is every message there once in the end?

Run it by hand: python tests/bench/bench_slack_faults.py [kill]
One question walks its whole path, from a mention to the next asker; first undisturbed, which counts the calls and keeps
what everybody sees at the end; then once for each call and each fault. With `kill`, the bot is a process of its own,
killed at each call in turn and started again (about ten minutes). Slack repeats events and nothing else: what people
press while the bot is away fails before their eyes, and they press again. Prints a table; exits with 1 if anything
differed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from adapters.slack import calls
from adapters.slack.manifest import manifest
from bot.app import open_bot
from bot.settings import load
from expertise_index import HashEmbedder
from tests.edges.process import Process
from tests.edges.slack_server import (
    Channel,
    Hook,
    Message,
    NotThere,
    Person,
    RateLimited,
    SlackServer,
    Workspace,
    of_a_server,
)
from tests.edges.test_slack_kill import process as slack_process
from tests.edges.test_slack_support import ADDRESS
from tests.scenarios.chat import MovableClock
from tests.scenarios.slack import SlackHouse

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: open the suction valve, and check the NPSH margin."
FAULTS: dict[str, Callable[[], Any]] = {"429": RateLimited, **of_a_server(hang=3)}
AGAIN = 1.0  # seconds until somebody presses once more what Slack marked as failed
RETRIES = (0.0, 5.0, 25.0)  # Slack repeats an event at once, after one minute and after five: minutes of five seconds
NOTES = ("did not open in time", "I have your question. I answer you")  # shown once more, or elsewhere, after a fault


async def _moment() -> None:
    await asyncio.sleep(0.05)


class Street:
    """What a walk needs: the people, and a way to wait until somebody sees something."""

    def __init__(self, slack: SlackServer, acme: Workspace) -> None:
        self.slack, self.acme = slack, acme
        self.ana, self.ben, self.eva = (acme.person(name) for name in ("Ana Duarte", "Ben Okafor", "Eva Lind"))
        self.pumps: Channel = acme.channel("pumps", self.ana, self.ben, self.eva)
        self.rest: Callable[[], Awaitable[None]] = _moment

    async def sees(self, person: Person, words: str) -> None:
        """Wait for these words."""
        async with asyncio.timeout(90):
            while words not in person.sees().replace("*", ""):
                await self.rest()

    async def presses(self, person: Person, label: str, on: Message | None = None) -> None:
        """Press; and again where Slack says that it could not reach the bot, while the button is still there."""
        with contextlib.suppress(NotThere):
            for _ in range(90):
                if not (await person.presses(label, on)).reason:
                    return
                await asyncio.sleep(AGAIN)
            raise AssertionError(f"{label} never reaches the bot")

    async def submits(self, person: Person, **values: str) -> None:
        """Send a form; and again where Slack says that it could not reach the bot: the form stays open then."""
        for _ in range(90):
            sent = await person.fills_and_submits(**values)
            if sent.attempt is None or not sent.attempt.reason:
                return
            await asyncio.sleep(AGAIN)
        raise AssertionError("The form never reaches the bot")

    async def opens(self, person: Person, label: str) -> None:
        """Press until the form is there, as somebody does who is told to press once more."""
        for _ in range(6):
            await self.presses(person, label)
            for _ in range(20):
                if person.modal is not None:
                    return
                await self.rest()
        raise AssertionError(f"{label} opens no form")

    async def walk(self) -> None:
        """The whole path."""
        await self.ana.mentions_bot(QUESTION, self.pumps)
        await self.sees(self.ana, "[Ask under my name]")
        await self.presses(self.ana, "Ask under my name")
        await self.sees(self.ben, "and you may know")
        await self.opens(self.ben, "Answer")
        await self.submits(self.ben, **{"Your answer": ANSWER})
        await self.sees(self.ana, "Ben Okafor answered your question")
        await self.presses(self.ana, "This answers it", on=self.newest(self.ana, "answered your question"))
        await self.sees(self.ben, "Your answer was accepted")
        await self.sees(self.eva, "✓ Answered by Ben Okafor")
        await self.eva.dms("pump noise like gravel, suction valve half closed?")
        await self.sees(self.eva, "This may have been answered before")
        await self.sees(self.eva, ANSWER)

    def newest(self, person: Person, words: str) -> Any:
        """The newest message that says so."""
        return next(m for m in reversed(person.messages()) if words in person.reads(m).replace("*", ""))

    def said(self) -> Counter[tuple[str, str]]:
        """What the bot has said, by place, each with how often."""
        bot = self.acme.bot.id
        return Counter(
            (channel.name, one.text)
            for channel in self.acme.team.channels.values()
            for one in channel.messages.values()
            if one.user == bot and not any(note in one.text for note in NOTES)
        )


@contextlib.asynccontextmanager
async def in_here() -> AsyncIterator[Street]:
    """The bot in this process, on a clock that is moved on whenever somebody waits."""
    clock = MovableClock()
    async with SlackServer(manifest(ADDRESS)) as slack:
        street = Street(slack, slack.workspace("Acme"))
        with tempfile.TemporaryDirectory() as home:
            settings = load(home=Path(home), suggest_at=0.3, slack_bot_token=street.acme.token,
                            slack_signing_secret=slack.signing_secret, slack_api_url=slack.api_url)  # fmt: skip
            async with open_bot(settings, clock=clock, embedder=HashEmbedder()) as bot:
                people = {"ana": street.ana, "ben": street.ben, "eva": street.eva}
                house = SlackHouse(server=slack, workspace=street.acme, bot=bot, clock=clock, people=people,
                                   channels={"pumps": street.pumps})  # fmt: skip
                await house.found_everything()
                street.rest = house.settle
                async with house.served():
                    yield street
                    await house.settle()


@contextlib.asynccontextmanager
async def as_process(home: Path) -> AsyncIterator[tuple[Street, Process]]:
    """The bot as a process."""
    async with SlackServer(manifest(ADDRESS), retry_delays=RETRIES) as slack:
        street = Street(slack, slack.workspace("Acme"))
        settings = load(home=home, suggest_at=0.3, slack_bot_token=street.acme.token,
                        slack_signing_secret=slack.signing_secret, slack_api_url=slack.api_url)  # fmt: skip
        async with open_bot(settings, embedder=HashEmbedder()) as bot:
            people = {"ana": street.ana, "ben": street.ben, "eva": street.eva}
            house = SlackHouse(server=slack, workspace=street.acme, bot=bot, clock=MovableClock(), people=people,
                               channels={"pumps": street.pumps})  # fmt: skip
            await house.found_everything()
        process = slack_process(home, slack, street.acme, WEAVER_SUGGEST_AT="0.3")
        await process.start()
        try:
            yield street, process
        finally:
            await process.kill()


async def with_faults() -> list[str]:
    """The table, and what differed."""
    async with in_here() as street:
        before = len(street.slack.calls)
        await street.walk()
        expected = street.said()
        methods = [call.method for call in street.slack.calls[before:]]
    print(f"{len(methods)} calls: {dict(Counter(methods))}")
    print(f"{sum(expected.values())} messages of the bot\n")
    wrong: list[str] = []
    for name, fault in FAULTS.items():
        good = 0
        for number, method in enumerate(methods, 1):
            async with in_here() as street:
                street.slack.faults.add("*", fault(), nth=number)
                try:
                    await street.walk()
                except (TimeoutError, AssertionError, LookupError, StopIteration) as error:
                    wrong.append(f"{name} at call {number} ({method}): {type(error).__name__} {error}"[:300])
                    continue
            if street.said() == expected and not street.slack.violations:
                good += 1
            else:
                differs = (street.said() - expected) + (expected - street.said())
                wrong.append(f"{name} at call {number} ({method}): {dict(differs)}"[:300])
        print(f"{name:<18}{good:>4} of {len(methods)} calls: every message there, once")
    return wrong


async def with_kills() -> list[str]:
    """The same with `kill -9`, before and after Slack has done what was asked."""
    with tempfile.TemporaryDirectory() as home:
        async with as_process(Path(home)) as (street, _):
            before = len(street.slack.calls)
            await street.walk()
            await asyncio.sleep(4)
            expected, count = street.said(), len(street.slack.calls) - before
    wrong: list[str] = []
    for when in ("before", "after"):
        good = 0
        for number in range(1, count + 1):
            with tempfile.TemporaryDirectory() as home:
                async with as_process(Path(home)) as (street, process):

                    async def kill(process: Process = process) -> None:
                        await process.kill()
                        asyncio.get_running_loop().create_task(process.start())

                    street.slack.faults.add("*", Hook(kill, before=when == "before"), nth=number)
                    try:
                        await street.walk()
                        await asyncio.sleep(4)
                    except (TimeoutError, AssertionError, LookupError, StopIteration) as error:
                        wrong.append(f"killed {when} call {number}: {type(error).__name__} {error}"[:300])
                        continue
                    if street.said() == expected:
                        good += 1
                    else:
                        differs = (street.said() - expected) + (expected - street.said())
                        wrong.append(f"killed {when} call {number}: {dict(differs)}"[:300])
        print(f"killed {when:<11}{good:>4} of {count} calls: every message there, once", flush=True)
    return wrong


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    calls.TIMEOUT = 1  # seconds: Slack does not hang, it only seems so
    found = asyncio.run(with_kills() if "kill" in sys.argv else with_faults())
    print("\n".join(found))
    sys.exit(1 if found else 0)
