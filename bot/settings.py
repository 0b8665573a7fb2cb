"""Settings: the only reader of the environment and of `weaver.toml`. Fails at the start, with a clear sentence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import ConfigurationError


class Reactions(BaseModel):
    """Emoji that are commands, by their plain names: a table `[reactions]` in `weaver.toml`.

    A name stands for its skin tones, too. An empty list switches a command off.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accept: tuple[str, ...] = ("white_check_mark", "heavy_check_mark")
    me_too: tuple[str, ...] = ("raising_hand", "man-raising-hand", "woman-raising-hand")
    save: tuple[str, ...] = ("pushpin", "round_pushpin")

    @field_validator("accept", "me_too", "save")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().strip(":").lower() for name in names)

    @model_validator(mode="after")
    def _one_meaning(self) -> Reactions:
        names = (*self.accept, *self.me_too, *self.save)
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"one emoji, one meaning: {', '.join(twice)} stands there twice")
        return self

    def meaning(self, emoji: str) -> Literal["accept", "me_too", "save"] | None:
        """What an emoji asks for; None where it is no command."""
        name = emoji.strip(":").partition("::")[0].lower()  # Slack appends ::skin-tone-2
        if name in self.accept:
            return "accept"
        if name in self.me_too:
            return "me_too"
        return "save" if name in self.save else None


def _of(chat: str, name: str, description: str, default: Any = "") -> Any:
    """A setting of a chat: `SLACK_…` or `TEAMS_…` in the environment, `slack_…` or `teams_…` in the file."""
    alias = AliasChoices(f"{chat.upper()}_{name.upper()}", f"{chat}_{name}")
    return Field(default, validation_alias=alias, description=description)


class Settings(BaseSettings):
    """Everything that can be set: `WEAVER_…` in the environment first, then `weaver.toml` in the home folder."""

    model_config = SettingsConfigDict(env_prefix="WEAVER_", extra="forbid")

    home: Path = Field(Path("~/.weaver"), description="where the database, the index and the secret key live")
    database_url: str = Field("", description="sqlite:///file or postgresql://…; SQLite in the home by default")
    model: str = Field("bundled", description="a sentence-transformers model: bundled, a local folder, or a hub id")
    host: str = Field("127.0.0.1", description="the address to listen on; 0.0.0.0 for every one")
    port: int = Field(8080, ge=0, le=65535, description="the port to listen on")
    base_url: str = Field("", description="how browsers reach the web chat, e.g. https://weaver.example.com")
    secret: str = Field("", description="the key that seals identities; replicas on one database need the same")
    replica: str = Field("weaver", max_length=60, description="this process's name; each replica needs its own")
    organisation: str = Field("Weaver", description="the name shown in the web chat")
    suggest_at: float = Field(0.5, ge=0, le=1, description="how sure to be (0 to 1) before showing a past answer")
    reactions: Reactions = Field(Reactions(), description="emoji names that accept, say me_too, or save")

    slack_bot_token: str = _of("slack", "bot_token", "the bot's token in one workspace, xoxb-…")
    slack_signing_secret: str = _of("slack", "signing_secret", "what Slack's HTTP requests are signed with")
    slack_app_token: str = _of("slack", "app_token", "the app-level token for Socket Mode, xapp-…")
    slack_api_url: str = _of("slack", "api_url", "another address of Slack's methods, for tests")
    slack_client_id: str = _of("slack", "client_id", "with the secret: several workspaces may install the app")
    slack_client_secret: str = _of("slack", "client_secret", "with the id: several workspaces may install the app")
    slack_workspaces: str = _of("slack", "workspaces", "the only team ids that may install it: T0123,T0456")

    teams_app_id: str = _of("teams", "app_id", "the bot's app id in Azure")
    teams_app_password: str = _of("teams", "app_password", "a client secret of that app")
    teams_tenant_id: str = _of("teams", "tenant_id", "the one tenant to serve; every one that installs it by default")
    teams_open: str = _of("teams", "open", "ids of teams that everybody may read, or *; none by default")
    teams_webhooks: str = _of("teams", "webhooks", "without a bot: name=address of Workflows webhooks, with spaces")
    teams_emulator: bool = _of("teams", "emulator", "serve Microsoft's local client, without an app id", default=False)
    teams_login_url: str = _of("teams", "login_url", "another address of Microsoft's sign-in, for tests")
    teams_openid_url: str = _of("teams", "openid_url", "another address of Microsoft's signing keys, for tests")

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: str) -> str:
        if secret and len(secret) < SHORTEST_SECRET:
            raise ValueError(f"it needs at least {SHORTEST_SECRET} characters; `openssl rand -hex 32` makes a good one")
        return secret

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is said in code, then the environment, then the file."""
        home = {**env_settings(), **init_settings()}.get("home", "~/.weaver")
        file = Path(home).expanduser() / "weaver.toml"
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.home / 'weaver.db'}"

    @property
    def index(self) -> str:
        """The index's address: a file beside the database, or tables in the same PostgreSQL."""
        return self.database if self.database.startswith("postgresql") else f"sqlite:///{self.home / 'index.db'}"

    @property
    def webhooks(self) -> dict[str, str]:
        """The addresses of Teams' Workflows webhooks, by the names they have here."""
        pairs = (word.partition("=") for word in self.teams_webhooks.split())
        return {name: address for name, _, address in pairs}

    @property
    def address(self) -> str:
        """Where browsers find the web chat."""
        return (self.base_url or f"http://{'localhost' if self.host in _HERE else self.host}:{self.port}").rstrip("/")


