"""A question's way out: asked, compared with past answers, previewed, posted, and brought to experts.

What comes back (answers, acceptance) is in `bot.answers`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import astuple, replace
from statistics import median
from typing import Any

from sqlalchemy import func, or_, select

from bot import communities, experts, knowledge, language, replies
from bot.errors import AlreadyDone, InvalidQuestion, NoCommunity, NotAllowed
from bot.models import (
    ORG,
    Answer,
    Channel,
    Community,
    Entry,
    EntryAnswer,
    Follower,
    Person,
    Prompt,
    Question,
    Suggestion,
)
from bot.ports import ChatPlatform, Form, FormError, Option, PersonRef, Place, Pressed, Submitted
from bot.replies import Asked, Candidate, Past
from bot.store import Store, Transaction, row_id
from expertise_index import ExpertiseIndex, Match

LONGEST = 12_000
SUGGESTIONS = 3
FIRST_PROMPTS = 3
CANDIDATES = 6
SURE_THOUGH_FOREIGN = 0.9


def typed(text: str) -> str:
    """What a person typed, as every database takes it: without NUL and halves of characters."""
    return text.replace("\0", "").encode("utf8", "ignore").decode().strip()


def wordless(text: str) -> bool:
    """Whether there is no letter and no digit in it: blank, punctuation, emoji."""
    return not any(unicodedata.category(char)[0] in "LN" for char in re.sub(r":[\w+-]+:", "", text))


def readable_question(text: str) -> str:
    """The question as it is kept. Raises `InvalidQuestion` with what to do, where there is none in it."""
    text = typed(text)
    if not text:
        raise InvalidQuestion("That was empty. Write your question in a sentence or two, as you would to a colleague.")
    if wordless(text):
        raise InvalidQuestion("I see no words in that. Write your question in a sentence or two.")
    if len(text) > LONGEST:
        raise InvalidQuestion(
            f"That has {len(text):,} characters; I can take {LONGEST:,}. Nothing is lost: your text is still where you "
            "wrote it. Send me the question in a few sentences, and add the long part in the thread afterwards."
        )
    return text


# --- ask ------------------------------------------------------------------------------------------------------------


async def ask(tx: Transaction, person: Person, ref: PersonRef, origin: Place, text: str, *, ready: bool) -> Question:
    """Take a question: it is kept, the asker sees at once that it is, and the search follows.

    `origin` is where it was asked; whatever follows goes to the asker in private.
    """
    text = readable_question(text)
    question = await tx.add(
        Question(
            text=text,
            asked_at=tx.now,
            sealed_asker=tx.seal.seal_json({"person": person.id, "ref": astuple(ref)}),
            sealed_origin=tx.seal.seal_json(astuple(origin)),
        )
    )
    await tx.show(f"ask:{question.id}", replies.looking(text, ready=ready), to=ref)
    await tx.later("suggest", question.id)
    return question


def asker_of(tx: Transaction, question: Question) -> tuple[int, PersonRef]:
    """Who asked (person id and account). For the bot's own use: shown to nobody unless they ask under their name."""
    sealed = tx.seal.open_json(question.sealed_asker)
    return int(sealed["person"]), PersonRef(*sealed["ref"])


async def _own(tx: Transaction, person: Person, question_id: str, *states: str) -> Question:
    """The presser's own question, in one of `states`."""
    question = await tx.get(Question, row_id(question_id))
    if asker_of(tx, question)[0] != person.id:
        raise NotAllowed("Only the person who asked can do that.")
    if states and question.state not in states:
        raise AlreadyDone("That question has moved on already. Its newest card says where it stands.")
    return question


# --- suggest past answers -------------------------------------------------------------------------------------------


