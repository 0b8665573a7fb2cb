"""The path of one question on Slack, through the whole bot: over signed HTTP, and over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from adapters.server import application
from adapters.slack import at_work
from adapters.slack.manifest import manifest
from bot import communities, experts
from bot.app import Bot, open_bot
from bot.delivery import backlog
from bot.models import Community, Membership, Skill
from bot.ports import PersonRef, Place
from bot.settings import load
from bot.store import Transaction
from expertise_index import HashEmbedder
from tests.edges.slack_server import Channel, Person, SlackServer, Workspace
from tests.edges.test_slack_support import ADDRESS

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: the suction pressure falls below vapour pressure. Open the valve, check the NPSH margin."


@dataclass
class World:
    """A workspace with a community and the bot."""

    slack: SlackServer
    acme: Workspace
    bot: Bot
    ana: Person
    ben: Person
    eva: Person
    pumps: Channel

    async def sees(self, person: Person, words: str, channel: Channel | None = None) -> None:
        """Wait until this person reads these words, bold or not."""
        try:
            await self.slack.until(lambda: words in person.sees(channel).replace("*", ""))
        except TimeoutError:
            raise AssertionError(f"{words!r} is not in what {person.user.real_name} sees:\n{person.sees()}") from None


@pytest.fixture(params=["http", "socket mode"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Everything, started as it is in earnest."""
    socket_mode = request.param == "socket mode"
    async with SlackServer(manifest("" if socket_mode else ADDRESS), socket_mode=socket_mode) as slack:
        acme = slack.workspace("Acme")
        ana, ben, eva = (acme.person(name) for name in ("Ana Duarte", "Ben Okafor", "Eva Lind"))
        pumps = acme.channel("pumps", ana, ben, eva)
        settings = load(
            home=tmp_path,
            suggest_at=0.3,
            slack_bot_token=acme.token,
            slack_signing_secret="" if socket_mode else slack.signing_secret,
            slack_app_token=slack.app_token if socket_mode else "",
            slack_api_url=slack.api_url,
        )
        async with open_bot(settings, embedder=HashEmbedder()) as bot:
            assert bot.slack is not None
            await _found(bot, acme, pumps, ben)
            handle = bot.dispatcher.handle
            runner = web.AppRunner(application(bot.web, handle, health=lambda: backlog(bot.store), slack=bot.slack))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
            await bot.worker.start()
            try:
                async with at_work(bot.slack, handle):
                    if socket_mode:
                        await slack.sockets.connected()
                    yield World(slack, acme, bot, ana, ben, eva, pumps)
            finally:
                await runner.cleanup()
                await bot.worker.stop()


async def _found(bot: Bot, acme: Workspace, pumps: Channel, expert: Person) -> None:
    """A community for the channel, and somebody who knows."""
    assert bot.slack is not None
    ref, place = PersonRef("slack", acme.team.id, expert.id), Place("slack", acme.team.id, pumps.id)
    profile, info = await bot.slack.profile(ref), await bot.slack.place(place)

    async def found(tx: Transaction) -> None:
        person = await experts.introduce(tx, profile)
        for topic in ("pump noise", "suction valve", "noise like gravel"):
            tx.session.add(Skill(person_id=person.id, topic=topic, source="declared"))
        await tx.later("index", f"people:{person.id}-{person.id}")
        made = Community(slug="pumps", name="Pumps", domain="Pumps, cavitation, bearings, seals", rule="publish")
        community = await tx.add(made)
        channel = await communities.learn(tx, info, [person])
        channel.community_id = community.id
        tx.session.add(Membership(community_id=community.id, person_id=person.id, role="moderator"))
        await tx.later("index", f"communities:{community.id}-{community.id}")

    await bot.store.run(found)
    await bot.worker.settle()


async def test_from_question_to_knowledge(world: World) -> None:
    """Mention, preview, post, prompt, answer in a form, accept; and the next asker finds it at once."""
    ana, ben, eva = world.ana, world.ben, world.eva
    await ana.mentions_bot(QUESTION, world.pumps)
    await world.sees(ana, "only visible to you): I have your question", world.pumps)
    await world.sees(ana, "I would post it in #pumps", ana.dm)
    assert "gravel" not in ben.sees(ben.dm)

    await ana.presses("Ask under my name")
    await world.sees(eva, "Ana Duarte asks", world.pumps)
    await world.sees(ben, "you may know", ben.dm)
    await ben.presses("Answer")
    await world.slack.until(lambda: ben.modal is not None)
    sent = await ben.fills_and_submits(**{"Your answer": ANSWER})
    assert sent.accepted
    await world.sees(ben, "Your answer is in the thread", ben.dm)
    await world.sees(eva, "Ben Okafor answers", world.pumps)
    await world.sees(ana, "Ben Okafor answered your question", ana.dm)

    await ana.presses("This answers it")
    await world.sees(eva, "Accepted answer", world.pumps)
    await world.sees(ben, "It is now a knowledge entry under your name", ben.dm)

    await eva.dms("pump makes a noise like gravel with the suction valve half closed, why?")
    await world.sees(eva, "This may have been answered before", eva.dm)
    await eva.presses("This solved it")
    await world.sees(ben, "Your answer just helped a colleague", ben.dm)
    assert world.slack.violations == []


async def test_an_answer_in_the_thread_and_a_reaction(world: World) -> None:
    """Nobody has to use a button."""
    ana, ben = world.ana, world.ben
    await ana.dms(QUESTION)
    await world.sees(ana, "I would post it in #pumps", ana.dm)
    await ana.presses("Ask under my name")
    await world.sees(ben, "you may know", ben.dm)  # so the bot knows that the question is in the channel
    card = next(
        message
        for message in ben.messages(world.pumps)
        if "asks" in ben.reads(message) and message.user == world.acme.bot.id
    )
    reply = await ben.says(ANSWER, world.pumps, thread=card)
    await world.sees(ana, "Ben Okafor answered your question", ana.dm)
    await ana.reacts("white_check_mark", reply)
    await world.sees(ben, "Your answer was accepted", ben.dm)
    assert world.slack.violations == []


async def test_a_command_and_a_card_of_yesterday(world: World) -> None:
    """What one asks for comes in private; what is no longer known has a sentence."""
    ana = world.ana
    await ana.command("/community", channel=world.pumps)
    await world.sees(ana, "only visible to you): Communities", world.pumps)
    await ana.command("/ask", channel=world.pumps)
    await world.slack.until(lambda: ana.modal is not None)
    assert "Nothing is posted before you have seen where" in ana.sees()
    assert world.slack.violations == []
