"""A tiny bot on Bolt, to hold the server against: it repeats what it hears."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from .server import SlackServer
from .workspace import Workspace


def _words(text: str) -> list[str]:
    return text.split()


MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Echo"},
    "features": {
        "bot_user": {"display_name": "Echo"},
        "app_home": {"home_tab_enabled": True},
        "slash_commands": [{"command": "/echo", "description": "Say it again"}],
        "shortcuts": [
            {"name": "Echo this", "type": "message", "callback_id": "echo_this", "description": "…"},
            {"name": "Echo", "type": "global", "callback_id": "echo", "description": "…"},
        ],
        "unfurl_domains": ["echo.example"],
    },
    "oauth_config": {
        "scopes": {
            "bot": _words(
                "app_mentions:read channels:history channels:join channels:read chat:write commands dnd:read "
                "files:write groups:history groups:read im:history im:read im:write links:read links:write "
                "mpim:write reactions:read reactions:write team:read users.profile:read users:read "
                "users:read.email "
            )
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": _words(
                "app_home_opened app_mention app_uninstalled channel_archive channel_deleted channel_left group_left "
                "channel_rename channel_shared channel_unarchive channel_unshared dnd_updated_user "
                "group_archive group_rename link_shared member_joined_channel member_left_channel "
                "message.channels message.groups message.im reaction_added reaction_removed team_join "
                "tokens_revoked user_change"
            )
        },
        "interactivity": {"is_enabled": True},
    },
}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


def button(label: str, action: str, value: str = "1") -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": action, "value": value}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def form(title: str = "Echo") -> dict[str, Any]:
    plain = {"type": "plain_text"}
    return {
        "type": "modal",
        "callback_id": "echo_form",
        "title": plain | {"text": title},
        "submit": plain | {"text": "Send"},
        "notify_on_close": True,
        "blocks": [
            {
                "type": "input",
                "block_id": "words",
                "label": plain | {"text": "Words"},
                "element": {"type": "plain_text_input", "action_id": "words", "max_length": 20},
            },
            {
                "type": "input",
                "block_id": "tone",
                "optional": True,
                "label": plain | {"text": "Tone"},
                "element": {
                    "type": "static_select",
                    "action_id": "tone",
                    "options": [{"text": plain | {"text": "Loud"}, "value": "loud"}],
                },
            },
        ],
    }


@dataclass
class Echo:
    """A tiny bot on Bolt: it repeats what it hears, and notes what it was told."""

    slack: SlackServer
    told: list[dict[str, Any]] = field(default_factory=list)
    asleep: float = 0.0

    def app(self) -> AsyncApp:
        slack, told = self.slack, self.told

        async def authorize(team_id: str, **_: Any) -> AuthorizeResult:
            team = next(one for one in slack.workspaces if one.team.id == team_id)
            return AuthorizeResult(enterprise_id=None, team_id=team_id, bot_token=team.token, bot_user_id=team.bot.id)

        app = AsyncApp(
            signing_secret=slack.signing_secret,
            client=AsyncWebClient(base_url=slack.api_url),
            authorize=authorize,
            raise_error_for_unhandled_request=False,
        )

        @app.middleware
        async def note(body: dict[str, Any], next_: Callable[[], Awaitable[None]]) -> None:
            told.append(body)
            await asyncio.sleep(self.asleep)
            await next_()

        @app.event("app_mention")
        async def mentioned(event: dict[str, Any], say: Any) -> None:
            words = event["text"].split("> ", 1)[1]
            blocks = [section(f"You said: {words}"), {"type": "actions", "elements": [button("Again", "again", words)]}]
            await say(text=words, blocks=blocks, thread_ts=event["ts"])

        # Bolt answers 404 to what it has no listener for, and Slack sends it again: so there must be one for all else.
        @app.event(re.compile(r"^(?!app_mention|app_home_opened)"))
        async def heard() -> None:
            return None

        @app.command("/echo")
        async def commanded(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
            if body["text"]:
                await ack(text=body["text"])
            else:
                await ack()
                await client.views_open(trigger_id=body["trigger_id"], view=form())

        @app.action("again")
        async def again(ack: Any, body: dict[str, Any], respond: Any) -> None:
            await ack()
            words = body["actions"][0]["value"]
            await respond(text=f"{words}, again by {body['user']['name']}", replace_original=True)

        @app.view("echo_form")
        async def sent(ack: Any, view: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
            words = view["state"]["values"]["words"]["words"]["value"]
            if words == "bad":
                await ack(response_action="errors", errors={"words": "Say something better."})
                return
            await ack()
            await client.chat_postMessage(channel=body["user"]["id"], text=words)

        @app.view_closed("echo_form")
        async def closed(ack: Any) -> None:
            await ack()

        @app.shortcut("echo_this")
        async def this(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=form(title=body["message"]["text"][:24]))

        @app.event("app_home_opened")
        async def home(event: dict[str, Any], client: AsyncWebClient) -> None:
            view = {"type": "home", "blocks": [section("*Home* of the echo"), {"type": "divider"}]}
            await client.views_publish(user_id=event["user"], view=view)

        return app

    def events(self) -> list[str]:
        """The kinds of events it was told of."""
        return [body["event"]["type"] for body in self.told if "event" in body]


class House:
    """A Slack with the echo in it."""

    def __init__(self, slack: SlackServer, echo: Echo, clock: Clock) -> None:
        self.slack, self.echo, self.clock = slack, echo, clock
        self.acme: Workspace = slack.workspace("Acme")
        self.ana = self.acme.person("Ana Lima", title="Hydrologist")
        self.tom = self.acme.person("Tom Berg")
        self.water = self.acme.channel("water", self.ana, self.tom)
        self.client = AsyncWebClient(token=self.acme.token, base_url=slack.api_url)


async def open_house(stack: AsyncExitStack, *, socket_mode: bool = False) -> House:
    """The echo, connected to a fresh Slack one way or the other."""
    clock = Clock()
    slack = await stack.enter_async_context(SlackServer(MANIFEST, clock=clock, socket_mode=socket_mode))
    echo = Echo(slack)
    house, app = House(slack, echo, clock), echo.app()
    if socket_mode:
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=app.client)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        stack.push_async_callback(handler.close_async)
        await slack.sockets.connected()
        return house

    async def take(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post("/slack/events", take)
    runner = web.AppRunner(server)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    return house
