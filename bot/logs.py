"""Logs: one JSON object a line (or readable, at a terminal). No message texts, no identities: ids of rows only.

An exception is logged as its kinds and the places in the code it went through, never with its words: those quote
what was being handled, such as a row of the database or the text of a question.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

import structlog

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def trace(error: BaseException | None) -> str:
    """Where an error came from, its causes first, without what it says."""
    if error is None:
        return ""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    frames = traceback.extract_tb(error.__traceback__)
    places = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{trace(before)}\n{kind}{places}" if before else f"{kind}{places}"


def _trace_of_event(_logger: object, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    told = event.pop("exc_info", None)
    error = told if isinstance(told, BaseException) else told[1] if isinstance(told, tuple) else sys.exc_info()[1]
    if told and error:
        event["exception"] = trace(error)
    return event


class _Plain(logging.Formatter):
    """Lines of libraries that log by `logging`."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 (the name is the library's)
        """As `trace`."""
        return trace(ei[1])


def configure() -> None:
    """Set up logging for the process; errors of libraries go the same way."""
    renderer: structlog.types.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _trace_of_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
