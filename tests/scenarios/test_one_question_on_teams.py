"""The dialogues of `test_one_question`, word for word, on Teams: signed HTTP, and the real adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.edges.teams_local.client import clients
from tests.edges.teams_local.microsoft import Microsoft
from tests.scenarios.teams import TeamsHouse, teams_house
from tests.scenarios.test_one_question import *  # noqa: F403  (the same dialogues, another platform)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[TeamsHouse]:
    """The same organisation as on the fake chat, in a team of Teams."""
    async with clients(Microsoft()) as client, teams_house(client, tmp_path) as house:
        yield house
