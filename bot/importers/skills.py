"""Imported skills: kept equal to what the file lists, beside what people declare and what is inferred of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from bot.importers.bulk import insert_many
from bot.models import Skill
from bot.store import Transaction


async def put_skills(tx: Transaction, listed: Mapping[int, tuple[str, ...]]) -> set[int]:
    """Make these the imported skills of each person; for whom that changed something.

    A topic the person has declared stays theirs. One that was inferred becomes imported: it is confirmed.
    """
    known: dict[int, dict[str, tuple[str, str]]] = {person: {} for person in listed}
    query = select(Skill.person_id, Skill.topic, Skill.source).where(Skill.person_id.in_(list(listed)))
    for person, topic, source in await tx.session.execute(query):
        known[person][topic.casefold()] = topic, source

    new: list[dict[str, Any]] = []
    confirmed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for person, topics in listed.items():
        wanted = {topic.casefold(): topic for topic in topics}
        for key, topic in wanted.items():
            if key not in known[person]:
                new.append({"person_id": person, "topic": topic, "source": "imported"})
            elif known[person][key][1] == "inferred":
                confirmed.append({"person": person, "name": known[person][key][0]})
        gone += [
            {"person": person, "name": topic}
            for key, (topic, source) in known[person].items()
            if source == "imported" and key not in wanted
        ]

    this_one = (Skill.person_id == bindparam("person"), Skill.topic == bindparam("name"))
    connection = await tx.session.connection()  # many rows of parameters for one statement: the core's way
    if gone:
        await connection.execute(delete(Skill).where(*this_one), gone)
    if confirmed:
        await connection.execute(update(Skill).where(*this_one).values(source="imported"), confirmed)
    await insert_many(tx, Skill, new)
    return {row["person_id"] for row in new} | {row["person"] for row in (*confirmed, *gone)}