async def suggest(store: Store, index: ExpertiseIndex, question_id: str, *, at_least: float) -> None:
    """Show the asker past answers, privately; or, where none is good enough, whom the bot would ask."""
    async with store.reading() as tx:
        question = await tx.session.get(Question, int(question_id))
        if question is None or question.state != "open":
            return
        asker = await tx.get(Person, asker_of(tx, question)[0])
    foreign = await language.foreign(question.text, model=index.embedder.name)
    if foreign:  # likeness means little then: only what is nearly the same is shown
        at_least = max(at_least, SURE_THOUGH_FOREIGN)
    found = await knowledge.find(store, index, asker, question.text, limit=SUGGESTIONS, at_least=at_least)
    if not found:
        await plan(store, index, question_id, lead=replies.FOREIGN if foreign else replies.NOTHING_FITS)
        return

    async def show(tx: Transaction) -> None:
        question = await tx.get(Question, int(question_id))
        if question.state != "open":
            return
        question.state = "suggested"
        for rank, (past, match) in enumerate(found):
            tx.session.add(
                Suggestion(question_id=question.id, entry_id=past.entry_id, rank=rank, score=match.score, why=past.why)
            )
        await tx.session.flush()
        await _show_suggestions(tx, question, asker)

    await store.run(show)


async def _show_suggestions(tx: Transaction, question: Question, asker: Person) -> int:
    """Bring the asker's card up to date; how many suggestions are left on it."""
    rows: list[Suggestion] = await tx.all(
        select(Suggestion)
        .where(Suggestion.question_id == question.id, Suggestion.outcome == "shown")
        .order_by(Suggestion.rank)
    )
    items = [await _past(tx, asker, row) for row in rows]
    seen = [item for item in items if item]
    if seen:
        card = replies.suggestions(question.id, question.text, seen, tx.now)
        await tx.show(f"ask:{question.id}", card, to=asker_of(tx, question)[1])
    return len(seen)


async def _past(tx: Transaction, reader: Person, row: Suggestion) -> Past | None:
    """The suggested entry as this reader may see it, or None."""
    match = Match(id=f"entry:{row.entry_id}", kind="entry", score=row.score, similarity=row.score, words=())
    seen = await knowledge.seen_by(tx, reader, [match])
    if not seen:
        return None
    return replace(seen[0], why=row.why, suggestion_id=row.id, outcome=row.outcome, shared=row.shared)


async def _suggestion(tx: Transaction, person: Person, event: Pressed) -> tuple[Suggestion, Question, Past]:
    row = await tx.get(Suggestion, row_id(event.value))
    question = await _own(tx, person, str(row.question_id))
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
    await tx.show(
        f"ask:{question.id}", replies.solved(question.text, replace(past, helped=helped), tx.now),
        to=asker_of(tx, question)[1],
    )  # fmt: skip
    authors = await tx.all(
        select(EntryAnswer.author_id).where(EntryAnswer.entry_id == entry.id, EntryAnswer.accepted).distinct()
    )
    for author in authors:
        account = await tx.account_of(author) if author and author != person.id else None
        if account:
            await tx.show(f"helped:{entry.id}:{author}:{helped}", replies.your_answer_helped(entry.title, helped), to=account)


async def not_quite(tx: Transaction, person: Person, event: Pressed) -> None:
    """This past answer does not fit: the next one stays, or the way to the experts opens."""
    row, question, _ = await _suggestion(tx, person, event)
    row.outcome = "not_quite"
    await tx.session.flush()
    if question.state == "suggested" and not await _show_suggestions(tx, question, person):
        await tx.later("plan", question.id)


async def ask_experts(tx: Transaction, person: Person, event: Pressed) -> None:
    """None of the past answers fits."""
    question = await _own(tx, person, event.value, "open", "suggested")
    for row in await tx.all(select(Suggestion).where(Suggestion.question_id == question.id)):
        row.outcome = "not_quite" if row.outcome == "shown" else row.outcome
    await tx.later("plan", question.id)


async def share(tx: Transaction, person: Person, event: Pressed) -> None:
    """Show a past answer in the channel it was asked in, or in its community's; only where all may see it."""
    row, question, past = await _suggestion(tx, person, event)
    origin = Place(*tx.seal.open_json(question.sealed_origin))
    channel = await tx.channel_at(origin)
    entry = await tx.get(Entry, row.entry_id)
    if channel is None or channel.community_id is None:  # asked in private: the community's own channel
        home = await communities.home(tx, entry.community_id, platform=origin.platform)
        if home is None:
            raise NoCommunity("That answer belongs to no channel here, so there is nowhere to share it.")
        channel, origin = home, Place(home.platform, home.workspace, home.channel)
    if entry.space not in (ORG, channel.space):
        raise NotAllowed("Not everybody in that channel may see this answer, so I cannot share it there.")
    if not await tx.may_see(person, channel.space):
        raise NotAllowed("You are not in that channel.")
    row.shared = True
    await tx.session.flush()
    await tx.show(f"shared:{row.id}", replies.shared(person.name, past, tx.now), to=origin)
    await _show_suggestions(tx, question, person)


