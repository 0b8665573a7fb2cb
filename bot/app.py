"""The composition root: the only file that knows all parts, and how they hang together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.server import application, listen
from adapters.slack import SlackChat, SlackSettings
from adapters.slack import at_work as slack_at_work
from adapters.teams import TeamsChat, TeamsSettings, TeamsWebhooks
from adapters.teams import at_work as teams_at_work
from adapters.web import WebChat
from bot import (
    answers,
    home,
    indexing,
    last_look,
    listening,
    mirrors,
    posting,
    previews,
    prompts,
    routing,
    saving,
    suggestions,
)
from bot.acquaintance import EVERYBODY, Acquaintance
from bot.addresses import Addresses
from bot.delivery import Deliverer, Worker, backlog
from bot.dispatch import FORMS, PRESSES, Dispatcher
from bot.errors import ConfigurationError
from bot.insertions import Insertions
from bot.migrations import migrate
from bot.models import Card
from bot.ports import ChatPlatform, Clock, Composer, Place, SystemClock
from bot.seal import Seal, secret_in
from bot.settings import Settings
from bot.store import Store, Transaction, open_engine
from expertise_index import Embedder, ExpertiseIndex, MissingExtensionError, SentenceEmbedder

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All parts, put together."""

    settings: Settings
    store: Store
    index: ExpertiseIndex
    dispatcher: Dispatcher
    composer: Composer
    worker: Worker
    web: WebChat
    slack: SlackChat | None
    teams: TeamsChat | None
    webhooks: TeamsWebhooks | None
    platforms: Mapping[str, ChatPlatform]


async def _when_question_sent(tx: Transaction, card: Card, place: Place, message_id: str) -> None:
    await posting.when_posted(tx, card.row, place, message_id)


async def _when_answer_sent(tx: Transaction, card: Card, place: Place, message_id: str) -> None:
    await answers.when_sent(tx, card.row, place, message_id)


async def _when_mirror_sent(tx: Transaction, card: Card, _place: Place, message_id: str) -> None:
    await mirrors.when_posted(tx, card.row, message_id)


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
    try:
        index = await ExpertiseIndex.open(settings.index, embedder)
    except MissingExtensionError as error:
        raise ConfigurationError(str(error)) from None
    web = WebChat(
        engine,
        clock,
        seal=seal,
        secret=secret,
        base_url=settings.address,
        demo=demo,
        organisation=settings.organisation,
    )
    slack = _slack(settings, engine, clock, seal)
    teams = _teams(settings, engine, clock, seal)
    every: dict[str, ChatPlatform] = {"web": web, **(platforms or {})}
    if slack:
        every["slack"] = slack
    if teams:
        every["teams"] = teams
    webhooks = _webhooks(settings, engine, clock, seal)
    if webhooks:
        every["teams"] = webhooks
    at_least = settings.suggest_at
    acquaintance = Acquaintance(store, every, web)
    addresses = Addresses(settings.address)
    composer = Insertions(store, index, acquaintance, addresses=addresses)
    if teams:
        teams.assist(composer)
    dispatcher = Dispatcher(
        store, index, acquaintance, every, at_least=at_least, addresses=addresses, reactions=settings.reactions
    )
    when_sent = {"question": _when_question_sent, "answer": _when_answer_sent, "mirror": _when_mirror_sent}
    deliverer = Deliverer(store, every, when_sent=when_sent, last_look=last_look)
    worker = Worker(
        store,
        {
            "deliver": deliverer.deliver,
            "suggest": lambda key: suggestions.suggest(store, index, key, at_least=at_least, reach=acquaintance.reach),
            "plan": lambda key: routing.plan(store, index, key, reach=acquaintance.reach),
            "announce": lambda key: posting.announce(store, index, every, key, at_least=at_least),
            "mirrored": lambda key: posting.mirrored(store, index, every, key, at_least=at_least),
            "carry": lambda key: store.run(lambda tx: mirrors.carry(tx, key)),
            "remind": lambda key: store.run(lambda tx: prompts.remind(tx, key)),
            "look_up": dispatcher.look_up,
            "round": acquaintance.round,
            "heard_again": dispatcher.heard_again,
            "overhear": lambda key: listening.overhear(store, index, key, at_least=at_least),
            "saved": lambda key: saving.follow(store, every, addresses, key),
            "unfurl": lambda key: previews.unfurl(store, every, addresses, key),
            "home": lambda key: home.publish(store, every, key),
            "index": lambda key: indexing.index_range(store, index, key),
        },
        name=settings.replica,
        given_up={"deliver": deliverer.given_up},
    )
    try:
        yield Bot(
            settings=settings,
            store=store,
            index=index,
            dispatcher=dispatcher,
            composer=composer,
            worker=worker,
            web=web,
            slack=slack,
            teams=teams,
            webhooks=webhooks,
            platforms=every,
        )
    finally:
        for chat in (slack, teams, webhooks):
            if chat:
                await chat.close()
        await index.close()
        await embedder.close()
        await store.close()


def _slack(settings: Settings, engine: AsyncEngine, clock: Clock, seal: Seal) -> SlackChat | None:
    said = SlackSettings(
        bot_token=settings.slack_bot_token,
        signing_secret=settings.slack_signing_secret,
        app_token=settings.slack_app_token,
        api_url=settings.slack_api_url,
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret,
        public_url=settings.address if settings.base_url else "",
        workspaces=tuple(settings.slack_workspaces.replace(",", " ").split()),
    )
    return SlackChat(engine, clock, seal=seal, settings=said, replica=settings.replica) if said.on else None


def _teams(settings: Settings, engine: AsyncEngine, clock: Clock, seal: Seal) -> TeamsChat | None:
    others = {"login_url": settings.teams_login_url, "openid_metadata_url": settings.teams_openid_url}
    said = TeamsSettings(
        app_id=settings.teams_app_id,
        app_password=settings.teams_app_password,
        tenant_id=settings.teams_tenant_id,
        emulator=settings.teams_emulator,
        open_teams=tuple(settings.teams_open.replace(",", " ").split()),
        **{name: url for name, url in others.items() if url},
    )
    if not said.on:
        return None
    forms = FORMS | {action for action, press in PRESSES.items() if press.__annotations__["return"] != "None"}
    return TeamsChat(engine, clock, seal=seal, settings=said, forms=sorted(forms), replica=settings.replica)


def _webhooks(settings: Settings, engine: AsyncEngine, clock: Clock, seal: Seal) -> TeamsWebhooks | None:
    if not settings.webhooks:
        return None
    return TeamsWebhooks(engine, clock, seal=seal, webhooks=settings.webhooks, base_url=settings.address)


@asynccontextmanager
async def running(bot: Bot) -> AsyncIterator[Bot]:
    """The bot at work: it delivers, listens, and takes up what an earlier process was killed over."""
    handle = bot.dispatcher.handle
    health = partial(backlog, bot.store)
    pages = application(bot.web, handle, health=health, slack=bot.slack, teams=bot.teams)
    server = await listen(pages, bot.settings.host, bot.settings.port)
    await bot.index.embedder.start()  # not earlier: loading takes the processor that acknowledging messages needs
    owed = asyncio.create_task(_embed_owed(bot.index))
    try:
        await bot.store.run(lambda tx: tx.later("round", EVERYBODY))
        await bot.worker.start()
        await bot.web.resume(handle)
        if bot.webhooks:
            await bot.webhooks.tidy()
        async with AsyncExitStack() as chats:
            if bot.slack:
                await chats.enter_async_context(slack_at_work(bot.slack, handle))
            if bot.teams:
                await chats.enter_async_context(teams_at_work(bot.teams, handle))
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
