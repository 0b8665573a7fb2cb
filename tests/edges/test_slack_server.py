"""Our Slack is held against Slack's own client libraries: what they accept, refuse and verify, it must speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.edges.slack_server import BadJson, Broken, Fails, Hang, Hook, RateLimited, Reset, SlackServer
from tests.edges.slack_server.echo import MANIFEST, House, form, open_house, section
from tests.edges.slack_server.render import channel_page, modal_page


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await open_house(stack, socket_mode=False)


@pytest.fixture(params=["http", "socket mode"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield await open_house(stack, socket_mode=request.param == "socket mode")


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
    assert "view_closed" in [one["type"] for one in either.echo.told if "type" in one]
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


async def test_a_slow_bot_hears_it_again_and_slack_says_why() -> None:
    async with SlackServer(MANIFEST, ack_timeout=0.5, retry_delays=(0.0, 0.01)) as slack:
        acme = slack.workspace("Slow")
        ana = acme.person("Ana Lima")
        water = acme.channel("water", ana)
        heard: list[tuple[str, str]] = []

        async def sleepy(request: web.Request) -> web.Response:
            number, reason = (request.headers.get(f"X-Slack-Retry-{name}", "") for name in ("Num", "Reason"))
            heard.append((number, reason))
            assert SignatureVerifier(slack.signing_secret).is_valid_request(await request.text(), dict(request.headers))
            if len(heard) == 1:
                await asyncio.sleep(1)
            return web.Response(status=500 if len(heard) == 2 else 200)

        application = web.Application()
        application.router.add_post("/", sleepy)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await ana.says("hello", water)
        await slack.quiet()
        await runner.cleanup()
    assert heard == [("", ""), ("1", "http_timeout"), ("2", "http_error")]
    assert slack.inbound.deliveries[0].taken


async def test_socket_mode_reconnects_when_slack_says_so() -> None:
    async with SlackServer(MANIFEST, socket_mode=True) as slack:
        acme = slack.workspace("Acme")
        ana = acme.person("Ana Lima")
        water = acme.channel("water", ana)
        taken: list[SocketModeRequest] = []

        async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            taken.append(request)
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

        client = SocketModeClient(
            slack.app_token, web_client=AsyncWebClient(base_url=slack.api_url), ping_interval=0.05
        )
        client.socket_mode_request_listeners.append(take)
        await client.connect()  # type: ignore[no-untyped-call]
        await slack.sockets.connected()
        await ana.says("one", water)
        await slack.sockets.disconnect("refresh_requested")
        await ana.says("two, while nobody listens", water)
        await slack.sockets.connected()
        await ana.says("three", water)
        await slack.quiet()
        await client.close()  # type: ignore[no-untyped-call]
        texts = [request.payload["event"]["text"] for request in taken]
        assert texts[0] == "one"
        assert set(texts) == {"one", "two, while nobody listens", "three"}
        assert taken[0].type == "events_api"
        refused = AsyncWebClient(base_url=slack.api_url).apps_connections_open(app_token=acme.token)
        with pytest.raises(SlackApiError, match="not_allowed_token_type"):
            await refused


async def test_every_kind_of_input_comes_back_as_slack_shapes_it(house: House) -> None:
    plain = {"type": "plain_text"}
    options = [{"text": plain | {"text": name}, "value": name.lower()} for name in ("One", "Two")]
    kinds: dict[str, tuple[dict[str, Any], Any, Any]] = {
        "plain_text_input": ({}, "text", {"value": "text"}),
        "number_input": ({"is_decimal_allowed": False}, 7, {"value": "7"}),
        "static_select": ({"options": options}, "One", {"selected_option": options[0]}),
        "radio_buttons": ({"options": options}, "two", {"selected_option": options[1]}),
        "checkboxes": ({"options": options}, ["one", "two"], {"selected_options": options}),
        "multi_static_select": ({"options": options}, ["two"], {"selected_options": options[1:]}),
        "users_select": ({}, house.tom.id, {"selected_user": house.tom.id}),
        "multi_users_select": ({}, [house.tom.id], {"selected_users": [house.tom.id]}),
        "channels_select": ({}, house.water.id, {"selected_channel": house.water.id}),
        "conversations_select": ({}, house.water.id, {"selected_conversation": house.water.id}),
        "datepicker": ({}, "2026-03-04", {"selected_date": "2026-03-04"}),
        "timepicker": ({}, "17:30", {"selected_time": "17:30"}),
        "datetimepicker": ({}, 1772442000, {"selected_date_time": 1772442000}),
    }
    blocks: list[dict[str, Any]] = [
        {"type": "input", "block_id": f"b_{kind}", "label": plain | {"text": kind},
         "element": {"type": kind, "action_id": f"a_{kind}"} | more}
        for kind, (more, _, _) in kinds.items()
    ]  # fmt: skip
    blocks[0]["optional"] = True
    trigger = house.slack.triggers.new(house.acme.team, house.ana.id)
    await house.client.views_open(trigger_id=trigger, view=form() | {"callback_id": "all_kinds", "blocks": blocks})
    view = house.ana.modal
    assert view is not None
    submission = await house.ana.fills_and_submits(**{kind: value for kind, (_, value, _) in kinds.items()})
    assert submission.attempt is not None
    assert submission.attempt.status == 404  # the echo has no listener for this one, so the form stays open
    assert house.ana.modal is view
    assert "We had some trouble connecting" in house.ana.sees()
    values = house.echo.told[-1]["view"]["state"]["values"]
    for kind, (_, _, expected) in kinds.items():
        assert values[f"b_{kind}"][f"a_{kind}"] == {"type": kind} | expected
    assert house.slack.violations == []


async def test_pages_to_look_at(house: House) -> None:
    nasty = "<script>alert(1)</script> *bold* `<b>code</b>` > no quote\n> a quote :wave:"
    said = await house.ana.says("<script>alert(2)</script>", house.water)
    blocks = [section(nasty.replace("<", "&lt;").replace(">", "&gt;")), section("<https://a.example/_x_|link> _it_")]
    await house.client.chat_postMessage(channel=house.water.id, text="x", blocks=blocks, thread_ts=said.ts)
    page = channel_page(house.ana, house.water)
    assert "<script" not in page
    for piece in (
        "<b>bold</b>",
        "<code>&lt;b&gt;code&lt;/b&gt;</code>",
        "<blockquote>a quote 👋</blockquote>",
        '<a href="https://a.example/_x_">link</a> <i>it</i>',
        '<span class="badge">APP</span>',
        "1 reply",
    ):
        assert piece in page
    await house.ana.command("/echo")
    await house.slack.until(lambda: house.ana.modal is not None)
    await house.ana.fills_and_submits(tone="loud")
    assert "Please complete this required field." in modal_page(house.ana)
    assert "Loud" in modal_page(house.ana)
