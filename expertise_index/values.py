"""The values that cross the border of the library: items go in; matches, experts and communities come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

#: What an item is. An ``entry`` is a question with its answer, a ``profile`` tells what one person knows, a
#: ``community`` tells what a community talks about.
KINDS = ("entry", "profile", "community")


def _refuse_naive(moment: datetime, name: str) -> None:
    if moment.tzinfo is None:
        raise ValueError(f"{name} must be an aware datetime, but it has no time zone: {moment!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One person's part in an item: they answered, or the profile is theirs."""

    person: str
    #: When they did so. Aware.
    at: datetime
    #: Whether this was the accepted answer.
    accepted: bool = False
    #: How many people said "this helped".
    endorsements: int = 0

    def __post_init__(self) -> None:
        _refuse_naive(self.at, "Contribution.at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that can be found. Putting an item replaces the earlier one with the same id."""

    id: str
    #: ``entry``, ``profile`` or ``community``.
    kind: str
    title: str
    body: str = ""
    answer: str = ""
    #: The permission room: only a reader whose ``readable`` names this space can be influenced by the item.
    space: str
    community: str = ""
    created: datetime
    #: Who answered. Of a profile, the first one is the person described.
    people: tuple[Contribution, ...] = ()
    #: Items with an equal key have the same answer: they vote together and only the best of them is shown.
    #: Empty: the text of the answer decides, unless it is very short.
    answer_key: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Item.kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.kind == "profile" and not self.people:
            raise ValueError(f"the profile {self.id!r} must name its person in Item.people")
        _refuse_naive(self.created, "Item.created")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One item like the question."""

    id: str
    kind: str
    #: Estimated probability that the item answers the question, 0 to 1, comparable between questions.
    score: float
    #: Cosine of question and item, -1 to 1; 0 while the item's vector is still owed.
    similarity: float
    #: Words that question and item share, most telling first.
    words: tuple[str, ...]


#: Why somebody counts as an expert: they answered something alike, their answer was accepted, or their profile says so.
EvidenceKind = Literal["answered", "accepted", "profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One reason to think that a person knows the answer."""

    kind: EvidenceKind
    #: The id of the item that shows it.
    item: str
    similarity: float
    at: datetime
    #: What it added to the person's score.
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Expert:
    """A person suggested for a question."""

    person: str
    #: 0 to 1; comparable within one answer, not between questions.
    score: float
    #: Strongest first, at most five.
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityMatch:
    """A community where the question would be at home."""

    community: str
    #: Share of the votes, 0 to 1.
    score: float
    #: What speaks for it, its entries and what it says of itself: the most like first, at most five.
    because: tuple[Match, ...] = ()
