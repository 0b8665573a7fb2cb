"""Several workspaces: installed by OAuth, kept apart, and gone when they are uninstalled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.ports import DeliveryError, Heard, PersonRef, Place
from tests.edges.slack_server import Broken, Workspace
from tests.edges.test_slack_support import Desk, desk, words


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    """A bot that no workspace has installed yet."""
    async with desk(tmp_path, oauth=True) as made:
        yield made


class Browser:
    """An administrator's browser."""

    def __init__(self, here: Desk) -> None:
        self.base = here.slack.request_url.removesuffix("/slack/events")
        self.slack = here.slack
        self.cookie = ""

    async def get(self, path: str, *, cookie: str | None = None) -> tuple[int, str, str]:
        """Status, page and where to go next."""
        headers = {"Cookie": self.cookie if cookie is None else cookie}
        async with self.slack.session.get(self.base + path, headers=headers, allow_redirects=False) as response:
            if "Set-Cookie" in response.headers:
                found = SimpleCookie(response.headers["Set-Cookie"])
                self.cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in found.items())
            return response.status, await response.text(), response.headers.get("Location", "")

    async def begins(self) -> dict[str, list[str]]:
        """Presses "Install": what Slack is asked."""
        status, _, where = await self.get("/slack/install")
        assert status == 302
        assert where.startswith(f"{self.slack.url}/oauth/v2/authorize?")
        return parse_qs(urlsplit(where).query)

    async def installs(self, workspace: Workspace) -> tuple[int, str]:
        """All the way."""
        asked = await self.begins()
        by = workspace.person("Ada Admin")
        code = workspace.approves_installation(by, redirect_uri=asked["redirect_uri"][0])
        status, page, _ = await self.get(f"/slack/oauth_redirect?code={code}&state={asked['state'][0]}")
        return status, page


async def test_installed_in_two_workspaces_which_are_kept_apart(here: Desk) -> None:
    """Each has its own token, and hears only of itself."""
    browser = Browser(here)
    globex = here.slack.workspace("Globex", installed=False)
    for workspace in (here.acme, globex):
        status, page = await browser.installs(workspace)
        assert status == 200
        assert workspace.team.name in page
    asked = await browser.begins()
    assert set(asked["scope"][0].split(",")) == here.slack.scopes
    people = [workspace.person("Ana Lima") for workspace in (here.acme, globex)]
    for ana in people:
        await ana.dms(f"hello from {ana.team.name}")
    await here.settled()
    heard = {event.actor.workspace: event for event in here.bot.of(Heard)}  # workspaces do not wait for each other
    assert len(heard) == len(people)
    for ana in people:
        event = heard[ana.team.id]
        assert event.actor == PersonRef("slack", ana.team.id, ana.id)
        place = await here.chat.direct(event.actor)
        await here.chat.send(place, words(f"hello {ana.team.name}"), delivery_id=ana.team.id)
        assert f"hello {ana.team.name}" in ana.sees(ana.dm)
    async with here.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM slack_installations")).all()
    assert here.acme.token not in str(rows)
    assert globex.token not in str(rows)


async def test_uninstalled(here: Desk) -> None:
    """The token is gone; what was sent before is not the next installation's end."""
    browser = Browser(here)
    await browser.installs(here.acme)
    old = here.acme.token
    await here.acme.uninstalls_app()
    await here.settled()
    place = Place("slack", here.acme.team.id, "C1")
    with pytest.raises(DeliveryError, match="not installed") as caught:
        await here.chat.send(place, words("hello"), delivery_id="d")
    assert caught.value.retry_after is None
    assert (await browser.installs(here.acme))[0] == 200
    assert here.acme.token != old
    late = next(d for d in here.slack.inbound.deliveries if d.payload["event"]["type"] == "app_uninstalled")
    late.payload = {**late.payload, "event_id": "Ev0LATE", "event_time": late.payload["event_time"] - 60}
    await here.slack.inbound.again(late).tried()
    await here.settled()
    assert await here.chat.installations.token(here.acme.team.id) == here.acme.token


async def test_what_others_cannot_finish(here: Desk) -> None:
    """A state is good once, in the browser that began, and not for ever."""
    browser, other = Browser(here), Browser(here)
    state = (await browser.begins())["state"][0]
    code = here.acme.approves_installation(here.acme.person("Ada Admin"))
    path = f"/slack/oauth_redirect?code={code}&state={state}"
    assert (await other.get(path))[0] == 400
    assert (await browser.get(f"/slack/oauth_redirect?code={code}&state=other"))[0] == 400
    assert (await browser.get("/slack/oauth_redirect"))[0] == 400
    status, page, _ = await browser.get("/slack/oauth_redirect?error=access_denied&state=x")
    assert (status, "Nothing has changed" in page) == (200, True)
    kept = browser.cookie
    assert (await browser.get(path))[0] == 200
    assert (await browser.get(path, cookie=kept))[0] == 400


async def test_slack_does_not_confirm(here: Desk) -> None:
    """A page that says so, with a way to begin again."""
    browser = Browser(here)
    here.slack.faults.add("oauth.v2.access", Broken(500))
    status, page = await browser.installs(here.acme)
    assert status == 502
    assert "Begin again" in page


async def test_only_some_workspaces(here: Desk) -> None:
    """Where they are listed, no other may."""
    object.__setattr__(here.chat.settings, "workspaces", ("T0THER",))
    status, page = await Browser(here).installs(here.acme)
    assert (status, "not meant for that workspace" in page) == (403, True)
    assert not await here.chat.installations.serves(here.acme.team.id)


async def test_no_page_is_kept_or_framed(here: Desk) -> None:
    """They are for one moment."""
    url = here.slack.request_url.replace("/events", "/oauth_redirect")
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
