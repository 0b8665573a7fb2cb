"""What an interaction gives the bot for a while: trigger ids and response URLs; and the codes of OAuth.

https://docs.slack.dev/interactivity/handling-user-interaction and https://docs.slack.dev/authentication/installing-with-oauth
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from bot.ports import Clock

from . import validation
from .state import Channel, Json, Message, SlackError, Team, new_id
from .web_api import Recorded, Violation

if TYPE_CHECKING:
    from .server import SlackServer


_FIELDS = {
    "attachments", "blocks", "delete_original", "metadata", "replace_original", "response_type", "text", "thread_ts",
    "unfurl_links", "unfurl_media",
}  # fmt: skip


class Triggers:
    """Trigger ids: good once, for three seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[str, str, datetime]] = {}
        self._used: set[str] = set()

    def new(self, team: Team, user: str) -> str:
        """A fresh one, for what this person just did."""
        trigger = f"{new_id('')}.{new_id('')}.{uuid.uuid4().hex}"
        self._known[trigger] = (team.id, user, self._clock.now() + timedelta(seconds=3))
        return trigger

    def use(self, trigger: str, team: Team) -> str:
        """Whose it is, once."""
        team_id, user, until = self._known.get(trigger, ("", "", self._clock.now()))
        if team_id != team.id:
            raise SlackError("invalid_trigger_id")
        if trigger in self._used:
            raise SlackError("exchanged_trigger_id")
        if self._clock.now() > until:
            raise SlackError("expired_trigger_id")
        self._used.add(trigger)
        return user


@dataclass
class _ResponseUrl:
    team: Team
    channel: Channel
    user: str
    message: Message | None
    until: datetime
    left: int = 5


class ResponseUrls:
    """Response URLs: five posts within thirty minutes, to one person or to the channel, no token needed."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server
        self._known: dict[str, _ResponseUrl] = {}

    def new(self, team: Team, channel: Channel, user: str, message: Message | None = None) -> str:
        """A fresh one, for an interaction with a message, or for a command."""
        secret = uuid.uuid4().hex
        until = self._server.clock.now() + timedelta(minutes=30)
        self._known[secret] = _ResponseUrl(team, channel, user, message, until)
        return f"{self._server.url}/respond/{secret}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One post of the bot."""
        found = self._known.get(request.match_info["secret"])
        try:
            body: Json = await request.json()
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)

        async def act() -> Json:
            if found is None or self._server.clock.now() > found.until:
                return {"ok": False, "error": "expired_url"}
            if found.left == 0:
                return {"ok": False, "error": "used_url"}
            found.left -= 1
            try:
                self.respond(found, body)
            except SlackError as error:
                return error.body
            return {"ok": True}

        if fault := self._server.faults.due("response_url"):
            self._record(found, body, type(fault).__name__)
            return await fault.answer(request, act)
        said = await act()
        self._record(found, body, "ok" if said["ok"] else said["error"])
        return web.json_response(said, status=200 if said["ok"] else 404 if said["error"].endswith("_url") else 400)

    def _record(self, found: _ResponseUrl | None, body: Json, outcome: str) -> None:
        team = found.team.id if found else None
        self._server.calls.append(Recorded("response_url", body, team, self._server.clock.now(), outcome))
        self._server.news()

    def answered(self, team: Team, channel: Channel, user: str, body: Json, message: Message | None = None) -> None:
        """The body of an acknowledgement, which counts as a first response."""
        self.respond(_ResponseUrl(team, channel, user, message, self._server.clock.now()), body)

    def respond(self, where: _ResponseUrl, body: Json) -> None:
        """Post, replace or delete."""
        message = where.message
        own = message and self._server.is_bot(where.team, message.user)
        if message and (message.ts not in where.channel.messages or not own):
            message = None  # it is gone, or it is a person's, with a preview of the bot below
        if body.get("delete_original"):
            if message:
                self._server.events.delete(where.team, where.channel, message)
            return
        self._validate(body)
        blocks = self._server.with_ids(body.get("blocks") or [])
        if body.get("replace_original") and message:
            previous = message.as_json()
            message.text, message.blocks = body.get("text", message.text), blocks
            if not message.only_for:
                self._server.events.changed(where.team, where.channel, message, previous)
            return
        installation = where.team.installation
        assert installation
        said = Message(
            channel=where.channel.id, ts=self._server.next_ts(), user=installation.bot_user, team_id=where.team.id,
            text=body.get("text", ""), blocks=blocks, thread_ts=body.get("thread_ts"), bot_id=installation.bot_id,
            app_id=self._server.app_id, metadata=body.get("metadata"),
            only_for=None if body.get("response_type") == "in_channel" else where.user,
        )  # fmt: skip
        where.channel.messages[said.ts] = said
        if not said.only_for:
            self._server.events.said(where.team, where.channel, said)

    def _validate(self, body: Json) -> None:
        for unknown in sorted(set(body) - _FIELDS):
            self._server.violations.append(Violation("response_url", f"unknown field {unknown}", body))
        problems = validation.block_problems(body.get("blocks") or [])
        problems += [] if body.get("text") or body.get("blocks") else ["no text and no blocks"]
        for problem in problems:
            self._server.violations.append(Violation("response_url", problem, body))
        if problems:
            raise SlackError("invalid_blocks" if body.get("blocks") else "no_text")
        if not body.get("text"):
            self._server.violations.append(Violation("response_url", "no text: nothing for screen readers", body))


class OAuth:
    """The consent page is a method that gives a code; `oauth.v2.access` takes it, once."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server
        self._codes: dict[str, tuple[Team, str, frozenset[str], str]] = {}

    def code(self, team: Team, user: str, scopes: frozenset[str] | None = None, redirect_uri: str = "") -> str:
        """What Slack appends to the redirect when somebody has allowed the app."""
        code = f"{new_id('')}.{new_id('')}.{uuid.uuid4().hex}"
        self._codes[code] = (team, user, scopes if scopes is not None else self._server.scopes, redirect_uri)
        return code

    async def exchange(self, arguments: Json, request: web.Request) -> Json:
        """The code becomes a bot's token."""
        client_id, secret = arguments.get("client_id"), arguments.get("client_secret")
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            client_id, _, secret = base64.b64decode(credentials).decode().partition(":")
        if client_id != self._server.client_id:
            raise SlackError("invalid_client_id")
        if secret != self._server.client_secret:
            raise SlackError("bad_client_secret")
        found = self._codes.pop(str(arguments.get("code", "")), None)
        if found is None:
            raise SlackError("invalid_code")
        team, user, scopes, redirect_uri = found
        if redirect_uri and redirect_uri != arguments.get("redirect_uri"):
            raise SlackError("bad_redirect_uri")
        installation = self._server.install(team, scopes)
        return {
            "ok": True,
            "app_id": self._server.app_id,
            "authed_user": {"id": user},
            "scope": ",".join(sorted(scopes)),
            "token_type": "bot",
            "access_token": installation.token,
            "bot_user_id": installation.bot_user,
            "team": {"id": team.id, "name": team.name},
            "enterprise": None,
            "is_enterprise_install": False,
        }
