"""Actions on somebody's message: bring it to the experts, say that it answers a question, keep it as knowledge."""

from __future__ import annotations

from bot import answers, forms, questions, replies, saving
from bot.addresses import Addresses
from bot.errors import AlreadyDone, BotError
from bot.models import Answer, Person
from bot.ports import Form, Pointed
from bot.questions import tell
from bot.store import Transaction

NO_ANSWER = (
    "That message is no answer to a question I know. Use this on a reply in a question's thread; to keep any other "
    "message, use “Save as knowledge”."
)


async def handle(tx: Transaction, person: Person, event: Pointed, *, addresses: Addresses, ready: bool) -> Form | None:
    """One action on one message; the form it opens, if any."""
    match event.action:
        case "ask":
            return await ask(tx, person, event, ready=ready)
        case "accept":
            await accept(tx, person, event)
            return None
        case "save" if event.trigger:
            return await saving.form(tx, person, event, addresses)
        case "save":
            raise BotError("I cannot open a form here, and need one for that. Accept the answer in its thread instead.")
    raise BotError("That action belongs to an older version of me. Ask in a message instead.")


async def ask(tx: Transaction, person: Person, event: Pointed, *, ready: bool) -> Form | None:
    """Bring the words to the experts, as a question of who points: in a form where they may change them first."""
    if event.trigger:
        author = await tx.person_of(event.author) if event.author else None
        own = author is not None and author.id == person.id
        whose = None if own else author.name if author else ""  # one's own words: read by others, wherever they stand
        return forms.ask_form(questions.typed(event.text), author=whose, aloud=own)
    await questions.ask(tx, person, event.actor, event.place, event.text, ready=ready, aloud=True)
    return None


async def accept(tx: Transaction, person: Person, event: Pointed) -> None:
    """This answers it: said of a message in a question's thread, by who asked or a moderator."""
    row = await questions.answer_at(tx, event.place, event.message_id) or await _taken(tx, event)
    if row is None:
        raise BotError(NO_ANSWER)
    if row.accepted_at:
        raise AlreadyDone("That answer was accepted already.")
    await answers.accept_answer(tx, person, row)
    await tell(tx, event, replies.note("✓ Accepted. Its author hears of it, and it is kept as knowledge."))


async def _taken(tx: Transaction, event: Pointed) -> Answer | None:
    """A reply too short to be taken for an answer ("port 8080") becomes one when somebody says that it is.

    Whether they may is checked right after, and undone with everything else if not.
    """
    question = await questions.in_thread(tx, event.place)
    author = await tx.person_of(event.author) if event.author else None
    if question is None or author is None or question.state not in answers.OPEN or questions.wordless(event.text):
        return None
    if question.asker_id == author.id:  # not who asked without a name: a refusal would tell
        return None
    return await answers.give(tx, author, question, event.text, said=event)
