"""Communities without a bot in Teams: their questions are shown through a Workflows webhook, and answered elsewhere.

The webhook is a real address that takes cards, or answers as one in trouble does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select

from bot import communities, founding
from bot.app import open_bot
from bot.doctor import Finding, webhooks
from bot.models import Community, Person, Work
from bot.ports import BOARDS, Place, PlaceInfo
from bot.settings import load
from expertise_index import HashEmbedder
from tests.edges.test_teams_cards import wrong_in
from tests.scenarios.chat import Actor, FakeChat, MovableClock
from tests.scenarios.conftest import COMMUNITIES, PEOPLE, World, found
from tests.scenarios.test_acquaintance import place_changed
from tests.scenarios.test_one_question import QUESTION


@dataclass
class Workflows:
    """Workflows' side: it takes cards for one channel, and gives nothing back."""

    cards: list[dict[str, Any]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)  # in place of taking one
    gone: bool = False

    async def take(self, request: web.Request) -> web.Response:
        if self.gone:
            return web.Response(status=410)
        if self.answers:
            return self.answers.pop(0)
        (attachment,) = (await request.json())["attachments"]
        self.cards.append(attachment["content"])
        return web.Response(status=202)


@dataclass
class Organisation:
    """The organisation of the other scenarios, with a webhook."""

    world: World
    workflows: Workflows

    async def asks(self, text: str = QUESTION, button: str = "Ask under my name") -> None:
        """Ana asks, and posts it."""
        ana = self.world.be("ana")
        await ana.says(text)
        await ana.presses(button)

    async def wait(self) -> None:
        """Let everything be done, however long the pauses in between are."""
        for _ in range(60):
            await self.world.settle()
            async with self.world.bot.store.reading() as tx:
                waits = select(func.min(Work.due_at)).where(Work.failed.is_(False), Work.kind == "deliver")
                due = await tx.first(waits)
            if due is None:
                return
            self.world.clock.time = max(due, self.world.clock.time)
        raise AssertionError("the work does not end")

    async def show_on(self, slug: str, name: str | None) -> None:
        """What `weaver community … --webhook` does."""
        bot = self.world.bot
        board = await bot.platforms["teams"].place(Place("teams", BOARDS, name)) if name else None
        async with bot.store.transaction() as tx:
            community = await tx.first(select(Community).where(Community.slug == slug))
            await founding.show_on(tx, community, board)

    async def examined(self) -> dict[str, Finding]:
        """What `weaver doctor` says of webhooks."""
        async with self.world.bot.store.reading() as tx:
            return {f.about: f for f in await webhooks(tx, self.world.bot.settings)}


@pytest.fixture
async def acme(tmp_path: Path, database: str) -> AsyncIterator[Organisation]:
    """With two addresses, of which the pumps' is used."""
    workflows, chat, clock = Workflows(), FakeChat(), MovableClock()
    application = web.Application()
    application.router.add_post("/secret-address", workflows.take)
    for key, (name, _) in PEOPLE.items():
        chat.add_person(key, name)
    for slug, (_, _, _, private) in COMMUNITIES.items():
        chat.add_channel(slug, private=private, members=("ana", "mod", "eva") if private else PEOPLE)
    async with TestServer(application) as server:
        url = server.make_url("/secret-address?sig=s=1")
        said: dict[str, Any] = {"teams_webhooks": f"pumps={url} spare={url}", "base_url": "https://weaver.example"}
        settings = load(home=tmp_path, database_url=database, suggest_at=0.3, **said)
        async with open_bot(settings, clock=clock, embedder=HashEmbedder(), platforms={"fake": chat}) as bot:
            await bot.store.run(lambda tx: found(tx, chat))
            await bot.worker.settle()
            world = World(bot=bot, chat=chat, clock=clock, be=lambda key: Actor(chat, bot, key))
            made = Organisation(world, workflows)
            await made.show_on("pumps", "pumps")
            yield made


def words_on(card: dict[str, Any]) -> str:
    """All that one reads on a card, but its buttons."""
    found: list[str] = []

    def read(element: Any) -> None:
        for value in element.values() if isinstance(element, dict) else element if isinstance(element, list) else ():
            read(value)
        if isinstance(element, dict) and element.get("type") == "TextRun":
            found.append(element["text"])

    read(card["body"])
    return " ".join(found)


async def test_a_question_is_shown_with_the_way_to_its_thread(acme: Organisation) -> None:
    """Once, in the channel's own words; it lives in the community's channel, and is answered there."""
    await acme.asks()
    await acme.wait()
    (card,) = acme.workflows.cards
    assert wrong_in(card) == []
    assert "Ana Duarte asks Pumps" in words_on(card)
    assert QUESTION in words_on(card)
    (button,) = card["body"][-1]["actions"]
    asked = acme.world.be("ben").sees("Ana Duarte asks", to="pumps")
    assert (button["title"], button["url"]) == ("Answer in #pumps", f"https://chat.example/pumps/{asked.id}")
    ben = acme.world.be("ben")
    await ben.says("Open the valve.", to="pumps", thread=asked.id)
    acme.world.be("ana").sees("Ben Okafor answered your question")
    await acme.wait()
    assert len(acme.workflows.cards) == 1


