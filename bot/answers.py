"""What comes back to a question: answers from prompts and threads, what is missing, acceptance, edits, "me too"."""

from __future__ import annotations

import re

from sqlalchemy import select

from bot import forms, knowledge, mirrors, prompts, questions, replies, replies_experts, saving
from bot.errors import AlreadyDone, InvalidQuestion, NotAllowed, Unknown
from bot.models import Answer, AnswerPost, Follower, Person, Prompt, Question
from bot.moments import hour
from bot.ports import Deleted, Edited, Form, FormError, Heard, Place, Pointed, Pressed, Submitted
from bot.store import About, Transaction, row_id

LONGEST = 12_000
OPEN = ("routed", "answered", "accepted")


# --- to a prompt --------------------------------------------------------------------------------------------------


async def prompt_answer_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """Where an expert writes the answer to a prompt."""
    prompt, question = await prompts.mine(tx, person, event.value)
    return forms.answer_form("prompt_answer", str(prompt.id), await questions.view(tx, question))


async def prompt_answer(tx: Transaction, person: Person, event: Submitted) -> None:
    """An answer written in a prompt's form."""
    prompt, question = await prompts.mine(tx, person, event.value)
    await give(tx, person, question, _written(event), prompt=prompt)


async def reply_to_prompt(tx: Transaction, person: Person, prompt_id: str, text: str) -> None:
    """An expert answered by simply replying to the prompt."""
    prompt, question = await prompts.mine(tx, person, prompt_id)
    if questions.wordless(text):
        raise InvalidQuestion("I see no words in that. Reply with your answer in a sentence or two, or press Pass.")
    if len(text) > LONGEST:
        raise InvalidQuestion(
            f"That has {len(text):,} characters; an answer can have {LONGEST:,}. Your text is still above: reply with "
            "what matters most, and put the rest into the thread."
        )
    await give(tx, person, question, text, prompt=prompt)


# --- answers --------------------------------------------------------------------------------------------------------


def _written(event: Submitted) -> str:
    text = questions.typed(event.text("answer"))
    if questions.wordless(text):
        raise FormError({"answer": "Write a sentence or two."})
    if len(text) > LONGEST:
        raise FormError({"answer": f"That has {len(text):,} characters; an answer can have {LONGEST:,}."})
    return text


async def answer_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """Where anybody who sees a question may answer it."""
    question = await _seen(tx, person, event.value)
    _there(question)
    return forms.answer_form("answer", str(question.id), await questions.view(tx, question))


async def answer(tx: Transaction, person: Person, event: Submitted) -> None:
    """An answer from the button below a question."""
    question = await _seen(tx, person, event.value)
    _there(question)
    await give(tx, person, question, _written(event))


async def _seen(tx: Transaction, person: Person, question_id: str) -> Question:
    question = await tx.get(Question, row_id(question_id))
    if not await tx.may_see(person, question.space):
        raise Unknown  # as of one that never was: nobody learns which there are
    return question


def _there(question: Question) -> None:
    """Raises `AlreadyDone` where the question's message may be seen, but is not on record yet: it has no thread."""
    if question.thread is None:
        raise AlreadyDone("That question is on its way into its channel. Try again in a moment.")


async def give(
    tx: Transaction,
    person: Person,
    question: Question,
    text: str,
    *,
    prompt: Prompt | None = None,
    said: Heard | Pointed | None = None,
) -> Answer | None:
    """Take an answer: it appears in all threads under its author's name, and the asker is told at once.

    `said`: it stands in one of them already.
    """
    if said and not await mirrors.hears(tx, question, said.place):
        raise NotAllowed(mirrors.APART)
    if not await tx.may_see(person, question.space):
        raise NotAllowed("That question is in a channel you are not in.")
    text = questions.typed(text)
    if not text:
        return None
    row = await tx.add(
        Answer(question_id=question.id, author_id=person.id, text=text, created_at=tx.now,
               origin="thread" if said else "prompt")
    )  # fmt: skip
    if said:
        await _stands(tx, row, said.place, said.message_id, written=True)
    if question.state == "routed":
        question.state = "answered"
        await questions.show_question(tx, question)
    await _show(tx, row, question)
    mine = select(Prompt).where(Prompt.question_id == question.id, Prompt.expert_id == person.id)
    prompt = prompt or await tx.first(mine)
    if prompt:
        await prompts.decide(tx, prompt, question, "answered")
    return row


