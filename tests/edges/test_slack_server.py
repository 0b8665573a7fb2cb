"""Our Slack is held against Slack's own client libraries: what they accept, refuse and verify, it must speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.edges.slack_server import (
    BadJson,
    Broken,
    Fails,
    Hang,
    Hook,
    RateLimited,
    Reset,
    SlackServer,
    Workspace,
)


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
                "app_home_opened app_mention app_uninstalled channel_archive channel_deleted channel_left "
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

        @app.event({"type": "message"})
        async def heard(event: dict[str, Any]) -> None:
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


async def _open(stack: AsyncExitStack, *, socket_mode: bool) -> House:
    clock = Clock()
    slack = await stack.enter_async_context(SlackServer(MANIFEST, clock=clock, socket_mode=socket_mode))
    echo = Echo(slack)
    house, app = House(slack, echo, clock), echo.app()
    if socket_mode:
        handler = AsyncSocketModeHandler(app, slack.app_token, web_client=app.client)
        await handler.connect_async()
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


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await _open(stack, socket_mode=False)


@pytest.fixture(params=["http", "socket mode"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await _open(stack, socket_mode=request.param == "socket mode")


async def test_a_talk_over_http_and_socket_mode(either: House) -> None:
    ana, tom, water, slack = either.ana, either.tom, either.water, either.slack
    said = await ana.mentions_bot("why does <it> stall?", water)
    await slack.until(lambda: "You said: why does <it> stall?\n[Again]" in tom.sees(water))
    reply = tom.messages(water)[-1]
    assert reply.thread_ts == said.ts
    await tom.presses("Again")
    await slack.until(lambda: "again by tom.berg" in ana.sees(water))
    assert "[Again]" not in ana.sees(water)

    assert (await ana.command("/echo", "a & b", channel=water)).status == 200
    assert "Echo (only visible to you): a & b" in ana.sees(water)
    assert "a & b" not in tom.sees(water)

    await ana.command("/echo")
    await slack.until(lambda: ana.modal is not None)
    assert "# Echo\nWords: {plain_text_input}\nTone: {Loud}" in ana.sees()
    assert (await ana.fills_and_submits()).errors == {"words": "Please complete this required field."}
    assert (await ana.fills_and_submits(words="bad")).errors == {"words": "Say something better."}
    assert "Say something better." in ana.sees()
    assert (await ana.fills_and_submits(**{"Words": "good", "Tone": "Loud"})).accepted
    assert ana.modal is None
    await slack.until(lambda: "Echo: good" in ana.sees(ana.dm))
    values = [one for one in either.echo.told if one.get("type") == "view_submission"][-1]["view"]["state"]["values"]
    assert values["tone"]["tone"]["selected_option"]["value"] == "loud"

    await tom.chooses_shortcut("echo_this", said)
    await slack.until(lambda: tom.modal is not None)
    await tom.closes()
    assert either.echo.told[-1]["type"] == "view_closed"
    await ana.opens_home()
    await slack.until(lambda: "*Home* of the echo" in ana.sees())
    await slack.quiet()
    assert slack.violations == []
    assert {call.outcome for call in slack.calls} == {"ok"}


async def test_the_request_url_is_verified_and_requests_are_signed(house: House) -> None:
    assert await house.slack.inbound.verify_url()
    status, *_ = await house.slack.inbound.post(b'{"type": "event_callback"}', signature="v0=wrong")
    assert status == 401
    status, *_ = await house.slack.inbound.post(b'{"type": "event_callback"}', timestamp="1500000000")
    assert status == 401
    assert house.echo.told == []


async def test_an_event_comes_again_until_it_is_taken(house: House) -> None:
    right, house.slack.request_url = house.slack.request_url, "http://127.0.0.1:9/"
    message = await house.ana.says("hello", house.water)
    house.slack.request_url = right
    await house.slack.quiet()
    delivery = house.slack.inbound.deliveries[-1]
    assert [attempt.reason for attempt in delivery.attempts] == ["connection_failed", ""]
    assert [body["event"]["ts"] for body in house.echo.told] == [message.ts]
    await house.slack.tried([house.slack.inbound.again(delivery)])
    first, second = house.echo.told
    assert first["event_id"] == second["event_id"]


async def test_each_fault_happens_at_its_call(house: House) -> None:
    client, faults, water = house.client, house.slack.faults, house.water.id

    async def post(text: str) -> str:
        try:
            return "ok" if (await client.chat_postMessage(channel=water, text=text))["ok"] else "?"
        except SlackApiError as error:
            return f"{error.response.status_code} {error.response.data['error']}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__

    faults.add("chat.postMessage", RateLimited(retry_after=7))
    assert await post("limited") == "429 ratelimited"
    faults.add("chat.postMessage", Fails("fatal_error"), nth=2)
    assert [await post("first"), await post("second"), await post("third")] == ["ok", "200 fatal_error", "ok"]
    faults.add("*", Reset(), times=1)
    # Slack's client tries again by itself where the connection was lost: so nothing is to be seen of one reset.
    assert await post("reset before") == "ok"
    faults.add("chat.postMessage", Reset(after=True))
    assert await post("reset after") == "ok"
    words = house.ana.sees(house.water)
    assert [words.count(one) for one in ("limited", "second", "third", "reset before", "reset after")] == [
        0,
        0,
        1,
        1,
        2,
    ]
    assert faults.pending == 0


async def test_broken_answers(house: House) -> None:
    url = f"{house.slack.api_url}chat.postMessage"
    headers = {"Authorization": f"Bearer {house.acme.token}"}
    faults, body = house.slack.faults, {"channel": house.water.id, "text": "hello"}
    async with aiohttp.ClientSession(headers=headers) as session:
        faults.add("chat.postMessage", Broken(503, after=True))
        async with session.post(url, json=body) as response:
            assert (response.status, response.content_type) == (503, "text/html")
        faults.add("chat.postMessage", BadJson())
        async with session.post(url, json=body) as response:
            assert not (await response.text()).endswith("}")
        faults.add("chat.postMessage", Hang(after=True))
        with pytest.raises(TimeoutError):
            await session.post(url, json=body, timeout=aiohttp.ClientTimeout(total=0.05))
        order: list[str] = []

        async def look() -> None:
            order.append(house.ana.sees(house.water).splitlines()[-1])

        faults.add("chat.postMessage", Hook(look))
        async with session.post(url, data={**body, "text": "in a form"}) as response:
            assert (await response.json())["ok"]
    assert order == ["Echo: in a form"]
    assert len(house.ana.messages(house.water)) == 4