SHORTEST_SECRET = 16  # characters
_SECRET = (
    "secret",
    "database_url",
    "slack_bot_token",
    "slack_signing_secret",
    "slack_app_token",
    "slack_client_secret",
    "teams_app_password",
    "teams_webhooks",
)
_WEBHOOK = re.compile(r"[a-z0-9][a-z0-9-]{0,59}=https?://\S+")
_HERE = ("127.0.0.1", "0.0.0.0", "::1", "::")


def load(**given: Any) -> Settings:
    """The settings. Raises `ConfigurationError` that names each wrong one and what it is for."""
    try:
        settings = Settings(**given)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0]).lower() if problem["loc"] else "?"
            known = Settings.model_fields.get(name)
            about = f" ({known.description})" if known else ""
            given_is = "" if name in _SECRET else f"; it is {problem['input']!r}"
            prefix = "" if name.startswith(("slack_", "teams_")) else "WEAVER_"
            lines.append(f"{prefix}{name.upper()}{about}: {problem['msg'].lower()}{given_is}.")
        raise ConfigurationError("A setting is wrong. " + " ".join(lines)) from None
    except ValueError as error:
        raise ConfigurationError(f"weaver.toml cannot be read: {error}. Put it right or move it away.") from None
    home = settings.home.expanduser().absolute()
    if not settings.database.startswith(("sqlite:///", "postgresql://")):
        raise ConfigurationError(
            "WEAVER_DATABASE_URL must begin with sqlite:/// (a file) or postgresql:// (a server), "
            "for instance postgresql://weaver:password@db.example.com/weaver."
        )
    _check_slack(settings)
    _check_teams(settings)
    return settings.model_copy(update={"home": home})


def _check_slack(settings: Settings) -> None:
    """Refuse what can only be a mistake, with what to do."""
    if settings.slack_bot_token.startswith("xapp-") or settings.slack_app_token.startswith("xoxb-"):
        raise ConfigurationError(
            "SLACK_BOT_TOKEN begins with xoxb- and SLACK_APP_TOKEN with xapp-. They seem to be exchanged."
        )
    if bool(settings.slack_client_id) != bool(settings.slack_client_secret):
        raise ConfigurationError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET come together. Set both, or neither.")
    installed = settings.slack_bot_token or settings.slack_client_id
    heard = settings.slack_signing_secret or settings.slack_app_token
    if installed and not heard:
        raise ConfigurationError(
            "Slack needs a way in, too: SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)."
        )
    if heard and not installed:
        raise ConfigurationError(
            "Slack needs a way out, too: SLACK_BOT_TOKEN (one workspace), or SLACK_CLIENT_ID and SLACK_CLIENT_SECRET."
        )


def _check_teams(settings: Settings) -> None:
    """Refuse what can only be a mistake, with what to do."""
    if bool(settings.teams_app_id) != bool(settings.teams_app_password):
        raise ConfigurationError("TEAMS_APP_ID and TEAMS_APP_PASSWORD come together. Set both, or neither.")
    if settings.teams_emulator and settings.teams_app_id:
        raise ConfigurationError("TEAMS_EMULATOR is for trying things out without TEAMS_APP_ID. Set one of them.")
    _check_webhooks(settings)
    if settings.teams_emulator and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigurationError(
            "TEAMS_EMULATOR believes everybody, so it is for this machine only. Set WEAVER_HOST to 127.0.0.1."
        )
    addresses = (settings.teams_login_url, settings.teams_openid_url)
    if not all(url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")) for url in addresses if url):
        raise ConfigurationError(
            "TEAMS_LOGIN_URL and TEAMS_OPENID_URL must begin with https://: Weaver believes whoever has them. "
            "For Microsoft's own addresses, leave them out."
        )


def _check_webhooks(settings: Settings) -> None:
    words = settings.teams_webhooks.split()
    if not words:
        return
    named = [_WEBHOOK.fullmatch(word) for word in words]
    if not all(named) or len(settings.webhooks) < len(words):  # whoever has an address may post: none is repeated here
        raise ConfigurationError(
            "TEAMS_WEBHOOKS is a list of name=address, with spaces between, each name once, in small letters, digits "
            "and hyphens: pumps=https://… cloud=https://…"
        )
    if settings.teams_app_id or settings.teams_emulator:
        raise ConfigurationError(
            "TEAMS_WEBHOOKS is for organisations without a bot in Teams. Leave it out: with TEAMS_APP_ID, say "
            "/community in the channel where a community should live."
        )
    if not settings.base_url:
        raise ConfigurationError("TEAMS_WEBHOOKS needs WEAVER_BASE_URL, too: the cards in Teams lead there.")