async def _show(tx: Transaction, row: Answer, question: Question) -> None:
    """Bring the answer's cards up to date: in the threads, and the asker's."""
    author = (await tx.get(Person, row.author_id)).name
    asker, ref = questions.asker_of(tx, question)
    asked, accepted = await questions.view(tx, question, near=ref), row.accepted_at is not None
    if row.withdrawn_at:
        await mirrors.withdraw(tx, question, f"answer:{row.id}")
    else:
        post = await questions.original(tx, row.id) if row.origin == "thread" else None
        card = replies.answer(asked, row.id, author, row.text, accepted=accepted)
        by = await tx.account_of(row.author_id, platform=question.platform)
        await mirrors.show(tx, question, f"answer:{row.id}", card, written=post.place if post else None, by=by)
    if asker != row.author_id and await tx.recipient(asker, question.space):
        told = replies.answered(
            asked, row.id, author, row.text, accepted=accepted, withdrawn=row.withdrawn_at is not None
        )
        await tx.show(f"told:{row.id}", told, to=ref, about=About(question=question.id))
    elif (
        asker == row.author_id and question.anonymous
    ):  # a card like the others, which nobody gets: its lack would tell
        told = replies.answered(asked, row.id, author, row.text, accepted=accepted, withdrawn=False)
        unsent = await tx.show(f"told:{row.id}", told, to=ref, about=About(question=question.id))
        unsent.sent_version, unsent.attempted = unsent.version, True
        unsent.sent_as = unsent.sent_as or tx.seal.mark(unsent.id)
        unsent.sealed_message_id = unsent.sealed_message_id or tx.seal.seal(question.thread or unsent.id)
        await tx.never_mind("deliver", unsent.id)


async def when_sent(tx: Transaction, answer_id: int, place: Place, message_id: str) -> None:
    """The answer is in a thread."""
    await _stands(tx, await tx.get(Answer, answer_id), place, message_id, written=False)


async def _stands(tx: Transaction, row: Answer, place: Place, message_id: str, *, written: bool) -> None:
    where = {"platform": place.platform, "workspace": place.workspace, "channel": place.channel, "thread": place.thread}
    await tx.session.merge(AnswerPost(answer_id=row.id, **where, message_id=message_id, written=written))


def substantive(text: str) -> bool:
    """Whether a reply says something: three words, a link or code; "thanks!" and "+1" do not."""
    words = re.findall(r"\w{2,}", re.sub(r":[\w+-]+:", "", text))
    small = {"thanks", "thank", "you", "ok", "okay", "great", "cool", "nice", "yes", "no", "lol", "same", "here", "thx"}
    return "`" in text or "://" in text or len([w for w in words if w.lower() not in small]) >= 3


async def heard_in_thread(tx: Transaction, person: Person, event: Heard) -> bool:
    """A reply in a question's thread; False where the thread holds no question."""
    question = await questions.in_thread(tx, event.place)
    if question is None:
        return False
    text = questions.typed(event.text)
    if question.asker_id == person.id:
        if substantive(text):
            await _added(tx, question, event.place, event.message_id, text)
            await _pass_on_follow_up(tx, question, text, event.id)
        return True
    if substantive(text) and question.state in OPEN:
        await give(tx, person, question, text, said=event)
    if questions.asker_of(tx, question)[0] == person.id:  # taken like anybody's, or all would see whose question it is
        await tx.show(tx.hidden("yours", event.id), replies.note(replies.UNDER_YOUR_NAME), to=event.actor)
    return True


async def _added(tx: Transaction, question: Question, place: Place, message_id: str, text: str) -> None:
    """What the asker wrote in one thread stands in the others, too, as it is now; empty where it was taken back."""
    key = tx.hidden("adds", place.platform, place.workspace, place.channel, message_id)
    if not substantive(text):
        await mirrors.withdraw(tx, question, key)
    elif await mirrors.hears(tx, question, place):
        asked = await questions.view(tx, question)
        await mirrors.show(tx, question, key, replies.adds(asked, text), written=place)
    else:
        raise NotAllowed(mirrors.APART)


async def soon_a_thread(tx: Transaction, place: Place) -> bool:
    """Whether a question of this channel is on its way there: a reply may come before its thread is on record."""
    here = (Question.platform == place.platform, Question.workspace == place.workspace)
    unsettled = (Question.channel == place.channel, Question.thread.is_(None), Question.state == "routed")
    return await tx.first(select(Question.id).where(*here, *unsettled)) is not None or await mirrors.soon(tx, place)


