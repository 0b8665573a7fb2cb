"""From rows to index items: what the index is told of entries, people, topics and communities, and when."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, select

from bot.knowledge import FINDABLE, told
from bot.models import ORG, Channel, Community, Endorsement, Entry, EntryAnswer, Person, Skill
from bot.ports import BOARDS
from bot.store import Store, Transaction
from expertise_index import Contribution, ExpertiseIndex, Item

#: The index work that brings in the topics of all profiles; asked for by each range of people, done once for many.
TOPICS = "topics:all"
FEW = 16
MOST_SUBJECTS = 40  # of one community


async def index_range(store: Store, index: ExpertiseIndex, subject: str) -> None:
    """Bring a range of rows ("entries:5-9", "people:…", "communities:…") into the index, or out of it.

    Safe to repeat. Words are searchable at once; vectors follow here for a few rows, elsewhere in batches for many.
    """
    if subject == TOPICS:
        async with store.reading() as tx:
            topics = await _topic_items(tx)
        await index.stage(topics)
        await _embed_few(index, len(topics))
        return
    what, _, bounds = subject.partition(":")
    first, last = (int(bound) for bound in bounds.split("-"))
    for start in range(first, last + 1, 500):
        async with store.reading() as tx:
            items, gone = await _ITEMS[what](tx, start, min(start + 499, last))
        if gone:
            await index.remove(gone)
        if items:
            await index.stage(items)
    if what == "people":
        await store.run(lambda tx: tx.later("index", TOPICS))
    await _embed_few(index, last - first + 1)


async def _embed_few(index: ExpertiseIndex, count: int) -> None:
    """An accepted answer is found by meaning seconds later; an import of thousands must not hold up questions."""
    if count <= FEW and index.embedder.ready:
        await index.embed_owed(limit=FEW)


async def _entry_items(tx: Transaction, first: int, last: int) -> tuple[list[Item], list[str]]:
    rows: list[Entry] = await tx.all(select(Entry).where(Entry.id.between(first, last)))
    answers: dict[int, list[EntryAnswer]] = {}
    for answer in await tx.all(
        select(EntryAnswer).where(EntryAnswer.entry_id.between(first, last)).order_by(EntryAnswer.id)
    ):
        answers.setdefault(answer.entry_id, []).append(answer)
    counted = await tx.session.execute(
        select(Endorsement.entry_id, func.count())
        .where(Endorsement.entry_id.between(first, last))
        .group_by(Endorsement.entry_id)
    )
    helped = {key: int(count) for key, count in counted.all()}
    items, gone = [], []
    for row in rows:
        if row.state not in FINDABLE:
            gone.append(f"entry:{row.id}")
            continue
        mine = answers.get(row.id, [])
        people = tuple(
            Contribution(
                person=str(a.author_id),
                at=a.created_at,
                accepted=a.accepted,
                endorsements=a.endorsements + (helped.get(row.id, 0) if a.accepted else 0),
            )
            for a in mine
            if a.author_id
        )
        items.append(
            Item(
                id=f"entry:{row.id}",
                kind="entry",
                title=row.title,
                body=row.body,
                answer=told(mine),
                space=row.space,
                community=str(row.community_id or ""),
                created=row.created_at,
                people=people,
            )
        )
    return items, gone


async def _topic_items(tx: Transaction) -> list[Item]:
    """One item a topic, with everybody whose profile lists it: one topic among many would drown in a profile's text."""
    listed = select(Skill.topic, Skill.person_id).join(Person, Person.id == Skill.person_id)
    people: dict[str, set[int]] = {}
    spelt: dict[str, str] = {}
    for topic, person_id in (await tx.session.execute(listed.where(Person.active, Person.guest.is_(False)))).all():
        spelt.setdefault(topic.casefold(), topic)
        people.setdefault(topic.casefold(), set()).add(person_id)
    return [
        Item(
            id=f"topic:{key}",
            kind="profile",
            title=spelt[key],
            space=ORG,
            created=tx.now,
            people=tuple(Contribution(person=str(one), at=tx.now) for one in sorted(people[key])),
        )
        for key in sorted(people)
    ]


async def _person_items(tx: Transaction, first: int, last: int) -> tuple[list[Item], list[str]]:
    rows: list[Person] = await tx.all(select(Person).where(Person.id.between(first, last)))
    skills: dict[int, list[str]] = {}
    for skill in await tx.all(select(Skill).where(Skill.person_id.between(first, last)).order_by(Skill.topic)):
        skills.setdefault(skill.person_id, []).append(skill.topic)
    items, gone = [], []
    for row in rows:
        if not row.active or row.guest or not (row.id in skills or row.bio or row.title):
            gone.append(f"person:{row.id}")
            continue
        at = tx.now  # a profile does not age: it says what somebody knows now
        items.append(
            Item(
                id=f"person:{row.id}",
                kind="profile",
                title=row.title or ", ".join(skills.get(row.id, [])),
                body="\n".join(filter(None, (", ".join(skills.get(row.id, [])), row.bio))),
                space=ORG,
                created=at,
                people=(Contribution(person=str(row.id), at=at),),
            )
        )
    return items, gone


async def _community_items(tx: Transaction, first: int, last: int) -> tuple[list[Item], list[str]]:
    """A community as a whole, and each subject of its domain by itself: one among many would drown in the whole."""
    rows: list[Community] = await tx.all(select(Community).where(Community.id.between(first, last)))
    items, gone = [], []
    for row in rows:
        homes: list[Channel] = await tx.all(
            select(Channel).where(
                Channel.community_id == row.id, Channel.archived.is_(False), Channel.workspace != BOARDS
            )
        )
        spaces = {home.space for home in homes}
        said = said_by(row) if homes else {}
        for key, title in said.items():
            items.append(
                Item(
                    id=key,
                    kind="community",
                    title=title,
                    body=row.domain if key == f"community:{row.id}" else "",
                    space=ORG if ORG in spaces else min(spaces),
                    community=str(row.id),
                    created=tx.now,
                )
            )
        every = [f"community:{row.id}", *(f"community:{row.id}:{number}" for number in range(MOST_SUBJECTS))]
        gone += [key for key in every if key not in said]
    return items, gone


def said_by(community: Community) -> dict[str, str]:
    """What a community says of itself, by item: its name (with the whole domain), and subject by subject."""
    parts = {f"community:{community.id}:{number}": words for number, words in enumerate(subjects(community.domain))}
    return {f"community:{community.id}": community.name, **parts}


def subjects(domain: str) -> list[str]:
    """What a community's description speaks of, subject by subject."""
    found = re.split(r"[,.;:()\n]| and ", domain)
    return [words for part in found if len(words := " ".join(part.split())) > 2][:MOST_SUBJECTS]


_ITEMS = {"entries": _entry_items, "people": _person_items, "communities": _community_items}


async def ask_for_all(store: Store) -> None:
    """Ask for everything to be brought into the index again."""
    tables: dict[str, Any] = {"entries": Entry, "people": Person, "communities": Community}
    async with store.transaction() as tx:
        for name, table in tables.items():
            last = await tx.first(select(func.max(table.id)))
            for first in range(1, (last or 0) + 1, 500):
                await tx.later("index", f"{name}:{first}-{min(first + 499, last)}")
