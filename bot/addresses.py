"""Addresses of the bot's own pages: the one place that makes them and reads them back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.errors import Unknown
from bot.store import row_id


@dataclass(frozen=True, slots=True)
class Addresses:
    """Pages below `base`, such as https://weaver.example.com."""

    base: str

    def entry(self, entry_id: int) -> str:
        """Where a knowledge entry is read."""
        return f"{self.base}/entries/{entry_id}"

    def entry_of(self, url: str) -> int | None:
        """The entry that `url` leads to; None for any other address, however odd."""
        try:
            here, there = urlsplit(self.base), urlsplit(url.strip())
        except ValueError:
            return None
        same = (there.scheme.lower(), there.netloc.lower()) == (here.scheme.lower(), here.netloc.lower())
        prefix = f"{here.path.rstrip('/')}/entries/"
        if not same or not there.path.startswith(prefix):
            return None
        try:
            return row_id(there.path.removeprefix(prefix).rstrip("/"))
        except Unknown:
            return None
