"""The manifest asks for what the code uses, and for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adapters.slack.calls import METHODS
from adapters.slack.events import EVENTS
from adapters.slack.interactions import COMMANDS, SHORTCUTS
from adapters.slack.manifest import bot_events, bot_scopes, manifest, printed
from tests.edges.slack_server.validation import METHODS as DOCUMENTED
from tests.edges.test_slack_support import ADDRESS

ROOT = Path(__file__).parents[2]
SOURCES = {path.name: path.read_text(encoding="utf8") for path in (ROOT / "adapters/slack").glob("*.py")}


@pytest.mark.parametrize(("file", "address"), [("manifest.json", ""), ("manifest-http.json", ADDRESS)])
def test_the_files_are_what_the_code_says(file: str, address: str) -> None:
    """`python -m adapters.slack [address] > deploy/slack/…` makes them anew."""
    assert (ROOT / "deploy/slack" / file).read_text(encoding="utf8") == printed(address)


def test_every_method_used_is_listed_and_every_one_listed_is_used() -> None:
    """Literals in calls, and what the SDK's Socket Mode client calls by itself."""
    code = "\n".join(text for name, text in SOURCES.items() if name not in ("calls.py", "manifest.py"))
    families = "|".join(sorted({method.split(".")[0] for method in DOCUMENTED}))
    used = set(re.findall(rf'"((?:{families})\.[A-Za-z0-9.]+)"', code))
    assert used | {"apps.connections.open"} == set(METHODS)
    assert not re.search(r"\b(?:users|conversations)[._]list\b", "\n".join(SOURCES.values()))


def test_every_method_has_its_scopes() -> None:
    """As the Slack server, which was written from the documentation by somebody else, has them."""
    for method, scopes in METHODS.items():
        documented = DOCUMENTED[method]
        if documented.scopes:
            assert set(scopes) & set(documented.scopes), method
        if documented.family:
            kinds = ("channels", "groups", "im", "mpim")
            assert set(scopes) == {f"{kind}:{documented.family}" for kind in kinds}, method
        if not documented.scopes and not documented.family:
            assert scopes == (), method


def test_no_scope_is_there_without_a_use() -> None:
    """Each belongs to a method, an event, or the commands."""
    needed = {scope for scopes in METHODS.values() for scope in scopes}
    needed |= {scope for kind in EVENTS.values() for scope in kind.scopes} | {"commands"}
    assert set(bot_scopes()) == needed
    assert manifest()["oauth_config"]["scopes"] == {"bot": bot_scopes()}


def test_names_fit_and_belong_together() -> None:
    """Slack's limits for names and descriptions; every command, shortcut and event of the tables is there."""
    made = manifest(ADDRESS)
    features, settings = made["features"], made["settings"]
    assert [one["command"] for one in features["slash_commands"]] == [f"/{one.name}" for one in COMMANDS]
    assert [one["callback_id"] for one in features["shortcuts"]] == [one.callback_id for one in SHORTCUTS]
    assert settings["event_subscriptions"]["bot_events"] == bot_events()
    assert len(made["display_information"]["description"]) <= 140
    for command in features["slash_commands"]:
        assert len(command["description"]) <= 2000
        assert command["url"] == f"{ADDRESS}/slack/events"
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    assert not manifest()["settings"]["event_subscriptions"].get("request_url")
    assert json.loads(printed()) == manifest()
