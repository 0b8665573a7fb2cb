"""Prints a dialogue as it is played on Teams: who says, sees and presses what.

Run it by hand: python -m tests.scenarios.transcript [DIALOGUE of test_one_question]
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from tests.edges.teams_local.client import clients
from tests.edges.teams_local.microsoft import Microsoft
from tests.scenarios import test_one_question
from tests.scenarios.conftest import PEOPLE
from tests.scenarios.stage import Seen
from tests.scenarios.teams import TeamsActor, TeamsHouse, teams_house


@dataclass
class Reported:
    """A house whose people's acts are told."""

    house: TeamsHouse

    def be(self, key: str) -> ReportedActor:
        """One of these people."""
        return ReportedActor(self.house.be(key))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.house, name)


@dataclass
class ReportedActor:
    """A person whose acts are told."""

    actor: TeamsActor

    @property
    def name(self) -> str:
        return PEOPLE[self.actor.id][0].split()[0]

    async def says(self, text: str, **where: Any) -> Seen:
        print(f"{self.name} writes: {text}")
        return await self.actor.says(text, **where)

    async def commands(self, name: str, text: str = "", **where: Any) -> None:
        print(f"{self.name} writes: {name} {text}")
        await self.actor.commands(name, text, **where)

    async def presses(self, label: str, **on: Any) -> Any:
        print(f"{self.name} presses [{label}]")
        return await self.actor.presses(label, **on)

    async def fills(self, form: Any, **values: Any) -> None:
        print(f"{self.name} fills in the dialog: {', '.join(f'{name}: {value}' for name, value in values.items())}")
        await self.actor.fills(form, **values)

    def sees(self, words: str = "", *, to: str | None = None) -> Seen:
        seen = self.actor.sees(words, to=to)
        slugs = {channel: slug for slug, channel in self.actor.house.channels.items()}
        where = f"in #{slugs[seen.channel]}" if seen.channel in slugs else "in private"
        print(f"{self.name} sees {where}{', in the thread' if seen.thread else ''}:")
        print("\n".join(f"    | {line}" for line in seen.words.splitlines()))
        return seen

    def sees_nothing_of(self, words: str) -> None:
        self.actor.sees_nothing_of(words)
        print(f"{self.name} sees nothing of “{words}”")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.actor, name)


async def play(dialogue: Callable[[Any], Any]) -> None:
    """Play it once."""
    with tempfile.TemporaryDirectory() as home:
        async with clients(Microsoft()) as client, teams_house(client, Path(home)) as house:
            await dialogue(Reported(house))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    named = sys.argv[1] if len(sys.argv) > 1 else "test_from_question_to_knowledge"
    asyncio.run(play(getattr(test_one_question, named)))
