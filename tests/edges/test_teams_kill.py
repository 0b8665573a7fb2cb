"""`kill -9` on the real process in the middle of its calls to Teams: in the end everything is said once.

But for one cell: what Teams took and could not tell any more is said once more, since Teams cannot be asked for it.
`tests/bench/bench_teams_faults.py` kills at every call of a question's whole path.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.edges.process import SECONDS, Process
from tests.edges.teams_local.client import clients
from tests.edges.teams_local.microsoft import APP_ID, PASSWORD, Killed, Microsoft

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"


def process(home: Path, microsoft: Microsoft, **more: str) -> Process:
    """The bot, for this Microsoft."""
    return Process(
        home,
        TEAMS_APP_ID=APP_ID,
        TEAMS_APP_PASSWORD=PASSWORD,
        TEAMS_LOGIN_URL=microsoft.url("/login"),
        TEAMS_OPENID_URL=microsoft.url("/openid"),
        TEAMS_OPEN="*",
        **more,
    )


@pytest.mark.parametrize(
    ("call", "when", "copies"),
    [
        ("GET members", "before", 1),
        ("POST activities", "before", 1),
        ("POST activities", "after", 2),
        ("PUT activities", "before", 1),
        ("PUT activities", "after", 1),
    ],
)
async def test_killed_at_a_call(tmp_path: Path, call: str, when: str, copies: int) -> None:
    """Before Teams has done it, and after, with the answer never read."""
    async with clients(Microsoft()) as teams:
        ana = teams.person("ana", "Ana Duarte")
        bot = process(tmp_path, teams.microsoft)
        teams.endpoint = f"{bot.url}/api/messages"
        await bot.start()
        killed = asyncio.Event()

        async def kill() -> None:
            await bot.kill()
            killed.set()

        teams.microsoft.planned.add(call, Killed(kill, after=when == "after"))
        try:
            await ana.says(QUESTION)
            async with asyncio.timeout(SECONDS):
                await killed.wait()
            await bot.start()
            await teams.microsoft.until(lambda: "no community" in ana.sees().lower(), seconds=SECONDS)
            cards = [one.words.lower() for one in ana.visible() if one.by_bot and "gravel" in one.words]
            assert len(cards) == copies, ana.sees()
            assert sum("no community" in words for words in cards) == 1, ana.sees()  # the other stays as it was
        finally:
            await bot.kill()