async def _pass_on_follow_up(tx: Transaction, question: Question, text: str, event_id: str) -> None:
    """Those who answered in private do not watch the thread: they are told what the asker wrote."""
    rows = select(Answer.author_id).where(Answer.question_id == question.id, Answer.withdrawn_at.is_(None)).distinct()
    for author in await tx.all(rows):
        account = await tx.recipient(author, question.space, platform=question.platform)
        if account and substantive(text):
            card = replies_experts.follow_up(await questions.view(tx, question, near=account), text)
            await tx.show(tx.hidden("follow_up", event_id, author), card, to=account, about=About(question=question.id))


async def edited(tx: Transaction, event: Edited) -> None:
    """An answer's message was changed: so is the answer, and the entry made of it."""
    question = await questions.in_thread(tx, event.place)
    if question is None or not await mirrors.hears(tx, question, event.place):
        return
    row = await questions.answer_at(tx, event.place, event.message_id, written=True)
    text = questions.typed(event.text)
    if row is None:
        person = await tx.person_of(event.actor)
        if person and person.id == question.asker_id:
            await _added(tx, question, event.place, event.message_id, text)
    elif not text:
        await _take_back(tx, question, row)
    elif text != row.text:
        row.text, row.edited_at = text, tx.now
        await _show(tx, row, question)
        if row.accepted_at:
            await knowledge.keep(tx, question)


async def deleted(tx: Transaction, event: Deleted) -> None:
    """An answer's message was removed: what came from it is taken back."""
    question = await questions.in_thread(tx, event.place)
    if question is None:
        return
    row = await questions.answer_at(tx, event.place, event.message_id)
    if row is None:
        await _added(tx, question, event.place, event.message_id, "")
    elif row.origin == "prompt" or await questions.answer_at(tx, event.place, event.message_id, written=True):
        await _take_back(tx, question, row)


async def _take_back(tx: Transaction, question: Question, row: Answer) -> None:
    row.withdrawn_at = tx.now
    await tx.session.flush()
    if row.accepted_at:
        await knowledge.keep(tx, question)
    left = await tx.all(select(Answer).where(Answer.question_id == question.id, Answer.withdrawn_at.is_(None)))
    accepted = any(answer.accepted_at for answer in left)
    question.state = "accepted" if accepted else "answered" if left else "routed"
    await _show(tx, row, question)
    await questions.show_question(tx, question)


# --- the asker decides ------------------------------------------------------------------------------------------------


async def accept(tx: Transaction, person: Person, event: Pressed) -> None:
    """This answers it: the thread becomes knowledge, its author and the followers hear of it."""
    await accept_answer(tx, person, await tx.get(Answer, row_id(event.value)))


async def accept_answer(tx: Transaction, person: Person, row: Answer) -> None:
    """Accept one answer, as the asker or a moderator of the community."""
    question = await tx.get(Question, row.question_id)
    asker, ref = questions.asker_of(tx, question)
    if not await tx.may_see(person, question.space):
        raise NotAllowed("That question is in a channel you are not in any more.") if person.id == asker else Unknown()
    if person.id != asker and person.id not in await knowledge.moderators(tx, question.community_id):
        raise NotAllowed("Only the person who asked, or a moderator, can accept an answer.")
    if row.withdrawn_at:
        raise AlreadyDone("Its author took that answer back.")
    if row.accepted_at:
        return
    row.accepted_at, question.state = hour(tx.now) if question.anonymous else tx.now, "accepted"
    await tx.session.flush()
    await saving.give_way(tx, row)
    entry = await knowledge.keep(tx, question)
    await _show(tx, row, question)
    await questions.show_question(tx, question)
    for prompt in await tx.all(
        select(Prompt).where(Prompt.question_id == question.id, Prompt.state.in_(("open", "later")))
    ):
        await prompts.decide(tx, prompt, question, "closed")
    if await tx.recipient(asker, question.space):
        asked, told = await questions.view(tx, question, near=ref), About(question=question.id)
        await tx.show(f"ask:{question.id}", replies.posted(asked, [], waiting=False), to=ref, about=told)
    author = await tx.get(Person, row.author_id)
    account = await tx.recipient(author.id, question.space, platform=question.platform)
    if account and entry and (author.id != person.id or question.anonymous):  # who accepts their own may have asked
        asked = await questions.view(tx, question, near=account)
        card = replies_experts.your_answer_was_accepted(asked, entry.state, entry.review_at, asked.followers)
        await tx.show(f"accepted:{row.id}", card, to=account, about=About(question=question.id))
    for follower in await tx.all(select(Follower.person_id).where(Follower.question_id == question.id)):
        account = await tx.recipient(follower, question.space, platform=question.platform)
        if account and follower not in (author.id, question.asker_id):
            asked = await questions.view(tx, question, near=account)
            card = replies_experts.question_solved(asked, author.name, row.text)
            await tx.show(f"solved:{row.id}:{follower}", card, to=account, about=About(question=question.id))


