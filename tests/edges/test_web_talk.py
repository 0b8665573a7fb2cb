"""Saying something in the web chat: it arrives once, the bot hears it once, and what was accepted is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import NotAllowed
from bot.ports import (
    Button,
    Buttons,
    Commanded,
    Deleted,
    Edited,
    Event,
    Form,
    FormError,
    Heard,
    Input,
    Joined,
    Left,
    Message,
    Opened,
    Option,
    Pressed,
    Reacted,
    Submitted,
    Text,
)
from tests.edges.test_web_support import House, at, open_house, ref


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


async def test_the_bot_hears_everything_and_knows_when_it_is_meant(house: House) -> None:
    maria = await house.browser("maria")
    await maria.say("water", "plain words")
    said = await maria.say("water", "@Weaver, who knows pumps?")
    await maria.say("water", "write to someone@weaver.example", thread=said["id"])
    await maria.say("dm-maria", "@Weaver in private")
    plain, meant, mail, direct = house.bot.heard(Heard)
    assert (plain.text, plain.addressed, plain.direct) == ("plain words", False, False)
    assert (meant.text, meant.addressed) == ("who knows pumps?", True)
    assert meant.id == f"web:msg:{said['id']}"
    assert (mail.addressed, mail.place) == (False, at("water", said["id"]))
    assert (direct.direct, direct.place) == (True, at("dm-maria"))


async def test_the_same_key_says_it_once(house: House) -> None:
    maria = await house.browser("maria")
    answers = await asyncio.gather(*(maria.say("water", "only once", key="k" * 16) for _ in range(5)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(house.bot.events) == 1
    tomas = await house.browser("tomas")
    other = await tomas.say("water", "the same key of somebody else", key="k" * 16)
    assert other["id"] != answers[0]["id"]


async def test_the_answer_waits_for_the_bot(house: House) -> None:
    """200 means that the bot's work is committed: the page may forget the words."""
    gate = asyncio.Event()

    async def slow(_: Event) -> None:
        await gate.wait()

    house.bot.script = slow
    maria = await house.browser("maria")
    sending = asyncio.create_task(maria.say("water", "slowly"))
    await asyncio.sleep(0.1)
    assert not sending.done()
    gate.set()
    await sending


async def test_a_failure_takes_the_message_back_and_says_so(house: House) -> None:
    async def broken(_: Event) -> None:
        raise RuntimeError("secret inside")

    maria = await house.browser("maria")
    house.bot.script = broken
    response = await maria.post("/api/channels/water/messages", text="fragile", key="f" * 16)
    said = await response.json()
    assert response.status == 500
    assert "number" in said["error"]
    assert "secret" not in said["error"]
    assert await maria.reads("water") == []
    house.bot.script = None
    assert (await maria.say("water", "fragile", key="f" * 16))["text"] == "fragile"


async def test_what_was_interrupted_is_handed_over_again(house: House) -> None:
    """Killed between keeping the message and handling it: at the next start the bot hears it, once."""
    stored, _ = await house.chat.store.post(
        channel="dm-maria" if await house.chat.direct(ref("maria")) else "",
        thread=None,
        author="maria",
        body="do not lose me",
        at=house.chat.clock.now(),
        private=True,
    )

    async def broken(_: Event) -> None:
        raise RuntimeError("still down")

    house.bot.script = broken
    await house.chat.resume(house.bot)
    assert house.bot.events == []
    house.bot.script = None
    await house.chat.resume(house.bot)
    await house.chat.resume(house.bot)
    assert [(event.message_id, event.text) for event in house.bot.heard(Heard)] == [(stored.id, "do not lose me")]


async def test_odd_text_is_cleaned_and_too_long_text_is_refused(house: House) -> None:
    maria = await house.browser("maria")
    assert (await maria.say("water", "a\0b\ud800c\r\nd"))["text"] == "abc\nd"
    response = await maria.post("/api/channels/water/messages", text="x" * 40_001)
    assert response.status == 422
    assert "40,001" in (await response.json())["error"]
    assert (await maria.post("/api/channels/water/messages", text=" \0 ")).status == 422
    assert (await maria.post("/api/channels/water/messages", text="x", key="short")).status == 400
    assert len((await maria.say("water", "y" * 40_000))["text"]) == 40_000


