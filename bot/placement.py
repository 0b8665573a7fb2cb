"""Which community a question belongs to, and why: by its like questions, its subjects, and the people who may know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from bot.experts import LEAST_SIMILARITY
from bot.indexing import said_by
from bot.knowledge import FINDABLE, names_of
from bot.models import Community, Entry, Membership
from bot.replies import Candidate, excerpt, listed, plain
from bot.store import Store, Transaction
from expertise_index import CommunityMatch, ExpertiseIndex

#: What the people who may know weigh, against what was asked before and what communities say of themselves.
_PEOPLE = 0.5
#: Below this likeness (cosine) a community's subject is no reason worth telling.
SPEAKS_OF = 0.5


@dataclass(frozen=True, slots=True)
class Placement:
    """The community where a question would be asked, and what speaks for it, as it is kept: see `in_words`."""

    community_id: int
    because: list[dict[str, Any]] = field(default_factory=list)


async def choose(
    store: Store,
    index: ExpertiseIndex,
    text: str,
    *,
    among: Collection[int],
    readable: Collection[str],
    who: Sequence[Candidate],
) -> Placement | None:
    """The best community of `among` for `text`; `who` may know, best first. None where none of them can be told."""
    ranked = await index.communities(text, readable=readable, now=store.clock.now(), limit=50)
    matches = {int(m.community): m for m in ranked if m.community.isdigit() and int(m.community) in among}
    async with store.reading() as tx:
        members = await _members(tx, [candidate.person_id for candidate in who])
        shares = {key: match.score for key, match in matches.items()}
        total = sum(1 / (rank + 1) for rank in range(len(who)))
        for rank, candidate in enumerate(who):
            mine = members.get(candidate.person_id, set()) & set(among)
            for key in mine:
                shares[key] = shares.get(key, 0.0) + _PEOPLE / (rank + 1) / total / len(mine)
        if not shares:
            return None
        best = max(shares, key=lambda key: (shares[key], -key))
        belonging = [who.person_id for who in who[:3] if best in members.get(who.person_id, set())]
        return Placement(best, await _because(tx, best, matches.get(best), belonging))


async def _members(tx: Transaction, people: Sequence[int]) -> dict[int, set[int]]:
    """The communities of each of these people."""
    found: dict[int, set[int]] = {}
    for row in await tx.all(select(Membership).where(Membership.person_id.in_(people))):
        found.setdefault(row.person_id, set()).add(row.community_id)
    return found


async def _because(
    tx: Transaction, community_id: int, match: CommunityMatch | None, people: Sequence[int]
) -> list[dict[str, Any]]:
    """What speaks for this community, as it is kept: entries, subjects, people."""
    because = match.because if match else ()
    like = [int(m.id.partition(":")[2]) for m in because if m.kind == "entry" and m.similarity >= LEAST_SIMILARITY]
    said = said_by(await tx.get(Community, community_id))
    near = {m.id for m in because if m.kind == "community" and m.similarity >= SPEAKS_OF}
    subjects = [words for key, words in said.items() if key in near][:2]
    return [*({"entry": key} for key in like), *({"subject": words} for words in subjects),
            *({"person": key} for key in people)]  # fmt: skip


async def in_words(
    tx: Transaction, community_id: int, because: Sequence[dict[str, Any]], readable: Collection[str]
) -> str:
    """Why a question goes to this community, in the port's Markdown, from what a reader of `readable` may see now."""
    reasons = [item["words"] for item in because if "words" in item]
    like = [item["entry"] for item in because if "entry" in item]
    entries = await tx.all(
        select(Entry).where(Entry.id.in_(like), Entry.space.in_(readable), Entry.state.in_(FINDABLE))
    )
    titles = {row.id: row.title for row in entries}
    if asked := [titles[key] for key in like if key in titles]:
        many = f"{len(asked)} like questions were answered there, such as" if asked[1:] else "it answered"
        reasons.append(f"{many} “{plain(excerpt(asked[0], 90))}”")
    community = await tx.get(Community, community_id)
    said = set(said_by(community).values()) - {community.name}
    if speaks_of := [item["subject"] for item in because if item.get("subject") in said]:
        reasons.append(f"it is about {listed([plain(words) for words in speaks_of])}")
    names = await names_of(tx, [item.get("person") for item in because])
    if people := [plain(name) for name in names.values()]:
        reasons.append(f"{listed(people)}, who may know, {'are members' if people[1:] else 'is a member'}")
    return "; ".join(reasons)
