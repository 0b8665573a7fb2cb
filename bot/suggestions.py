"""Past answers shown to an asker, privately, and what they say of them: solved, not quite, share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, replace

import structlog
from sqlalchemy import select

from bot import communities, knowledge, language, questions, replies, replies_experts, routing
from bot.errors import AlreadyDone, NotAllowed
from bot.models import (
    Channel,
    Entry,
    EntryAnswer,
    Person,
    Question,
    Suggestion,
)
from bot.ports import PersonRef, Place, Pressed
from bot.replies import Past
from bot.store import About, Store, Transaction, row_id
from expertise_index import ExpertiseIndex, Match

log = structlog.get_logger()

SUGGESTIONS = 3
#: Likeness means little where the model does not know the language: only what is nearly the same is shown then.
SURE_THOUGH_FOREIGN = 0.9


async def suggest(
    store: Store, index: ExpertiseIndex, question_id: str, *, at_least: float, reach: routing.Reach
) -> None:
    """Show the asker past answers, privately; or, where none is good enough, whom the bot would ask."""
    async with store.reading() as tx:
        question = await tx.session.get(Question, int(question_id))
        if question is None or question.state != "open":
            return
        asker = await tx.get(Person, questions.asker_of(tx, question)[0])
    foreign = await language.foreign(question.text, model=index.embedder.name)
    if foreign:  # likeness means little then: only what is nearly the same is shown
        at_least = max(at_least, SURE_THOUGH_FOREIGN)
    try:
        near = await knowledge.find(store, index, asker, question.text, limit=SUGGESTIONS, at_least=at_least / 2)
    except Exception:  # whatever is wrong with the search, the asker must not wait for it
        log.exception("search.failed", question=question_id)
        await routing.plan(store, index, question_id, reach=reach, lead=replies.BLIND, blind=True)
        return
    found = [(past, match) for past, match in near if match.score >= at_least]
    if not found:
        lead = replies.FOREIGN if foreign else replies.NOTHING_FITS
        await routing.plan(store, index, question_id, reach=reach, lead=lead, near=[] if foreign else near[:2])
        return

    async def show(tx: Transaction) -> None:
        question = await tx.get(Question, int(question_id))
        if question.state != "open":
            return
        if not await offer(tx, question, asker, found):
            await tx.later("plan", question.id)

    await store.run(show)


async def offer(tx: Transaction, question: Question, asker: Person, found: Sequence[tuple[Past, Match]]) -> int:
    """Show the asker these past answers, and remember which; how many are still theirs to see."""
    question.state = "suggested"
    for rank, (past, match) in enumerate(found):
        tx.session.add(
            Suggestion(question_id=question.id, entry_id=past.entry_id, rank=rank, score=match.score, why=past.why)
        )
    await tx.session.flush()
    return await _show_suggestions(tx, question, asker)


async def _show_suggestions(tx: Transaction, question: Question, asker: Person) -> int:
    """Bring the asker's card up to date; how many suggestions are left on it."""
    rows: list[Suggestion] = await tx.all(
        select(Suggestion)
        .where(Suggestion.question_id == question.id, Suggestion.outcome == "shown")
        .order_by(Suggestion.rank)
    )
    items = [await _past(tx, asker, row) for row in rows]
    seen = []
    for item in filter(None, items):
        channel = await _where_to_share(tx, question, asker, await tx.get(Entry, item.entry_id))
        seen.append(replace(item, channel=channel.name if channel else ""))
    if seen:
        origin = await tx.channel_at(Place(*tx.seal.open_json(question.sealed_origin))) if question.overheard else None
        overheard_in = origin.name if origin else ""
        card = replies.suggestions(question.id, question.text, seen, tx.now, overheard_in=overheard_in)
        told = About(entries=tuple(item.entry_id for item in seen))
        await tx.show(f"ask:{question.id}", card, to=questions.asker_of(tx, question)[1], about=told)
    return len(seen)


async def show_again(tx: Transaction, question_id: int, *, unseen: bool) -> None:
    """The asker's card quoted what is not theirs to read any more: show what is. `unseen`: they never had that card."""
    question = await tx.get(Question, question_id)
    asker, ref = questions.asker_of(tx, question)
    if question.state == "open":  # was it an answer to what they cannot see? It is kept as a question
        await tx.show(f"ask:{question.id}", replies.looking(question.text, ready=True), to=ref)
        await tx.later("suggest", question.id)
    elif question.state == "suggested" and question.community_id is not None:
        await routing.preview_again(tx, question, "I have looked again at what I showed you.")
    elif question.state == "suggested":
        left = await _show_suggestions(tx, question, await tx.get(Person, asker))
        if not left and question.overheard and unseen:  # they have not turned to the bot, and it has nothing for them
            question.state, question.closed_reason = "closed", "nothing to offer"
            await tx.withdraw(f"ask:{question.id}")
        elif not left:
            await tx.later("plan", question.id)
    elif question.state == "closed":
        await tx.show(f"ask:{question.id}", replies.settled(question.text, "Solved by a past answer."), to=ref)


