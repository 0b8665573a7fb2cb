"""Small things done to imported text: what databases and people can take."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime

#: PostgreSQL refuses NUL, and nobody can read the other control characters. Tabs and newlines stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\]+@[^\s@<>(),;:\"\[\]\\#]+\.[^\s@<>(),;:\"\[\]\\.#]{2,}")
MAX_EMAIL = 320


def word_set(text: str) -> frozenset[str]:
    """A set of words written as they are read."""
    return frozenset(text.split())


def clean(text: object) -> str:
    """Text without control characters and outer white space; newlines as everywhere else."""
    if text is None:
        return ""
    words = str(text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", words).strip()


def one_line(text: object) -> str:
    """Text on one line, single-spaced."""
    return " ".join(clean(text).split())


def is_email(text: str) -> bool:
    """Whether this can be an e-mail address (as `email_of` gives it)."""
    return len(text) <= MAX_EMAIL and ".." not in text and _EMAIL.fullmatch(text) is not None


def email_of(text: str) -> str:
    """The address in `Jo <mailto:Jo@Example.com>`, in lower case: how addresses are kept and compared."""
    words = one_line(text).lower()
    if words.endswith(">") and "<" in words:
        words = words[words.rindex("<") + 1 : -1]
    return words.removeprefix("mailto:").strip()


def name_from_email(email: str) -> str:
    """A name to show until a better one is known: `jo.van-dam@…` gives `Jo Van Dam`."""
    words = re.split(r"[._\-+]+", email.partition("@")[0])
    return " ".join(word.capitalize() for word in words if word) or email


def slug_of(name: str) -> str:
    """The name of a community as it stands in addresses. Letters of any script stay."""
    return re.sub(r"[\W_]+", "-", clean(name).casefold()).strip("-")[:100].strip("-")


def name_of(slug: str) -> str:
    """A readable name of a slug: `data-analytics` gives `Data analytics`."""
    words = slug.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def shortened(text: str, limit: int) -> str:
    """Text of at most `limit` characters, cut between words and marked as cut."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip(" ,;:.-") + "…"


def aware(moment: datetime) -> datetime:
    """The moment in UTC; one without a zone is taken to be UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def months_after(moment: datetime, months: int) -> datetime:
    """The same day some months later, or that month's last."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
