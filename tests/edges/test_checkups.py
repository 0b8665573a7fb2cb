"""`weaver doctor` on the chats: what is wrong has a sentence that says what to do, and no secret is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters import slack, teams
from adapters.slack.manifest import bot_scopes, manifest
from bot.cli import app
from bot.doctor import examine
from bot.ports import Finding
from bot.settings import load
from expertise_index import HashEmbedder
from tests.edges.slack_server import Broken, Reset, SlackServer
from tests.edges.teams_local.bot import local
from tests.edges.teams_local.microsoft import APP_ID, PASSWORD, TENANT
from tests.edges.test_slack_install import Browser
from tests.edges.test_slack_support import ADDRESS, Desk, desk


def said(found: list[Finding], about: str) -> tuple[bool, str]:
    """The one finding about this."""
    (one,) = [finding for finding in found if finding.about == about]
    return one.ok, one.says


def tells_no_secret(here: Desk, found: list[Finding]) -> None:
    words = " ".join(finding.says for finding in found)
    settings = here.chat.settings
    for secret in (here.acme.token, settings.signing_secret, settings.app_token, settings.client_secret):
        assert not secret or secret not in words


async def test_slack_is_well(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        found = await slack.examine(here.chat)
        ok, says = said(found, "Slack")
        assert ok
        assert says == "reached as weaver in Acme, with every scope of the manifest"
        ok, says = said(found, "Slack's way in")
        assert ok
        assert says.startswith("HTTP: SLACK_SIGNING_SECRET is there. Slack has to reach /slack/events of this server")
        tells_no_secret(here, found)


async def test_slack_lacks_scopes(tmp_path: Path) -> None:
    async with desk(tmp_path) as here:
        assert here.acme.team.installation is not None
        here.acme.team.installation.scopes = frozenset(bot_scopes()) - {"dnd:read", "im:write"}
        found = await slack.examine(here.chat)
        ok, says = said(found, "Slack")
        assert not ok
        assert says.startswith("reached as weaver in Acme, but without dnd:read, im:write. Add these")
        tells_no_secret(here, found)


@pytest.mark.parametrize(
    ("fault", "remedy"), [(Reset(), "Check the network"), (Broken(), "Try again in a moment"), (None, "Copy SLACK_BOT")]
)
async def test_slack_is_out_of_reach_or_refuses(tmp_path: Path, fault: Reset | Broken | None, remedy: str) -> None:
    async with desk(tmp_path) as here:
        if fault:
            here.slack.faults.add("auth.test", fault)
        else:
            await here.acme.revokes_tokens()
        found = await slack.examine(here.chat)
        ok, says = said(found, "Slack")
        assert not ok
        assert remedy in says
        tells_no_secret(here, found)


async def test_socket_mode(tmp_path: Path) -> None:
    async with desk(tmp_path, socket_mode=True) as here:
        found = await slack.examine(here.chat)
        assert said(found, "Slack's way in")[1].startswith("Socket Mode, and Slack takes SLACK_APP_TOKEN")
        here.slack.app_token = "xapp-another"
        found = await slack.examine(here.chat)
        ok, says = said(found, "Slack's way in")
        assert not ok
        assert "invalid_auth" in says
        assert "connections:write" in says
        tells_no_secret(here, found)


async def test_several_workspaces(tmp_path: Path) -> None:
    async with desk(tmp_path, oauth=True) as here:
        ok, says = said(await slack.examine(here.chat), "Slack")
        assert ok
        assert "no workspace has installed the app yet" in says
        browser, globex = Browser(here), here.slack.workspace("Globex", installed=False)
        for workspace in (here.acme, globex):
            await browser.installs(workspace)
        assert globex.team.installation is not None
        globex.team.installation.dead = "account_inactive"  # and nobody has told the bot
        acme, other, _ = await slack.examine(here.chat)
        assert acme.ok
        assert "in Acme" in acme.says
        assert not other.ok
        assert "account_inactive" in other.says
        assert globex.team.id in other.says


async def test_teams_is_well(tmp_path: Path) -> None:
    async with local(tmp_path, tenant_id=TENANT) as here:
        found = await teams.examine(here.chat)
        assert [finding.ok for finding in found] == [True, True]
        assert said(found, "Teams")[1] == f"app {APP_ID}, tenant {TENANT}, signed in with TEAMS_APP_PASSWORD"
        assert PASSWORD not in str(found)


async def test_teams_is_out_of_reach_or_refuses(tmp_path: Path) -> None:
    nothing = "http://127.0.0.1:9/nothing"
    async with local(tmp_path, app_password="an older one") as here:
        ok, says = said(await teams.examine(here.chat), "Teams")
        assert not ok
        assert "invalid_client" in says
        assert "Make a new client secret" in says
        assert "an older one" not in says
    async with local(tmp_path, login_url=nothing, openid_metadata_url=nothing) as here:
        found = await teams.examine(here.chat)
        assert [finding.ok for finding in found] == [False, False]
        assert all("Check the network" in finding.says and "127.0.0.1:9" in finding.says for finding in found)


async def test_what_is_not_configured_is_no_fault(tmp_path: Path) -> None:
    assert all(finding.ok for finding in [*await slack.examine(None), *await teams.examine(None)])
    async with local(tmp_path, app_id="", app_password="", emulator=True) as here:
        (found,) = await teams.examine(here.chat)
        assert found.ok
        assert "TEAMS_EMULATOR" in found.says


async def test_all_together(tmp_path: Path) -> None:
    """What `weaver doctor` prints for a new bot on Slack."""
    async with SlackServer(manifest(ADDRESS)) as server:
        acme = server.workspace("Acme")
        settings = load(home=tmp_path, slack_bot_token=acme.token, slack_signing_secret=server.signing_secret,
                        slack_api_url=server.api_url, base_url=ADDRESS)  # fmt: skip
        found = await examine(settings, embedder=HashEmbedder())
    assert all(finding.ok for finding in found), found
    assert said(found, "Work")[1] == "0 things wait to be done"
    assert said(found, "Contents")[1].startswith("0 people, 0 entries, 0 communities and 0 channels. Import some")
    assert said(found, "Slack's way in")[1].endswith(f"Slack has to reach {ADDRESS}/slack/events")
    assert said(found, "Teams") == (True, "not configured; docs/teams.md says how to")


def test_what_doctor_says_is_no_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the name that somebody gave a workspace."""

    async def found(_settings: object) -> list[Finding]:
        return [Finding("Slack", True, "reached as weaver in [/red] [bold]Acme")]

    monkeypatch.setenv("WEAVER_HOME", str(tmp_path))
    monkeypatch.setattr("bot.doctor.examine", found)
    said = CliRunner().invoke(app, ["doctor"])
    assert said.exit_code == 0, said.output
    assert "Slack: reached as weaver in [/red] [bold]Acme" in said.output
