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
#: So many of those whom an import had to make are named.
NAMED = 10


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
class Made:
    """What was not here before and was made along the way: the first names of it, and how many there are."""

    names: list[str] = field(default_factory=list)
    total: int = 0

    def add(self, names: list[str]) -> None:
        """More of them."""
        self.names += names[: NAMED - len(self.names)]
        self.total += len(names)

    def __str__(self) -> str:
        more = self.total - len(self.names)
        return ", ".join(self.names) + (f" and {more:,} more" if more else "")


@dataclass(slots=True)
class Outcome:
    """What one batch did. Added to the report only once it is committed, so that a retried batch counts once."""

    taken: int = 0
    updated: int = 0
    unchanged: int = 0
    left: list[Remark] = field(default_factory=list)
    noted: list[Remark] = field(default_factory=list)
    people: list[str] = field(default_factory=list)  # made, as nobody knew them
    communities: list[str] = field(default_factory=list)


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
    people: Made = field(default_factory=Made)
    communities: Made = field(default_factory=Made)
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
        self.people.add(outcome.people)
        self.communities.add(outcome.communities)
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
            "new_people": {"total": self.people.total, "first": self.people.names},
            "new_communities": {"total": self.communities.total, "first": self.communities.names},
            "facts": self.facts,
        }

    @property
    def news(self) -> list[str]:
        """A sentence for the people, and one for the communities, whom nobody here knew before."""
        said = []
        for made, one, more in ((self.people, "person", "people"), (self.communities, "community", "communities")):
            if made.total:
                were = "was" if made.total == 1 else "were"
                what = one if made.total == 1 else more
                said.append(f"{made.total:,} {what} {were} not known here and {were} added: {made}.")
        return said

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
