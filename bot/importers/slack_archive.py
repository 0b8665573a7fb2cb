"""Reading a Slack export archive: checked before anything is taken, and never unpacked to disk.

Layout: https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bot.errors import ImportProblem

#: Far beyond what a workspace writes in a day, and what is read into memory at once.
MAX_FILE = 512 * 1024 * 1024
MAX_TOTAL = 64 * 1024 * 1024 * 1024
#: JSON of messages shrinks to a tenth or a twentieth. Ten thousand zeros to the byte is no export.
MAX_RATIO = 200
_SMALL = 16 * 1024 * 1024

_DAY = re.compile(r"\d{4}-\d\d-\d\d\.json")
AGAIN = "Export it again from Slack's administration pages (Settings > Import/Export Data) and import the zip as it is."


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel as the export lists it."""

    id: str
    name: str
    about: str  # purpose and topic, in Slack's markup
    private: bool
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Team:
    """The lists of an export: users as Slack describes them, channels, and the folders that are direct messages."""

    users: list[dict[str, Any]]
    channels: list[ChannelInfo]
    direct: frozenset[str]


class SlackArchive:
    """An export, opened. Use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = _opened(path)
        try:
            self._check()
            names = [info.filename for info in self._zip.infolist() if not info.is_dir()]
            names = [name for name in names if not name.startswith("__MACOSX/")]
            roots = [name.removesuffix("users.json") for name in names if PurePosixPath(name).name == "users.json"]
            if not roots:
                raise ImportProblem(f"{path} has no users.json, so it is no Slack export. {AGAIN}")
            self._root = min(roots, key=len)  # zipped again by hand, an export has a folder around it
            self._names = {name.removeprefix(self._root) for name in names if name.startswith(self._root)}
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> SlackArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def team(self) -> Team:
        """Who and what the export is about."""
        users = self._list("users.json", needed=True)
        public, private = self._list("channels.json"), self._list("groups.json")
        if not {"channels.json", "groups.json"} & self._names:
            raise ImportProblem(
                f"{self.path} has neither channels.json nor groups.json, so it cannot be told which folders are public "
                f"and which private. {AGAIN}"
            )
        several = {str(row.get("id")) for row in self._list("mpims.json")}
        direct = {str(row.get(key)) for name in ("mpims.json", "dms.json") for row in self._list(name) for key in _KEYS}
        listed = [(row, False) for row in public] + [(row, True) for row in private]
        channels: dict[str, ChannelInfo] = {}
        for row, hidden in listed:
            info = _channel(row, hidden)
            if not info.id or not info.name:
                continue
            if row.get("is_mpim") or row.get("is_im") or info.id in several:
                direct |= {info.id, info.name}
            elif info.id not in channels or info.private:
                channels[info.id] = info
        ordered = sorted(channels.values(), key=lambda channel: (channel.name, channel.id))
        return Team(users, ordered, frozenset(direct))

    def days(self) -> dict[str, list[str]]:
        """The day files of each folder, in order."""
        folders: dict[str, list[str]] = {}
        for name in sorted(self._names):
            folder, _, file = name.rpartition("/")
            if folder and _DAY.fullmatch(file):
                folders.setdefault(folder, []).append(name)
        return folders

    def messages(self, names: list[str], left: Callable[[str, str], None]) -> Iterator[dict[str, Any]]:
        """The messages of these day files. `left` hears of files that cannot be read; the others go on."""
        for name in names:
            try:
                rows = self._json(name)
            except _UnreadableError as problem:
                left(name, str(problem))
                continue
            if not isinstance(rows, list):
                left(name, "It does not hold a list of messages.")
                continue
            yield from (row for row in rows if isinstance(row, dict))

    def _list(self, name: str, *, needed: bool = False) -> list[dict[str, Any]]:
        if name not in self._names and not needed:
            return []
        try:
            rows = self._json(name)
        except _UnreadableError as problem:
            raise ImportProblem(f"{name} in {self.path} could not be read. {problem} {AGAIN}") from problem
        if not isinstance(rows, list):
            raise ImportProblem(f"{name} in {self.path} does not hold a list. {AGAIN}")
        return [row for row in rows if isinstance(row, dict)]

    def _json(self, name: str) -> Any:
        try:
            with self._zip.open(self._root + name) as file:
                data = file.read(MAX_FILE + 1)
            return json.loads(data)
        except UnicodeDecodeError as error:
            raise _UnreadableError("It is not UTF-8 text.") from error
        except json.JSONDecodeError as error:
            raise _UnreadableError(f"It is not JSON (line {error.lineno}: {error.msg}).") from error
        except RecursionError as error:
            raise _UnreadableError("It is nested far deeper than messages are.") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise _UnreadableError(f"Its part of the archive is damaged ({error}).") from error

    def _check(self) -> None:
        total = 0
        for info in self._zip.infolist():
            place = PurePosixPath(info.filename.replace("\\", "/"))
            if place.is_absolute() or ".." in place.parts or ":" in (place.parts or ("",))[0]:
                raise ImportProblem(
                    f'{self.path} holds a file named "{info.filename[:100]}", which points outside the archive. Slack '
                    f"writes no such names, so nothing was taken. {AGAIN}"
                )
            total += info.file_size
            huge = info.file_size > _SMALL and info.file_size > MAX_RATIO * max(1, info.compress_size)
            if huge or info.file_size > MAX_FILE or total > MAX_TOTAL:
                raise ImportProblem(
                    f'{self.path} would unpack to far more than an export holds (at "{info.filename[:100]}"), so '
                    f"nothing was taken. {AGAIN}"
                )
            if info.flag_bits & 1:
                raise ImportProblem(f"{self.path} is protected with a password. Unlock it, and import that.")


_KEYS = ("id", "name")


class _UnreadableError(Exception):
    """A file in the archive that cannot be read. The message is a sentence."""


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise ImportProblem(f"{path} is no zip archive, or is damaged ({error}). {AGAIN}") from error
    except OSError as error:
        raise ImportProblem(
            f"{path} could not be read: {error.strerror or error}. Check the path and its permissions."
        ) from error


def _channel(row: dict[str, Any], hidden: bool) -> ChannelInfo:
    texts = [part.get("value", "") for key in ("purpose", "topic") if isinstance(part := row.get(key), dict)]
    members = row.get("members")
    return ChannelInfo(
        id=str(row.get("id") or ""),
        name=str(row.get("name") or ""),
        about="\n".join(dict.fromkeys(str(text) for text in texts if text)),
        private=hidden or bool(row.get("is_private")) or bool(row.get("is_group")),
        members=tuple(str(member) for member in members) if isinstance(members, list) else (),
    )
