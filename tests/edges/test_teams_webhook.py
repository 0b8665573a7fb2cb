"""Teams without a bot: what goes out through a Workflows webhook, and what then cannot be done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.teams import TeamsWebhooks, metadata
from bot.app import open_bot
from bot.errors import ConfigurationError
from bot.models import Person
from bot.ports import Button, Buttons, ChatPlatform, DeliveryError, Message, PersonRef, Place, SystemClock, Text
from bot.seal import Seal
from bot.settings import load
from expertise_index import HashEmbedder
from tests.edges.test_teams_cards import wrong_in

PUMPS = Place("teams", "webhook", "pumps")
QUESTION = Message(
    "Ana Duarte asks about pumps",
    (Text("**Ana Duarte asks**"), Buttons((Button("Answer", "answer", "7"), Button("Me too", "me_too", "7")))),
)


@dataclass
class Workflow:
    """A workflow that posts what its webhook is given, as Microsoft's do: 202 and nothing else."""

    posted: list[dict[str, Any]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)  # in place of taking it

    async def take(self, request: web.Request) -> web.Response:
        if self.answers:
            return self.answers.pop(0)
        self.posted.append(await request.json())
        return web.Response(status=202)


@pytest.fixture
def workflow() -> Workflow:
    return Workflow()


@pytest.fixture
async def webhooks(workflow: Workflow, tmp_path: Path) -> AsyncIterator[TeamsWebhooks]:
    """The platform, with a webhook for one channel."""
    application = web.Application()
    application.router.add_post("/workflows/secret-address", workflow.take)
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'teams.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    async with TestServer(application) as server:
        address = {"pumps": str(server.make_url("/workflows/secret-address"))}
        made = TeamsWebhooks(
            engine, SystemClock(), seal=Seal("for tests"), webhooks=address, base_url="https://weaver.example/"
        )
        yield made
        await made.close()
    await engine.dispose()


async def test_question_is_posted_once_with_a_link_in_place_of_buttons(
    webhooks: TeamsWebhooks, workflow: Workflow
) -> None:
    platform: ChatPlatform = webhooks
    sent = await platform.send(PUMPS, QUESTION, delivery_id="d")
    assert await platform.send(PUMPS, QUESTION, delivery_id="d") == sent
    assert await platform.find(PUMPS, delivery_id="d") == sent
    [posted] = workflow.posted
    card = posted["attachments"][0]["content"]
    assert wrong_in(card) == []
    [button] = card["body"][-1]["actions"]
    assert (button["type"], button["url"]) == ("Action.OpenUrl", "https://weaver.example")


async def test_passing_trouble_is_tried_again(webhooks: TeamsWebhooks, workflow: Workflow) -> None:
    workflow.answers = [web.Response(status=429, headers={"Retry-After": "30"}), web.Response(status=503)]
    for at_least in (30, 1):
        with pytest.raises(DeliveryError) as failed:
            await webhooks.send(PUMPS, QUESTION, delivery_id="d")
        assert failed.value.retry_after is not None
        assert failed.value.retry_after >= at_least
    assert await webhooks.send(PUMPS, QUESTION, delivery_id="d")
    assert len(workflow.posted) == 1


async def test_removed_workflow_says_what_to_look_at(webhooks: TeamsWebhooks, workflow: Workflow) -> None:
    workflow.answers = [web.Response(status=404)]
    with pytest.raises(DeliveryError, match="workflow still there") as failed:
        await webhooks.send(PUMPS, QUESTION, delivery_id="d")
    assert failed.value.retry_after is None
    assert "secret-address" not in str(failed.value)


async def test_what_a_webhook_cannot_do(webhooks: TeamsWebhooks) -> None:
    ana = PersonRef("teams", "webhook", "ana")
    await webhooks.update(PUMPS, "d", QUESTION)
    await webhooks.withdraw(PUMPS, "d")
    assert (await webhooks.place(PUMPS)).name == "pumps"
    with pytest.raises(LookupError):
        await webhooks.place(Place("teams", "webhook", "elsewhere"))
    with pytest.raises(LookupError):
        await webhooks.profile(ana)
    with pytest.raises(DeliveryError):
        await webhooks.direct(ana)
    with pytest.raises(DeliveryError, match="no webhook"):
        await webhooks.send(Place("teams", "webhook", "elsewhere"), QUESTION, delivery_id="e")


def test_address_must_be_encrypted() -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    with pytest.raises(ConfigurationError, match="https"):
        TeamsWebhooks(
            engine, SystemClock(), seal=Seal("x"), webhooks={"pumps": "http://hook.example/secret"}, base_url=""
        )


async def weaver(home: Path, *arguments: str) -> tuple[int, str]:
    """Run a command as an administrator does; its exit code, and what it said."""
    said = {"WEAVER_HOME": str(home), "WEAVER_BASE_URL": "https://weaver.example"}
    said |= {"TEAMS_WEBHOOKS": "pumps=https://workflows.example/secret-address"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        env={**os.environ, **said},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, " ".join(out.decode().split())


@pytest.mark.needs_model
async def test_community_is_given_a_webhook(tmp_path: Path) -> None:
    """By its name in the settings; and has it taken away. The doctor says which is which."""
    async with open_bot(load(home=tmp_path), embedder=HashEmbedder()) as bot:
        await bot.store.run(lambda tx: tx.add(Person(name="Maud Keller", email="maud@acme.example")))
    pumps = ("community", "Pumps", "--about", "pumps, seals, bearings", "--moderator", "maud@acme.example")
    code, said = await weaver(tmp_path, *pumps, "--webhook", "pomps")
    assert (code, "no pomps in TEAMS_WEBHOOKS, but pumps" in said) == (1, True), said
    code, said = await weaver(tmp_path, *pumps, "--webhook", "pumps")
    assert (code, "shown through the webhook pumps" in said) == (0, True), said
    _, said = await weaver(tmp_path, "doctor")
    assert "Teams webhook pumps: configured, shows the questions of Pumps" in said
    assert "secret-address" not in said
    await weaver(tmp_path, *pumps, "--webhook", "")
    _, said = await weaver(tmp_path, "doctor")
    assert "Teams webhook pumps: configured, but no community uses it" in said
