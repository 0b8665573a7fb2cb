"""Databases for all tests: what is promised is promised on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.databases import Postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL server."""
    server = Postgres(tmp_path_factory.mktemp("pg"))
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """Log lines go where pytest collects them."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info,
                    structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty or freshly migrated database: `migrate` is still to be called, and quick."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'weaver.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    address = server.migrated()
    yield address
    server.drop(address)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """On CI everything can be installed, so nothing may be skipped."""
    report = yield
    if report.skipped and os.environ.get("WEAVER_TEST_EVERYTHING"):
        report.outcome = "failed"
        report.longrepr = f"skipped where everything should run: {report.longrepr}"
    return report
