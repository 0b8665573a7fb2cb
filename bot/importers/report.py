"""What an import did: counts, and each row it had to leave with the reason, in sentences for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: Told after each batch: how much is done, of how much.
Progress = Callable[[int, int], None]

#: A file with a million bad rows must not fill memory or the screen; the counts stay complete.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Remark:
    """One row (or line, or file in an archive), and what is to be said of it."""

    where: str
    reason: str


@dataclass(slots=True)
class Remarks:
    """Remarks, the first of them word for word, and all of them counted by reason."""

    shown: list[Remark] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, where: str, reason: str, *, kind: str | None = None) -> None:
        """Remember one. `kind` is the reason without its particulars, where it has some: what is counted."""
        self.counts[kind or reason] += 1
        if len(self.shown) < SHOWN:
            self.shown.append(Remark(where, reason))

    @property
    def total(self) -> int:
        """How many there are, shown or not."""
        return self.counts.total()


@dataclass(slots=True)
class Outcome:
    """What one batch did. Added to the report only once it is committed, so that a retried batch counts once."""

    taken: int = 0
    updated: int = 0
    unchanged: int = 0
    left: list[Remark] = field(default_factory=list)
    noted: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What an import did. `noted` rows were taken, though not entirely as they stood; `left` ones were not."""

    what: str  # what the rows are, in the plural: "people", "entries"
    taken: int = 0
    updated: int = 0
    unchanged: int = 0
    earlier: int = 0  # done by an earlier run of the same file that was interrupted
    remarks_left: Remarks = field(default_factory=Remarks)
    remarks_noted: Remarks = field(default_factory=Remarks)
    facts: dict[str, int] = field(default_factory=dict)  # what else was found: {"messages": 9699}

    @property
    def left(self) -> list[tuple[str, str]]:
        """(where, reason) of what was left out; at most `SHOWN` of them."""
        return [(remark.where, remark.reason) for remark in self.remarks_left.shown]

    @property
    def noted(self) -> list[tuple[str, str]]:
        """(where, reason) of what was taken, but changed; at most `SHOWN` of them."""
        return [(remark.where, remark.reason) for remark in self.remarks_noted.shown]

    @property
    def left_by_reason(self) -> dict[str, int]:
        """How many were left for each reason, most frequent first."""
        return dict(self.remarks_left.counts.most_common())

    @property
    def noted_by_reason(self) -> dict[str, int]:
        """How many notes there are for each reason, most frequent first."""
        return dict(self.remarks_noted.counts.most_common())

    def leave(self, where: str, reason: str, *, kind: str | None = None) -> None:
        """A row that is not taken."""
        self.remarks_left.add(where, reason, kind=kind)

    def note(self, where: str, reason: str, *, kind: str | None = None) -> None:
        """A row that is taken, though not as it stands."""
        self.remarks_noted.add(where, reason, kind=kind)

    def include(self, outcome: Outcome) -> None:
        """Add what a committed batch did."""
        self.taken += outcome.taken
        self.updated += outcome.updated
        self.unchanged += outcome.unchanged
        for remark in outcome.left:
            self.leave(remark.where, remark.reason)
        for remark in outcome.noted:
            self.note(remark.where, remark.reason)

    def as_dict(self) -> dict[str, Any]:
        """A JSON value of all of it."""
        return {
            "what": self.what,
            "taken": self.taken,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "earlier": self.earlier,
            "left_total": self.remarks_left.total,
            "left_by_reason": self.left_by_reason,
            "left": [{"where": where, "reason": reason} for where, reason in self.left],
            "noted_total": self.remarks_noted.total,
            "noted_by_reason": self.noted_by_reason,
            "noted": [{"where": where, "reason": reason} for where, reason in self.noted],
            "facts": self.facts,
        }

    @property
    def summary(self) -> str:
        """One sentence."""
        parts = [f"{self.taken:,} {self.what} taken", f"{self.updated:,} updated", f"{self.unchanged:,} unchanged"]
        if self.earlier:
            parts.append(f"{self.earlier:,} done before the interruption")
        if self.remarks_left.total:
            parts.append(f"{self.remarks_left.total:,} left out")
        if self.remarks_noted.total:
            parts.append(f"{self.remarks_noted.total:,} with a note")
        return f"{', '.join(parts[:-1])} and {parts[-1]}."
