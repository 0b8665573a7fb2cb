"""Signing in, staying oneself, and requests that other sites would like to send."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from tests.edges.test_web_support import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as house:
        yield house


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, demo=True) as house:
        yield house


async def test_without_a_session_there_is_only_the_way_in(house: House) -> None:
    stranger = await house.stranger()
    page = await (await stranger.get("/")).text()
    assert "Sign in with your link" in page
    assert "Maria" not in page
    assert (await stranger.get("/api/state")).status == 401
    assert (await stranger.post("/api/channels/water/messages", text="x")).status == 401
    assert (await stranger.get("/people")).status == 404
    assert (await stranger.post("/people", person="maria")).status == 404


async def test_a_link_signs_in_for_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    link = house.chat.signin_link("maria")
    assert link.startswith("http://chat.example/signin?token=")
    path = link.removeprefix("http://chat.example")
    stranger = await house.stranger()
    with monkeypatch.context() as later:
        later.setattr(TimestampSigner, "get_timestamp", lambda _: int(time.time()) + 2 * 24 * 3600)
        assert (await stranger.get(path)).status == 403
    assert (await stranger.get(path + "x")).status == 403
    response = await stranger.get(path)
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert (await stranger.json("/api/state"))["me"]["id"] == "maria"


async def test_a_changed_cookie_is_nobody(house: House) -> None:
    maria = await house.browser("maria")
    [cookie] = [one for one in maria.client.session.cookie_jar if one.key == "weaver_session"]
    stranger = await house.stranger()
    for forged in (cookie.value[:-2] + "xx", "tomas", house.chat.sessions.signin_token("tomas"), ""):
        response = await stranger.get("/api/state", cookies={"weaver_session": forged})
        assert response.status == 401


async def test_somebody_who_was_switched_off_is_out(house: House) -> None:
    maria = await house.browser("maria")
    person = await house.chat.rooms.person("maria")
    assert person is not None
    await house.chat.rooms.keep_person(replace(person, active=False))
    assert (await maria.get("/api/state")).status == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://chat.example.evil.example"])
async def test_requests_from_other_sites_are_refused(house: House, origin: str) -> None:
    maria = await house.browser("maria")
    maria.headers = {"Origin": origin}
    assert (await maria.post("/api/channels/water/messages", text="x")).status == 403
    assert (await maria.client.post("/signout", headers=maria.headers)).status == 403
    assert house.bot.events == []


async def test_a_form_without_an_origin_is_refused(house: House) -> None:
    maria = await house.browser("maria")
    response = await maria.client.post("/api/channels/water/messages", data={"text": "x"})
    assert response.status == 403


async def test_a_tab_that_was_somebody_else_does_not_speak_in_the_new_name(demo: House) -> None:
    tab = await demo.browser("maria")
    await tab.get(f"/signin?token={demo.chat.sessions.signin_token('tomas')}")
    tab.headers["X-Weaver-Person"] = "maria"
    assert (await tab.post("/api/channels/water/messages", text="x")).status == 409


async def test_in_the_demo_one_is_anybody(demo: House) -> None:
    stranger = await demo.stranger()
    page = await (await stranger.get("/c/water/5")).text()
    assert "Role of Maria" in page
    assert 'name="next" value="/c/water/5"' in page
    for wanted, where in [("/c/water", "/c/water"), ("//evil.example", "/"), ("https://evil.example", "/"), ("", "/")]:
        response = await stranger.client.post(
            "/people", data={"person": "maria", "next": wanted}, headers=stranger.headers, allow_redirects=False
        )
        assert (response.status, response.headers["Location"]) == (303, where)
    assert (await stranger.json("/api/state"))["me"]["name"] == "Maria"


async def test_every_page_forbids_what_it_does_not_need(house: House) -> None:
    maria = await house.browser("maria")
    for path in ("/", "/api/state", "/c/nowhere", "/signin"):
        response = await maria.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Referrer-Policy" in response.headers
    page = await (await maria.get("/")).text()
    assert "style=" not in page
    assert "<script>" not in page
    assert "https://" not in page


async def test_static_files_are_kept_by_version_and_only_ours(house: House) -> None:
    stranger = await house.stranger()
    page = await (await stranger.get("/")).text()
    sheet = page.split('rel="stylesheet" href="')[1].split('"')[0]
    response = await stranger.get(sheet)
    assert (response.status, response.content_type) == (200, "text/css")
    assert "immutable" in response.headers["Cache-Control"]
    assert (await stranger.get("/chat/static/old/base.css")).headers["Cache-Control"] == "no-cache"
    assert (await stranger.get("/chat/static/x/..%2fapp.py")).status == 404
