"""Reading a question/answer file: one JSON object a line, plain or compressed."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

from bot.errors import ImportProblem
from bot.importers.text import MAX_EMAIL, aware, clean, email_of, is_email, one_line, shortened, slug_of

#: A line longer than this is no question, or no such file.
MAX_LINE = 16 * 1024 * 1024
MAX_TITLE = 300
MAX_NAME = 180
LONG_AGO = 365 * 200


class LineError(Exception):
    """A line that cannot be taken. The message says why; `kind` says so without the particulars."""

    def __init__(self, reason: str, kind: str | None = None) -> None:
        super().__init__(reason)
        self.kind = kind or reason


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """An answer of a line. `author` is an e-mail address or an id of the file's own."""

    author: str
    text: str
    accepted: bool
    endorsements: int


@dataclass(frozen=True, slots=True)
class Line:
    """A question with its answers. `community` is a slug."""

    number: int
    id: str
    community: str
    title: str
    body: str
    asker: str
    created: datetime | None
    link: str
    answers: tuple[LineAnswer, ...]
    answerers: tuple[str, ...]

    @property
    def people(self) -> set[str]:
        """Everybody it names."""
        return {name for name in (self.asker, *self.answerers, *(answer.author for answer in self.answers)) if name}


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, line) of every line that has anything in it; an over-long one comes cut, and so is malformed."""
    number = 0
    try:
        with _opened(path) as file:
            while line := file.readline(MAX_LINE):
                number += 1
                whole = line
                while len(line) == MAX_LINE and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE)  # the rest of it, unread
                if whole.strip():
                    yield number, whole
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportProblem(
            f"{path} is damaged or incomplete after line {number} ({error}). Fetch or compress it again."
        ) from error
    except OSError as error:
        raise ImportProblem(
            f"{path} could not be read: {error.strerror or error}. Check the path and its permissions."
        ) from error


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        magic = file.read(6)
    if magic == b"\xfd7zXZ\0":
        return cast(BinaryIO, lzma.open(path))
    if magic[:2] == b"\x1f\x8b":
        return cast(BinaryIO, gzip.open(path))
    if magic[:4] == b"PK\x03\x04":
        raise ImportProblem(f"{path} is a zip archive. Unpack it, and import the .jsonl file in it.")
    return path.open("rb")


def read_line(number: int, raw: bytes, now: datetime, community: str | None) -> Line:
    """What this line says, or `LineError`."""
    row = _json(raw)
    title, body = one_line(row.get("title")), clean(row.get("body"))
    if not title and not body:
        raise LineError("It has neither a title nor a body.")
    if not title:
        title, _, body = body.partition("\n")
    if len(title) > MAX_TITLE:
        body, title = f"{title}\n{body}".strip(), shortened(title, MAX_TITLE)
    slug = slug_of(one_line(community or row.get("community")))
    if not slug:
        raise LineError("It names no community. Add one to the line, or name one for the whole file.")
    answers = tuple(_answers(row))
    if not answers and (key := clean(row.get("answer_key"))):
        answers = (LineAnswer("", key, True, 0),)
    if not answers:
        raise LineError("It has no answer.")
    own = one_line(row.get("id")) or "sha1:" + hashlib.sha1(f"{title}\n{body}".encode()).hexdigest()
    if len(own) > MAX_NAME:
        raise LineError(f"Its id is longer than {MAX_NAME} characters.")
    answerers = row.get("answerers")
    return Line(
        number=number,
        id=own,
        community=slug,
        title=title.strip(),
        body=body.strip(),
        asker=_person(row.get("asker")),
        created=_created(row, now),
        link=_link(row.get("link")),
        answers=answers,
        answerers=tuple(filter(None, map(_person, answerers))) if isinstance(answerers, list) else (),
    )


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise LineError("It is not UTF-8 text.") from None
    except (json.JSONDecodeError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        raise LineError(f"It is not JSON ({said}).", "It is not JSON.") from None
    if not isinstance(row, dict):
        raise LineError("It is JSON, but no object with a title and answers.")
    return row


def _answers(row: Mapping[str, Any]) -> Iterator[LineAnswer]:
    given = row.get("answers")
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict) and (text := clean(one.get("text"))):
            count = one.get("endorsements")
            helped = max(0, min(count, 1_000_000)) if isinstance(count, int) else 0
            yield LineAnswer(_person(one.get("author")), text, one.get("accepted") is True, int(helped))


def _person(value: object) -> str:
    """A name as it is compared: an address in lower case, an id as it is."""
    name = one_line(value) if isinstance(value, str | int) else ""
    if is_email(email := email_of(name)):
        return email
    return name if len(name) <= min(MAX_NAME, MAX_EMAIL) else ""


def _created(row: Mapping[str, Any], now: datetime) -> datetime | None:
    days, given = row.get("days_ago"), one_line(row.get("created"))
    if isinstance(days, int | float) and not isinstance(days, bool) and 0 <= days <= LONG_AGO:
        return now - timedelta(days=days)
    if not given:
        return None
    try:
        return aware(datetime.fromisoformat(given))
    except (ValueError, OverflowError):
        raise LineError(
            f'Its date "{shortened(given, 40)}" is not like 2026-09-30T12:00:00Z.', "Its date cannot be read."
        ) from None


def _link(value: object) -> str:
    link = one_line(value)
    return link if link.startswith(("https://", "http://")) and len(link) <= 2000 else ""
