"""The dialogues of `test_one_question`, word for word, on Teams: signed HTTP, and the real adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.teams import TeamsHouse, teams_house
from tests.scenarios.test_one_question import *  # noqa: F403  (the same dialogues, another platform)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[TeamsHouse]:
    """The same organisation as on the fake chat, in a team of Teams."""
    async with teams_house(tmp_path) as house:
        yield house
