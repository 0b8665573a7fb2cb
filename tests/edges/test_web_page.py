"""The page itself in a real browser: two people, one card, a form, and a connection that breaks."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.ports import Button, Buttons, Event, Form, FormError, Heard, Input, Message, Pressed, Submitted, Text
from tests.edges.test_web_support import House, at, open_house

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.needs_browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
QUIET += "--disable-component-update --disable-sync"

Enter = Callable[[str], Awaitable[Any]]

CARD = Message(
    "An earlier answer",
    (Text("**Seen before**"), Buttons((Button("Solved", "solved", "1"), Button("Edit", "edit", "1")))),
)
FORM = Form(
    name="edit",
    value="1",
    title="Your question",
    submit="Save",
    inputs=(Input(name="text", label="Words", kind="text"),),
)


async def _answer(house: House, event: Event) -> None:
    """A bot that answers when asked, updates its card, and opens a form."""
    chat = house.chat
    if isinstance(event, Heard) and event.addressed:
        await chat.send(event.place.in_thread(event.message_id), CARD, delivery_id=event.id)
    elif isinstance(event, Pressed) and event.action == "edit":
        await chat.open_form(event.trigger, FORM)
    elif isinstance(event, Pressed):
        await chat.update(event.place, event.message_id, Message("Solved", (Text("Solved by Maria"),)))
    elif isinstance(event, Submitted) and len(event.text("text")) < 5:
        raise FormError({"text": "A little more, please."})


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, demo=True) as house:
        house.bot.script = lambda event: _answer(house, event)
        yield house


@pytest.fixture
async def enter(house: House) -> AsyncIterator[Enter]:
    """Open the chat as somebody, by way of the chooser. Whatever the browser complains of fails the test."""
    from playwright.async_api import async_playwright

    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        stack.push_async_callback(browser.close)

        async def enter(person: str) -> Any:
            page = await (await browser.new_context()).new_page()
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Security" in said.text else None)
            await page.goto(str(house.server.make_url("/c/water")))
            await page.click(f'button[value="{person}"]')
            await page.wait_for_selector("#composer-main")
            return page

        yield enter
    assert complaints == []


async def test_asking_and_using_a_card_together(enter: Enter, house: House) -> None:
    maria, tomas = await enter("maria"), await enter("tomas")
    await maria.type("#composer-main", "@We")
    await maria.keyboard.press("Tab")
    await maria.keyboard.type("who knows pumps?")
    await maria.keyboard.press("Enter")
    for page in (maria, tomas):
        await page.click("#timeline-main .replies")
        await page.wait_for_selector("#timeline-thread .card >> text=Seen before")
    await maria.click("#timeline-thread >> text=Solved")
    for page in (maria, tomas):
        await page.wait_for_selector("#timeline-thread >> text=Solved by Maria")
        assert await page.locator("#timeline-thread .card").count() == 0
    assert house.bot.heard(Heard)[0].text == "who knows pumps?"


async def test_a_form_stays_open_until_it_is_right(enter: Enter, house: House) -> None:
    await house.chat.send(at("water"), CARD, delivery_id="d")
    maria = await enter("maria")
    await maria.click("#timeline-main >> text=Edit")
    await maria.fill("dialog input", "abc")
    await maria.keyboard.press("Enter")
    await maria.wait_for_selector("dialog >> text=A little more, please.")
    assert await maria.input_value("dialog input") == "abc"
    assert await maria.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    await maria.keyboard.type("defgh")
    await maria.keyboard.press("Enter")
    await maria.wait_for_selector("dialog", state="detached")
    assert [event.text("text") for event in house.bot.heard(Submitted)] == ["abcdefgh"]


async def test_what_cannot_be_sent_stays_in_the_composer(enter: Enter) -> None:
    maria = await enter("maria")
    await maria.context.set_offline(True)
    await maria.fill("#composer-main", "do not lose me")
    await maria.press("#composer-main", "Enter")
    await maria.wait_for_selector(".toast")
    assert await maria.input_value("#composer-main") == "do not lose me"
    await maria.context.set_offline(False)
    await maria.reload()
    await maria.wait_for_selector("#composer-main")
    assert await maria.input_value("#composer-main") == "do not lose me"
    await maria.press("#composer-main", "Enter")
    await maria.wait_for_selector("#timeline-main >> text=do not lose me")


async def test_a_link_to_an_answer_opens_its_thread(enter: Enter, house: House) -> None:
    root = await house.chat.add_message("water", "tomas", "the question", house.chat.clock.now(), key="q")
    answer = await house.chat.add_message("water", "tomas", "the answer", house.chat.clock.now(), key="a", thread=root)
    maria = await enter("maria")
    await maria.goto(str(house.server.make_url(f"/c/water/{answer}")))
    await maria.wait_for_selector("#timeline-thread .message.found >> text=the answer")
    await maria.keyboard.press("Escape")
    assert not await maria.locator("#thread").is_visible()


async def test_markup_typed_by_people_runs_nowhere(enter: Enter) -> None:
    maria, tomas = await enter("maria"), await enter("tomas")
    await maria.fill("#composer-main", "<img src=x onerror=\"document.title='owned'\"> \u202e<b>x</b>")
    await maria.press("#composer-main", "Enter")
    await tomas.wait_for_selector("#timeline-main >> text=<img src=x")
    assert await tomas.locator("#timeline-main img, #timeline-main b").count() == 0
    assert "owned" not in await tomas.title()
