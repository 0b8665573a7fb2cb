"""Teams' way in: one address for everything it sends. Nothing is believed before its token was checked.

Responses are built here: `CloudAdapter.process` of botbuilder 4.17 answers every invoke that has a body with an error.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from adapters.teams.activities import tenant_of
from adapters.teams.authentication import Refused
from adapters.teams.client import TeamsChat
from adapters.teams.invokes import UNNAMED_LINK
from bot.ports import EventHandler

log = structlog.get_logger()

MESSAGES = "/api/messages"


def install(application: web.Application, chat: TeamsChat, handle: EventHandler) -> None:
    """Add Teams' route to an application that may have others. `at_work` sets the bot to work."""
    chat.reception.handle = handle
    settings = chat.settings

    async def take(request: web.Request) -> web.Response:
        header = request.headers.get("Authorization", "")
        if not header and not settings.unauthenticated:
            return _refused("no token", request)
        try:
            activity = json.loads(await request.read())
        except (ValueError, RecursionError):
            activity = None
        if not isinstance(activity, dict):
            return web.Response(status=400, text="This is no activity: it must be a JSON object.")
        try:
            await chat.authentication.check(header, activity)
        except Refused as refused:
            return _refused(str(refused), request)
        unnamed = activity.get("name") == UNNAMED_LINK  # it names no tenant, and is told nothing
        if settings.tenant_id and tenant_of(activity) != settings.tenant_id and not unnamed:
            log.warning("teams.another_tenant")
            return web.Response(status=403, text="This bot serves another tenant.")
        status, body = await chat.reception.accept(activity)
        return web.Response(status=status) if body is None else web.json_response(body, status=status)

    application.router.add_post(MESSAGES, take)


@asynccontextmanager
async def at_work(chat: TeamsChat, handle: EventHandler) -> AsyncIterator[None]:
    """Hand over to the core what Teams sends, beginning with what an earlier process was killed over.

    Afterwards `chat.close` is still to be called, when the last message is sent.
    """
    await chat.resume(handle)
    try:
        yield
    finally:
        await chat.stop()


def _refused(why: str, request: web.Request) -> web.Response:
    log.warning("teams.refused", reason=why[:200], remote=request.remote)
    return web.Response(
        status=401,
        text="This request does not come from Microsoft Teams for this bot.",
        headers={"WWW-Authenticate": "Bearer"},
    )
