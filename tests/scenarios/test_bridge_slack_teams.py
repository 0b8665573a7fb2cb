"""One community in Slack and Teams, on the real adapters: asked in one, answered in the other, once on each side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.slack.manifest import manifest
from bot.app import open_bot
from bot.settings import load
from expertise_index import HashEmbedder
from tests.edges.slack_server import SlackServer
from tests.edges.teams_local.client import clients
from tests.edges.teams_local.microsoft import Microsoft
from tests.scenarios.chat import MovableClock
from tests.scenarios.conftest import PEOPLE
from tests.scenarios.slack import SlackActor, SlackHouse
from tests.scenarios.stage import House, Seen, listening
from tests.scenarios.teams import TeamsActor, TeamsHouse, bot_settings
from tests.scenarios.test_one_question import ANSWER, QUESTION
from tests.scenarios.test_one_question_on_slack import ADDRESS


@dataclass
class Organisation:
    """The two houses, and one bot in both."""

    slack: SlackHouse
    teams: TeamsHouse

    async def settle(self) -> None:
        """Until neither side has anything to say to the other."""
        for house in (self.slack, self.teams, self.slack):
            await house.settle()

    def in_slack(self, key: str) -> SlackActor:
        return self.slack.be(key)

    def in_teams(self, key: str) -> TeamsActor:
        return self.teams.be(key)

    def said(self, words: str) -> tuple[list[Seen], list[Seen]]:
        """What stands in the channel in Slack, and in the one in Teams, that has these words."""
        channels = (self.slack.channels["pumps"].id, self.teams.channels["pumps"])
        houses: tuple[House, House] = (self.slack, self.teams)
        found = [
            [seen for seen in house.visible("mod") if seen.channel == channel and words in seen.words]
            for house, channel in zip(houses, channels)
        ]
        return found[0], found[1]


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Organisation]:
    clock = MovableClock()
    async with clients(Microsoft()) as client, SlackServer(manifest(ADDRESS)) as slack:
        work = slack.workspace("Acme")
        people = {key: work.person(PEOPLE[key][0], email=f"{key}@acme.example") for key in ("ana", "ben", "mod")}
        client.now = clock.now
        elsewhere = {key: client.person(key, PEOPLE[key][0]) for key in ("chiara", "dev", "mod")}
        settings = load(
            home=tmp_path,
            suggest_at=0.3,
            slack_bot_token=work.token,
            slack_signing_secret=slack.signing_secret,
            slack_api_url=slack.api_url,
            **bot_settings(client.microsoft),
        )
        async with open_bot(settings, clock=clock, embedder=HashEmbedder()) as bot, listening(bot) as port:
            slack.request_url = f"http://127.0.0.1:{port}/slack/events"
            client.endpoint = f"http://127.0.0.1:{port}/api/messages"
            here = SlackHouse(server=slack, workspace=work, bot=bot, clock=clock, people=people,
                              channels={"pumps": work.channel("pumps", *people.values())})  # fmt: skip
            there = TeamsHouse(bot=bot, clock=clock, client=client,
                               channels={"pumps": client.channel("pumps", *elsewhere.values())})  # fmt: skip
            await here.found_everything()
            made = Organisation(here, there)
            await _come_to_teams(made)
            yield made


async def _come_to_teams(acme: Organisation) -> None:
    """The app is added to the team, and the moderator gives the community the channel there, too."""
    mod = acme.in_teams("mod")
    await acme.teams.client.add_bot(mod.person)
    await mod.commands("community", to="pumps")
    form = await mod.presses("Found a community in this channel")
    assert form is not None
    choices = next(one for one in form.inputs if one.name == "community").options
    await mod.fills(form, community=next(one.value for one in choices if one.label == "Pumps"))
    await acme.settle()
    assert "What is asked in #pumps on Slack stands here, too" in mod.sees("lives in this channel now").words


async def test_asked_in_slack_answered_in_teams(acme: Organisation) -> None:
    """Each side has the question once, and the answer once, under the name of who gave it."""
    ana, dev = acme.in_slack("ana"), acme.in_teams("dev")
    await ana.says(QUESTION)
    assert "It would stand in #pumps on Teams, too" in ana.sees("I would post it").words
    await ana.presses("Ask under my name")
    await acme.settle()
    [asked], [mirrored] = acme.said("Ana Duarte asks")
    assert "Also in #pumps on Teams" in asked.words
    await dev.says(ANSWER, to="pumps", thread=mirrored.id)
    await acme.settle()
    [shown], [_said] = acme.said(ANSWER)
    assert "Dev Patel answers" in shown.words
    assert shown.thread == asked.id
    await ana.presses("This answers it", on="Dev Patel answered your question")
    await acme.settle()
    [asked], [mirrored] = acme.said("Ana Duarte asks")
    assert "✓ Answered by Dev Patel" in asked.words
    assert "✓ Answered by Dev Patel" in mirrored.words
    assert dev.sees("Your answer was accepted")
    assert [len(side) for side in acme.said(ANSWER)] == [1, 1]


async def test_asked_in_teams_answered_in_slack(acme: Organisation) -> None:
    """The other way round, prompt included; what its author changes in Slack is changed in Teams."""
    chiara, ben = acme.in_teams("chiara"), acme.in_slack("ben")
    await chiara.says(QUESTION)
    await chiara.presses("Ask under my name")
    await acme.settle()
    [mirrored], [asked] = acme.said("Chiara Rossi asks")
    said = await ben.says(ANSWER, to="pumps", thread=mirrored.id)
    await acme.settle()
    [_said], [shown] = acme.said(ANSWER)
    assert "Ben Okafor answers" in shown.words
    assert shown.thread == asked.id
    await ben.edits(said, ANSWER + " And the strainer.")
    await acme.settle()
    assert [len(side) for side in acme.said("And the strainer")] == [1, 1]
    await chiara.presses("This answers it", on="Ben Okafor answered your question")
    await acme.settle()
    for [card] in acme.said("Chiara Rossi asks"):
        assert "✓ Answered by Ben Okafor" in card.words
    await ben.deletes(said)
    await acme.settle()
    assert acme.said(ANSWER) == ([], [])
