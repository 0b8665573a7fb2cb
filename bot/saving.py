"""Keeping somebody's message as knowledge: by a form, or by a reaction to an answer; once for each message.

The entry belongs to the message's author and is seen by those who may read its channel. A moderator's save follows the
community's rule; anybody else's is looked over by a moderator first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from bot import communities, forms, knowledge, questions, replies, replies_knowledge
from bot.addresses import Addresses
from bot.errors import AlreadyDone, BotError, ConfigurationError, NoCommunity, NotAllowed, Unknown
from bot.models import ORG, Answer, Channel, Community, Entry, EntryAnswer, EntryVersion, Person, Question
from bot.ports import (
    ChatPlatform,
    Deleted,
    DeliveryError,
    Edited,
    Form,
    FormError,
    Option,
    PersonRef,
    Place,
    Pointed,
    Submitted,
)
from bot.questions import tell
from bot.store import About, Store, Transaction

log = structlog.get_logger()

TITLE = 300
#: Why a version of an entry is there.
WORD_FOR_WORD, IN_OTHER_WORDS = "kept from a message, word for word", "kept from a message, in other words"
FOLLOWED = "the message changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A message that may be kept: where it stands, and whose it is."""

    place: Place
    message_id: str
    author_id: int
    text: str = ""  # keyed hash of what it says: whether it was kept word for word

    def sealed(self, tx: Transaction) -> str:
        """As a form carries it: nobody can make one up."""
        return tx.seal.seal_json([astuple(self.place), self.message_id, self.author_id, self.text])

    @classmethod
    def of(cls, tx: Transaction, sealed: str) -> Source:
        """What `sealed` says. Raises `Unknown` for what is not ours."""
        try:
            place, message_id, author_id, text = tx.seal.open_json(sealed)
            return cls(place=Place(*place), message_id=message_id, author_id=author_id, text=text)
        except (ConfigurationError, ValueError, TypeError):
            raise Unknown from None

    def key(self, tx: Transaction) -> str:
        """What an entry made of it is known by."""
        place = self.place
        return f"message:{tx.seal.mark('/'.join((place.platform, place.workspace, place.channel, self.message_id)))}"


async def form(tx: Transaction, person: Person, event: Pointed, addresses: Addresses) -> Form | None:
    """Where the message somebody pointed at is kept; None where it is kept already, which they are told."""
    source, row = await _source(tx, event)
    channel = await _channel(tx, person, source)
    if await _tell_if_kept(tx, person, event, await _kept(tx, source, row), addresses):
        return None
    question, space = await _said_to(tx, person, source, row, channel)
    homes = await communities.homes_for(tx, person, platform=event.actor.platform)
    if not homes:
        raise NoCommunity
    homes = {key: home for key, home in homes.items() if home.space in (ORG, space)}  # known to its readers
    options = [Option(str(key), await communities.name(tx, key), f"#{home.name}") for key, home in homes.items()]
    chosen = str(channel.community_id) if channel.community_id in homes else ""
    author = await tx.session.get_one(Person, source.author_id)
    text = row.text if row else questions.typed(event.text)
    return forms.save_form(
        replace(source, text=tx.seal.mark(text)).sealed(tx),
        title=_title(question.text) if question else "",
        text=text,
        author=author.name,
        communities=options,
        chosen=chosen,
    )


async def save(tx: Transaction, person: Person, event: Submitted, addresses: Addresses) -> None:
    """The form comes back. Raises `FormError` with a sentence at the input that cannot be taken."""
    source = Source.of(tx, event.value)
    channel = await _channel(tx, person, source)
    row = await questions.answer_at(tx, source.place, source.message_id)
    if await _tell_if_kept(tx, person, event, await _kept(tx, source, row), addresses):
        return
    _, space = await _said_to(tx, person, source, row, channel)
    if await tx.had(_removed(source.place, source.message_id)):
        raise AlreadyDone("Its author has removed that message meanwhile, so I do not keep it.")
    title, text = questions.typed(event.text("title")), questions.typed(event.text("text"))
    errors = {}
    if questions.wordless(title):
        errors["title"] = "Write the question in a sentence, as somebody would ask it who needs this answer."
    elif len(title) > TITLE:
        errors["title"] = f"That has {len(title):,} characters; a question here can have {TITLE}."
    if questions.wordless(text):
        errors["text"] = "Write the answer in a sentence or two."
    elif len(text) > forms.KEPT:
        errors["text"] = f"That has {len(text):,} characters; an answer here can have {forms.KEPT:,}."
    homes = await communities.homes_for(tx, person, platform=event.actor.platform)
    if event.text("community") not in {str(key) for key, home in homes.items() if home.space in (ORG, space)}:
        errors["community"] = "Choose one of the communities in the list."
    if errors:
        raise FormError(errors)
    await _keep(tx, person, event.actor, source, space, int(event.text("community")), " ".join(title.split()), text)


