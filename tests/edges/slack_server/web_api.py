"""The Web API's front door: arguments, tokens, scopes, validation, faults; and the record of every call.

https://docs.slack.dev/apis/web-api/
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import validation
from .state import Channel, Installation, Json, Kind, SlackError, Team, User

if TYPE_CHECKING:
    from .server import SlackServer

_JSON_ARGUMENTS = ("attachments", "blocks", "files", "metadata", "unfurls", "view")
_KIND_OF_FAMILY: dict[Kind, str] = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}


@dataclass(frozen=True)
class Recorded:
    """One call of the bot, and what came of it: `ok`, an error code, or the name of the fault."""

    method: str
    arguments: Json
    team: str | None
    at: datetime
    outcome: str


@dataclass(frozen=True)
class Violation:
    """Something the bot sent that Slack's documentation forbids, or that it would silently ignore."""

    method: str
    problem: str
    arguments: Json


@dataclass
class Call:
    """A call that passed the door."""

    server: SlackServer
    method: str
    arguments: Json
    team: Team
    installation: Installation

    @property
    def bot(self) -> User:
        return self.team.users[self.installation.bot_user]

    def text(self, name: str) -> str:
        """An argument as text; empty where it is missing."""
        value = self.arguments.get(name)
        return "" if value is None else str(value)

    def flag(self, name: str) -> bool:
        """An argument as a boolean."""
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def need(self, *scopes: str) -> None:
        """Raise `missing_scope` unless one of these was granted."""
        if not self.installation.scopes & set(scopes):
            provided = ",".join(sorted(self.installation.scopes))
            raise SlackError("missing_scope", needed=",".join(scopes), provided=provided)

    def channel(self, name: str = "channel", *, family: str = "") -> Channel:
        """The channel that an argument names, if the bot may know of it."""
        channel = self.team.channels.get(self.text(name))
        if channel is None or not channel.visible_to(self.bot):
            raise SlackError("channel_not_found")
        if family:
            self.need(f"{channel.scope_family}:{family}")
        return channel

    def user(self, name: str = "user") -> User:
        """The person that an argument names."""
        if user := self.team.users.get(self.text(name)):
            return user
        raise SlackError("user_not_found")

    def page(self, items: list[Any], *, default: int = 100) -> tuple[list[Any], Json]:
        """One page of a list, and the `response_metadata` with the next cursor."""
        try:
            limit = max(1, min(int(self.text("limit") or default), 1000))
            start = int(self.text("cursor").removeprefix("after-") or 0)
        except ValueError:
            raise SlackError("invalid_cursor") from None
        more = start + limit < len(items)
        cursor = f"after-{start + limit}" if more else ""
        return items[start : start + limit], {"next_cursor": cursor}


Handler = Callable[[Call], Awaitable[Json]]
HANDLERS: dict[str, Handler] = {}


def method(name: str) -> Callable[[Handler], Handler]:
    """Register the handler of one method."""

    def register(handler: Handler) -> Handler:
        HANDLERS[name] = handler
        return handler

    return register


async def arguments_of(request: web.Request) -> Json:
    """Query, form and JSON bodies alike; nested values decoded wherever they came as text."""
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            arguments |= await request.json() if request.can_read_body else {}
        except ValueError:
            raise SlackError("invalid_json") from None
    elif request.can_read_body:
        arguments |= dict(await request.post())
    for name in _JSON_ARGUMENTS:
        if isinstance(arguments.get(name), str):
            try:
                arguments[name] = json.loads(arguments[name])
            except ValueError:
                raise SlackError("invalid_blocks" if name == "blocks" else "invalid_arguments") from None
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        arguments["token"] = token
    return arguments


