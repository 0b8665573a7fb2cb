"""The expertise profile as its owner sees and edits it: topics they know, and how long they are away."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from bot import forms, replies, replies_home
from bot.models import Person, Skill
from bot.ports import Form, FormError, Submitted, clean
from bot.questions import tell
from bot.replies_home import Expertise
from bot.store import Transaction

MOST_TOPICS, LONGEST_TOPIC = 50, 100


def local(person: Person, moment: datetime) -> datetime:
    """A moment on this person's own clock."""
    try:
        return moment.astimezone(ZoneInfo(person.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(ZoneInfo("UTC"))


async def expertise(tx: Transaction, person: Person) -> Expertise:
    """What this person knows, by how we know it."""
    rows: list[Skill] = await tx.all(select(Skill).where(Skill.person_id == person.id).order_by(Skill.topic))
    by_source = {source: tuple(row.topic for row in rows if row.source == source) for source in _SOURCES}
    away = person.away_until if person.away_until and person.away_until > tx.now else None
    return Expertise(
        declared=by_source["declared"],
        imported=by_source["imported"],
        inferred=by_source["inferred"],
        away_until=local(person, away) if away else None,
    )


_SOURCES = ("declared", "imported", "inferred")


async def form(tx: Transaction, person: Person) -> Form:
    """Where somebody edits their own profile."""
    known = await expertise(tx, person)
    away = known.away_until.isoformat(timespec="minutes") if known.away_until else ""
    return forms.profile_form((*known.declared, *known.imported), away)


async def save(tx: Transaction, person: Person, event: Submitted) -> None:
    """Take the profile as its owner has it: what they left out is gone, wherever it came from.

    Raises `FormError` with a sentence at the input that cannot be taken.
    """
    topics = _topics(event.text("topics"))
    row = await tx.get(Person, person.id)
    row.away_until = _away(event.text("away"), row, tx.now)
    kept = set()
    for skill in await tx.all(select(Skill).where(Skill.person_id == row.id)):
        key = skill.topic.casefold()
        if topics.get(key) == skill.topic:
            skill.source = "declared"
            kept.add(key)
        elif key in topics or skill.source != "inferred":
            await tx.session.delete(skill)
    await tx.session.flush()
    for key in topics.keys() - kept:
        tx.session.add(Skill(person_id=row.id, topic=topics[key], source="declared"))
    await tx.session.flush()
    await tx.later("index", f"people:{row.id}-{row.id}")
    away = local(row, row.away_until) if row.away_until else None
    await tell(tx, event, replies.note(replies_home.profile_saved(len(topics), away)))


def _topics(text: str) -> dict[str, str]:
    """Topics by their key (case does not matter), in the order they were written."""
    found: dict[str, str] = {}
    for piece in re.split(r"[,;\n]", clean(text)):
        if topic := " ".join(piece.strip().lstrip("-•*").split()):
            found.setdefault(topic.casefold(), topic)
    too_long = next((topic for topic in found.values() if len(topic) > LONGEST_TOPIC), None)
    if too_long:
        start = replies.excerpt(too_long, 40)
        sentence = (
            f"“{start}” is too long for one topic: at most {LONGEST_TOPIC} characters. Put commas between topics."
        )
        raise FormError({"topics": sentence})
    if len(found) > MOST_TOPICS:
        sentence = (
            f"These are {len(found)} topics; I can take {MOST_TOPICS}. Keep those you like to be asked about most."
        )
        raise FormError({"topics": sentence})
    return found


def _away(text: str, person: Person, now: datetime) -> datetime | None:
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:  # as their own clock shows it
            moment = moment.replace(tzinfo=local(person, now).tzinfo)
        moment = moment.astimezone(local(person, now).tzinfo)
    except (ValueError, OverflowError):
        raise FormError({"away": "I cannot read that as a date and a time. Choose one, or leave it empty."}) from None
    if moment <= now:
        raise FormError({"away": "That has passed already. Choose a time to come, or leave it empty if you are here."})
    return moment