async def test_one_changes_only_ones_own_words(house: House) -> None:
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    said = await maria.say("water", "first")
    assert (await tomas.post(f"/api/messages/{said['id']}/edit", text="mine now")).status == 403
    assert (await tomas.post(f"/api/messages/{said['id']}/delete")).status == 403
    assert (await maria.post(f"/api/messages/{said['id']}/edit", text="second")).status == 200
    [shown] = await tomas.reads("water")
    assert (shown["text"], shown["edited"], shown["mine"]) == ("second", True, False)
    assert (await maria.post(f"/api/messages/{said['id']}/delete")).status == 200
    assert await tomas.reads("water") == []
    assert (await maria.post(f"/api/messages/{said['id']}/delete")).status == 404
    assert [event.text for event in house.bot.heard(Edited)] == ["second"]
    assert [event.message_id for event in house.bot.heard(Deleted)] == [said["id"]]


async def test_a_deleted_message_with_answers_leaves_an_empty_line(house: House) -> None:
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    root = await maria.say("water", "question")
    await tomas.say("water", "answer", thread=root["id"])
    await maria.post(f"/api/messages/{root['id']}/delete")
    [shown] = await tomas.reads("water")
    assert (shown["deleted"], shown["text"], shown["replies"]["count"]) == (True, "", 1)
    thread = await tomas.json(f"/api/channels/water/threads/{root['id']}")
    assert [message["text"] for message in thread["messages"]] == ["answer"]


async def test_reactions_are_put_and_taken(house: House) -> None:
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    said = await maria.say("water", "hello")
    await tomas.post(f"/api/messages/{said['id']}/react", emoji="tada")
    answer = await maria.post(f"/api/messages/{said['id']}/react", emoji="tada")
    [chip] = (await answer.json())["message"]["reactions"]
    assert (chip["count"], chip["mine"], chip["names"]) == (2, True, ["Tomás", "Maria"])
    await maria.post(f"/api/messages/{said['id']}/react", emoji="tada", added=False)
    assert (await maria.reads("water"))[0]["reactions"][0]["count"] == 1
    assert (await maria.post(f"/api/messages/{said['id']}/react", emoji="<b>")).status == 422
    assert [event.added for event in house.bot.heard(Reacted)] == [True, True, False]


async def test_coming_and_going(house: House) -> None:
    amina = await house.browser("amina")
    assert (await amina.post("/api/channels/water/messages", text="hi")).status == 403
    assert (await amina.post("/api/channels/water/join")).status == 200
    await amina.say("water", "hi")
    assert (await amina.post("/api/channels/water/leave")).status == 200
    assert (await amina.post("/api/channels/dm-amina/leave")).status == 422
    assert [type(event) for event in house.bot.events] == [Joined, Heard, Left]


async def test_paging_back_and_around(house: House) -> None:
    for n in range(120):
        await house.chat.add_message("water", "tomas", f"line {n}", house.chat.clock.now(), key=f"l{n}")
    maria = await house.browser("maria")
    page = await maria.json("/api/channels/water/messages")
    assert [len(page["messages"]), page["older"], page["messages"][-1]["text"]] == [50, True, "line 119"]
    before = page["messages"][0]["id"]
    page = await maria.json(f"/api/channels/water/messages?before={before}")
    assert [page["messages"][-1]["text"], page["messages"][0]["text"]] == ["line 69", "line 20"]
    middle = page["messages"][10]
    page = await maria.json(f"/api/channels/water/messages?around={middle['id']}")
    assert page["messages"][25]["id"] == middle["id"]
    assert page["messages"][-1]["text"] == "line 119"


# --- commands, buttons, forms -------------------------------------------------------------------------------------

QUESTION = Form(
    name="ask",
    value="7",
    title="Ask",
    submit="Post",
    inputs=(
        Input(name="text", label="Question", kind="text", max_length=20),
        Input(name="who", label="Whom", kind="people", required=False),
        Input(name="where", label="Where", kind="choice", options=(Option("a", "A"), Option("b", "B"))),
        Input(name="when", label="When", kind="datetime", required=False),
        Input(name="anonymous", label="Anonymous", kind="toggle", required=False),
    ),
)


async def test_a_command_is_not_posted_and_may_open_a_form(house: House) -> None:
    async def answer(event: Event) -> None:
        if isinstance(event, Commanded):
            await house.chat.open_form(event.trigger, QUESTION)

    house.bot.script = answer
    maria = await house.browser("maria")
    response = await maria.post("/api/channels/water/messages", text="/Ask how deep?\nVery?")
    form = (await response.json())["form"]
    [event] = house.bot.heard(Commanded)
    assert (event.name, event.text) == ("ask", "how deep?\nVery?")
    assert [question["kind"] for question in form["inputs"]] == ["text", "people", "choice", "datetime", "toggle"]
    assert await maria.reads("water") == []
    assert (await maria.say("water", "/etc/hosts is a file"))["text"] == "/etc/hosts is a file"


