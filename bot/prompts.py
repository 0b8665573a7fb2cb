"""Prompts: the request to one expert to answer one question, and what the expert decides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import select

from bot import experts, forms, knowledge, questions, replies
from bot.errors import AlreadyDone, NotAllowed
from bot.models import Account, Person, Prompt, Question, Suggestion
from bot.moments import hour
from bot.ports import Form, FormError, Pressed, Submitted
from bot.replies import Candidate, Past
from bot.store import About, Store, Transaction, row_id
from expertise_index import ExpertiseIndex

log = structlog.get_logger()


async def ask(
    tx: Transaction,
    question: Question,
    expert_id: int,
    *,
    because: Sequence[dict[str, Any]],
    similar: list[Past] | None = None,
    named_by: Person | None = None,
) -> bool:
    """Ask one expert, once per question; False where they were asked already or have no account."""
    account = await tx.recipient(expert_id, question.space, platform=question.platform)
    asked = select(Prompt).where(Prompt.question_id == question.id, Prompt.expert_id == expert_id)
    if account is None or await tx.first(asked):
        return False
    row = await tx.add(
        Prompt(question_id=question.id, expert_id=expert_id, because=list(because),
               created_at=hour(tx.now) if question.anonymous else tx.now,
               named_by_id=named_by.id if named_by else None)
    )  # fmt: skip
    await questions.show_prompt(tx, row, question, similar=similar)
    return True


async def ask_next(tx: Transaction, question: Question) -> bool:
    """Ask the next candidate of the plan who was not asked and can be asked now; False where nobody is left."""
    busy = await experts.unavailable(tx)
    for planned in question.plan:
        free = not planned["asked"] and planned["person"] not in busy
        if free and await ask(tx, question, planned["person"], because=planned["because"]):
            question.plan = [{**p, "asked": p["asked"] or p is planned} for p in question.plan]
            return True
    asker = questions.asker_of(tx, question)[0]
    for candidate in await moderators(tx, question.community_id or 0, without=asker):
        if await ask(tx, question, candidate.person_id, because=candidate.because):
            return True
    return False


async def make_up_for(tx: Transaction, prompt: Prompt) -> None:
    """This expert cannot be asked, or not any more: the next best is."""
    question = await tx.get(Question, prompt.question_id)
    if prompt.state in ("open", "later"):
        prompt.state, prompt.decided_at = "closed", tx.now
        if question.state == "routed":
            await ask_next(tx, question)


async def others(tx: Transaction, question: Question, *, without: Collection[int]) -> list[Candidate]:
    """Those of the plan who may know, too, and can be asked now. Why is not said: not everybody may know of that."""
    busy = await experts.unavailable(tx)
    ids = [p["person"] for p in question.plan if p["person"] not in busy and p["person"] not in without]
    return [
        candidate
        for candidate in await experts.named(tx, ids, "")
        if await tx.recipient(candidate.person_id, question.space, platform=question.platform)
    ]


async def moderators(tx: Transaction, community_id: int, *, without: int) -> list[Candidate]:
    """Where nobody stands out, those who look after the community are asked: they know whom to name."""
    busy = await experts.unavailable(tx)
    ids = [key for key in await knowledge.moderators(tx, community_id) if key != without and key not in busy]
    return await experts.named(tx, ids, "looks after this community, and knows whom to name")


async def similar_for(
    store: Store, index: ExpertiseIndex, question: Question, *, at_least: float
) -> dict[int, list[Past]]:
    """For each planned expert, the past answer nearest to the question that this expert may see, and whether the asker
    has turned it down. A help, and no reason to keep the question from them: none where the search fails."""
    try:
        return await _similar_for(store, index, question, at_least=at_least)
    except Exception:
        log.exception("search.failed", question=question.id)
        return {}


async def _similar_for(
    store: Store, index: ExpertiseIndex, question: Question, *, at_least: float
) -> dict[int, list[Past]]:
    found = {}
    async with store.reading() as tx:
        turned_down = select(Suggestion.entry_id).where(Suggestion.question_id == question.id)
        unfit = set(await tx.all(turned_down.where(Suggestion.outcome == "not_quite")))
    for planned in question.plan:
        async with store.reading() as tx:
            expert = await tx.session.get(Person, planned["person"])
        if expert:
            near = await knowledge.find(store, index, expert, question.text, limit=1, at_least=at_least)
            found[expert.id] = [
                replace(past, outcome="not_quite") if past.entry_id in unfit else past for past, _ in near
            ]
    return found


# --- an expert decides --------------------------------------------------------------------------------------------


async def mine(tx: Transaction, person: Person, prompt_id: str) -> tuple[Prompt, Question]:
    """The presser's own prompt, and its question, which they still see."""
    prompt = await tx.get(Prompt, row_id(prompt_id))
    if prompt.expert_id != person.id:
        raise NotAllowed("That request was for somebody else.")
    question = await tx.get(Question, prompt.question_id)
    if not await tx.may_see(person, question.space):
        raise NotAllowed("That question is in a channel you are not in any more.")
    return prompt, question


