"""Logs say where something went wrong, and nothing of what people wrote."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bot import logs
from tests.log_lines import log_lines

SECRET = "the words of a question"


def fail() -> None:
    """Go wrong in a way that quotes what was being handled, with a cause that does so, too."""
    try:
        int(SECRET)
    except ValueError as error:
        raise RuntimeError(f"could not handle {SECRET}") from error


def hide() -> None:
    """Go wrong, and say nothing of why."""
    try:
        int(SECRET)
    except ValueError:
        raise LookupError from None


def test_an_exception_is_logged_by_kind_and_place() -> None:
    """Enough to find it, nothing of its words."""
    with log_lines() as lines:
        try:
            fail()
        except RuntimeError:
            structlog.get_logger().exception("work.failed", subject="7")
    line = lines.getvalue()
    logged = json.loads(line)
    assert logged["event"] == "work.failed"
    assert logged["subject"] == "7"
    assert logged["exception"].index("builtins.ValueError") < logged["exception"].index("builtins.RuntimeError")
    assert "in fail" in logged["exception"]
    assert SECRET not in line


def test_what_libraries_log_goes_the_same_way() -> None:
    """asyncio, aiohttp and the database log by `logging`."""
    with log_lines() as lines:
        try:
            fail()
        except RuntimeError:
            logging.getLogger("asyncio").exception("Task exception was never retrieved")
    logged = lines.getvalue()
    assert "Task exception was never retrieved" in logged
    assert "builtins.RuntimeError" in logged
    assert SECRET not in logged


def test_chatter_is_left_out() -> None:
    """Details of libraries are not logged; what the bot says of itself is."""
    with log_lines() as lines:
        logging.getLogger("sqlalchemy.engine").info(SECRET)
        structlog.get_logger().debug("details", text=SECRET)
        structlog.get_logger().info("started", port=8080)
    logged = lines.getvalue()
    assert SECRET not in logged
    assert json.loads(logged)["port"] == 8080


def test_an_exception_that_suppresses_its_context() -> None:
    """`raise … from None` hides the context here, too."""
    with pytest.raises(LookupError) as caught:
        hide()
    assert "ValueError" not in logs.trace(caught.value)
    assert logs.trace(None) == ""