async def _past(tx: Transaction, reader: Person, row: Suggestion) -> Past | None:
    """The suggested entry as this reader may see it, or None."""
    seen = await _seen_in(tx, await tx.readable(reader), row)
    return replace(seen[0], why=row.why, suggestion_id=row.id, outcome=row.outcome, shared=row.shared) if seen else None


async def _seen_in(tx: Transaction, spaces: Collection[str], row: Suggestion) -> list[Past]:
    match = Match(id=f"entry:{row.entry_id}", kind="entry", score=row.score, similarity=row.score, words=())
    return [replace(past, why="") for past in await knowledge.seen_in(tx, spaces, [match])]


async def _suggestion(tx: Transaction, person: Person, event: Pressed) -> tuple[Suggestion, Question, Past]:
    row = await tx.get(Suggestion, row_id(event.value))
    question = await questions.own(tx, person, str(row.question_id))
    past = await _past(tx, person, row)
    if past is None:
        raise NotAllowed("That answer was taken back, or you may no longer see it. Ask the experts instead.")
    return row, question, past


async def solved(tx: Transaction, person: Person, event: Pressed) -> None:
    """A past answer was enough: the question is closed, and its author hears that it helped."""
    row, question, past = await _suggestion(tx, person, event)
    if question.state not in ("open", "suggested"):
        raise AlreadyDone("That question has moved on already. Its newest card says where it stands.")
    row.outcome, question.state, question.closed_reason = "solved", "closed", "solved by a past answer"
    entry = await tx.get(Entry, row.entry_id)
    helped = await knowledge.endorse(tx, entry, person.id)
    told, ref = About(entries=(entry.id,)), questions.asker_of(tx, question)[1]
    await tx.show(f"ask:{question.id}", replies.solved(question.text, replace(past, helped=helped), tx.now),
                  to=ref, about=told)  # fmt: skip
    authors = await tx.all(
        select(EntryAnswer.author_id).where(EntryAnswer.entry_id == entry.id, EntryAnswer.accepted).distinct()
    )
    for author in authors:
        account = await tx.recipient(author, entry.space) if author and author != person.id else None
        if account:
            card = replies_experts.your_answer_helped(entry.title, helped)
            await tx.show(f"helped:{entry.id}:{author}:{helped}", card, to=account, about=told)


async def not_quite(tx: Transaction, person: Person, event: Pressed) -> None:
    """This past answer does not fit: the next one stays, or the way to the experts opens."""
    row, question, _ = await _suggestion(tx, person, event)
    row.outcome = "not_quite"
    await tx.session.flush()
    if question.state == "suggested" and not await _show_suggestions(tx, question, person):
        await tx.later("plan", question.id)


async def ask_experts(tx: Transaction, person: Person, event: Pressed) -> None:
    """None of the past answers fits."""
    question = await questions.own(tx, person, event.value, "open", "suggested")
    for row in await tx.all(select(Suggestion).where(Suggestion.question_id == question.id)):
        row.outcome = "not_quite" if row.outcome == "shown" else row.outcome
    await tx.later("plan", question.id)


async def share(tx: Transaction, person: Person, event: Pressed) -> None:
    """Show a past answer in the channel it was asked in, or in its community's; only where all may see it."""
    row, question, past = await _suggestion(tx, person, event)
    channel = await _where_to_share(tx, question, person, await tx.get(Entry, row.entry_id))
    if channel is None:
        raise NotAllowed("There is no channel any more where everybody may see this answer, so I cannot share it.")
    row.shared = True
    await tx.session.flush()
    origin = Place(channel.platform, channel.workspace, channel.channel)
    [past] = await _seen_in(tx, await communities.readers_see(tx, channel), row)  # not more than its readers may know
    about = About(entries=(row.entry_id,), suggestion=row.id, by=astuple(event.actor))
    await tx.show(tx.hidden("shared", row.id), replies.shared(person.name, past, tx.now), to=origin, about=about)
    if question.state == "suggested":
        await _show_suggestions(tx, question, person)


async def not_shared(tx: Transaction, suggestion_id: int, by: PersonRef) -> None:
    """While it waited to be posted, somebody came into the channel who may not see it."""
    words = "I could not share that past answer: not everybody who reads that channel may see it any more."
    await tx.show(tx.hidden("unshared", suggestion_id), replies.note(words), to=by)
    row = await tx.session.get(Suggestion, suggestion_id)
    if row is None:  # forgotten, since they have asked without their name
        return
    row.shared = False
    await tx.session.flush()
    question = await tx.get(Question, row.question_id)
    if question.state == "suggested":
        await _show_suggestions(tx, question, await tx.get(Person, questions.asker_of(tx, question)[0]))


async def _where_to_share(tx: Transaction, question: Question, person: Person, entry: Entry) -> Channel | None:
    """The channel the question was asked in or, if that was in private, its community's; None if not all there may
    see the entry, or the asker is not in it."""
    origin = Place(*tx.seal.open_json(question.sealed_origin))
    channel = await tx.channel_at(origin)
    spaces = await tx.readable(person)
    if channel is None or channel.community_id is None:
        channel = await communities.home(tx, entry.community_id, platform=origin.platform, spaces=spaces)
    if channel is None or channel.archived or channel.space not in spaces:
        return None
    return channel if entry.space in await communities.readers_see(tx, channel) else None
