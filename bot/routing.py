"""Question routing: which community and which experts; the preview, and what the asker changes in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Literal

import structlog
from sqlalchemy import func, select

from bot import communities, experts, forms, knowledge, mirrors, placement, prompts, questions, replies
from bot.errors import InvalidQuestion, NoCommunity
from bot.models import (
    ORG,
    Answer,
    Channel,
    Community,
    Entry,
    Person,
    Question,
    Suggestion,
)
from bot.placement import Placement
from bot.ports import Form, FormError, Option, PersonRef, Pressed, Submitted
from bot.replies import Candidate, Past
from bot.store import About, Store, Transaction
from expertise_index import ExpertiseIndex, Match

log = structlog.get_logger()

FIRST_PROMPTS = 3
CANDIDATES = 6
MOST_NAMED = 5  # people an asker adds themselves, whose evidence is that:
NAMED: list[Any] = [{"named": True}]


#: Finds accounts for people, near an account on some platform.
Reach = Callable[[Sequence[int], PersonRef], Awaitable[None]]


async def plan(
    store: Store,
    index: ExpertiseIndex,
    question_id: str,
    *,
    reach: Reach,
    lead: str = "Then let us ask people.",
    near: Sequence[tuple[Past, Match]] = (),
    blind: bool = False,
) -> None:
    """Choose community and experts for a question, and show the asker a preview.

    `near` are past answers too unsure to be suggested. `reach` finds accounts of people whom only an import knows,
    near an account. `blind`: the search is out of order; the asker chooses the community, its moderators are asked.
    """
    async with store.reading() as tx:
        question = await tx.session.get(Question, int(question_id))
        if question is None or question.state not in ("open", "suggested") or question.community_id is not None:
            return  # gone, posted, or planned before a crash: what the asker changed since must stay
        asker_id, ref = questions.asker_of(tx, question)
        asker = await tx.get(Person, asker_id)
        spaces = await tx.readable(asker)
        homes = await communities.homes_for(tx, asker, platform=ref.platform)
    if not homes:
        words = str(NoCommunity())
        await store.run(lambda tx: tx.show(f"ask:{question_id}", replies.settled(question.text, words), to=ref))
        return
    place, who = Placement(next(iter(homes))), list[Candidate]()

    async def may_know(space: str) -> list[Candidate]:
        asked: dict[str, Any] = {"readable": spaces & {ORG, space}, "space": space, "without": {asker_id}}
        found = await experts.who_knows(store, index, question.text, **asked, limit=CANDIDATES)
        await reach([candidate.person_id for candidate in found], ref)
        return await experts.who_knows(store, index, question.text, **asked, limit=CANDIDATES, reachable=True)

    try:
        if not blind:
            who = await may_know(ORG)
            chosen = await placement.choose(store, index, question.text, among=homes, readable=spaces, who=who)
            place = chosen or place
            if homes[place.community_id].space != ORG:  # only those who can see it there
                who = await may_know(homes[place.community_id].space)
    except Exception:  # the asker chooses the community then, and its moderators are asked
        log.exception("search.failed", question=question_id)
        lead = replies.BLIND

    async def show(tx: Transaction) -> None:
        question = await tx.get(Question, int(question_id))
        if question.state in ("open", "suggested"):
            chosen = who or await prompts.moderators(tx, place.community_id, without=asker_id)
            question.state, question.community_id = "suggested", place.community_id
            unsure = [{"words": replies.UNSURE}] if lead != replies.BLIND else []
            question.community_why = place.because or unsure
            question.plan = [_planned(c, asked=place < FIRST_PROMPTS) for place, c in enumerate(chosen)]
            for rank, (past, match) in enumerate(near):
                tx.session.add(
                    Suggestion(question_id=question.id, entry_id=past.entry_id, rank=rank, score=match.score,
                               why=past.why, outcome="near")
                )  # fmt: skip
            await tx.session.flush()
            await show_preview(tx, question, lead)

    await store.run(show)


async def route(
    store: Store, index: ExpertiseIndex, text: str, *, readable: Collection[str], without: Collection[int]
) -> dict[str, Any]:
    """Where a question would go and whom it would be brought to, in plain values: what `weaver ask` prints."""
    who = await experts.who_knows(store, index, text, readable=readable, without=without, limit=CANDIDATES)
    async with store.reading() as tx:
        among = await communities.seen_by(tx, readable)
    best = await placement.choose(store, index, text, among=among, readable=readable, who=who)
    async with store.reading() as tx:
        name = await communities.name(tx, best.community_id) if best else None
        why = await placement.in_words(tx, best.community_id, best.because, readable) if best else ""
    return {
        "community": name,
        "why": why.replace("\\", ""),
        "experts": [{"name": c.name, "title": c.title, "why": c.why.replace("\\", "")} for c in who[:FIRST_PROMPTS]],
    }


def _planned(candidate: Candidate, *, asked: bool) -> dict[str, Any]:
    return {"person": candidate.person_id, "because": list(candidate.because), "asked": asked}


async def _candidates(
    tx: Transaction, question: Question, spaces: Collection[str], *, asked_only: bool
) -> list[Candidate]:
    """The people of the plan, with the reasons that a reader of `spaces` may know."""
    because = {p["person"]: p["because"] for p in question.plan if p["asked"] or not asked_only}
    why = await experts.in_words(tx, because, spaces)
    return [replace(c, why=why[c.person_id]) for c in await experts.named(tx, list(because), "")]


async def show_preview(tx: Transaction, question: Question, lead: str) -> None:
    """Show the asker where the question would go, to whom and why, from what they may see now."""
    asker, ref = questions.asker_of(tx, question)
    community = await tx.get(Community, question.community_id)
    spaces = await tx.readable(await tx.get(Person, asker))
    home = await communities.home(tx, community.id, platform=ref.platform, spaces=spaces)
    if home is None:
        raise NoCommunity
    near = await _near(tx, question, asker)
    because = [*question.community_why, *(item for p in question.plan if p["asked"] for item in p["because"])]
    known = await quoted(tx, because, spaces)
    card = replies.preview(
        question.id,
        question.text,
        agreed=agreement(tx, home),
        community=community.name,
        channel=home.name,
        readers=_readers(home),
        why=await placement.in_words(tx, community.id, question.community_why, spaces),
        candidates=await _candidates(tx, question, spaces, asked_only=True),
        usually=await usually(tx, community.id),
        lead=lead,
        aloud=question.aloud,
        near=near,
        also=[mirrors.label(row.name, row.platform) for row in await mirrors.channels(tx, community.id, home)],
    )
    told = About(entries=(*(past.entry_id for past in near), *known))
    await tx.show(f"ask:{question.id}", card, to=ref, about=told)


async def _near(tx: Transaction, question: Question, asker: int) -> list[Past]:
    """Past answers that may fit, as the asker may see them now."""
    rows: list[Suggestion] = await tx.all(
        select(Suggestion).where(Suggestion.question_id == question.id, Suggestion.outcome == "near")
    )
    matches = [
        Match(id=f"entry:{row.entry_id}", kind="entry", score=row.score, similarity=0.0, words=()) for row in rows
    ]
    return await knowledge.seen_by(tx, await tx.get(Person, asker), matches)


async def quoted(tx: Transaction, because: Sequence[dict[str, Any]], spaces: Collection[str]) -> list[int]:
    """The entries among the reasons that a reader of `spaces` sees."""
    keys = {item["entry"] for item in because if "entry" in item}
    seen = select(Entry.id).where(Entry.id.in_(keys), Entry.space.in_(spaces), Entry.state.in_(knowledge.FINDABLE))
    return await tx.all(seen)


def _readers(home: Channel) -> Literal["members", "outsiders", "everybody"]:
    return "members" if home.private else "outsiders" if home.outsiders else "everybody"


def agreement(tx: Transaction, home: Channel) -> str:
    """Where a question would be posted and who reads it there: what the asker agrees to by the button it is in."""
    return tx.seal.mark(f"{home.members_space} {_readers(home)}")[:12]


def agreed(tx: Transaction, question: Question, home: Channel) -> bool:
    """Whether this channel is, still, what the asker agreed to."""
    return question.agreed == agreement(tx, home)


async def usually(tx: Transaction, community_id: int) -> str:
    """How long this community usually takes to a first answer, from its last fifty answered questions."""
    first = select(Answer.question_id, func.min(Answer.created_at).label("at")).group_by(Answer.question_id).subquery()
    rows = await tx.session.execute(
        select(Question.asked_at, first.c.at)
        .join(first, first.c.question_id == Question.id)
        .where(Question.community_id == community_id)
        .order_by(Question.id.desc())
        .limit(50)
    )
    waits = [(answered - asked).total_seconds() for asked, answered in rows.all()]
    if len(waits) < 5:
        return ""
    hours = median(waits) / 3600
    words = (
        "within the hour"
        if hours < 1
        else f"within {round(hours)} hours"
        if hours < 36
        else f"in {round(hours / 24)} days"
    )
    return f"A first answer here usually comes {words}."


async def change_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """Change the question, the community, the experts."""
    question = await questions.own(tx, person, event.value, "open", "suggested")
    homes = await communities.homes_for(tx, person, platform=event.actor.platform)
    options = [Option(str(key), await communities.name(tx, key), f"#{home.name}") for key, home in homes.items()]
    candidates = await _candidates(tx, question, await tx.readable(person), asked_only=False)
    picked = [str(p["person"]) for p in question.plan if p["asked"]]
    chosen = str(question.community_id or "")
    return forms.change_form(question.id, question.text, options, chosen, candidates, picked, questions.LONGEST)


async def change(tx: Transaction, person: Person, event: Submitted) -> None:
    """Take the changes, and show the preview again."""
    question = await questions.own(tx, person, event.value, "open", "suggested")
    try:
        question.text = questions.readable_question(event.text("text"))
    except InvalidQuestion as error:
        raise FormError({"text": error.sentence}) from None
    homes = await communities.homes_for(tx, person, platform=event.actor.platform)
    if event.text("community") not in {str(key) for key in homes}:
        raise FormError({"community": "Choose one of the communities in the list."})
    if question.community_id != int(event.text("community")):
        question.community_id, question.community_why = int(event.text("community")), [{"words": "you chose it"}]
    space = homes[question.community_id].space
    allowed = await experts.members(tx, space)
    also = await experts.known(tx, [replace(event.actor, id=key) for key in event.chosen("also")])
    stay = set(event.chosen("experts"))
    named = {p["person"] for p in question.plan if p["because"] == NAMED and str(p["person"]) in stay}
    if len(named | {p.id for p in also}) > MOST_NAMED:
        raise FormError({"also": f"Choose {MOST_NAMED} people at most. The channel reaches everybody else."})
    outside = [p.name for p in also if p.guest or not p.active or (allowed is not None and p.id not in allowed)]
    if outside:
        raise FormError({"also": f"{replies.listed(outside)} cannot see that channel. Choose somebody who can."})
    picked = set(event.chosen("experts")) | {str(p.id) for p in also}
    kept = [
        {**p, "asked": str(p["person"]) in picked} for p in question.plan if allowed is None or p["person"] in allowed
    ]
    known = {p["person"] for p in kept}
    new = [{"person": p.id, "because": NAMED, "asked": True} for p in also if p.id not in known and p.id != person.id]
    question.plan = new + sorted(kept, key=lambda p: not p["asked"])
    await show_preview(tx, question, "Changed as you said.")


async def cancel(tx: Transaction, person: Person, event: Pressed) -> None:
    """Never mind."""
    question = await questions.own(tx, person, event.value, "open", "suggested")
    question.state, question.closed_reason = "closed", "not posted"
    await tx.show(f"ask:{question.id}", replies.cancelled(question.text), to=questions.asker_of(tx, question)[1])


async def preview_again(tx: Transaction, question: Question, lead: str) -> None:
    """Show the preview once more; where the asker has no way to that community left, another one is looked for."""
    try:
        await show_preview(tx, question, lead)
    except NoCommunity:
        question.community_id, question.community_why, question.plan = None, [], []
        await tx.later("plan", question.id)
