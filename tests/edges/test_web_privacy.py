"""Who may see what: private channels, whispers, direct messages, and the plain reading of a database file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from adapters.web.schema import channels, users
from bot.ports import Button, Buttons, Commanded, Event, Form, Input, Message, Profile, Text
from tests.edges.test_web_support import Browser, House, at, open_house, ref


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


CARD = Message("for few eyes", (Text("for few eyes"), Buttons((Button("Go", "go", "1"),))))


async def _sees_nothing(browser: Browser, channel: str, message: str) -> None:
    """Every way to a message and its channel answers as if there were nothing."""
    reads = [
        f"/api/channels/{channel}/messages",
        f"/api/channels/{channel}/messages?around={message}",
        f"/api/channels/{channel}/messages?before={message}",
        f"/api/channels/{channel}/members",
        f"/api/channels/{channel}/threads/{message}",
        f"/c/{channel}",
        f"/c/{channel}/{message}",
    ]
    for path in reads:
        assert (await browser.get(path)).status == 404, path
    writes = [
        (f"/api/channels/{channel}/messages", {"text": "hi"}),
        (f"/api/channels/{channel}/join", {}),
        (f"/api/channels/{channel}/leave", {}),
        (f"/api/channels/{channel}/read", {"upto": 1}),
    ]
    for path, data in writes:
        assert (await browser.post(path, **data)).status == 404, path
    await _cannot_touch(browser, message)


async def _cannot_touch(browser: Browser, message: str) -> None:
    for act, data in [
        ("press", {"action": "go", "value": "1"}),
        ("react", {"emoji": "tada"}),
        ("edit", {"text": "x"}),
        ("delete", {}),
    ]:
        assert (await browser.post(f"/api/messages/{message}/{act}", **data)).status == 404, act
    # Nor by naming it from a place where one may be.
    assert (await browser.post("/api/channels/water/messages", text="x", thread=message)).status == 404
    assert (await browser.get(f"/api/channels/water/messages?around={message}")).status == 404


async def test_a_private_channel_does_not_exist_for_others(house: House) -> None:
    message = await house.chat.send(at("leads"), CARD, delivery_id="d")
    tomas, maria = await house.browser("tomas"), await house.browser("maria")
    await _sees_nothing(tomas, "leads", message)
    state = await tomas.json("/api/state")
    assert [channel["id"] for channel in state["channels"]] == ["dm-tomas", "water"]
    assert house.bot.events == []
    assert (await maria.get(f"/c/leads/{message}")).status == 200
    assert len(await maria.reads("leads")) == 1


async def test_a_direct_conversation_is_its_persons_own(house: House) -> None:
    place = await house.chat.direct(ref("maria"))
    message = await house.chat.send(place, CARD, delivery_id="d")
    await _sees_nothing(await house.browser("tomas"), "dm-maria", message)


async def test_a_guest_sees_only_their_own_channels_and_people(house: House) -> None:
    message = await house.chat.send(at("water"), CARD, delivery_id="d")
    jonas = await house.browser("jonas")
    for path in ("/api/channels/water/messages", f"/c/water/{message}"):
        assert (await jonas.get(path)).status == 404
    assert (await jonas.post("/api/channels/water/join")).status == 404
    assert (await jonas.json("/api/people?q="))["people"] == [
        person for person in (await jonas.json("/api/people?q="))["people"] if person["id"] == "jonas"
    ]
    await house.chat.add_channel("visit", "visit", "", False, ["jonas", "maria"])
    found = (await jonas.json("/api/people?q=a"))["people"]
    assert [person["id"] for person in found] == ["jonas", "maria"]


async def test_a_whisper_is_for_one(house: House) -> None:
    whisper = await house.chat.whisper(at("water"), ref("maria"), CARD, delivery_id="w")
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    [shown] = await maria.reads("water")
    assert shown["private"] is True
    assert await tomas.reads("water") == []
    await _cannot_touch(tomas, whisper)
    assert (await tomas.get(f"/api/channels/water/threads/{whisper}")).status == 404
    assert (await maria.post(f"/api/messages/{whisper}/press", action="go", value="1")).status == 200

    root = await tomas.say("water", "a thread")
    await house.chat.whisper(at("water", root["id"]), ref("maria"), CARD, delivery_id="w2")
    assert (await tomas.reads("water"))[0]["replies"] is None
    assert (await maria.reads("water"))[-1]["replies"]["count"] == 1


async def test_counts_tell_nothing_about_what_one_may_not_see(house: House) -> None:
    await house.chat.whisper(at("water"), ref("maria"), CARD, delivery_id="w")
    await house.chat.send(at("leads"), CARD, delivery_id="d")
    tomas, maria = await house.browser("tomas"), await house.browser("maria")
    assert sum(channel["unread"] for channel in (await tomas.json("/api/state"))["channels"]) == 0
    unread = {channel["id"]: channel["unread"] for channel in (await maria.json("/api/state"))["channels"]}
    assert unread == {"dm-maria": 0, "leads": 1, "water": 1}


async def test_direct_messages_and_whispers_are_sealed_at_rest(house: House) -> None:
    """Somebody who reads the database file must not learn who asked what in private."""
    maria = await house.browser("maria")
    await maria.say("dm-maria", "anonymously-asked-words")
    said = await maria.say("dm-maria", "words-before-the-edit")
    await maria.post(f"/api/messages/{said['id']}/edit", text="words-after-the-edit")
    words = Message("whispered-summary", (Text("whispered-words"),))
    await house.chat.whisper(at("water"), ref("maria"), words, delivery_id="w")
    place = await house.chat.direct(ref("maria"))
    sent = await house.chat.send(place, Message("direct-summary", (Text("direct-words"),)), delivery_id="d")
    await house.chat.update(place, sent, Message("direct-summary", (Text("changed-direct-words"),)))
    await maria.say("water", "public-words")
    await house.engine.dispose()
    kept = b"".join(path.read_bytes() for path in house.database.parent.glob("chat.db*"))
    assert b"public-words" in kept
    for secret in (b"anonymously-asked", b"-the-edit", b"whispered-", b"direct-words", b"direct-summary"):
        assert secret not in kept
    assert (await maria.reads("dm-maria"))[-1]["text"] == "direct-summary"


async def test_what_is_left_is_not_read_any_more(house: House) -> None:
    maria = await house.browser("maria")
    await house.chat.add_channel("second", "second", "", True, ["maria", "tomas"])
    tomas = await house.browser("tomas")
    assert (await tomas.get("/api/channels/second/messages")).status == 200
    assert (await tomas.post("/api/channels/second/leave")).status == 200
    assert (await tomas.get("/api/channels/second/messages")).status == 404
    await house.chat.add_channel("second", "second", "", True, ["maria", "tomas"])
    assert (await tomas.get("/api/channels/second/messages")).status == 404
    assert len((await maria.json("/api/channels/second/members"))["people"]) == 1


async def test_a_guest_finds_and_chooses_only_whom_they_meet(house: House) -> None:
    """By name, by id, and in a form: somebody they share no channel with is nobody."""
    await house.chat.add_channel("visit", "visit", "", False, ["jonas", "maria"])
    jonas, tomas = await house.browser("jonas"), await house.browser("tomas")

    async def found(browser: Browser, query: str) -> list[str]:
        return [person["id"] for person in (await browser.json(f"/api/people?{query}"))["people"]]

    assert await found(jonas, "q=tom") == []
    assert await found(jonas, "q=role") == []
    assert await found(jonas, "id=tomas&id=amina&q=") == ["jonas", "maria"]
    assert await found(tomas, "q=") == ["amina", "jonas", "maria", "tomas"]

    for browser, colleague, status in [(jonas, "tomas", 422), (jonas, "maria", 200), (tomas, "amina", 200)]:
        form = await _asked_for_a_colleague(house, browser)
        answer = await browser.post("/api/forms", token=form["token"], values={"who": colleague})
        assert (colleague, answer.status) == (colleague, status)
    unmet, nobody = [
        await jonas.post(
            "/api/forms", token=(await _asked_for_a_colleague(house, jonas))["token"], values={"who": someone}
        )
        for someone in ("tomas", "no-such-person")
    ]
    assert await unmet.json() == await nobody.json()

    assert (await (await house.browser("maria")).post("/api/channels/visit/leave")).status == 200
    assert await found(jonas, "q=") == ["jonas"]


async def _asked_for_a_colleague(house: House, browser: Browser) -> dict[str, Any]:
    """The form that the bot opens at a command of theirs, in their own conversation."""

    async def opens(event: Event) -> None:
        if isinstance(event, Commanded):
            who = Input(name="who", label="Who?", kind="person")
            await house.chat.open_form(
                event.trigger, Form(name="pick", value="1", title="Pick", submit="Take", inputs=(who,))
            )

    house.bot.script = opens
    answer = await browser.post(f"/api/channels/dm-{browser.person}/messages", text="/pick")
    form: dict[str, Any] = (await answer.json())["form"]
    return form


async def test_a_channel_made_private_is_gone_at_once(house: House) -> None:
    """For those outside: its pages, its messages, its stream. For its members nothing changes."""
    message = await house.chat.send(at("water"), CARD, delivery_id="d")
    amina, maria = await house.browser("amina"), await house.browser("maria")
    assert (await amina.get(f"/c/water/{message}")).status == 200
    async with amina.stream(await house.chat.store.revision()) as stream:
        await house.chat.add_channel("water", "water", "Pumps", True, [])
        _, change = await stream.next()
        assert [channel["id"] for channel in change["channels"]] == ["dm-amina"]
        await maria.say("water", "not for everybody any more")
        await house.chat.send(
            await house.chat.direct(ref("amina")), Message("later", (Text("later"),)), delivery_id="l"
        )
        _, change = await stream.next()
        assert [said["text"] for said in change["messages"]] == ["later"]
    for path in (f"/c/water/{message}", "/api/channels/water/messages", "/api/channels/water/members"):
        assert (await amina.get(path)).status == 404
    assert (await amina.post("/api/channels/water/join")).status == 404
    assert (await amina.post(f"/api/messages/{message}/press", action="go", value="1")).status == 404
    assert len(await maria.reads("water")) == 2

    await house.chat.add_channel("water", "water", "Pumps", False, [])
    assert len(await amina.reads("water")) == 2


async def test_somebody_made_a_guest_sees_less_at_once(house: House) -> None:
    """What they are not in is gone, and so are the people they do not meet."""
    message = await house.chat.send(at("water"), CARD, delivery_id="d")
    amina = await house.browser("amina")
    async with amina.stream(await house.chat.store.revision()) as stream:
        await house.chat.add_people([(Profile(ref=ref("amina"), name="Amina", guest=True), "Guest")])
        _, change = await stream.next()
        assert [channel["id"] for channel in change["channels"]] == ["dm-amina"]
    assert (await amina.get(f"/c/water/{message}")).status == 404
    assert [person["id"] for person in (await amina.json("/api/people?q="))["people"]] == ["amina"]
    assert (await amina.post("/api/channels/water/join")).status == 404


async def test_somebody_made_inactive_is_signed_out_at_once(house: House) -> None:
    """Their pages, their requests and their open stream end; their cookie and their sign-in link open nothing."""
    amina, tomas = await house.browser("amina"), await house.browser("tomas")
    async with amina.client.get(f"/api/stream?after={await house.chat.store.revision()}", timeout=None) as stream:
        await house.chat.add_people([(Profile(ref=ref("amina"), name="Amina", active=False), "")])
        await tomas.say("water", "after she left")
        assert b"after she left" not in await stream.content.read()  # to the end: the server has closed it
    for path in ("/api/state", "/api/channels/water/messages", "/api/people?q=", "/api/stream?after=0"):
        assert (await amina.get(path)).status == 401
    assert (await amina.post("/api/channels/dm-amina/messages", text="hello?")).status == 401
    assert "Sign in with your link" in await (await amina.get("/c/water")).text()
    assert (await amina.get(f"/signin?token={house.chat.sessions.signin_token('amina')}")).status == 403
    assert "amina" not in [person["id"] for person in (await tomas.json("/api/people?q="))["people"]]


async def test_a_table_changed_by_hand_is_obeyed(house: House) -> None:
    """Another program writes into the tables and counts no revision: every request looks anew all the same."""
    await house.chat.send(at("water"), CARD, delivery_id="d")
    amina = await house.browser("amina")
    assert len(await amina.reads("water")) == 1
    async with house.engine.begin() as connection:
        await connection.execute(update(channels).where(channels.c.id == "water").values(private=True))
    assert (await amina.get("/api/channels/water/messages")).status == 404
    async with house.engine.begin() as connection:
        await connection.execute(update(users).where(users.c.id == "amina").values(active=False))
    assert (await amina.get("/api/state")).status == 401


async def test_who_has_left_is_out_at_the_next_request(house: House) -> None:
    """The core knows it from an import or another platform, and says so."""
    maria = await house.browser("maria")
    await house.chat.keep_rights({"maria": (False, False), "nobody": (True, True)})
    assert (await maria.get("/api/state")).status == 401
    await house.chat.keep_rights({"maria": (False, True)})
    assert (await maria.get("/api/state")).status == 200
