"""Settings: the only reader of the environment and of `weaver.toml`. Fails at the start, with a clear sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bot.errors import ConfigurationError


def _teams(name: str, default: Any, description: str) -> Any:
    """A setting of Teams: `TEAMS_…` in the environment, `teams_…` in the file."""
    alias = AliasChoices(f"TEAMS_{name.upper()}", f"teams_{name}")
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

    teams_app_id: str = _teams("app_id", "", "the bot's app id in Azure")
    teams_app_password: str = _teams("app_password", "", "a client secret of that app")
    teams_tenant_id: str = _teams("tenant_id", "", "the one tenant to serve; every one that installs it by default")
    teams_open: str = _teams("open", "", "ids of teams that everybody may read, or *; none by default")
    teams_emulator: bool = _teams("emulator", False, "serve Microsoft's local client, without an app id")

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
    def address(self) -> str:
        """Where browsers find the web chat."""
        return (self.base_url or f"http://{'localhost' if self.host in _HERE else self.host}:{self.port}").rstrip("/")


_SECRET = ("secret", "database_url", "teams_app_password")
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
            prefix = "" if name.startswith("teams_") else "WEAVER_"
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
    _check_teams(settings)
    return settings.model_copy(update={"home": home})


def _check_teams(settings: Settings) -> None:
    """Refuse what can only be a mistake, with what to do."""
    if bool(settings.teams_app_id) != bool(settings.teams_app_password):
        raise ConfigurationError("TEAMS_APP_ID and TEAMS_APP_PASSWORD come together. Set both, or neither.")
    if settings.teams_emulator and settings.teams_app_id:
        raise ConfigurationError("TEAMS_EMULATOR is for trying things out without TEAMS_APP_ID. Set one of them.")
    if settings.teams_emulator and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigurationError(
            "TEAMS_EMULATOR believes everybody, so it is for this machine only. Set WEAVER_HOST to 127.0.0.1."
        )
