"""The last look at a message before it goes: may its readers still see what it tells of?

Messages wait: for an hour, while a platform is out of order or a channel is paced. Meanwhile a channel may have been
closed, opened, or shared with another organisation; and a platform may refuse for good. What may not go as it is, goes
as it may, or who waits for it is told.
"""

from __future__ import annotations

from bot import communities, knowledge, mirrors, posting, prompts, questions, replies, routing, suggestions
from bot.models import Card, Entry, Prompt, Question
from bot.ports import Message, PersonRef, Place, Quote
from bot.store import About, Transaction

CHANGED_MEANWHILE = "I have not posted it yet: who reads that channel has changed since. Have another look, please."
REFUSED = (
    "I could not post it: that channel does not take my messages. Choose another community under “Change …”, or try "
    "again when somebody there has invited me."
)
UNPOSTED = (
    "I have not posted this in the thread: others read that channel now than when the question was asked. To say it to "
    "them, too, write it there yourself."
)
CLOSED_MEANWHILE = (
    "What I had found is not yours to read any more: its channel was closed, or it was taken back. Ask again, and I "
    "look afresh."
)
#: Cards that offer entries to somebody: only such as are still to be found.
OFFERS = ("ask", "prompt", "shared", "found")


async def may_go(tx: Transaction, card: Card, to: Place | PersonRef, about: About) -> bool:
    """Whether this card may be sent to a person, or for the first time to a place; to a mirror, each time."""
    question = await tx.session.get(Question, about.question) if about.question else None
    if isinstance(to, Place):
        channel = await tx.channel_at(to)
        if channel is None:
            return False
        if about.mirrored:
            return question is not None and not channel.archived and await mirrors.connected(tx, question, channel)
        if question and card.kind == "question":
            return not channel.archived and routing.agreed(tx, question, channel)
        spaces = await communities.readers_see(tx, channel)
        if question and question.space and routing.agreed(tx, question, channel):  # with outsiders, it may be
            spaces |= {question.space}
    else:
        person = await tx.person_of(to)
        spaces = await tx.readable(person) if person else frozenset()
    hidden = about.question and (question is None or question.space not in spaces)
    return not hidden and await _all_in(tx, card, about, spaces)


async def _all_in(tx: Transaction, card: Card, about: About, spaces: frozenset[str]) -> bool:
    """Whether all that it tells of is there for readers of `spaces`."""
    asked = [await tx.session.get(Question, key) for key in about.listed]
    known = [await tx.session.get(Entry, key) for key in about.entries]
    return all(row is not None and row.space in spaces for row in (*asked, *known)) and all(
        _told_of(card, entry) for entry in known if entry
    )


def _told_of(card: Card, entry: Entry) -> bool:
    """Whether such a card still tells of this entry. What was taken back is news only to who looks after it."""
    if card.kind in OFFERS:
        return entry.state in knowledge.FINDABLE
    return entry.state != "retired" or card.kind == "decided" or card.sealed_message_id is not None


async def instead(tx: Transaction, card: Card, to: Place | PersonRef, about: About) -> None:
    """What happens instead of a card that may not go: another card in its place, or a word to who waits for it."""
    kind = card.kind
    if kind == "question":
        card.withdrawn = True  # it never went: asked again, it is another message
        await posting.take_back(tx, card.row, CHANGED_MEANWHILE)
    elif kind == "mirror" and card.sealed_message_id is None:
        card.withdrawn = True
        await mirrors.give_up(tx, card.row)
    elif kind == "prompt":
        await _prompt(tx, card.row)
    elif kind == "ask":
        await suggestions.show_again(tx, card.row, unseen=card.sealed_message_id is None)
    elif kind == "shared" and about.by:
        await suggestions.not_shared(tx, about.suggestion, PersonRef(*about.by))
    elif kind in ("answer", "missing") and about.by:
        words = "".join(part.text for part in Message.from_json(card.content).parts if isinstance(part, Quote))
        await tx.show(tx.hidden("unposted", card.id), replies.given_back(UNPOSTED, words), to=PersonRef(*about.by))
    elif kind in ("found", "read", "reply"):
        await tx.show(card.key, replies.note(CLOSED_MEANWHILE), to=to)


async def given_up(tx: Transaction, card: Card) -> None:
    """The platform has refused it for good. The asker of a question is told, an expert is made up for."""
    kind = card.kind
    if kind == "question":
        card.withdrawn = True
        await posting.take_back(tx, card.row, REFUSED)
    elif kind == "prompt":
        card.withdrawn = True
        await prompts.make_up_for(tx, await tx.get(Prompt, card.row))


async def _prompt(tx: Transaction, prompt_id: int) -> None:
    """An expert who cannot see the question any more is made up for; one who can gets it without past answers."""
    prompt = await tx.get(Prompt, prompt_id)
    question = await tx.get(Question, prompt.question_id)
    if await tx.recipient(prompt.expert_id, question.space):
        await questions.show_prompt(tx, prompt, question)
    else:
        await prompts.make_up_for(tx, prompt)