async def by_reaction(tx: Transaction, person: Person, ref: PersonRef, place: Place, message_id: str) -> None:
    """Keep an answer by an emoji on it, as its author or a moderator; quietly nothing otherwise."""
    row = await questions.answer_at(tx, place, message_id)
    source = await _of_answer(tx, row) if row else None
    if row is None or source is None or await tx.channel_at(source.place) is None:
        return
    here = source.place
    await tx.get(Channel, (here.platform, here.workspace, here.channel))  # not while it is being closed
    question = await tx.get(Question, row.question_id)
    if not await tx.may_see(person, question.space):
        return
    may = person.id == row.author_id or person.id in await knowledge.moderators(tx, question.community_id)
    source = replace(source, text=tx.seal.mark(row.text))
    if may and question.community_id and question.space and await _kept(tx, source, row) is None:
        title = _title(question.text)
        await _keep(tx, person, ref, source, question.space, question.community_id, title, row.text)


async def give_way(tx: Transaction, row: Answer) -> None:
    """An answer that was kept by hand is accepted now: the thread's own entry takes over."""
    source = await _of_answer(tx, row)
    if entry := await _by_hand(tx, source.place, source.message_id) if source else None:
        await knowledge.retire(tx, entry, by=None, reason="its answer was accepted; the thread has an entry now")
        await knowledge.settle_review(tx, entry, "Accepted meanwhile: the thread has an entry of its own now.")


async def deleted(tx: Transaction, event: Deleted) -> None:
    """A message was removed: what was kept of it is taken back, and it cannot be kept any more."""
    await tx.first_time(_removed(event.place, event.message_id))
    entry = await _by_hand(tx, event.place, event.message_id)
    if entry and entry.state != "retired":
        await knowledge.retire(tx, entry, by=None, reason="its message was removed")
        await knowledge.settle_review(tx, entry, "Taken back by its author.")


def _removed(place: Place, message_id: str) -> str:
    return "/".join(("removed", place.platform, place.workspace, place.channel, message_id))


async def edited(tx: Transaction, event: Edited) -> None:
    """A message was changed: so is what was kept of it, if it was kept word for word and nobody has edited it since."""
    entry, text = await _by_hand(tx, event.place, event.message_id), questions.typed(event.text)
    if entry is None or entry.state == "retired" or questions.wordless(text):
        return
    newest = await tx.first(
        select(EntryVersion).where(EntryVersion.entry_id == entry.id).order_by(EntryVersion.version.desc())
    )
    answer = await tx.first(select(EntryAnswer).where(EntryAnswer.entry_id == entry.id))
    if newest.reason not in (WORD_FOR_WORD, FOLLOWED) or answer.text == text:
        return
    await knowledge.remember(tx, entry, by=answer.author_id, reason=FOLLOWED)
    answer.text = text
    community = await tx.get(Community, entry.community_id)
    if entry.state == "published" and community.rule != "publish":  # what was reviewed is not what it says now
        entry.state = knowledge.state_by(community.rule)
    if entry.state != "published":
        await knowledge.ask_moderators(tx, entry, community, author_id=answer.author_id, text=text)
    await tx.later("index", f"entries:{entry.id}-{entry.id}")


async def _by_hand(tx: Transaction, place: Place, message_id: str) -> Entry | None:
    """The entry that was made of this message, if one was."""
    key = Source(place=place, message_id=message_id, author_id=0).key(tx)
    found: Entry | None = await tx.first(select(Entry).where(Entry.source_key == key))
    return found


async def follow(store: Store, platforms: Mapping[str, ChatPlatform], addresses: Addresses, entry_id: str) -> None:
    """The entry is there: it gets its link, and author, saver and moderators hear of it."""
    async with store.reading() as tx:
        known = await tx.known_for("saved", entry_id)
        place = Place(*known["at"])
    try:
        link = await platforms[place.platform].permalink(place, known["message"])
    except DeliveryError as error:
        if error.retry_after is not None:
            raise
        log.warning("entry.without_link", entry=entry_id, reason=str(error))
        link = ""

    async def say(tx: Transaction) -> None:
        entry = await tx.get(Entry, int(entry_id))
        entry.link = link
        answer = await tx.first(select(EntryAnswer).where(EntryAnswer.entry_id == entry.id).order_by(EntryAnswer.id))
        author, by = await tx.get(Person, answer.author_id), await tx.get(Person, known["by"])
        address = addresses.entry(entry.id)
        ref = PersonRef(*known["ref"])
        told = About(entries=(entry.id,))
        card = replies_knowledge.saved(entry.title, author.name, entry.state, address)
        await tx.show(f"saved:{entry.id}", card, to=ref, about=told)
        account = await tx.recipient(author.id, entry.space, platform=place.platform)
        if account and author.id != by.id:
            card = replies_knowledge.your_answer_was_saved(by.name, entry.title, answer.text, entry.state, address)
            await tx.show(f"your_saved:{entry.id}", card, to=account, about=told)
        if entry.state in ("draft", "in_review"):
            community = await tx.get(Community, entry.community_id)
            await knowledge.ask_moderators(tx, entry, community, author_id=author.id, text=answer.text)

    await store.run(say)


