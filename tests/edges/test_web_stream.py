"""The live stream: every change, in order, and none lost over a broken connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.web.app import web_application
from bot.ports import Button, Buttons, Message, Text
from tests.edges.test_web_support import House, at, new_chat, open_house, ref


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


def _words(text: str) -> Message:
    return Message(text, (Text(text),))


async def test_changes_arrive_as_they_happen(house: House) -> None:
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    state = await tomas.json("/api/state")
    async with tomas.stream(state["revision"]) as stream:
        said = await maria.say("water", "now")
        number, message = await stream.messages("now")
        assert message["id"] == said["id"]
        assert number > state["revision"]
        await maria.post(f"/api/messages/{said['id']}/edit", text="changed")
        assert (await stream.messages("changed"))[1]["edited"] is True
        await tomas.say("water", "answer", thread=said["id"])
        _, root = await stream.messages("changed")
        assert root["replies"]["count"] == 1


async def test_a_card_updates_in_place(house: House) -> None:
    maria = await house.browser("maria")
    card = await house.chat.send(
        at("water"), Message("before", (Buttons((Button("Go", "go", "1"),)),)), delivery_id="d"
    )
    async with maria.stream(await house.chat.store.revision()) as stream:
        await house.chat.update(at("water"), card, _words("after"))
        _, message = await stream.messages("after")
        assert message["id"] == card
        assert "data-action" not in message["html"]


async def test_a_broken_connection_loses_nothing(house: House) -> None:
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    async with tomas.stream(await house.chat.store.revision()) as stream:
        await maria.say("water", "one")
        last, _ = await stream.messages("one")
    await maria.say("water", "two")
    await house.chat.send(at("water"), _words("three"), delivery_id="d3")
    # A browser sends both: the address it began with, and where it was.
    async with tomas.stream(0, headers={"Last-Event-ID": str(last)}) as stream:
        _, change = await stream.next()
        assert [message["text"] for message in change["messages"]] == ["two", "three"]


async def test_nobody_hears_what_is_not_for_them(house: House) -> None:
    tomas = await house.browser("tomas")
    async with tomas.stream(await house.chat.store.revision()) as stream:
        await house.chat.whisper(at("water"), ref("maria"), _words("hush"), delivery_id="w")
        await house.chat.send(at("leads"), _words("budget"), delivery_id="d")
        await house.chat.send(await house.chat.direct(ref("maria")), _words("private"), delivery_id="p")
        await house.chat.send(at("water"), _words("for all"), delivery_id="a")
        heard = []
        while "for all" not in heard:
            _, change = await stream.next()
            heard += [message["text"] for message in change.get("messages", [])]
        assert heard == ["for all"]


async def test_being_added_to_a_channel_shows_it(house: House) -> None:
    tomas = await house.browser("tomas")
    async with tomas.stream(await house.chat.store.revision()) as stream:
        await house.chat.rooms.join("leads", "tomas")
        while True:
            _, change = await stream.next()
            if "leads" in [channel["id"] for channel in change.get("channels", [])]:
                break


async def test_another_replica_is_noticed(house: House) -> None:
    """A message sent by another process on the same database arrives by asking the database."""
    other = new_chat(house.engine)
    tomas = await house.browser("tomas")
    async with tomas.stream(await house.chat.store.revision()) as stream:
        await other.send(at("water"), _words("from afar"), delivery_id="far")
        assert (await stream.messages("from afar"))[1]["author"]["bot"] is True


async def test_too_much_at_once_says_to_load_anew(house: House) -> None:
    for n in range(201):
        await house.chat.add_message("water", "maria", f"{n}", house.chat.clock.now(), key=f"{n}")
    tomas = await house.browser("tomas")
    async with tomas.stream(0) as stream:
        _, change = await stream.next()
        assert change["reload"] is True


async def test_streams_need_a_session_and_a_place_to_begin(house: House) -> None:
    stranger, maria = await house.stranger(), await house.browser("maria")
    assert (await stranger.get("/api/stream?after=1")).status == 401
    assert (await maria.get("/api/stream")).status == 400
    assert (await maria.get("/api/stream?after=-1")).status == 400
    assert (await maria.get("/api/stream?after=1&as=tomas")).status == 409


async def test_the_application_stands_alone(house: House) -> None:
    """Two applications on one chat object do not get in each other's way."""
    assert web_application(house.chat, house.bot).router.routes()