async def decide(tx: Transaction, prompt: Prompt, question: Question, state: str) -> None:
    """What became of a prompt: its card says so."""
    prompt.state, prompt.decided_at = state, hour(tx.now) if question.anonymous else tx.now  # their asker may close it
    await tx.never_mind("remind", prompt.id)
    await questions.show_prompt(tx, prompt, question)


async def pass_on(tx: Transaction, person: Person, event: Pressed) -> None:
    """An expert passes: the next best is asked."""
    prompt, question = await mine(tx, person, event.value)
    if prompt.state in ("open", "later"):
        await decide(tx, prompt, question, "passed")
        if question.state == "routed":
            await ask_next(tx, question)


async def later(tx: Transaction, person: Person, event: Pressed) -> None:
    """Not now: the prompt comes back on the expert's next working morning."""
    prompt, question = await mine(tx, person, event.value)
    if prompt.state == "open":
        await decide(tx, prompt, question, "later")
        await tx.later("remind", prompt.id, after=experts.next_working_morning(person, tx.now))


async def remind(tx: Transaction, prompt_id: str) -> None:
    """The morning has come: ask again, in a new message, if the question still waits."""
    prompt = await tx.get(Prompt, row_id(prompt_id))
    question = await tx.get(Question, prompt.question_id)
    account = await tx.recipient(prompt.expert_id, question.space, platform=question.platform)
    if prompt.state != "later":
        return
    if account is None:
        await make_up_for(tx, prompt)
        return
    prompt.state = "open" if question.state == "routed" else "closed"
    await questions.show_prompt(tx, prompt, question)
    if prompt.state == "open":
        words = "You asked me to come back to this one: its card is above."
        await tx.show(
            f"reminder:{prompt.id}:{tx.now:%Y%m%d}",
            replies.settled(question.text, words),
            to=account,
            about=About(question=question.id),
        )


async def hand_over_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """Who knows better?"""
    prompt, question = await mine(tx, person, event.value)
    asked = set(await tx.all(select(Prompt.expert_id).where(Prompt.question_id == question.id)))
    likely = await others(tx, question, without=asked | {person.id})
    # An anonymous asker is offered like anybody: who is left out would tell who asked.
    out = asked | {person.id} | ({question.asker_id} if question.asker_id else set())
    here = (Account.platform == event.actor.platform, Account.workspace == event.actor.workspace)
    ids = await tx.all(select(Account.user).where(Account.person_id.in_(out), *here).order_by(Account.user))
    return forms.hand_over_form(prompt.id, await questions.view(tx, question), likely, ids)


async def hand_over(tx: Transaction, person: Person, event: Submitted) -> None:
    """An expert names a colleague, who is asked in turn."""
    prompt, question = await mine(tx, person, event.value)
    if prompt.state not in ("open", "later"):
        raise AlreadyDone("That request is settled already, so I have asked nobody else.")
    found = await experts.known(tx, [replace(event.actor, id=key) for key in event.chosen("person")])
    if not found and event.text("likely") in {str(planned["person"]) for planned in question.plan}:
        found = [await tx.get(Person, int(event.text("likely")))]
    if not found:
        raise FormError({"person": "Choose a colleague from the list."})
    colleague = found[0]
    if colleague.id == person.id:
        raise FormError({"person": "That is you. Choose somebody else, or press Pass."})
    if not colleague.active or colleague.guest or not await tx.may_see(colleague, question.space):
        raise FormError({"person": f"{colleague.name} cannot see that channel. Choose somebody who can."})
    if colleague.id == question.asker_id:  # never said of an anonymous asker: they get the prompt like anybody
        raise FormError({"person": f"{colleague.name} asked this. Choose somebody else."})
    if not await ask(tx, question, colleague.id, because=(), named_by=person):
        raise FormError({"person": f"{colleague.name} was asked already. Choose somebody else, or press Pass."})
    await decide(tx, prompt, question, "handed_over")