async def _keep(
    tx: Transaction,
    person: Person,
    ref: PersonRef,
    source: Source,
    space: str,
    community_id: int,
    title: str,
    text: str,
) -> None:
    place = source.place
    community = await tx.get(Community, community_id)
    state = knowledge.state_by(community.rule)
    if state == "published" and person.id not in await knowledge.moderators(tx, community.id):
        state = "draft"
    entry = await tx.add(
        Entry(
            title=title,
            state=state,
            space=space,
            origin=f"{place.platform}:{place.workspace}:{place.channel}",
            community_id=community.id,
            owner_id=source.author_id,
            source_key=source.key(tx),
            created_at=tx.now,
            verified_at=tx.now if state == "published" else None,  # by a moderator, who has read it
            review_at=tx.now + timedelta(days=30 * community.review_months),
            version=2,
        )
    )
    content: dict[str, Any] = {
        "title": title, "body": "", "state": state, "answers": [{"author": source.author_id, "text": text}]
    }  # fmt: skip
    reason = WORD_FOR_WORD if tx.seal.mark(text) == source.text else IN_OTHER_WORDS
    tx.session.add(
        EntryVersion(entry_id=entry.id, version=1, at=tx.now, by_id=person.id, reason=reason, content=content)
    )
    tx.session.add(EntryAnswer(entry_id=entry.id, author_id=source.author_id, text=text, created_at=tx.now))
    await tx.later("index", f"entries:{entry.id}-{entry.id}")
    known = {"at": astuple(source.place), "message": source.message_id, "by": person.id, "ref": astuple(ref)}
    await tx.later("saved", entry.id, knowing=known)


def _title(question: str) -> str:
    return replies.excerpt(question.strip().partition("\n")[0], TITLE - 10)


async def _source(tx: Transaction, event: Pointed) -> tuple[Source, Answer | None]:
    """The message somebody pointed at: an answer the bot knows (it may have posted it), or what a person wrote."""
    row = await questions.answer_at(tx, event.place, event.message_id)
    if row and (source := await _of_answer(tx, row)):
        return source, row
    author = await tx.person_of(event.author) if event.author else None
    if author is None:
        raise BotError("I can keep only what a person of your organisation wrote, so that it has an author.")
    return Source(place=event.place, message_id=event.message_id, author_id=author.id), None


async def _of_answer(tx: Transaction, row: Answer) -> Source | None:
    """The message an answer is known by, in whichever of its question's threads somebody points at it."""
    post = await questions.original(tx, row.id)
    return Source(place=post.place, message_id=post.message_id, author_id=row.author_id) if post else None


async def _channel(tx: Transaction, person: Person, source: Source) -> Channel:
    """The channel of the message, locked: it is not closed while something of it is being kept."""
    place = source.place
    if await tx.channel_at(place) is None:
        raise NotAllowed("That was said in private, so it stays there. I keep only what was written in a channel.")
    channel = await tx.get(Channel, (place.platform, place.workspace, place.channel))
    if not await tx.may_see(person, channel.space):
        raise NotAllowed("You are not in that channel, as far as I know, so you cannot keep what was said there.")
    return channel


async def _said_to(
    tx: Transaction, person: Person, source: Source, row: Answer | None, channel: Channel
) -> tuple[Question | None, str]:
    """The question it was said to, if any, and who may read what is kept of it: whoever may read the question. That is
    fewer than read the channel now, if it has been opened since."""
    question = await tx.get(Question, row.question_id) if row else await questions.in_thread(tx, source.place)
    if question is None or question.space is None:
        return None, channel.space
    if not await tx.may_see(person, question.space):
        raise NotAllowed("That was written for those who were in this channel then. Only they can keep it.")
    return question, question.space


async def _kept(tx: Transaction, source: Source, row: Answer | None) -> Entry | None:
    """The entry this message is in already."""
    if row:
        accepted = select(Entry).join(EntryAnswer, EntryAnswer.entry_id == Entry.id)
        of_thread: Entry | None = await tx.first(accepted.where(EntryAnswer.answer_id == row.id))
        if of_thread and of_thread.state != "retired":
            return of_thread
    return await _by_hand(tx, source.place, source.message_id)


async def _tell_if_kept(
    tx: Transaction, person: Person, event: Pointed | Submitted, entry: Entry | None, to: Addresses
) -> bool:
    if entry is None:
        return False
    if not await tx.may_see(person, entry.space):
        raise AlreadyDone("That message is kept already, for those who were in this channel then.")
    if entry.state == "retired":
        raise AlreadyDone(
            "That message was kept before, and taken out again. A moderator of its community can say why."
        )
    await tell(tx, event, replies_knowledge.saved_already(entry.title, to.entry(entry.id)))
    return True
