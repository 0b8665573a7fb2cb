"""The adapter's calls against a Slack that others wrote (`emulate`, from npm): it takes them, and answers alike.

It knows fewer methods than ours and wants POST where Slack takes GET, too; a small gate in between translates that.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from adapters.slack import SlackChat, SlackSettings
from adapters.slack.manifest import manifest
from bot.migrations import migrate
from bot.ports import Button, Buttons, Context, Message, PersonRef, Place, Quote, SystemClock, Text
from bot.seal import Seal
from bot.store import open_engine
from tests.node import node_modules

TOKEN = "xoxb-second-opinion"
CARD = Message(
    "Ana asks: <!channel> & more",
    (
        Text("**Ana** asks in [#pumps](https://chat.example/1)"),
        Quote("Why? <!channel> *not bold*\n```\nx = 1\n```", by="Ana"),
        Context("just now"),
        Buttons((Button("Answer", "answer", "1", "primary"), Button("Me too", "me_too", "1"))),
    ),
)


async def _gate(emulate: str) -> web.AppRunner:
    """Slack's methods, each passed on as a POST."""

    async def pass_on(request: web.Request) -> web.Response:
        given = await request.json() if request.content_type == "application/json" else await request.post()
        asked = {**request.query, **given}
        form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
        headers = {"Authorization": request.headers["Authorization"]}
        address = f"{emulate}/api/{request.match_info['method']}"
        async with aiohttp.ClientSession() as session, session.post(address, headers=headers, data=form) as answer:
            return web.json_response(await answer.json(), status=answer.status)

    application = web.Application()
    application.router.add_route("*", "/api/{method}", pass_on)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[SlackChat]:
    """The adapter, with a token that has the manifest's scopes and no other."""
    program = node_modules("emulate@0.11.2") / "emulate" / "dist" / "index.js"
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scopes = manifest("")["oauth_config"]["scopes"]["bot"]
    seed = {
        "slack": {
            "strict_scopes": True,
            "team": {"name": "Acme", "domain": "acme"},
            "users": [
                {"name": "weaver", "real_name": "Weaver", "email": "weaver@acme.example"},
                {"name": "ana", "real_name": "Ana Duarte", "email": "ana@acme.example"},
            ],
            "channels": [{"name": "pumps", "topic": "Pumps"}],
            "tokens": [{"token": TOKEN, "user": "weaver", "scopes": scopes}],
        }
    }
    (tmp_path / "seed.json").write_text(json.dumps(seed))
    emulate = await asyncio.create_subprocess_exec(
        "node", str(program), "start", "--service", "slack", "--port", str(port), "--seed", str(tmp_path / "seed.json"),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    runner = await _gate(address)
    url = f"sqlite:///{tmp_path / 'weaver.db'}"
    await asyncio.to_thread(migrate, url)
    engine = open_engine(url)
    gate = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    settings = SlackSettings(bot_token=TOKEN, signing_secret="s" * 20, api_url=gate)
    chat = SlackChat(engine, SystemClock(), seal=Seal("a secret for tests"), settings=settings)
    try:
        await _answers(address)
        yield chat
    finally:
        await chat.close()
        await engine.dispose()
        await runner.cleanup()
        emulate.terminate()
        await emulate.wait()


async def _answers(address: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.post(f"{address}/api/auth.test", headers={"Authorization": f"Bearer {TOKEN}"}):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


async def test_the_other_slack_agrees(chat: SlackChat) -> None:
    """Places, people, a card, its thread, its update, finding it again, and taking it back."""
    team = (await chat.calls.call_with(TOKEN, "auth.test"))["team_id"]
    listed = await chat.calls.client(TOKEN).conversations_list()
    channel = next(one["id"] for one in listed["channels"] if one["name"] == "pumps")
    users = await chat.calls.client(TOKEN).users_list()
    user = next(one["id"] for one in users["members"] if one["name"] == "ana")
    place, ana = Place("slack", team, channel), PersonRef("slack", team, user)

    info = await chat.place(place)
    assert (info.name, info.private) == ("pumps", False)
    profile = await chat.profile(ana)
    assert (profile.name, profile.email, profile.guest) == ("Ana Duarte", "ana@acme.example", False)

    sent = await chat.send(place, CARD, delivery_id="one")
    assert await chat.find(place, delivery_id="one") == sent
    assert await chat.find(place, delivery_id="another") is None
    reply = await chat.send(place.in_thread(sent), Message("a reply", (Text("a reply"),)), delivery_id="two")
    assert await chat.find(place.in_thread(sent), delivery_id="two") == reply
    assert sent.replace(".", "") in await chat.permalink(place, sent)

    await chat.update(place, sent, Message("changed", (Text("changed"),)))
    kept = (await chat.calls.call(team, "conversations.history", channel=channel))["messages"]
    assert next(one["text"] for one in kept if one["ts"] == sent) == "changed"
    await chat.withdraw(place, reply)
    assert await chat.find(place.in_thread(sent), delivery_id="two") is None
    await chat.withdraw(place, reply)  # quietly: it is gone

    direct = await chat.direct(ana)
    said = await chat.send(direct, CARD, delivery_id="three")
    assert await chat.find(direct, delivery_id="three") == said
    await chat.show_home(ana, CARD)