async def accept_message(tx: Transaction, person: Person, place: Place, message_id: str) -> None:
    """Accept by reaction: quietly nothing where the message is no answer, or not theirs to accept."""
    row = await questions.answer_at(tx, place, message_id)
    question = await tx.session.get(Question, row.question_id) if row else None
    if row and question:
        asker, ref = questions.asker_of(tx, question)
        looks_after = person.id in await knowledge.moderators(tx, question.community_id)
        if looks_after or person.id == question.asker_id:
            await accept_answer(tx, person, row)
        elif person.id == asker:  # their emoji stands there with their name
            await tx.show(tx.hidden("yours", row.id), replies.note(replies.UNDER_YOUR_NAME), to=ref)


async def missing_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """What do the answers leave open?"""
    question = await _asked(tx, person, event.value)
    return forms.missing_form(await questions.view(tx, question))


async def _asked(tx: Transaction, person: Person, question_id: str) -> Question:
    """One's own question, in a channel one is in."""
    question = await tx.get(Question, row_id(question_id))
    mine, seen = questions.asker_of(tx, question)[0] == person.id, await tx.may_see(person, question.space)
    if not mine:
        raise NotAllowed("Only the person who asked can say what is missing.") if seen else Unknown()
    if not seen:
        raise NotAllowed("That question is not posted, or in a channel you are not in.")
    _there(question)
    return question


async def missing(tx: Transaction, person: Person, event: Submitted) -> None:
    """The asker says what is missing: in the thread, to those who answered, and to the next expert."""
    question = await _asked(tx, person, event.value)
    text = questions.typed(event.text("missing"))
    if not text:
        raise FormError({"missing": "Say in a few words what you still need to know."})
    await say_what_is_missing(tx, question, text, event.id)
    passed = "I have posted that in the thread and told those who answered. I will tell you what they say."
    await questions.tell(tx, event, replies.given_back(passed, text))


async def reply_to_answer(tx: Transaction, person: Person, question: Question, event: Heard) -> None:
    """The asker replied to the card of an answer."""
    await say_what_is_missing(tx, await _asked(tx, person, str(question.id)), event.text, event.id)


async def say_what_is_missing(tx: Transaction, question: Question, text: str, event_id: str) -> None:
    """Put the asker's words into the thread, under their name or without, and ask one more expert."""
    text = questions.typed(text)
    if questions.wordless(text):
        raise InvalidQuestion("I see no words in that. Say in a few words what you still need to know.")
    asked = await questions.view(tx, question)
    by = questions.asker_of(tx, question)[1]
    await mirrors.show(tx, question, tx.hidden("missing", event_id), replies.missing(asked, text), by=by)
    await _pass_on_follow_up(tx, question, text, event_id)
    if question.state == "answered":
        question.state = "routed"
        await questions.show_question(tx, question)
        await prompts.ask_next(tx, question)


# --- everybody else ---------------------------------------------------------------------------------------------------


async def me_too(tx: Transaction, person: Person, event: Pressed) -> None:
    """Follow a question one has, too; pressed again, stop following."""
    question = await _seen(tx, person, event.value)
    await follow(tx, person, question, toggle=True)


async def follow(tx: Transaction, person: Person, question: Question, *, toggle: bool = False) -> None:
    """Follow a question: counted as demand, told when it is answered. Who asked it without a name may do so, too."""
    if question.asker_id == person.id:
        raise AlreadyDone("You asked this one: you are told of every answer anyway.")
    following = await tx.session.get(Follower, (question.id, person.id))
    if following is None:
        await tx.add(Follower(question_id=question.id, person_id=person.id))
    elif toggle:
        await tx.session.delete(following)
    await questions.show_question(tx, question)


async def follow_message(tx: Transaction, person: Person, place: Place, message_id: str) -> None:
    """Follow by reaction to the question's message."""
    question = await questions.in_thread(tx, place.root.in_thread(message_id))
    if question and question.asker_id != person.id and await tx.may_see(person, question.space):
        await follow(tx, person, question)
