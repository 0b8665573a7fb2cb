"""The composition root: the only file that knows all parts, and how they hang together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.server import application, listen
from adapters.teams import TeamsChat, TeamsSettings
from adapters.teams import at_work as teams_at_work
from adapters.web import WebChat
from bot import answers, indexing, routing, suggestions
from bot.acquaintance import EVERYBODY, Acquaintance
from bot.delivery import Deliverer, Worker, backlog
from bot.dispatch import PRESSES, Dispatcher
from bot.migrations import migrate
from bot.models import Card
from bot.ports import ChatPlatform, Clock, Place, SystemClock
from bot.seal import Seal, secret_in
from bot.settings import Settings
from bot.store import Store, Transaction, open_engine
from expertise_index import Embedder, ExpertiseIndex, SentenceEmbedder

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All parts, put together."""

    settings: Settings
    store: Store
    index: ExpertiseIndex
    dispatcher: Dispatcher
    worker: Worker
    web: WebChat
    teams: TeamsChat | None
    platforms: Mapping[str, ChatPlatform]


async def _when_question_sent(tx: Transaction, card: Card, place: Place, message_id: str) -> None:
    await routing.when_posted(tx, int(card.key.partition(":")[2]), place, message_id)


async def _when_answer_sent(tx: Transaction, card: Card, _place: Place, message_id: str) -> None:
    await answers.when_sent(tx, int(card.key.partition(":")[2]), message_id)


@asynccontextmanager
async def open_bot(
    settings: Settings,
    *,
    clock: Clock | None = None,
    embedder: Embedder | None = None,
    platforms: Mapping[str, ChatPlatform] | None = None,
    demo: bool = False,
) -> AsyncIterator[Bot]:
    """The bot with its database and index open, not yet working or listening (`run` does that).

    `platforms` come beside the web chat. The model is loaded when it is first needed, or by `running`.
    """
    clock = clock or SystemClock()
    settings.home.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database)
    secret = settings.secret or secret_in(settings.home)
    seal = Seal(secret)
    engine = open_engine(settings.database)
    store = Store(engine, clock, seal)
    embedder = embedder or SentenceEmbedder(settings.model)
    index = await ExpertiseIndex.open(settings.index, embedder)
    web = WebChat(
        engine,
        clock,
        seal=seal,
        secret=secret,
        base_url=settings.address,
        demo=demo,
        organisation=settings.organisation,
    )
    teams = _teams(settings, engine, clock, seal)
    every: dict[str, ChatPlatform] = {"web": web, **({"teams": teams} if teams else {}), **(platforms or {})}
    at_least = settings.suggest_at
    acquaintance = Acquaintance(store, every)
    dispatcher = Dispatcher(store, index, acquaintance, every, at_least=at_least)
    deliverer = Deliverer(store, every, when_sent={"question": _when_question_sent, "answer": _when_answer_sent})
    worker = Worker(
        store,
        {
            "deliver": deliverer.deliver,
            "suggest": lambda key: suggestions.suggest(store, index, key, at_least=at_least),
            "plan": lambda key: routing.plan(store, index, key),
            "announce": lambda key: routing.announce(store, index, every, key, at_least=at_least),
            "remind": lambda key: store.run(lambda tx: answers.remind(tx, key)),
            "look_up": dispatcher.look_up,
            "round": acquaintance.round,
            "index": lambda key: indexing.index_range(store, index, key),
        },
        name=settings.replica,
    )
    try:
        yield Bot(
            settings=settings,
            store=store,
            index=index,
            dispatcher=dispatcher,
            worker=worker,
            web=web,
            teams=teams,
            platforms=every,
        )
    finally:
        if teams:
            await teams.close()
        await index.close()
        await embedder.close()
        await store.close()


def _teams(settings: Settings, engine: AsyncEngine, clock: Clock, seal: Seal) -> TeamsChat | None:
    said = TeamsSettings(
        app_id=settings.teams_app_id,
        app_password=settings.teams_app_password,
        tenant_id=settings.teams_tenant_id,
        emulator=settings.teams_emulator,
        open_teams=tuple(settings.teams_open.replace(",", " ").split()),
    )
    if not said.on:
        return None
    forms = [action for action, press in PRESSES.items() if press.__annotations__["return"] != "None"]
    return TeamsChat(engine, clock, seal=seal, settings=said, forms=forms, replica=settings.replica)


@asynccontextmanager
async def running(bot: Bot) -> AsyncIterator[Bot]:
    """The bot at work: it delivers, listens, and takes up what an earlier process was killed over."""
    pages = application(bot.web, bot.dispatcher.handle, health=lambda: backlog(bot.store), teams=bot.teams)
    server = await listen(pages, bot.settings.host, bot.settings.port)
    await bot.index.embedder.start()  # not earlier: loading takes the processor that acknowledging messages needs
    owed = asyncio.create_task(_embed_owed(bot.index))
    try:
        await bot.store.run(lambda tx: tx.later("round", EVERYBODY))
        await bot.worker.start()
        await bot.web.resume(bot.dispatcher.handle)
        async with teams_at_work(bot.teams, bot.dispatcher.handle) if bot.teams else nullcontext():
            yield bot
    finally:
        owed.cancel()
        await asyncio.gather(owed, return_exceptions=True)
        await server.cleanup()
        await bot.worker.stop()


async def _embed_owed(index: ExpertiseIndex) -> None:
    """In the background: give vectors to what has none yet, after an import or a change of model.

    A few at a time, with room between: a question that is waiting goes first.
    """
    while True:
        try:
            done = await index.embed_owed(limit=8)
            await asyncio.sleep(0.02 if done else 2)
        except Exception:
            log.exception("index.embedding_failed")
            await asyncio.sleep(30)
