"""What the process would write to its log, for tests."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import structlog

from bot import logs


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """Logging set up as the process sets it up, into a buffer; undone at the end of the block."""
    before, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    with redirect_stderr(io.StringIO()) as lines:
        logging.root.handlers[:] = []  # so that `configure` does not close pytest's
        logs.configure()
        try:
            yield lines
        finally:
            structlog.configure(**before)
            logging.root.handlers[:] = handlers
            logging.root.setLevel(level)
