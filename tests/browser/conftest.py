"""The demo as anybody starts it, in a process of its own, and browsers that walk in by its front door."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
PATIENCE = 20_000  # milliseconds: a slow machine is no defect
FIRST_ANSWER = 60_000  # just after the start, a question waits until the sample is indexed
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is. Without it these tests are skipped, and say so; on CI they fail."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        words = "Chromium is not installed, so nobody walked through the page (Debian: apt-get install chromium)."
        if os.environ.get("WEAVER_TEST_EVERYTHING"):
            pytest.fail(words)
        pytest.skip(words)
    return found


@pytest.fixture(scope="session")
def demo(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running `weaver demo` with an empty home; stopped at the end."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {key: value for key, value in os.environ.items() if not key.startswith("WEAVER_")}
    env |= {"WEAVER_HOME": str(home), "WEAVER_PORT": str(port)}
    log = home / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "bot", "demo"]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait(process, f"http://127.0.0.1:{port}/readyz", log)
            yield f"http://localhost:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"weaver demo ended by itself:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:  # not listening yet, or not ready
            time.sleep(0.2)
    pytest.fail(f"weaver demo was not ready after {START_SECONDS} s:\n{log.read_text(errors='replace')[-3000:]}")


class Visitor:
    """One person at one browser. What they do, they do as a user: by the names of buttons, fields and places."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name
        self.loads = 0
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(f"{name}: {error}"))
        page.on("load", lambda _: self._loaded())
        page.on(
            "console", lambda said: self.complaints.append(f"{name}: {said.text}") if said.type == "error" else None
        )

    def _loaded(self) -> None:
        self.loads += 1

    async def enters(self, address: str) -> None:
        """Through the chooser, into the direct conversation with the bot."""
        await self.page.goto(address)
        await self.page.get_by_role("button", name=self.name).click()
        await self.goes_to("Weaver")

    # --- places and things ---

    def channels(self) -> Locator:
        return self.page.get_by_role("navigation", name="Channels")

    def main(self) -> Locator:
        return self.page.get_by_role("main", name="Messages")

    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    def dialog(self, title: str) -> Locator:
        return self.page.get_by_role("dialog", name=title)

    def composer(self, where: str = "") -> Locator:
        return self.main().get_by_role("textbox", name=f"Write to {where}")

    def message(self, *words: str, within: Locator | None = None) -> Locator:
        """The newest message with all these words in it."""
        found = (within or self.main()).get_by_role("article")
        for some in words:
            found = found.filter(has_text=some)
        return found.last

    # --- what they do ---

    async def goes_to(self, channel: str) -> None:
        await self.channels().get_by_role("link", name=re.compile(rf"^{re.escape(channel)}\b")).click()
        await self.main().get_by_role("heading", name=channel).first.wait_for()

    async def asks(self, question: str) -> None:
        """In the direct conversation, as one writes to a colleague; the bot has something to say to it."""
        await self.composer("Weaver").fill(question)
        await self.composer("Weaver").press("Enter")
        await self.is_told()

    async def is_told(self) -> None:
        """Past answers, or whom the bot would ask; those with a request open are asked first which it is."""
        own = self.message("Is this your answer, or a question of your own?")
        last = self.main().get_by_role("article").last
        told = last.filter(has_text="Only you see this").or_(last.filter(has_text="I would post it"))
        await told.or_(own).first.wait_for(timeout=FIRST_ANSWER)
        if await own.count():
            await self.presses("A question of my own", on=own)
            await told.first.wait_for()

    async def sees(self, *words: str, within: Locator | None = None) -> Locator:
        """A message with these words, coming by itself: nothing is reloaded."""
        found = self.message(*words, within=within)
        await found.wait_for()
        return found

    async def presses(self, label: str, on: Locator | None = None) -> None:
        await (on or self.page).get_by_role("button", name=label, exact=True).first.click()


class Walk:
    """Opens browsers for people, and keeps the pictures of their way."""

    def __init__(self, browser: Browser, demo: str) -> None:
        self._browser = browser
        self._demo = demo
        self._shots = os.environ.get("WEAVER_SHOTS")
        self.visitors: list[Visitor] = []

    async def be(self, name: str, **context: Any) -> Visitor:
        """Somebody of the sample organisation, in a browser of their own."""
        context = {"viewport": {"width": 1280, "height": 860}, "reduced_motion": "reduce", **context}
        opened = await self._browser.new_context(**context)
        visitor = Visitor(await opened.new_page(), name)
        self.visitors.append(visitor)
        await visitor.enters(self._demo)
        visitor.loads = 0
        return visitor

    async def shot(self, visitor: Visitor, name: str) -> None:
        """A picture of what somebody sees, where the environment names a folder for them."""
        if self._shots:
            await visitor.page.mouse.move(1, 1)
            await visitor.page.screenshot(path=f"{self._shots}/{name}.png")


@pytest.fixture
async def walk(chromium: str, demo: str) -> AsyncIterator[Walk]:
    """Whatever a browser complains of on the way fails the test, and so does a page that had to be reloaded."""
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE)
    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        stack.push_async_callback(browser.close)
        walk = Walk(browser, demo)
        yield walk
        for number, visitor in enumerate(walk.visitors):
            await walk.shot(visitor, f"end-{os.environ['PYTEST_CURRENT_TEST'].split('::')[-1].split()[0]}-{number}")
        complaints = [line for visitor in walk.visitors for line in visitor.complaints]
    assert complaints == []
    assert [visitor.name for visitor in walk.visitors if visitor.loads] == []
