"""The last look at a message before it goes: may its readers still see what it tells of?

Messages wait: for an hour, while a platform is out of order or a channel is paced. Meanwhile a channel may have been
closed, opened, or shared with another organisation. What may not go as it is, goes as it may, or its asker is told.
"""

from __future__ import annotations

from bot import communities, mirrors, questions, replies, routing, suggestions
from bot.models import Card, Entry, Prompt, Question
from bot.ports import PersonRef, Place
from bot.store import About, Transaction

CLOSED_MEANWHILE = (
    "What I had found is not yours to read any more: its channel was closed, or it was taken back. Search again, and I "
    "look afresh."
)


async def may_go(tx: Transaction, card: Card, to: Place | PersonRef, about: About) -> bool:
    """Whether this card may be sent to a person, or for the first time to a place; to a mirror, each time."""
    question = await tx.session.get(Question, about.question) if about.question else None
    if isinstance(to, Place):
        channel = await tx.channel_at(to)
        if channel is None:
            return False
        spaces = await communities.readers_see(tx, channel)
        if about.mirrored:
            return question is not None and not channel.archived and await mirrors.connected(tx, question, channel)
        if question and card.key.startswith("question:"):
            return routing.agreed(tx, question, channel)
    else:
        person = await tx.person_of(to)
        spaces = await tx.readable(person) if person else frozenset()
    hidden = about.question and (question is None or question.space not in spaces)
    return not hidden and await _all_in(tx, card, about, spaces)


async def _all_in(tx: Transaction, card: Card, about: About, spaces: frozenset[str]) -> bool:
    """Whether the entries are there for readers of `spaces`; what was taken back is not told of any more."""
    first = card.sealed_message_id is None
    for key in about.entries:
        entry = await tx.session.get(Entry, key)
        if entry is None or (first and entry.state == "retired") or entry.space not in spaces:
            return False
    return True


async def instead(tx: Transaction, card: Card, to: Place | PersonRef, about: About) -> None:
    """What happens instead of a card that may not go: another card in its place, or a word to who waits for it."""
    kind, _, key = card.key.partition(":")
    if kind == "question":
        card.withdrawn = True  # it never went: asked again, it is another message
        await routing.take_back(tx, int(key))
    elif kind == "mirror" and card.sealed_message_id is None:
        card.withdrawn = True
        await mirrors.give_up(tx, int(key))
    elif kind == "prompt":
        await _prompt(tx, int(key))
    elif kind == "ask":
        await suggestions.show_again(tx, int(key))
    elif kind == "shared" and about.suggestion:
        await suggestions.not_shared(tx, about.suggestion)
    elif kind in ("found", "read"):
        await tx.show(card.key, replies.note(CLOSED_MEANWHILE), to=to)


async def _prompt(tx: Transaction, prompt_id: int) -> None:
    """An expert who cannot see the question any more is made up for; one who can gets it without past answers."""
    prompt = await tx.get(Prompt, prompt_id)
    question = await tx.get(Question, prompt.question_id)
    if await tx.recipient(prompt.expert_id, question.space):
        await questions.show_prompt(tx, prompt, question)
    elif prompt.state in ("open", "later"):
        prompt.state, prompt.decided_at = "closed", tx.now
        if question.state == "routed":
            await routing.prompt_next(tx, question)
