"""From measured candidates to answers: how like a question an item is, who knows, and where it belongs. Pure functions.

The few numbers here were chosen on development questions of five kinds of communities together; none belongs to one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expertise_index.values import CommunityMatch, Evidence, Expert, Match

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from expertise_index.backend import Candidate
    from expertise_index.values import Contribution, EvidenceKind

#: How many pieces of evidence an expert is shown with.
MOST_EVIDENCE = 5

#: Below this score an item is no reason to name anybody, unless it is the only one.
LEAST_EVIDENCE = 0.05

# Likeness is the cosine, plus up to _WORDS for shared words; half of it at a BM25 of _HALF_WORDS. Adding ranks of both
# searches instead (reciprocal rank fusion) is worse on short questions, where every word is in many items.
_WORDS, _HALF_WORDS = 0.3, 10.0

# Neighbours with the same answer agree: half of the likeness is a soft maximum over them, this steep, over this many.
_AGREEMENT, _VOTE_STEEPNESS, _VOTERS = 0.5, 10.0, 30

# Logistic calibration: the likeness at which half of the first suggestions were right, and how fast that changes.
_EVEN, _CALIBRATION_STEEPNESS = 0.735, 8.0

# Who knows: answers to like questions count steeply by likeness and fade over a year. Who is there: any related answer
# counts, but fades within weeks. Each is a share of 1 over all people; the score is their mean. Half or double of each
# changes little; the second steepness keeps people who are busy with other subjects out.
_KNOWS_STEEPNESS, _KNOWS_HALF_LIFE = 10.0, 365.0
_THERE_STEEPNESS, _THERE_HALF_LIFE = 6.0, 10.0

# What makes a contribution count more than an answer of which nothing is known.
_ACCEPTED, _ENDORSED = 1.5, 0.2

# What a community says of itself, its nearest line, counts as much as this many entries.
_DESCRIPTION = 8.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its likeness to the question (a cosine and a little more) and its score, 0 to 1."""

    candidate: Candidate
    likeness: float
    score: float


def rank(candidates: Sequence[Candidate]) -> list[Ranked]:
    """Candidates by likeness to the question, best first."""
    alone = {one.id: one.similarity + _WORDS * one.bm25 / (_HALF_WORDS + one.bm25) for one in candidates}
    votes: dict[str, float] = defaultdict(float)
    for voter in sorted(candidates, key=lambda one: (-alone[one.id], one.id))[:_VOTERS]:
        votes[voter.answer_key] += math.exp(_VOTE_STEEPNESS * alone[voter.id])

    def likeness(one: Candidate) -> float:
        if not one.answer_key or one.answer_key not in votes:
            return alone[one.id]
        agreed = math.log(votes[one.answer_key]) / _VOTE_STEEPNESS
        return (1 - _AGREEMENT) * alone[one.id] + _AGREEMENT * agreed

    ranked = [Ranked(one, like := likeness(one), _probability(like)) for one in candidates]
    return sorted(ranked, key=lambda one: (-one.likeness, one.candidate.id))


def _probability(likeness: float) -> float:
    return 1 / (1 + math.exp(_CALIBRATION_STEEPNESS * (_EVEN - likeness)))


def matches(ranked: Sequence[Ranked], limit: int) -> list[Match]:
    """The best items, each answer only once."""
    shown: list[Match] = []
    answers: set[str] = set()
    for one in ranked:
        if len(shown) == limit:
            break
        key = one.candidate.answer_key
        if key and key in answers:
            continue
        answers.add(key)
        shown.append(
            Match(
                id=one.candidate.id,
                kind=one.candidate.kind,
                score=one.score,
                similarity=one.candidate.similarity,
                words=one.candidate.words,
            )
        )
    return shown


def experts(
    ranked: Sequence[Ranked],
    now: datetime,
    *,
    among: Collection[str] | None,
    without: Collection[str],
    limit: int,
) -> list[Expert]:
    """People by what they know about the question, and whether they are there to answer it."""
    parts = [
        _Part(one, part, now)
        for one in ranked
        for part in one.candidate.people
        if part.person not in without and (among is None or part.person in among)
    ]
    knows = sum(part.knows for part in parts) or 1.0
    there = sum(part.there for part in parts) or knows  # profiles alone say nothing of who is there
    by_person: dict[str, list[_Part]] = defaultdict(list)
    for part in parts:
        by_person[part.by.person].append(part)
    found = []
    for person, theirs in by_person.items():
        theirs.sort(key=lambda part: (-part.knows, part.of.candidate.id))
        score = sum(part.knows / knows + part.there / there for part in theirs) / 2
        telling = [part for n, part in enumerate(theirs) if n == 0 or part.of.score >= LEAST_EVIDENCE]
        evidence = tuple(
            Evidence(
                kind=part.kind,
                item=part.of.candidate.id,
                similarity=part.of.candidate.similarity,
                at=part.by.at,
                weight=part.knows / knows / 2,
            )
            for part in telling[:MOST_EVIDENCE]
        )
        found.append(Expert(person=person, score=score, evidence=evidence))
    found.sort(key=lambda expert: (-expert.score, expert.person))
    return found[:limit]


class _Part:
    """One contribution to one ranked item, weighed in the two ways of `experts`."""

    __slots__ = ("by", "kind", "knows", "of", "there")

    def __init__(self, of: Ranked, by: Contribution, now: datetime) -> None:
        self.of, self.by = of, by
        worth = (_ACCEPTED if by.accepted else 1.0) * (1 + _ENDORSED * math.log1p(by.endorsements))
        self.kind: EvidenceKind = "accepted" if by.accepted else "answered"
        self.knows = worth * math.exp(_KNOWS_STEEPNESS * of.likeness)
        self.there = 0.0
        if of.candidate.kind == "profile":
            self.kind = "profile"  # what somebody is does not fade
            return
        age = _days(by.at, now)
        self.knows *= 0.5 ** (age / _KNOWS_HALF_LIFE)
        self.there = math.exp(_THERE_STEEPNESS * of.likeness) * 0.5 ** (age / _THERE_HALF_LIFE)


def communities(ranked: Sequence[Ranked], now: datetime, limit: int) -> list[CommunityMatch]:
    """Communities by the votes of similar entries, which fade, and by what they say of themselves, which does not."""
    votes: dict[str, float] = defaultdict(float)
    because: dict[str, list[Ranked]] = defaultdict(list)
    described: set[str] = set()
    for one in ranked:  # best first: of what a community says of itself, the nearest counts
        key = one.candidate.community
        if not key:
            continue
        because[key].append(one)
        if one.candidate.kind != "community":
            worth = 0.5 ** (_days(one.candidate.created, now) / _KNOWS_HALF_LIFE)
        elif key not in described:
            described.add(key)
            worth = _DESCRIPTION
        else:
            continue
        votes[key] += worth * math.exp(_VOTE_STEEPNESS * one.likeness)
    total = sum(votes.values()) or 1.0
    best = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))[:limit]
    return [
        CommunityMatch(community=name, score=vote / total, because=tuple(matches(because[name], MOST_EVIDENCE)))
        for name, vote in best
    ]


def _days(since: datetime, now: datetime) -> float:
    return max((now - since).total_seconds() / 86_400, 0.0)
