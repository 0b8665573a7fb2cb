"""Reading a table some program exported: whatever its encoding and delimiter, row by row, numbered as a spreadsheet
numbers them."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from bot.errors import ImportProblem

#: Looked at to tell the encoding: the first lines that say anything about it.
SAMPLE = 64_000
#: Some exports put a title and a date above the header.
HEADER_WITHIN = 20
_DELIMITERS = (",", ";", "\t", "|")
_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or another zip file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a gzip file",
}
#: Of the many one-byte encodings, those whose writers still export tables in them.
_CANDIDATES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac_roman", "shift_jis", "gb18030", "big5", "euc_kr"]


@dataclass(frozen=True, slots=True)
class Table:
    """An opened table: how to read it, and what its header says."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_row: int
    rows: int  # below the header, blank ones included

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """(row number, cells) of every row below the header that has anything in it."""
        for number, cells in _read(self.path, self.encoding, self.delimiter):
            if number > self.header_row and any(cell.strip() for cell in cells):
                yield number, cells


def open_table(path: Path, recognised: Callable[[list[str]], int]) -> Table:
    """Find out how to read a table. `recognised` says how many cells of a would-be header it knows.

    The whole file is read once, so that what cannot be read is said before anything is taken.
    """
    encoding = _encoding(path)
    best: tuple[tuple[int, int], str, int, list[str]] | None = None
    for delimiter in _DELIMITERS:
        for number, cells in _head(path, encoding, delimiter):
            rank = (recognised(cells), sum(1 for cell in cells if cell.strip()))
            if rank[1] and (best is None or rank > best[0]):
                best = rank, delimiter, number, cells
    if best is None:
        raise ImportProblem(f"{path} is empty. It needs a header row and one row for each person.")
    (known, _), delimiter, header_row, header = best
    if not known:  # nothing is a header we know: say what stands where one is expected
        header_row, header = next(
            (row for row in _head(path, encoding, delimiter) if any(row[1])), (header_row, header)
        )
    last = max((number for number, _ in _read(path, encoding, delimiter)), default=header_row)
    return Table(path, encoding, delimiter, tuple(cell.strip() for cell in header), header_row, last - header_row)


def _head(path: Path, encoding: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows among which the header must be. What cannot be split by this delimiter has no rows."""
    rows: list[tuple[int, list[str]]] = []
    try:
        for number, cells in _read(path, encoding, delimiter):
            if len(rows) == HEADER_WITHIN:
                break
            if not (number == 1 and cells and cells[0].lower().startswith("sep=")):  # Excel's own hint to itself
                rows.append((number, cells))
    except ImportProblem:
        pass  # said again, with the right delimiter, when the whole file is read
    return rows


def _read(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    number = 1
    try:
        with path.open(encoding=encoding, newline="", errors="strict") as file:
            lines = _Lines(file)
            reader = csv.reader(lines, delimiter=delimiter)
            for number, cells in enumerate(reader, 1):
                yield number, cells
                lines.next_row()
            if lines.runs_on:
                raise ImportProblem(
                    f"In {path}, a quotation mark opened in row {number} is never closed, so that everything below it "
                    "runs into one cell. Close it, or export the file again."
                )
    except UnicodeError as error:
        raise ImportProblem(
            f"{path} could not be read as text near row {number} ({error.__class__.__name__}, {encoding}). Export it "
            'again as "CSV UTF-8".'
        ) from error
    except csv.Error as error:
        raise ImportProblem(
            f"{path} could not be read as a table from row {number + 1} on ({error}): most often a quotation mark that "
            "is never closed. Correct that row, or export the file again."
        ) from error
    except OSError as error:
        raise ImportProblem(f"{path} could not be read: {error.strerror or error}.") from error


class _Lines:
    """The lines of a file without NUL (which no database takes), minding the quotation marks of the current row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._quotes = self._count = 0
        self.runs_on = False  # the row so far spans lines, and a quotation mark in it is open

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines).replace("\0", "")
        self._quotes += line.count('"')
        self._count += 1
        self.runs_on = self._count > 1 and self._quotes % 2 == 1
        return line

    def next_row(self) -> None:
        """The reader has what it needs for a row."""
        self._quotes = self._count = 0


def _encoding(path: Path) -> str:
    """The encoding of a file. UTF-8 is checked, not guessed: nothing else looks like it by chance."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
            for magic, what in _MAGIC.items():
                if start.startswith(magic):
                    raise ImportProblem(f'{path} is {what}. Save the table as "CSV UTF-8" and import that.')
            if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            if (nul := start.find(b"\0")) >= 0 and start.count(b"\0") > len(start) // 4:
                return "utf-16-le" if nul % 2 else "utf-16-be"
            file.seek(0)
            return "utf-8-sig" if _is_utf8(file) else _guess(path)
    except OSError as error:
        raise ImportProblem(
            f"{path} could not be read: {error.strerror or error}. Check the path and its permissions."
        ) from error


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess(path: Path) -> str:
    """An older encoding, told by the lines that are not plain ASCII. In doubt, that of western Windows."""
    sample = bytearray()
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                sample += line[:2000]
            if len(sample) > SAMPLE:
                break
    matches = list(from_bytes(bytes(sample), cp_isolation=_CANDIDATES))
    if not matches:
        return "latin-1"  # decodes anything
    best = matches[0]
    for match in matches:
        if "cp1252" in match.could_be_from_charset and match.chaos <= best.chaos + 0.02:
            return _decodes(path, "cp1252")
    return _decodes(path, best.encoding)


def _decodes(path: Path, encoding: str) -> str:
    """The encoding, or Latin-1 where a byte further down has no meaning in it."""
    try:
        with path.open(encoding=encoding) as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return encoding
