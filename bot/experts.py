"""Experts: who somebody is, who may be asked now, and why they are the ones to ask."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, or_, select

from bot import communities
from bot.knowledge import FINDABLE
from bot.models import ORG, Account, Entry, Person, Prompt, Skill, SpaceMember
from bot.ports import EMBEDDED, PersonRef, Profile
from bot.replies import Candidate, ago, excerpt, listed, plain
from bot.store import Store, Transaction
from expertise_index import Evidence, Expert, ExpertiseIndex

#: Open prompts one person may have. Whoever has this many is not asked until some are settled.
MOST_OPEN_PROMPTS = 4
#: Below this likeness (cosine) a past answer, or a topic of a profile, is no reason to bother anybody. A topic is a
#: word or two, and those are a little like everything.
LEAST_SIMILARITY, LEAST_TOPIC_SIMILARITY = 0.35, 0.42


async def introduce(tx: Transaction, profile: Profile) -> Person:
    """The person behind this account, as the platform tells of them now: known, joined by verified e-mail, or new.

    A guest is who has a guest account anywhere; gone is whose accounts are all switched off. What the embedded chat
    says of it counts only where it is alone: it knows people from the others.
    """
    ref, email = profile.ref, (profile.email or "").lower() or None
    account = await tx.session.get(Account, (ref.platform, ref.workspace, ref.id))
    person = await tx.get(Person, account.person_id) if account else None
    if person is None and email:
        person = await tx.first(select(Person).where(Person.email == email))
    if person is None:
        person = await tx.add(Person(name=profile.name, email=email, title=profile.title))
    new = account is None
    if account is None:
        account = await tx.add(
            Account(platform=ref.platform, workspace=ref.workspace, user=ref.id, person_id=person.id)
        )
        await communities.let_in(tx, person.id, ref)
    told_anew = new or (account.guest, account.active) != (profile.guest, profile.active)
    account.guest, account.active = profile.guest, profile.active
    account.checked_at = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)  # finer would tell who acted when
    person.name, person.title = profile.name or person.name, person.title or profile.title
    person.time_zone, person.quiet_until = profile.time_zone, profile.quiet_until
    if told_anew:
        await tx.session.flush()
        accounts = await tx.all(select(Account).where(Account.person_id == person.id))
        telling = [each for each in accounts if each.platform != EMBEDDED] or accounts
        person.active = any(each.active for each in telling) and (person.active or not new)
        person.guest = any(each.guest for each in telling) or (person.guest and new)  # an import may have said so
        await tx.later("index", f"people:{person.id}-{person.id}")
    return person


async def unavailable(tx: Transaction) -> set[int]:
    """Who must not be asked now: away, not to be disturbed, with a full plate, gone, or a guest."""
    away = or_(Person.away_until > tx.now, Person.quiet_until > tx.now)
    gone = or_(Person.active.is_(False), Person.guest.is_(True), away)
    open_prompts = select(Prompt.expert_id).where(Prompt.state == "open").group_by(Prompt.expert_id)
    full = open_prompts.having(func.count() >= MOST_OPEN_PROMPTS)
    return {*await tx.all(select(Person.id).where(gone)), *await tx.all(full)}


async def members(tx: Transaction, space: str) -> set[int] | None:
    """Who may see a private space; None for what everybody may see."""
    if space == ORG:
        return None
    return set(await tx.all(select(SpaceMember.person_id).where(SpaceMember.space == space)))


async def who_knows(
    store: Store,
    index: ExpertiseIndex,
    text: str,
    *,
    readable: Collection[str],
    space: str = ORG,
    without: Collection[int] = (),
    limit: int = 6,
    reachable: bool = False,
) -> list[Candidate]:
    """The people to ask about `text`, best first, who may see `space`, each with the reason in words.

    `reachable`: only those who have an account to be asked by. Evidence comes only from what the reader may see
    (`readable`): nobody learns from a reason what they may not read.
    """
    async with store.reading() as tx:
        not_now = {str(key) for key in (await unavailable(tx)) | set(without)}
        among = await members(tx, space)
        now = tx.now
    found = await index.experts(
        text,
        readable=readable,
        now=now,
        among=None if among is None else {str(key) for key in among},
        without=not_now,
        limit=3 * limit,
    )
    async with store.reading() as tx:
        candidates = await _candidates(tx, found, readable)
        if reachable:
            ids = [candidate.person_id for candidate in candidates]
            here = set(await tx.all(select(Account.person_id).where(Account.person_id.in_(ids))))
            candidates = [candidate for candidate in candidates if candidate.person_id in here]
        return candidates[:limit]


async def _candidates(tx: Transaction, found: Sequence[Expert], readable: Collection[str]) -> list[Candidate]:
    """Those with a reason worth telling."""
    kept = {int(expert.person): [_kept(e) for e in expert.evidence if e.similarity >= _least(e)] for expert in found}
    why = await in_words(tx, kept, readable)
    people = {row.id: row for row in await tx.all(select(Person).where(Person.id.in_(kept)))}
    return [
        Candidate(person_id=key, name=people[key].name, title=people[key].title, why=why[key], because=tuple(because))
        for key, because in kept.items()
        if key in people and why[key]
    ]


def _least(evidence: Evidence) -> float:
    return LEAST_TOPIC_SIMILARITY if evidence.item.startswith("topic:") else LEAST_SIMILARITY


def _kept(evidence: Evidence) -> dict[str, Any]:
    """Evidence as a row keeps it: what it rests on, not its words, which not everybody may read."""
    kind, _, key = evidence.item.partition(":")
    if kind == "entry":
        return {"entry": int(key), "accepted": evidence.kind == "accepted", "at": evidence.at.isoformat()}
    return {"topic": key} if kind == "topic" else {"close": True}


async def in_words(
    tx: Transaction, kept: Mapping[int, Sequence[dict[str, Any]]], readable: Collection[str]
) -> dict[int, str]:
    """By person, the reasons to ask them, in the port's Markdown, as a reader of `readable` may know them now.

    `kept` is evidence by person, the best first: an answered entry, a topic of their profile, that what they do is
    close, words of our own, or that the asker named them, which goes without saying. Entries and profiles are read
    again; what is gone, or hidden from the reader, is no reason. Empty where none is left.
    """
    entry_ids = {item["entry"] for because in kept.values() for item in because if "entry" in item}
    may_read = (Entry.id.in_(entry_ids), Entry.space.in_(readable), Entry.state.in_(FINDABLE))
    titles = {row.id: row.title for row in await tx.all(select(Entry).where(*may_read))}
    topics: dict[tuple[int, str], str] = {}
    profiled = kept if ORG in readable else {}  # profiles are for the organisation
    for skill in await tx.all(select(Skill).where(Skill.person_id.in_(profiled)).order_by(Skill.topic)):
        topics[skill.person_id, skill.topic.casefold()] = skill.topic
    found = {}
    for key, because in kept.items():
        parts = [item["words"] for item in because if "words" in item]
        if answered := [item for item in because if item.get("entry") in titles]:
            best = answered[0]
            many = f"answered {len(answered)} related questions, such as" if answered[1:] else "answered"
            accepted = ", accepted" if best["accepted"] else ""
            when = ago(datetime.fromisoformat(best["at"]), tx.now)
            parts.append(f"{many} “{plain(excerpt(titles[best['entry']], 90))}” ({when}{accepted})")
        if listing := [topics[key, item["topic"]] for item in because if (key, item.get("topic")) in topics]:
            parts.append(f"profile lists {listed([plain(topic) for topic in listing[:4]])}")
        if key in profiled and not parts and {"close": True} in because:
            parts.append("what they do is close to this")
        found[key] = "; ".join(parts)
    return found


async def named(tx: Transaction, ids: Sequence[int], why: str) -> list[Candidate]:
    """People somebody named themselves."""
    rows = {row.id: row for row in await tx.all(select(Person).where(Person.id.in_(ids)))}
    because = ({"words": why},) if why else ()
    return [
        Candidate(person_id=key, name=rows[key].name, title=rows[key].title, why=why, because=because)
        for key in ids
        if key in rows
    ]


async def known(tx: Transaction, refs: Sequence[PersonRef]) -> list[Person]:
    """The people behind these accounts, leaving out unknown ones."""
    found = [await tx.person_of(ref) for ref in refs]
    return [person for person in found if person]


def next_working_morning(person: Person, now: datetime) -> timedelta:
    """How long until nine o'clock on this person's next working day."""
    try:
        zone = ZoneInfo(person.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    here = now.astimezone(zone)
    then = replace_time(here + timedelta(days=1))
    while then.weekday() >= 5:
        then = replace_time(then + timedelta(days=1))
    return then - here


def replace_time(moment: datetime) -> datetime:
    """The same day at nine."""
    return moment.replace(hour=9, minute=0, second=0, microsecond=0)
