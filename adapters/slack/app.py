"""Slack's way in: one address for everything it sends, the pages that install the app, and Socket Mode.

Bolt takes requests apart and finds the listener; what is believed and what is answered is decided here. In particular
nothing is asked of Slack before a request is acknowledged, and it is acknowledged after it was kept.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from adapters.slack.client import SlackChat
from adapters.slack.oauth import INSTALL, REDIRECT, OAuth
from bot.ports import EventHandler

log = structlog.get_logger()

EVENTS_PATH = "/slack/events"
_ANY = re.compile(".*", re.DOTALL)


class _Anybody(AsyncAuthorize):
    """Whether the app is installed where a request comes from is seen when it is handled, not before it is kept."""

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,
        actor_team_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> AuthorizeResult | None:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


def bolt_application(chat: SlackChat) -> AsyncApp:
    """Bolt, as a dispatcher: every kind of request goes to `chat.reception`, and is answered when that has kept it."""
    quiet = logging.getLogger("adapters.slack.bolt")
    quiet.setLevel(logging.ERROR)
    app = AsyncApp(
        name="weaver",
        logger=quiet,
        client=chat.calls.client(""),
        authorize=_Anybody(),  # type: ignore[no-untyped-call, arg-type]  # Bolt takes its own kind, too
        process_before_response=True,
        request_verification_enabled=False,  # done before Bolt sees it, see `_signed`
        ssl_check_enabled=False,
        ignoring_self_events_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    async def keep(body: dict[str, Any], ack: AsyncAck) -> None:
        answer = await chat.reception.accept(body)
        if answer is None:
            await ack()
        else:
            await ack(**answer)

    app.event(_ANY)(keep)
    app.command(_ANY)(keep)
    app.action(_ANY)(keep)
    app.shortcut(_ANY)(keep)
    app.view(_ANY)(keep)
    return app


def install(application: web.Application, chat: SlackChat, handle: EventHandler) -> None:
    """Add Slack's routes to an application that may have others. `at_work` sets the bot to work."""
    bolt = bolt_application(chat)
    oauth = OAuth(chat)
    chat.reception.handle = handle
    secret = chat.settings.signing_secret

    async def take(request: web.Request) -> web.Response:
        raw = await request.read()
        if not _signed(secret, request.headers, raw):
            return web.Response(status=401, text="This request is not signed by Slack, or is older than five minutes.")
        try:
            asked = AsyncBoltRequest(body=raw.decode(), query=request.query_string, headers=dict(request.headers))
            if not isinstance(asked.body.get("event", {}), dict):
                raise TypeError("an event is an object")
        except Exception:  # whatever is wrong with it: it is signed, but not of a shape that Slack documents
            log.warning("slack.unreadable_request", bytes=len(raw))
            return web.Response(status=400, text="This request could not be read.")
        answer = await bolt.async_dispatch(asked)
        if answer.status == 404:
            log.info("slack.unknown_request", type=str(asked.body.get("type"))[:60])
            return web.Response()
        return await to_aiohttp_response(answer)

    application.router.add_post(EVENTS_PATH, take)
    application.router.add_get(INSTALL, oauth.install)
    application.router.add_get(REDIRECT, oauth.redirect)


def _signed(secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack; without a secret nothing is believed."""
    stamp = headers.get("X-Slack-Request-Timestamp", "")
    if not secret or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 20):
        return False
    try:
        return SignatureVerifier(secret).is_valid(raw, stamp, headers.get("X-Slack-Signature", ""))
    except (UnicodeDecodeError, TypeError):
        return False


@asynccontextmanager
async def at_work(chat: SlackChat, handle: EventHandler) -> AsyncIterator[None]:
    """Hand over to the core what Slack sends, beginning with what an earlier process was killed over.

    Afterwards `chat.close` is still to be called, when the last message is sent.
    """
    await chat.resume(handle)
    socket = SocketMode(chat, handle) if chat.settings.app_token else None
    if socket is not None:
        socket.start()
    try:
        yield
    finally:
        if socket is not None:
            await socket.stop()
        await chat.stop()


class SocketMode:
    """Slack's requests over a connection that the bot opens: https://docs.slack.dev/apis/events-api/using-socket-mode."""

    def __init__(self, chat: SlackChat, handle: EventHandler) -> None:
        chat.reception.handle = handle
        bolt = bolt_application(chat)
        self._handler = AsyncSocketModeHandler(
            bolt, chat.settings.app_token, web_client=chat.calls.client(""), ping_interval=5
        )
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect, in the background, as often as it takes."""
        self._connecting = asyncio.create_task(self._handler.connect_async())  # type: ignore[no-untyped-call]

    async def stop(self) -> None:
        """Close the connection. What was kept is handled all the same."""
        await self._handler.close_async()  # type: ignore[no-untyped-call]
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
