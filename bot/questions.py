"""A question: taken, kept, and shown as it stands. What becomes of it is in `suggestions`, `routing` and `answers`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import astuple
from datetime import timedelta

from sqlalchemy import func, or_, select

from bot import communities, experts, knowledge, mirrors, replies, replies_experts
from bot.errors import AlreadyDone, InvalidQuestion, NotAllowed
from bot.models import (
    ORG,
    Account,
    Answer,
    AnswerPost,
    Follower,
    Person,
    Prompt,
    Question,
)
from bot.moments import hour
from bot.ports import Event, Heard, Message, PersonRef, Place, clean
from bot.replies import Asked, Past
from bot.store import About, Transaction, row_id

LONGEST = 12_000


def typed(text: str) -> str:
    """What a person typed, as every database takes it, without white space around it."""
    return clean(text).strip()


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


async def ask(
    tx: Transaction, person: Person, ref: PersonRef, origin: Place, text: str, *, ready: bool, aloud: bool = False
) -> Question:
    """Take a question: it is kept, the asker sees at once that it is, and the search follows.

    `origin` is where it was asked, `aloud` if others could read it there. What follows goes to the asker in private.
    """
    text = readable_question(text)
    question = await tx.add(
        Question(
            text=text,
            asked_at=hour(tx.now),
            aloud=aloud,
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


async def own(tx: Transaction, person: Person, question_id: str, *states: str) -> Question:
    """The presser's own question, in one of `states`."""
    question = await tx.get(Question, row_id(question_id))
    if asker_of(tx, question)[0] != person.id:
        raise NotAllowed("Only the person who asked can do that.")
    if states and question.state not in states:
        raise AlreadyDone("That question has moved on already. Its newest card says where it stands.")
    return question


async def tell(tx: Transaction, event: Event, message: Message, about: About | None = None) -> None:
    """A private reply where the person is: in the direct conversation, or for their eyes in the channel."""
    direct = isinstance(event, Heard) and event.direct
    whisper = None if direct or not event.place.channel else event.actor
    to = event.place if whisper else event.actor
    await tx.show(tx.hidden("reply", event.id), message, to=to, whisper=whisper, about=about)


# --- views and cards ------------------------------------------------------------------------------------------------


async def view(tx: Transaction, question: Question, *, near: PersonRef | Place | None = None) -> Asked:
    """The question as its readers see it; the asker's name only if they asked under it.

    `near`: who reads it, or where. They get the way to the thread that they can open.
    """
    names = await knowledge.names_of(tx, [question.asker_id])
    among = await mirrors.homes(tx, question)
    home = mirrors.nearest(among, near)
    here = (near.platform, near.workspace) if near else None
    accepted = select(Answer.author_id).where(Answer.question_id == question.id, Answer.withdrawn_at.is_(None))
    authors = await tx.all(accepted.where(Answer.accepted_at.is_not(None)).distinct())
    by = await knowledge.names_of(tx, authors)
    followers = await tx.first(select(func.count()).where(Follower.question_id == question.id))
    return Asked(
        id=question.id,
        text=question.text,
        asker=names.get(question.asker_id),
        community=await communities.name(tx, question.community_id),
        channel=home.channel,
        state=question.state,
        link=home.link,
        also=tuple(o.label for o in among if o.posted and (o.place.platform, o.place.workspace) != here),
        followers=int(followers or 0),
        accepted_by=replies.listed(list(by.values())),
    )


async def show_question(tx: Transaction, question: Question) -> None:
    """Bring the question's card up to date in its channel, and in those where it is mirrored."""
    await tx.session.flush()
    for home in await mirrors.homes(tx, question):
        card = replies.question(await view(tx, question, near=home.place))
        key = f"mirror:{home.mirror}" if home.mirror else f"question:{question.id}"
        told = About(question=question.id, mirrored=home.mirror > 0)
        await tx.show(key, card, to=home.place.root, about=told)
    await home_changed(tx, question.asker_id)


