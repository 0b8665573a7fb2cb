"""Which community a question belongs to, and why: by its like questions, its subjects, and the people who may know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bot.experts import LEAST_SIMILARITY
from bot.indexing import said_by
from bot.knowledge import FINDABLE
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
    """The community where a question would be asked. `why` is in the port's Markdown; empty where nothing tells."""

    community_id: int
    why: str


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
        belonging = [candidate.name for candidate in who[:3] if best in members.get(candidate.person_id, set())]
        return Placement(best, await _why(tx, best, matches.get(best), readable, belonging))


async def _members(tx: Transaction, people: Sequence[int]) -> dict[int, set[int]]:
    """The communities of each of these people."""
    found: dict[int, set[int]] = {}
    for row in await tx.all(select(Membership).where(Membership.person_id.in_(people))):
        found.setdefault(row.person_id, set()).add(row.community_id)
    return found


async def _why(
    tx: Transaction, community_id: int, match: CommunityMatch | None, readable: Collection[str], people: Sequence[str]
) -> str:
    """The reasons in words, from what the asker may see; entries are read again."""
    because = match.because if match else ()
    like = [int(m.id.partition(":")[2]) for m in because if m.kind == "entry" and m.similarity >= LEAST_SIMILARITY]
    entries = await tx.all(
        select(Entry).where(Entry.id.in_(like), Entry.space.in_(readable), Entry.state.in_(FINDABLE))
    )
    titles = {row.id: row.title for row in entries}
    asked = [titles[key] for key in like if key in titles]
    community = await tx.get(Community, community_id)
    said = said_by(community)
    near = {m.id for m in because if m.kind == "community" and m.similarity >= SPEAKS_OF}
    speaks_of = [words for key, words in said.items() if key in near and words != community.name][:2]
    reasons = []
    if asked:
        many = f"{len(asked)} like questions were answered there, such as" if asked[1:] else "it answered"
        reasons.append(f"{many} “{plain(excerpt(asked[0], 90))}”")
    if speaks_of:
        reasons.append(f"it is about {listed([plain(words) for words in speaks_of])}")
    if people:
        names = listed([plain(name) for name in people])
        reasons.append(f"{names}, who may know, {'is a member' if len(people) == 1 else 'are members'}")
    return "; ".join(reasons)
