"""Settings: where they come from, which wins, and what a wrong one is answered with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.settings import load


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of one's own, and nothing else in the environment."""
    monkeypatch.setenv("WEAVER_HOME", str(tmp_path))


def test_without_any_setting_everything_has_a_place(tmp_path: Path) -> None:
    """A folder is all that is needed."""
    settings = load()
    assert settings.home == tmp_path
    assert settings.database == f"sqlite:///{tmp_path}/weaver.db"
    assert settings.index == f"sqlite:///{tmp_path}/index.db"
    assert settings.address == "http://localhost:8080"


def test_code_before_environment_before_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest to the person wins."""
    (tmp_path / "weaver.toml").write_text('port = 1001\norganisation = "From the file"\nreplica = "file"\n')
    assert load().port == 1001
    monkeypatch.setenv("WEAVER_PORT", "1002")
    assert load().port == 1002
    settings = load(port=1003)
    assert settings.port == 1003
    assert settings.organisation == "From the file"


def test_the_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So that it stays the same wherever the process goes, and `~` is one's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WEAVER_HOME", "~/weaver home")
    settings = load()
    assert settings.home == tmp_path / "weaver home"
    assert settings.database == f"sqlite:///{tmp_path}/weaver home/weaver.db"


def test_postgresql_holds_the_index_too() -> None:
    """One address is enough."""
    settings = load(database_url="postgresql://weaver@db/weaver")
    assert settings.index == settings.database == "postgresql://weaver@db/weaver"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"port": 9000}, "http://localhost:9000"),
        ({"host": "0.0.0.0"}, "http://localhost:8080"),
        ({"host": "192.0.2.7"}, "http://192.0.2.7:8080"),
        ({"base_url": "https://weaver.example.com/"}, "https://weaver.example.com"),
    ],
)
def test_the_address_browsers_use(given: dict[str, object], address: str) -> None:
    """The one that is set, or the one it listens on."""
    assert load(**given).address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEAVER_PORT", "http"),
        ("WEAVER_PORT", "70000"),
        ("WEAVER_SUGGEST_AT", "1.5"),
        ("WEAVER_DATABASE_URL", "mysql://db/weaver"),
        ("WEAVER_DATABASE_URL", "weaver.db"),
        ("WEAVER_REPLICA", "x" * 61),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says which setting it is."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load()


def test_a_secret_is_never_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is wrong with it can be said without saying it: messages end up in logs and in screenshots."""
    (tmp_path / "weaver.toml").write_text("secret = 12345678\n")
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert "WEAVER_SECRET" in str(caught.value)
    assert "12345678" not in str(caught.value)
    monkeypatch.setenv("WEAVER_DATABASE_URL", "mysql://weaver:hunter2@db/weaver")
    (tmp_path / "weaver.toml").unlink()
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert "hunter2" not in str(caught.value)


def test_an_unknown_name_in_the_file_is_named(tmp_path: Path) -> None:
    """A typing mistake does not quietly do nothing."""
    (tmp_path / "weaver.toml").write_text("prot = 9000\n")
    with pytest.raises(ConfigurationError, match=r"(?i)prot"):
        load()


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    """It is named, and what to do about it."""
    (tmp_path / "weaver.toml").write_text("port: 9000\n")
    with pytest.raises(ConfigurationError, match=r"weaver\.toml"):
        load()


def test_reactions_are_a_table_of_the_file(tmp_path: Path) -> None:
    """With or without colons, in any skin tone; what is not said stays as it is, and an empty list is nothing."""
    (tmp_path / "weaver.toml").write_text('[reactions]\naccept = [":Tada:"]\nsave = []\n')
    reactions = load().reactions
    assert reactions.meaning("tada") == "accept"
    assert reactions.meaning("white_check_mark") is None
    assert reactions.meaning("raising_hand::skin-tone-2") == "me_too"
    assert reactions.meaning("pushpin") is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('save = ["raising_hand"]', "raising_hand stands there twice"),
        ('praise = ["clap"]', "extra inputs are not permitted"),
        ("accept = 7", "valid"),
    ],
)
def test_a_wrong_table_of_reactions_says_what_is_wrong(tmp_path: Path, table: str, words: str) -> None:
    """One emoji has one meaning, and only those three are there."""
    (tmp_path / "weaver.toml").write_text(f"[reactions]\n{table}\n")
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert words in str(caught.value)
    assert "REACTIONS" in str(caught.value)


