"""The database's history: one step a change, from the first table on. `weaver migrate` and every start apply it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from bot.errors import ConfigurationError

_LOCK = 7_463_201  # any number, the same for every replica


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to the newest shape, or up to `revision`. Blocking; several processes may call it at
    once."""
    driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(driver, connect_args={"timeout": 60} if driver.startswith("sqlite") else {})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
                connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The database could not be prepared: {error}") from error
    finally:
        engine.dispose()
