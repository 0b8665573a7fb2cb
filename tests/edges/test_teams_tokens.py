"""Who may speak for Teams: real signed tokens, and every wrong one refused with 401."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from tests.edges.teams_local.bot import Local, local
from tests.edges.teams_local.microsoft import APP_ID, ISSUER, TENANT, new_key

AZURE = "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"  # where emulator tokens come from


@pytest.fixture
async def teams(tmp_path: Path) -> AsyncIterator[Local]:
    async with local(tmp_path) as both:
        yield both


async def test_signed_by_microsoft_is_believed(teams: Local) -> None:
    [event] = await teams.hears(teams.activity(text="hello"))
    assert event.actor.id == "aad-ana"


async def test_keys_are_fetched_once(teams: Local) -> None:
    for _ in range(3):
        await teams.send(teams.activity(text="hello"))
    assert teams.microsoft.metadata_asked == 1


async def test_new_key_is_learnt_of(teams: Local) -> None:
    """Microsoft changes its keys; botbuilder by itself stumbles over the first token that is signed with a new one."""
    await teams.send(teams.activity(text="hello"))
    teams.microsoft.keys = {"second": new_key()}
    token = teams.microsoft.signed("second")
    assert (await teams.send(teams.activity(text="at once"), token=token)).status == 401  # not asked for at any pace
    teams.clock.ahead = timedelta(minutes=6)
    assert (await teams.send(teams.activity(text="soon after"), token=token)).status == 200
    assert teams.microsoft.metadata_asked == 2


WRONG = {
    "no token": lambda m: None,
    "empty": lambda m: "Bearer ",
    "garbled": lambda m: "Bearer abc.def.ghi",
    "three words": lambda m: "Bearer a b",
    "another scheme": lambda m: "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
    "not a token": lambda m: "Bearer 💥".encode().decode("latin1"),
    "another issuer": lambda m: m.signed(iss="https://issuer.example"),
    "no issuer": lambda m: m.signed(iss=None),
    "another audience": lambda m: m.signed(aud="11111111-2222-3333-4444-555555555555"),
    "no audience": lambda m: m.signed(aud=None),
    "unknown key": lambda m: m.signed("other", with_key=new_key()),
    "another key under a known name": lambda m: m.signed(with_key=new_key()),
    "expired": lambda m: m.signed(exp=datetime.now(UTC) - timedelta(minutes=20)),
    "not valid yet": lambda m: m.signed(nbf=datetime.now(UTC) + timedelta(hours=1)),
    "another service URL": lambda m: m.signed(serviceurl="https://smba.example/"),
    "no service URL": lambda m: m.signed(serviceurl=None),
    "an emulator's": lambda m: m.signed(iss=AZURE, appid=APP_ID, ver="1.0"),
    "an emulator's, of version 2": lambda m: m.signed(iss=AZURE, azp=APP_ID, ver="2.0"),
    "another bot's": lambda m: m.signed(iss=AZURE, ver="1.0", appid="another-bot", aud=APP_ID),
    "signed with a shared secret": lambda m: (
        "Bearer "
        + jwt.encode({"iss": ISSUER, "aud": APP_ID, "serviceurl": m.service_url}, "s" * 40, headers={"kid": "first"})
    ),
    "not signed": lambda m: "Bearer " + jwt.encode({"iss": ISSUER, "aud": APP_ID}, None, algorithm="none"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_refused(teams: Local, wrong: str) -> None:
    answer = await teams.send(teams.activity(text="let me in"), token=WRONG[wrong](teams.microsoft))
    assert answer.status == 401
    await teams.chat.reception.inbox.settle()
    assert teams.core.heard == []


async def test_token_of_a_channel_other_than_teams_is_refused(teams: Local) -> None:
    """A key that may sign for web chat only does not speak for Teams."""
    teams.microsoft.endorsements = ("webchat",)
    assert (await teams.send(teams.activity(text="hello"))).status == 401


async def test_activity_of_another_service_url_than_the_token_is_refused(teams: Local) -> None:
    """Else the bot would send its own token, and what it says, wherever an activity names."""
    for elsewhere in ("https://evil.example/", "", None):
        answer = await teams.send(teams.activity(text="hello", serviceUrl=elsewhere))
        assert answer.status == 401


async def test_without_keys_nobody_is_believed(tmp_path: Path) -> None:
    async with local(tmp_path, openid_metadata_url="http://127.0.0.1:9/nothing") as teams:
        assert (await teams.send(teams.activity(text="hello"))).status == 401


async def test_only_the_tenant_that_is_set_is_served(tmp_path: Path) -> None:
    async with local(tmp_path, tenant_id="another-tenant") as teams:
        assert (await teams.send(teams.activity(text="hello"))).status == 403
    async with local(tmp_path, tenant_id=TENANT) as teams:
        assert (await teams.send(teams.activity(text="hello"))).status == 200


async def test_emulator_is_believed_only_on_this_machine_and_without_app_id(tmp_path: Path) -> None:
    async with local(tmp_path, app_id="", app_password="", emulator=True) as teams:
        assert (await teams.send(teams.activity(text="hello"), token=None)).status == 200
        away = teams.activity(text="hello", serviceUrl="https://smba.example/")
        assert (await teams.send(away, token=None)).status == 401
    async with local(tmp_path, emulator=True) as teams:
        assert (await teams.send(teams.activity(text="hello"), token=None)).status == 401
    async with local(tmp_path, app_id="", app_password="") as teams:
        assert not teams.chat.settings.on
        assert (await teams.send(teams.activity(text="hello"), token=None)).status == 401