# --- plan: which community, which experts -----------------------------------------------------------------------------


async def plan(store: Store, index: ExpertiseIndex, question_id: str, *, lead: str = "Then let us ask people.") -> None:
    """Choose community and experts for a question, and show the asker a preview."""
    async with store.reading() as tx:
        question = await tx.session.get(Question, int(question_id))
        if question is None or question.state not in ("open", "suggested"):
            return
        asker_id, ref = asker_of(tx, question)
        asker = await tx.get(Person, asker_id)
        spaces = await tx.readable(asker)
        homes = await communities.homes_for(tx, asker, platform=ref.platform)
    if not homes:
        words = str(NoCommunity())
        await store.run(lambda tx: tx.show(f"ask:{question_id}", replies.settled(question.text, words), to=ref))
        return
    ranked = await index.communities(question.text, readable=spaces, now=store.clock.now(), limit=len(homes))
    best = next((int(m.community) for m in ranked if int(m.community or 0) in homes), next(iter(homes)))
    who = await experts.who_knows(
        store, index, question.text, readable=spaces, space=homes[best].space, without={asker_id}, limit=CANDIDATES
    )

    async def show(tx: Transaction) -> None:
        question = await tx.get(Question, int(question_id))
        if question.state in ("open", "suggested"):
            chosen = who or await _moderators(tx, best, without=asker_id)
            question.state, question.community_id = "suggested", best
            question.plan = [_planned(c, asked=place < FIRST_PROMPTS) for place, c in enumerate(chosen)]
            await _show_preview(tx, question, lead)

    await store.run(show)


async def _moderators(tx: Transaction, community_id: int, *, without: int) -> list[Candidate]:
    """Where nobody stands out, those who look after the community are asked: they know whom to name."""
    busy = await experts.unavailable(tx)
    ids = [key for key in await knowledge.moderators(tx, community_id) if key != without and key not in busy]
    return await experts.named(tx, ids, "looks after this community, and knows whom to name")


async def route(
    store: Store, index: ExpertiseIndex, text: str, *, readable: Collection[str], without: Collection[int]
) -> dict[str, Any]:
    """Where a question would go and whom it would be brought to, in plain values: what `weaver ask` prints."""
    ranked = await index.communities(text, readable=readable, now=store.clock.now(), limit=1)
    async with store.reading() as tx:
        best = int(ranked[0].community) if ranked and ranked[0].community else None
        community = await tx.session.get(Community, best) if best else None
    who = await experts.who_knows(store, index, text, readable=readable, without=without, limit=FIRST_PROMPTS)
    return {
        "community": community.name if community else None,
        "experts": [{"name": c.name, "title": c.title, "why": c.why.replace("\\", "")} for c in who],
    }


def _planned(candidate: Candidate, *, asked: bool) -> dict[str, Any]:
    return {"person": candidate.person_id, "why": candidate.why, "asked": asked}


async def _candidates(tx: Transaction, question: Question, *, asked_only: bool) -> list[Candidate]:
    chosen = [p for p in question.plan if p["asked"] or not asked_only]
    why = {p["person"]: p["why"] for p in chosen}
    return [replace(c, why=why[c.person_id]) for c in await experts.named(tx, list(why), "")]


async def _show_preview(tx: Transaction, question: Question, lead: str) -> None:
    ref = asker_of(tx, question)[1]
    community = await tx.get(Community, question.community_id)
    home = await communities.home(tx, community.id, platform=ref.platform)
    if home is None:
        raise NoCommunity
    card = replies.preview(
        question.id,
        question.text,
        community=community.name,
        channel=home.name,
        private=home.private,
        candidates=await _candidates(tx, question, asked_only=True),
        usually=await usually(tx, community.id),
        lead=lead,
    )
    await tx.show(f"ask:{question.id}", card, to=ref)


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
    words = "within the hour" if hours < 1 else f"within {round(hours)} hours" if hours < 36 else f"in {round(hours / 24)} days"
    return f"A first answer here usually comes {words}."


