"""Settings: the only reader of the environment and of `weaver.toml`. Fails at the start, with a clear sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
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
    def address(self) -> str:
        """Where browsers find the web chat."""
        return (self.base_url or f"http://{'localhost' if self.host in _HERE else self.host}:{self.port}").rstrip("/")


SHORTEST_SECRET = 16  # characters
_SECRET = ("secret", "database_url")
_HERE = ("127.0.0.1", "0.0.0.0", "::1", "::")


def load(**given: Any) -> Settings:
    """The settings. Raises `ConfigurationError` that names each wrong one and what it is for."""
    try:
        settings = Settings(**given)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0]) if problem["loc"] else "?"
            known = Settings.model_fields.get(name)
            about = f" ({known.description})" if known else ""
            given_is = "" if name in _SECRET else f"; it is {problem['input']!r}"
            lines.append(f"WEAVER_{name.upper()}{about}: {problem['msg'].lower()}{given_is}.")
        raise ConfigurationError("A setting is wrong. " + " ".join(lines)) from None
    except ValueError as error:
        raise ConfigurationError(f"weaver.toml cannot be read: {error}. Put it right or move it away.") from None
    home = settings.home.expanduser().absolute()
    if not settings.database.startswith(("sqlite:///", "postgresql://")):
        raise ConfigurationError(
            "WEAVER_DATABASE_URL must begin with sqlite:/// (a file) or postgresql:// (a server), "
            "for instance postgresql://weaver:password@db.example.com/weaver."
        )
    return settings.model_copy(update={"home": home})