async def test_a_form_goes_out_and_comes_back(house: House) -> None:
    async def answer(event: Event) -> None:
        if isinstance(event, Pressed):
            await house.chat.open_form(event.trigger, QUESTION)
        if isinstance(event, Submitted) and event.text("text") == "bad":
            raise FormError({"text": "Say more, please."})

    house.bot.script = answer
    card = await house.chat.send(
        at("water"), Message("s", (Text("x"), Buttons((Button("Edit", "edit", "7"),)))), delivery_id="d"
    )
    maria, tomas = await house.browser("maria"), await house.browser("tomas")
    pressed = await maria.post(f"/api/messages/{card}/press", action="edit", value="7")
    token = (await pressed.json())["form"]["token"]

    wrong = {"text": "x" * 21, "who": ["nobody"], "where": "c", "when": "tomorrow"}
    response = await maria.post("/api/forms", token=token, values=wrong)
    assert response.status == 422
    assert sorted((await response.json())["errors"]) == ["text", "when", "where", "who"]
    response = await maria.post("/api/forms", token=token, values={"text": "bad", "where": "a"})
    assert (response.status, (await response.json())["errors"]) == (422, {"text": "Say more, please."})
    assert (await tomas.post("/api/forms", token=token, values={})).status == 409
    assert (await maria.post("/api/forms", token=token + "x", values={})).status == 409

    good = {"text": "ok\0", "who": ["tomas"], "where": "b", "when": "2025-03-04T10:00:00+00:00", "anonymous": True}
    assert (await maria.post("/api/forms", token=token, values=good, key="s" * 16)).status == 200
    assert (await maria.post("/api/forms", token=token, values=good, key="s" * 16)).status == 200
    [event] = house.bot.heard(Submitted)
    assert (event.form, event.value, event.text("text"), event.chosen("who")) == ("ask", "7", "ok", ("tomas",))
    assert (event.text("where"), event.text("when"), event.yes("anonymous")) == (
        "b",
        "2025-03-04T10:00:00+00:00",
        True,
    )


async def test_only_buttons_that_are_there_can_be_pressed(house: House) -> None:
    card = await house.chat.send(at("water"), Message("s", (Buttons((Button("Go", "go", "1"),)),)), delivery_id="d")
    maria = await house.browser("maria")
    assert (await maria.post(f"/api/messages/{card}/press", action="go", value="2")).status == 409
    assert (await maria.post(f"/api/messages/{card}/press", action="go", value="1", key="p" * 16)).status == 200
    assert (await maria.post(f"/api/messages/{card}/press", action="go", value="1", key="p" * 16)).status == 200
    assert len(house.bot.heard(Pressed)) == 1
    assert "maria" not in house.bot.events[0].id
    await house.chat.update(at("water"), card, Message("s", (Text("Done by Maria"),)))
    assert (await maria.post(f"/api/messages/{card}/press", action="go", value="1")).status == 409


async def test_a_known_refusal_is_said_in_its_own_words(house: House) -> None:
    async def refuse(_: Event) -> None:
        raise NotAllowed

    house.bot.script = refuse
    maria = await house.browser("maria")
    response = await maria.post("/api/home")
    assert (response.status, "moderators" in (await response.json())["error"]) == (422, True)
    house.bot.script = None
    assert (await maria.post("/api/home")).status == 200
    assert [event.place for event in house.bot.heard(Opened)] == [at("dm-maria")]


async def test_the_address_of_an_entry_opens_it_in_ones_own_conversation(house: House) -> None:
    """A page that only embeds it makes nobody speak; who is not signed in does so first, and comes back."""
    maria = await house.browser("maria")
    opened = await maria.get("/entries/7")
    assert (opened.status, opened.headers["Location"]) == (303, "/c/dm-maria")
    await maria.get("/entries/7", headers={"Sec-Fetch-Dest": "image"})
    (pressed,) = house.bot.heard(Pressed)
    assert (pressed.action, pressed.value, pressed.actor.id) == ("read", "7", "maria")
    maria.client.session.cookie_jar.clear()
    sent = await maria.get("/entries/7")
    assert (sent.status, sent.headers["Location"]) == (303, "/signin")