async def show_prompt(tx: Transaction, row: Prompt, question: Question, *, similar: list[Past] | None = None) -> None:
    """Bring an expert's prompt up to date."""
    account = await tx.account_of(row.expert_id, platform=question.platform)
    names = await knowledge.names_of(tx, [row.named_by_id])
    card = replies_experts.prompt(
        await view(tx, question, near=account), row.id, why=await why_asked(tx, row, question),
        named_by=names.get(row.named_by_id, ""), similar=similar or [], state=row.state, now=tx.now,
    )  # fmt: skip
    if account:
        told = About(question=question.id, entries=tuple(past.entry_id for past in similar or ()))
        await tx.show(f"prompt:{row.id}", card, to=account, about=told)
    await home_changed(tx, row.expert_id)


async def why_asked(tx: Transaction, row: Prompt, question: Question) -> str:
    """Why this expert was asked. Only from what all readers of the question see: more would tell who asked."""
    expert = await tx.session.get_one(Person, row.expert_id)
    spaces = await tx.readable(expert) & {ORG, question.space or ORG}
    return (await experts.in_words(tx, {expert.id: row.because}, spaces))[expert.id]


async def home_changed(tx: Transaction, person_id: int | None, *, after: timedelta = timedelta(seconds=2)) -> None:
    """Something on this person's home view may have changed: it is made anew, once for many changes.

    Only for those who have opened it. The work names nobody in the clear.
    """
    if person_id is None:
        return
    for account in await tx.all(select(Account).where(Account.person_id == person_id, Account.home.is_(True))):
        ref = [account.platform, account.workspace, account.user]
        await tx.later("home", tx.seal.mark("/".join(["home", *ref])), after=after, knowing={"ref": ref})


async def homes_changed(tx: Transaction) -> None:
    """Who may see what has changed: everybody's home view is made anew (of those who have opened it)."""
    for person_id in await tx.all(select(Account.person_id).where(Account.home.is_(True)).distinct()):
        await home_changed(tx, person_id)


async def answer_at(tx: Transaction, place: Place, message_id: str, *, written: bool = False) -> Answer | None:
    """The answer that this message of a channel is, as its author wrote it or (unless `written`) as it is shown."""
    here = (AnswerPost.platform == place.platform, AnswerPost.workspace == place.workspace)
    there = (AnswerPost.channel == place.channel, AnswerPost.message_id == message_id)
    posted = select(Answer).join(AnswerPost, AnswerPost.answer_id == Answer.id).where(*here, *there)
    if written:
        posted = posted.where(AnswerPost.written)
    found: Answer | None = await tx.first(posted.where(Answer.withdrawn_at.is_(None)))
    return found


async def original(tx: Transaction, answer_id: int) -> AnswerPost | None:
    """The message that an answer is known by: as its author wrote it or, given in private, as it was shown first."""
    mine = select(AnswerPost).where(AnswerPost.answer_id == answer_id)
    question = select(Question).join(Answer, Answer.question_id == Question.id).where(Answer.id == answer_id)
    home = (await tx.session.scalars(question)).one().home
    posts: list[AnswerPost] = await tx.all(mine.order_by(AnswerPost.platform, AnswerPost.workspace))
    at_home = [(post.platform, post.workspace) == (home.platform, home.workspace) for post in posts]
    ranked = sorted(zip(posts, at_home), key=lambda pair: (not pair[0].written, not pair[1]))
    return ranked[0][0] if ranked else None


async def in_thread(tx: Transaction, place: Place) -> Question | None:
    """The question that lives in this thread, or is mirrored in it, locked."""
    if not place.thread:
        return None
    here = (Question.platform == place.platform, Question.workspace == place.workspace)
    there = (Question.channel == place.channel, Question.thread == place.thread)
    found: Question | None = await tx.first(select(Question).where(*here, *there).with_for_update())
    if found is None and (key := await mirrors.question_in(tx, place)):
        found = await tx.get(Question, key)
    return found


async def mine(tx: Transaction, person: Person, *, near: PersonRef, limit: int = 10) -> list[Asked]:
    """The newest questions this person posted under their name."""
    rows: list[Question] = await tx.all(
        select(Question)
        .where(Question.asker_id == person.id, or_(Question.thread.is_not(None), Question.state == "routed"))
        .where(Question.space.in_(await tx.readable(person)))
        .order_by(Question.id.desc()).limit(limit)
    )  # fmt: skip
    return [await view(tx, row, near=near) for row in rows]
