"""One row of an HR export made into what we keep of a person, with a remark on whatever could not be taken."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.importers.report import Remark
from bot.importers.text import clean, email_of, is_email, name_from_email, one_line, shortened, slug_of, word_set

LIMITS = {"name": 200, "title": 300, "department": 300, "location": 300, "bio": 10_000}
MAX_SKILL = 200
MAX_SKILLS = 200
MAX_DAYS = 1000  # longer absences are most often something else, such as a spreadsheet's number for a date

_SKILL_ENDS = re.compile(r"[;|,\n](?![^()\n]*\))")  # not the comma in "cloud (AWS, Azure)"
_YES = word_set(
    "yes y true 1 x active enabled employed current on leave present aktiv ja wahr beschäftigt beurlaubt "
    "actif active oui vrai présent permanent"
) | {"on leave", "leave of absence", "paid leave", "unpaid leave", "parental leave", "in elternzeit", "en congé"}
_NO = word_set(
    "no n false 0 inactive disabled terminated suspended archived resigned retired deactivated left former blocked "
    "deleted inaktiv nein falsch ausgeschieden gekündigt gesperrt inactif inactive non faux sorti parti suspendu"
)
_NAME_TAILS = {"jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq", "cpa", "pe"}
_STATUS_IN_NAME = re.compile(r"\s*\((?:on leave|terminated|contractor|inactive)[^)]*\)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """What a row says. `fields` holds only what it says something about; `skills` is None without such a column."""

    row: int
    email: str
    name: str
    name_given: bool  # or made up from the address
    fields: Mapping[str, Any]
    skills: tuple[str, ...] | None
    communities: tuple[str, ...]
    notes: tuple[Remark, ...]

    @property
    def where(self) -> str:
        """How the report calls the row."""
        return f"row {self.row}"


class RowError(Exception):
    """A row that cannot be taken. The message says why; `kind` says so without the particulars."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind


def read_row(
    row: int, cells: Sequence[str], columns: Mapping[str, Sequence[int]], width: int, now: datetime
) -> ProfileRow:
    """What this row says, or `RowError`."""
    if any(cell.strip() for cell in cells[width:]):
        raise RowError(
            "It has more cells than the header has columns: most often a delimiter inside a text without quotation "
            "marks around it.",
            "More cells than the header has columns.",
        )

    def cell(field: str) -> str:
        texts = (clean(cells[index]) for index in columns.get(field, ()) if index < len(cells))
        return next((text for text in texts if text), "")

    notes: list[Remark] = []

    def note(reason: str) -> None:
        notes.append(Remark(f"row {row}", reason))

    email = _email(cells, columns)
    name = _name(cell("name"), cell("preferred"), cell("first"), cell("last"))
    if not name:
        note("It has no name; one made from the e-mail address is shown until a better one is known.")
    if len(name) > LIMITS["name"]:
        note(f"Its name is longer than {LIMITS['name']} characters and was cut.")
    fields = _fields(cell, note, now)
    skills = _skills(cell("skills"), note) if "skills" in columns else None
    slugs = tuple(dict.fromkeys(filter(None, map(slug_of, re.split(r"[;|,\n]", cell("communities"))))))
    shown = shortened(name or name_from_email(email), LIMITS["name"])
    return ProfileRow(row, email, shown, bool(name), fields, skills, slugs, tuple(notes))


def _fields(cell: Callable[[str], str], note: Callable[[str], None], now: datetime) -> dict[str, Any]:
    """The columns of a person this row says something about."""
    fields: dict[str, Any] = {}
    for field in ("title", "department", "location", "bio"):
        text = cell(field) if field == "bio" else one_line(cell(field))
        if len(text) > LIMITS[field]:
            note(f"Its {field} is longer than {LIMITS[field]:,} characters and was cut.")
        if text:
            fields[field] = shortened(text, LIMITS[field])
    if zone := one_line(cell("time_zone")):
        if known := _zone(zone):
            fields["time_zone"] = known
        else:
            note(f'"{shortened(zone, 60)}" is no time zone known here; UTC is used until the person sets theirs.')
    if (state := one_line(cell("active"))) and (active := yes_or_no(state)) is not None:
        fields["active"] = active
    elif state:
        note(f'"{shortened(state, 60)}" says neither active nor inactive; that was left as it was.')
    if guest := one_line(cell("guest")).casefold():
        fields["guest"] = guest in {"guest", "gast", "invité"} or yes_or_no(guest) is True
    if (away := one_line(cell("away_until"))) and (until := away_date(away, now)):
        fields["away_until"] = until
    elif away:
        note(f'"{shortened(away, 60)}" is neither a date such as 2026-09-30 nor a number of days; no absence was set.')
    return fields


def _email(cells: Sequence[str], columns: Mapping[str, Sequence[int]]) -> str:
    """The first good address among the address columns."""
    texts = [clean(cells[index]) for index in columns["email"] if index < len(cells)]
    given = [text for text in texts if text]
    if not given:
        raise RowError(
            "It has no e-mail address, so there is nothing to join the person's chat accounts by.",
            "No e-mail address, so there is nothing to join the person's chat accounts by.",
        )
    for text in given:
        if is_email(email := email_of(text)):
            return email
    raise RowError(f'"{shortened(one_line(given[0]), 80)}" is no e-mail address.', "The e-mail address is malformed.")


def _name(full: str, preferred: str, first: str, last: str) -> str:
    """The name people know somebody by. "Preferred name" is a whole name in some exports, a first name in others."""
    full, preferred, first, last = (_STATUS_IN_NAME.sub("", one_line(text)) for text in (full, preferred, first, last))
    parts = [part.strip() for part in full.split(",")]
    if len(parts) == 2 and all(parts) and parts[1].replace(".", "").casefold() not in _NAME_TAILS:
        full = f"{parts[1]} {parts[0]}"  # "Solheim, Ingrid"
    if " " in preferred:
        return preferred
    if preferred and last:
        return f"{preferred} {last}"
    return full or " ".join(filter(None, (first, last))) or preferred


def _skills(text: str, note: Callable[[str], None]) -> tuple[str, ...]:
    topics: dict[str, str] = {}
    for part in _SKILL_ENDS.split(text):
        topic = one_line(part).strip("•*·- ")
        if len(topic) > MAX_SKILL:
            note(f"A skill longer than {MAX_SKILL} characters was left out: separate skills by semicolons.")
        elif topic:
            topics.setdefault(topic.casefold(), topic)
    if len(topics) > MAX_SKILLS:
        note(f"It lists more than {MAX_SKILLS} skills; the first {MAX_SKILLS} were taken.")
    return tuple(topics.values())[:MAX_SKILLS]


def yes_or_no(text: str) -> bool | None:
    """What a status cell says, or None where it says neither."""
    word = text.casefold().strip(" .")
    return True if word in _YES else False if word in _NO else None


def away_date(text: str, now: datetime) -> datetime | None:
    """Until when: an ISO date, or a whole number of days from today."""
    if text.isdecimal():
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=int(text)) if len(text) < 5 and int(text) <= MAX_DAYS else None
    try:
        if len(text) <= len("2026-09-30"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


def _zone(text: str) -> str | None:
    """The time zone's proper name. Exports add words to it: "Europe/Berlin (GMT+1)"."""
    zones = _zones()
    words = [
        text.casefold(),
        text.casefold().replace(" ", "_"),
        *re.findall(r"[a-z_]+/[a-z_/+\-0-9]+", text.casefold()),
    ]
    return next((zones[word] for word in words if word in zones), None)