def test_a_short_secret_is_refused_with_a_way_to_make_a_good_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And not repeated."""
    monkeypatch.setenv("WEAVER_SECRET", "tooshort")
    with pytest.raises(ConfigurationError, match="at least 16 characters") as caught:
        load(home=tmp_path)
    assert "tooshort" not in str(caught.value)


def test_slack_in_the_environment_and_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the names that Slack's own tools use."""
    (tmp_path / "weaver.toml").write_text('slack_signing_secret = "s3cret"\n')
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    settings = load(home=tmp_path)
    assert (settings.slack_bot_token, settings.slack_signing_secret) == ("xoxb-1", "s3cret")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"slack_bot_token": "xoxb-1"}, "needs a way in"),
        ({"slack_signing_secret": "s"}, "needs a way out"),
        ({"slack_bot_token": "xapp-1", "slack_app_token": "xoxb-1"}, "exchanged"),
        ({"slack_client_id": "1.2", "slack_signing_secret": "s"}, "come together"),
    ],
)
def test_half_a_slack(tmp_path: Path, given: dict[str, str], says: str) -> None:
    """Each mistake has a sentence, and no secret in it."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        load(home=tmp_path, **given)
    assert "xoxb-1" not in str(caught.value)


def refuses(given: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """These settings are refused with these words, which repeat nothing secret."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words) as refused:
        load()
    assert "hush-hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"TEAMS_APP_ID": "an-id"}, "come together"),
        ({"TEAMS_APP_PASSWORD": "hush-hush"}, "come together"),
        ({"TEAMS_EMULATOR": "true", "WEAVER_HOST": "0.0.0.0"}, "this machine only"),
        ({"TEAMS_EMULATOR": "true", "TEAMS_APP_ID": "an-id", "TEAMS_APP_PASSWORD": "hush-hush"}, "Set one of them"),
        ({"TEAMS_OPENID_URL": "http://keys.example"}, "must begin with https"),
    ],
)
def test_what_cannot_be_meant_for_teams_is_refused(
    given: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do, and without the password."""
    refuses(given, words, monkeypatch)


def test_teams_is_set_by_the_names_that_its_own_tools_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_APP_ID", "an-id")
    monkeypatch.setenv("TEAMS_APP_PASSWORD", "hush-hush")
    monkeypatch.setenv("TEAMS_TENANT_ID", "a-tenant")
    settings = load()
    assert (settings.teams_app_id, settings.teams_tenant_id, settings.teams_emulator) == ("an-id", "a-tenant", False)


SIGNED = "https://flow.example:443/invoke?sp=%2Frun&sig=hush-hush"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"TEAMS_WEBHOOKS": "hush-hush"}, "list of name=address"),
        ({"TEAMS_WEBHOOKS": f"Pumps={SIGNED}"}, "in small letters"),
        ({"TEAMS_WEBHOOKS": f"pumps={SIGNED} pumps={SIGNED}"}, "each name once"),
        ({"TEAMS_WEBHOOKS": f"pumps={SIGNED}", "TEAMS_EMULATOR": "true"}, "without a bot"),
        ({"TEAMS_WEBHOOKS": f"pumps={SIGNED}", "WEAVER_BASE_URL": ""}, "needs WEAVER_BASE_URL"),
    ],
)
def test_webhooks_that_cannot_be_meant_are_refused(
    given: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do, and without the address: whoever has it may post."""
    refuses({"WEAVER_BASE_URL": "https://weaver.example", **given}, words, monkeypatch)


def test_webhooks_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address may have the signs that the list is made of."""
    monkeypatch.setenv("WEAVER_BASE_URL", "https://weaver.example")
    monkeypatch.setenv("TEAMS_WEBHOOKS", f"  pumps={SIGNED}\n cloud-2=http://localhost:1/x ")
    assert load().webhooks == {"pumps": SIGNED, "cloud-2": "http://localhost:1/x"}
    monkeypatch.delenv("TEAMS_WEBHOOKS")
    assert load().webhooks == {}
