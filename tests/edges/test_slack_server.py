"""Our Slack is held against Slack's own client libraries: what they accept, refuse and verify, it must speak."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.edges.slack_server import BadJson, Broken, Fails, Hang, Hook, RateLimited, Reset
from tests.edges.slack_server.echo import House, open_house


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