async def test_an_anonymous_question_names_nobody(acme: Organisation) -> None:
    await acme.asks(button="Ask anonymously")
    await acme.wait()
    (card,) = acme.workflows.cards
    assert "A colleague asks Pumps" in words_on(card)
    assert "Ana" not in str(card)


async def test_other_communities_and_private_channels_stay_where_they_are(acme: Organisation) -> None:
    """A board is no place to ask in, tells nobody of a community, and shows nothing private."""
    await acme.show_on("people", "spare")
    ana, ben = acme.world.be("ana"), acme.world.be("ben")
    await ana.says(QUESTION)
    form = await ana.presses("Change …")
    assert form is not None
    choice = next(one for one in form.inputs if one.name == "community")
    assert {option.hint for option in choice.options} == {"#pumps", "#cloud", "#people"}
    people = next(option.value for option in choice.options if option.label == "People practice")
    await ana.fills(form, community=people, experts=())
    await ana.presses("Ask under my name")
    await acme.wait()
    assert acme.workflows.cards == []
    async with acme.world.bot.store.reading() as tx:
        reader = await tx.person_of(ben.ref)
        assert reader is not None
        known = await communities.overview(tx, reader, platform="fake")
        assert [name for name, *_ in known] == ["Cloud", "Pumps"]
        assert len(await communities.seen_by(tx, await tx.readable(reader))) == 2


async def test_a_board_in_trouble_holds_nobody_up(acme: Organisation) -> None:
    """429 and 500 are waited for, and the card comes once; the question is in its channel all the time."""
    acme.workflows.answers = [web.Response(status=429, headers={"Retry-After": "120"}), web.Response(status=500)]
    await acme.asks()
    acme.world.be("ben").sees("Ana Duarte asks", to="pumps")
    acme.world.be("ana").sees("Posted in #pumps")
    assert acme.workflows.cards == []
    assert "patience (429)" in (await acme.examined())["Teams webhook pumps"].says
    await acme.wait()
    assert len(acme.workflows.cards) == 1
    assert (await acme.examined())["Teams webhook pumps"].ok


async def test_a_board_that_is_gone_is_told_to_the_administrator(acme: Organisation) -> None:
    """And the address, which is a secret, to nobody. When somebody has mended it, a restart brings what waited."""
    acme.workflows.gone = True
    await acme.asks()
    await acme.wait()
    acme.world.be("ben").sees("Ana Duarte asks", to="pumps")
    told = (await acme.examined())["Teams webhook pumps"]
    assert not told.ok
    assert "is the workflow still there" in told.says
    assert "secret-address" not in told.says
    acme.workflows.gone = False
    await acme.world.bot.worker.start()
    await acme.world.bot.worker.stop()
    await acme.wait()
    assert len(acme.workflows.cards) == 1


async def test_a_channel_made_private_keeps_what_still_waits(acme: Organisation) -> None:
    acme.workflows.answers = [web.Response(status=503)]
    await acme.asks()
    acme.world.chat.add_channel("pumps", private=True, members=("ana", "ben", "mod"))
    await place_changed(acme.world, "pumps")
    await acme.wait()
    assert acme.workflows.cards == []


async def test_the_doctor_says_of_each_webhook_whether_it_is_configured(acme: Organisation) -> None:
    told = await acme.examined()
    assert (told["Teams webhook pumps"].ok, told["Teams webhook pumps"].says) == (
        True, "configured, shows the questions of Pumps",
    )  # fmt: skip
    assert not told["Teams webhook spare"].ok
    assert "--webhook spare" in told["Teams webhook spare"].says
    lost = PlaceInfo(place=Place("teams", BOARDS, "lost"), name="lost", private=False)
    async with acme.world.bot.store.transaction() as tx:
        cloud = await tx.first(select(Community).where(Community.slug == "cloud"))
        await founding.show_on(tx, cloud, lost)
    told = await acme.examined()
    assert "not configured, so it shows no questions of Cloud" in told["Teams webhook lost"].says
    await acme.show_on("cloud", None)
    assert "Teams webhook lost" not in await acme.examined()


async def test_a_webhook_without_an_address_is_passed_over(acme: Organisation) -> None:
    """Nothing is given up over what an administrator has taken out."""
    lost = PlaceInfo(place=Place("teams", BOARDS, "lost"), name="lost", private=False)
    async with acme.world.bot.store.transaction() as tx:
        pumps = await tx.first(select(Community).where(Community.slug == "pumps"))
        await founding.show_on(tx, pumps, lost)
    await acme.asks()
    await acme.wait()
    async with acme.world.bot.store.reading() as tx:
        assert await tx.all(select(Work).where(Work.failed)) == []
    acme.world.be("ben").sees("Ana Duarte asks", to="pumps")


async def test_people_known_from_an_import_are_let_in_to_the_web_chat(tmp_path: Path) -> None:
    """Where there is nothing but the web chat and webhooks: who has no account could not be asked otherwise."""
    said = {"teams_webhooks": "pumps=https://workflows.example/x", "base_url": "https://weaver.example"}
    async with open_bot(load(home=tmp_path, **said), embedder=HashEmbedder()) as bot:
        person = await bot.store.run(lambda tx: tx.add(Person(name="Ivo Import", email="ivo@acme.example")))
        await bot.dispatcher._acquaintance.reach([person.id], bot.web.ref("ana"))
        async with bot.store.reading() as tx:
            account = await tx.account_of(person.id)
    assert account is not None
    assert account.platform == "web"
