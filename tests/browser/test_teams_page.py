"""The bot on the page of Microsoft's local Teams client, in Chromium: what people see there, and press."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import QUIET
from tests.edges.teams_local.office import opened

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.needs_browser
PATIENCE = 20_000  # milliseconds
HOSTILE = "Why <b>not</b> **this** [one](https://evil.example)?"


@pytest.fixture
async def page(chromium: str, tmp_path: Path) -> AsyncIterator[Page]:
    """The client's page, in Alex's chat with the bot."""
    from playwright.async_api import async_playwright

    async with opened(tmp_path) as office, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        made = await browser.new_page(viewport={"width": 1100, "height": 1200})
        made.set_default_timeout(PATIENCE)
        await made.goto(office.teams.url)
        await made.get_by_text("Group Chat").first.wait_for()
        yield made
        await browser.close()


async def writes(page: Page, text: str) -> None:
    """Type into the chat, and send."""
    box = page.get_by_role("textbox").last
    await box.click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def test_question_is_asked_and_posted(page: Page, tmp_path: Path) -> None:
    await writes(page, "Why does the pump make a noise like gravel when the suction valve is half closed?")
    await page.get_by_text("I found no past answer").wait_for()
    await page.screenshot(path=tmp_path / "preview.png")
    await page.get_by_role("button", name="Ask under my name").last.click()
    await page.get_by_text("I have asked").wait_for()
    assert await page.get_by_role("button", name="Ask under my name").count() == 0
    await page.screenshot(path=tmp_path / "posted.png")


async def test_what_is_typed_is_shown_as_it_was_meant(page: Page) -> None:
    """HTML is text, and a link stands beside its address."""
    await writes(page, HOSTILE)
    card = page.locator(".ac-adaptiveCard").last
    await card.get_by_text("<b>not</b>").first.wait_for()
    assert await card.locator("b").count() == 0
    assert "one" not in [await link.inner_text() for link in await card.get_by_role("link").all()]