class WebApi:
    """`/api/{method}`."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request: with its fault if one is due, else with what the method says."""
        name = request.match_info["method"]
        try:
            arguments = await arguments_of(request)
        except SlackError as error:
            return web.json_response(error.body)
        token = str(arguments.pop("token", ""))
        headers: dict[str, str] = {}

        async def act() -> Json:
            body = await self._act(name, arguments, token, request, headers)
            self.record(name, arguments, token, "ok" if body["ok"] else body["error"])
            return body

        if fault := self._server.faults.due(name):
            self.record(name, arguments, token, type(fault).__name__)
            return await fault.answer(request, act)
        body = await act()
        if wait := body.pop("retry_after", None):
            return web.json_response(body, status=429, headers={"Retry-After": str(wait)})
        return web.json_response(body, headers=headers)

    def record(self, name: str, arguments: Json, token: str, outcome: str) -> None:
        """Remember the call."""
        team, _ = self._server.by_token(token)
        calls = self._server.calls
        calls.append(Recorded(name, dict(arguments), team.id if team else None, self._server.clock.now(), outcome))
        self._server.news()

    async def _act(self, name: str, arguments: Json, token: str, request: web.Request, headers: dict[str, str]) -> Json:
        try:
            if name not in HANDLERS:
                self.violation(name, "unknown method", arguments)
                raise SlackError("unknown_method", req_method=name)
            if name == "oauth.v2.access":
                return await self._server.oauth.exchange(arguments, request)
            if name == "apps.connections.open":
                return self._server.sockets.open(token)
            call = self._admit(name, arguments, token)
            headers["X-OAuth-Scopes"] = ",".join(sorted(call.installation.scopes))
            headers["X-Accepted-OAuth-Scopes"] = ",".join(validation.METHODS[name].scopes)
            self._validate(call)
            return {"ok": True, **await HANDLERS[name](call)}
        except SlackError as error:
            return error.body

    def _admit(self, name: str, arguments: Json, token: str) -> Call:
        if not token:
            raise SlackError("not_authed")
        team, installation = self._server.by_token(token)
        if team is None or installation is None:
            raise SlackError("invalid_auth")
        if installation.dead:
            raise SlackError(installation.dead)
        call = Call(self._server, name, arguments, team, installation)
        known = validation.METHODS[name]
        if known.scopes:
            call.need(*known.scopes)
        if known.family:
            call.need(*(f"{family}:{known.family}" for family in _KIND_OF_FAMILY.values()))
        return call

    def violation(self, name: str, problem: str, arguments: Json) -> None:
        """Remember what the bot did wrong."""
        self._server.violations.append(Violation(name, problem, dict(arguments)))

    def _validate(self, call: Call) -> None:
        name, arguments = call.method, call.arguments
        for argument in validation.unknown_arguments(name, arguments):
            self.violation(name, f"unknown argument {argument}", arguments)
        if missing := validation.missing_arguments(name, arguments):
            self._refuse(call, "invalid_arguments", [f"missing required field: {one}" for one in missing])
        if arguments.get("blocks"):
            if problems := validation.block_problems(arguments["blocks"]):
                self._refuse(call, "invalid_blocks", problems)
            if validation.texts_length(arguments["blocks"]) > validation.BLOCKS_TEXT_MAX:
                self._refuse(call, "msg_blocks_too_long", ["too much text in the blocks"])
        if name.startswith("views.") and (problems := validation.view_problems(arguments["view"])):
            self._refuse(call, "invalid_arguments", problems)
        if arguments.get("metadata") and (problems := validation.metadata_problems(arguments["metadata"])):
            self._refuse(call, "metadata_must_be_sent_from_app", problems)
        if name in ("chat.postMessage", "chat.postEphemeral", "chat.update"):
            self._validate_text(call)
        if arguments.get("attachments") and (problems := validation.attachment_problems(arguments["attachments"])):
            self._refuse(call, "invalid_attachments", problems)
        if name == "chat.unfurl" and (problems := validation.attachment_problems(list(arguments["unfurls"].values()))):
            self._refuse(call, "cannot_unfurl_url", problems)

    def _validate_text(self, call: Call) -> None:
        arguments = call.arguments
        text = call.text("text") or call.text("markdown_text")
        if len(text) > validation.TEXT_MAX:
            self._refuse(call, "msg_too_long", [f"text has {len(text)} characters"])
        if not text and not arguments.get("blocks") and not arguments.get("attachments"):
            self._refuse(call, "no_text", ["neither text nor blocks"])
        if not text:
            self.violation(call.method, "no text: notifications and screen readers have nothing to say", arguments)
        if any(call.text(name) for name in ("username", "icon_emoji", "icon_url")):
            call.need("chat:write.customize")

    def _refuse(self, call: Call, error: str, problems: list[str]) -> None:
        for problem in problems:
            self.violation(call.method, f"{error}: {problem}", call.arguments)
        messages = [f"[ERROR] {problem}" for problem in problems]
        more: Json = {"errors": problems} if error == "invalid_blocks" else {}
        raise SlackError(error, **more, response_metadata={"messages": messages})