async def change_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """Change the question, the community, the experts."""
    question = await _own(tx, person, event.value, "open", "suggested")
    homes = await communities.homes_for(tx, person, platform=event.actor.platform)
    options = [Option(str(key), await communities.name(tx, key), f"#{home.name}") for key, home in homes.items()]
    candidates = await _candidates(tx, question, asked_only=False)
    picked = [str(p["person"]) for p in question.plan if p["asked"]]
    chosen = str(question.community_id or "")
    return replies.change_form(question.id, question.text, options, chosen, candidates, picked, LONGEST)


async def change(tx: Transaction, person: Person, event: Submitted) -> None:
    """Take the changes, and show the preview again."""
    question = await _own(tx, person, event.value, "open", "suggested")
    try:
        question.text = readable_question(event.text("text"))
    except InvalidQuestion as error:
        raise FormError({"text": error.sentence}) from None
    homes = await communities.homes_for(tx, person, platform=event.actor.platform)
    if event.text("community") not in {str(key) for key in homes}:
        raise FormError({"community": "Choose one of the communities in the list."})
    question.community_id = int(event.text("community"))
    space = homes[question.community_id].space
    allowed = await experts.members(tx, space)
    also = await experts.known(tx, [replace(event.actor, id=key) for key in event.chosen("also")])
    outside = [p.name for p in also if p.guest or not p.active or (allowed is not None and p.id not in allowed)]
    if outside:
        raise FormError({"also": f"{replies.listed(outside)} cannot see that channel. Choose somebody who can."})
    picked = {key for key in event.chosen("experts")} | {str(p.id) for p in also}
    kept = [{**p, "asked": str(p["person"]) in picked} for p in question.plan if allowed is None or p["person"] in allowed]
    known = {p["person"] for p in kept}
    new = [{"person": p.id, "why": "", "asked": True} for p in also if p.id not in known and p.id != person.id]
    question.plan = new + sorted(kept, key=lambda p: not p["asked"])
    await _show_preview(tx, question, "Changed as you said.")


async def cancel(tx: Transaction, person: Person, event: Pressed) -> None:
    """Never mind."""
    question = await _own(tx, person, event.value, "open", "suggested")
    question.state, question.closed_reason = "closed", "not posted"
    await tx.show(f"ask:{question.id}", replies.cancelled(question.text), to=asker_of(tx, question)[1])


# --- post, and bring it to experts ------------------------------------------------------------------------------------


async def post(tx: Transaction, person: Person, event: Pressed) -> None:
    """Post the question in its community's channel, under the asker's name or without."""
    question = await _own(tx, person, event.value, "open", "suggested")
    home = await communities.home(tx, question.community_id, platform=event.actor.platform)
    if home is None:
        raise NoCommunity
    if not await tx.may_see(person, home.space):
        raise NotAllowed("You are not in that channel. Choose another community.")
    question.state, question.anonymous = "routed", event.action == "post_anonymously"
    question.asker_id = None if question.anonymous else person.id
    question.platform, question.workspace, question.channel = home.platform, home.workspace, home.channel
    question.space = home.space
    await show_question(tx, question)
    asked = await view(tx, question)
    await tx.show(f"ask:{question.id}", replies.posted(asked, [], waiting=True), to=asker_of(tx, question)[1])


async def when_posted(tx: Transaction, question_id: int, place: Place, message_id: str) -> None:
    """The question's message is in its channel: its thread is the question's home from now on."""
    question = await tx.get(Question, question_id)
    question.thread = message_id
    await tx.later("announce", question.id)


async def announce(
    store: Store, index: ExpertiseIndex, platforms: dict[str, ChatPlatform], question_id: str, *, at_least: float
) -> None:
    """The question has a home: tell the asker where, and ask the chosen experts."""
    async with store.reading() as tx:
        question = await tx.session.get(Question, int(question_id))
        if question is None or question.thread is None or question.state == "closed":
            return
        place = home_of(question).root
    link = question.link or await platforms[place.platform].permalink(place, question.thread)
    similar = await similar_for(store, index, question, at_least=at_least)

    async def tell(tx: Transaction) -> None:
        question = await tx.get(Question, int(question_id))
        question.link = link
        await tx.session.flush()
        chosen = [p for p in question.plan if p["asked"]]
        for planned in chosen:
            await prompt(tx, question, planned["person"], why=planned["why"], similar=similar.get(planned["person"], []))
        names = await knowledge.names_of(tx, [p["person"] for p in chosen])
        card = replies.posted(await view(tx, question), [names[p["person"]] for p in chosen], waiting=False)
        await tx.show(f"ask:{question.id}", card, to=asker_of(tx, question)[1])

    await store.run(tell)


async def similar_for(
    store: Store, index: ExpertiseIndex, question: Question, *, at_least: float
) -> dict[int, list[Past]]:
    """For each planned expert, the past answer nearest to the question that this expert may see."""
    found = {}
    for planned in question.plan:
        async with store.reading() as tx:
            expert = await tx.session.get(Person, planned["person"])
        if expert:
            near = await knowledge.find(store, index, expert, question.text, limit=1, at_least=at_least)
            found[expert.id] = [past for past, _ in near]
    return found


async def prompt(
    tx: Transaction, question: Question, expert_id: int, *, why: str, similar: list[Past] | None = None, named_by: Person | None = None
) -> bool:
    """Ask one expert, once per question; False where they were asked already or have no account."""
    account = await tx.account_of(expert_id, platform=question.platform)
    asked = select(Prompt).where(Prompt.question_id == question.id, Prompt.expert_id == expert_id)
    if account is None or await tx.first(asked):
        return False
    row = await tx.add(
        Prompt(question_id=question.id, expert_id=expert_id, why=why, created_at=tx.now,
               named_by_id=named_by.id if named_by else None)
    )  # fmt: skip
    await show_prompt(tx, row, question, similar=similar)
    return True


async def prompt_next(tx: Transaction, question: Question) -> bool:
    """Ask the next candidate of the plan who was not asked and can be asked now; False where nobody is left."""
    busy = await experts.unavailable(tx)
    for planned in question.plan:
        if not planned["asked"] and planned["person"] not in busy:
            if await prompt(tx, question, planned["person"], why=planned["why"]):
                question.plan = [{**p, "asked": p["asked"] or p is planned} for p in question.plan]
                return True
    return False


# --- views and cards ------------------------------------------------------------------------------------------------


def home_of(question: Question) -> Place:
    """The thread that is this question's home."""
    return Place(question.platform or "", question.workspace or "", question.channel or "", question.thread)


async def view(tx: Transaction, question: Question) -> Asked:
    """The question as its readers see it; the asker's name only if they asked under it."""
    names = await knowledge.names_of(tx, [question.asker_id])
    channel = await tx.channel_at(home_of(question))
    accepted = select(Answer.author_id).where(Answer.question_id == question.id, Answer.withdrawn_at.is_(None))
    authors = await tx.all(accepted.where(Answer.accepted_at.is_not(None)).distinct())
    by = await knowledge.names_of(tx, authors)
    followers = await tx.first(select(func.count()).where(Follower.question_id == question.id))
    return Asked(
        id=question.id,
        text=question.text,
        asker=names.get(question.asker_id),
        community=await communities.name(tx, question.community_id),
        channel=channel.name if channel else "",
        state=question.state,
        link=question.link,
        followers=int(followers or 0),
        accepted_by=replies.listed(list(by.values())),
    )


async def show_question(tx: Transaction, question: Question) -> None:
    """Bring the question's card in its channel up to date."""
    await tx.session.flush()
    await tx.show(f"question:{question.id}", replies.question(await view(tx, question)), to=home_of(question).root)


async def show_prompt(
    tx: Transaction, row: Prompt, question: Question, *, similar: list[Past] | None = None
) -> None:
    """Bring an expert's prompt up to date."""
    account = await tx.account_of(row.expert_id, platform=question.platform)
    names = await knowledge.names_of(tx, [row.named_by_id])
    card = replies.prompt(
        await view(tx, question), row.id, why=row.why, named_by=names.get(row.named_by_id, ""),
        similar=similar or [], state=row.state, now=tx.now,
    )  # fmt: skip
    if account:
        await tx.show(f"prompt:{row.id}", card, to=account)


async def mine(tx: Transaction, person: Person, *, limit: int = 10) -> list[Asked]:
    """The newest questions this person posted under their name."""
    rows: list[Question] = await tx.all(
        select(Question)
        .where(Question.asker_id == person.id, or_(Question.thread.is_not(None), Question.state == "routed"))
        .order_by(Question.id.desc()).limit(limit)
    )  # fmt: skip
    return [await view(tx, row) for row in rows]
