"""Knowledge entries: what an accepted thread becomes, who may see it, and how it gets into the index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select

from bot import communities, forms, replies, replies_knowledge
from bot.errors import AlreadyDone, NotAllowed, Unknown
from bot.models import (
    ORG,
    Answer,
    Channel,
    Community,
    Endorsement,
    Entry,
    EntryAnswer,
    EntryVersion,
    Membership,
    Person,
    Question,
)
from bot.moments import hour
from bot.ports import Form, Pressed, Submitted
from bot.replies import Past, plain
from bot.store import About, Store, Transaction, row_id
from expertise_index import ExpertiseIndex, Match, words_of

#: States in which an entry may be found. A draft is found, too, and says that nobody has reviewed it yet.
FINDABLE = ("published", "draft")
ENTRIES = ("entry",)
TITLE_LENGTH = 200
FOUND, LIKE = 6, 0.45  # entries shown for a search; the least likeness (cosine) of one that shares few of its words


# --- from a thread to an entry ----------------------------------------------------------------------------------------


async def keep(tx: Transaction, question: Question) -> Entry | None:
    """Make the accepted thread an entry, or bring its entry up to date; None (and retired) if nothing is accepted."""
    accepted = (Answer.accepted_at.is_not(None), Answer.withdrawn_at.is_(None))
    answers: list[Answer] = await tx.all(
        select(Answer).where(Answer.question_id == question.id, *accepted).order_by(Answer.accepted_at, Answer.id)
    )
    entry: Entry | None = await tx.first(select(Entry).where(Entry.question_id == question.id))
    if not answers:
        if entry:
            await retire(tx, entry, by=None, reason="its answers were taken back")
            await tx.session.execute(delete(EntryAnswer).where(EntryAnswer.entry_id == entry.id))
            await settle_review(tx, entry, "Taken back by its author.")
        return None
    community = await tx.get(Community, question.community_id)
    if await tx.channel_at(here := question.home):
        await tx.get(Channel, (here.platform, here.workspace, here.channel))  # not while it is being closed
        question = await tx.get(Question, question.id)
    if entry is None:
        entry = await tx.add(_new_entry(question, community, answers[0], answers[0].accepted_at or tx.now))
        if entry.state != "published":
            await ask_moderators(tx, entry, community, author_id=answers[0].author_id, text=answers[0].text)
    else:
        await remember(tx, entry, by=None, reason="the thread changed", anonymous=question.anonymous)
        if entry.state == "retired":
            entry.state = state_by(community.rule)
    known = {row.answer_id: row for row in await tx.all(select(EntryAnswer).where(EntryAnswer.entry_id == entry.id))}
    reviewed, changed = entry.verified_at, False
    for answer in answers:
        row = known.pop(answer.id, None)
        if row is not None and reviewed and not (answer.edited_at and answer.edited_at >= reviewed):
            continue  # as its moderator left it
        changed = changed or (row is not None and row.text != answer.text)
        if row is None:
            row = EntryAnswer(
                entry_id=entry.id,
                author_id=answer.author_id,
                answer_id=answer.id,
                text="",
                created_at=answer.created_at,
            )
            tx.session.add(row)
        row.text = answer.text
    for gone in known.values():
        await tx.session.delete(gone)
    if changed and community.rule != "publish":  # what was reviewed is not what it says now
        entry.state = state_by(community.rule)
        await ask_moderators(tx, entry, community, author_id=answers[0].author_id, text=answers[0].text)
    await tx.later("index", f"entries:{entry.id}-{entry.id}")
    return entry


def state_by(rule: str) -> str:
    """The state of a new entry, by its community's rule."""
    return {"publish": "published", "draft": "draft"}.get(rule, "in_review")


def _new_entry(question: Question, community: Community, answer: Answer, now: datetime) -> Entry:
    title, _, rest = question.text.strip().partition("\n")
    if len(title) > TITLE_LENGTH:
        title, rest = replies.excerpt(title, TITLE_LENGTH), question.text
    state = state_by(community.rule)
    return Entry(
        title=title,
        body=rest.strip(),
        state=state,
        space=question.space or ORG,
        origin=f"{question.platform}:{question.workspace}:{question.channel}",
        community_id=community.id,
        question_id=question.id,
        owner_id=answer.author_id,
        asker_id=question.asker_id,
        link=question.link,
        created_at=now,
        verified_at=None,  # accepted by its asker, and looked over by nobody yet
        review_at=now + timedelta(days=30 * community.review_months),
    )


async def remember(tx: Transaction, entry: Entry, *, by: int | None, reason: str, anonymous: bool = False) -> None:
    """Keep what the entry said until now as a version; by the hour where an `anonymous` asker may have changed it."""
    answers = await tx.all(select(EntryAnswer).where(EntryAnswer.entry_id == entry.id).order_by(EntryAnswer.id))
    said = [{"author": row.author_id, "text": row.text} for row in answers]
    content = {"title": entry.title, "body": entry.body, "state": entry.state, "answers": said}
    at = hour(tx.now) if anonymous else tx.now
    tx.session.add(
        EntryVersion(entry_id=entry.id, version=entry.version, at=at, by_id=by, reason=reason, content=content)
    )
    entry.version += 1


async def retire(tx: Transaction, entry: Entry, *, by: int | None, reason: str) -> None:
    """No longer found; kept with its versions."""
    if entry.state != "retired":
        await remember(tx, entry, by=by, reason=reason)
        entry.state = "retired"
        await tx.later("index", f"entries:{entry.id}-{entry.id}")


async def endorse(tx: Transaction, entry: Entry, reader: int) -> int:
    """This reader was helped (counted once each); how many were by now. Readers are kept as keyed hashes."""
    mark = tx.seal.mark(f"reader:{entry.id}:{reader}")
    if await tx.session.get(Endorsement, (entry.id, mark)) is None:
        await tx.add(Endorsement(entry_id=entry.id, reader=mark, at=hour(tx.now)))
        await tx.later("index", f"entries:{entry.id}-{entry.id}")
    return int(await tx.first(select(func.count()).where(Endorsement.entry_id == entry.id)) or 0)


# --- review by moderators ---------------------------------------------------------------------------------------------


async def moderators(tx: Transaction, community_id: int | None) -> list[int]:
    """The people who moderate a community."""
    mine = (Membership.community_id == community_id, Membership.role == "moderator")
    return await tx.all(select(Membership.person_id).where(*mine))


async def ask_moderators(tx: Transaction, entry: Entry, community: Community, *, author_id: int, text: str) -> None:
    """Show an entry that wants a look to those who moderate its community and may see it."""
    author = await tx.get(Person, author_id)
    card = replies_knowledge.to_review(entry.id, community.name, entry.title, text, author.name, entry.link)
    for person_id in await moderators(tx, community.id):
        account = await tx.recipient(person_id, entry.space)
        if account:
            await tx.show(f"review:{entry.id}:{person_id}", card, to=account, about=About(entries=(entry.id,)))


async def _reviewable(tx: Transaction, person: Person, entry_id: str) -> Entry:
    entry = await tx.get(Entry, row_id(entry_id))
    if not await tx.may_see(person, entry.space):
        raise Unknown  # as of one that never was: nobody learns which there are
    if person.id not in await moderators(tx, entry.community_id):
        raise NotAllowed("Only a moderator of its community can review this entry.")
    if entry.state == "retired":
        raise AlreadyDone("This entry was taken back or discarded.")
    return entry


async def settle_review(tx: Transaction, entry: Entry, words: str) -> None:
    """Say on the moderators' cards what became of an entry."""
    for person_id in await moderators(tx, entry.community_id):
        if await tx.recipient(person_id, entry.space):
            await tx.refresh(f"review:{entry.id}:{person_id}", replies_knowledge.reviewed(entry.title, words))
    await tx.later("index", f"entries:{entry.id}-{entry.id}")


async def publish(tx: Transaction, person: Person, event: Pressed) -> None:
    """A moderator finds an entry right."""
    entry = await _reviewable(tx, person, event.value)
    entry.state, entry.verified_at = "published", tx.now
    await settle_review(tx, entry, f"✓ Published by {plain(person.name)}.")
    await _tell_owner(tx, entry, person, published=True)


async def discard(tx: Transaction, person: Person, event: Pressed) -> None:
    """A moderator finds that an entry should not be found."""
    entry = await _reviewable(tx, person, event.value)
    await retire(tx, entry, by=person.id, reason="discarded in review")
    await settle_review(tx, entry, f"Discarded by {plain(person.name)}. The thread stays as it is.")
    await _tell_owner(tx, entry, person, published=False)


async def edit_form(tx: Transaction, person: Person, event: Pressed) -> Form:
    """The form in which a moderator edits an entry."""
    entry = await _reviewable(tx, person, event.value)
    answer = await tx.first(select(EntryAnswer).where(EntryAnswer.entry_id == entry.id).order_by(EntryAnswer.id))
    return forms.entry_form(entry.id, entry.title, answer.text if answer else "")


async def edit(tx: Transaction, person: Person, event: Submitted) -> None:
    """A moderator changed an entry: the old wording stays as a version."""
    entry = await _reviewable(tx, person, event.value)
    await remember(tx, entry, by=person.id, reason="edited in review")
    answer = await tx.first(select(EntryAnswer).where(EntryAnswer.entry_id == entry.id).order_by(EntryAnswer.id))
    entry.title = event.text("title").strip() or entry.title
    if answer and event.text("text").strip():
        answer.text = event.text("text").strip()
    entry.state, entry.verified_at = "published", tx.now
    await settle_review(tx, entry, f"✓ Edited and published by {plain(person.name)}.")
    await _tell_owner(tx, entry, person, published=True)


async def _tell_owner(tx: Transaction, entry: Entry, by: Person, *, published: bool) -> None:
    """Whose answer it is hears what became of it."""
    account = await tx.recipient(entry.owner_id, entry.space) if entry.owner_id not in (None, by.id) else None
    if account:
        card = replies_knowledge.entry_decided(entry.title, by.name, published=published)
        await tx.show(f"decided:{entry.id}", card, to=account, about=About(entries=(entry.id,)))


async def _may_look_over(tx: Transaction, person: Person, entry: Entry) -> bool:
    """Its owner and its moderators read an entry before others do."""
    return person.id == entry.owner_id or person.id in await moderators(tx, entry.community_id)


async def read(tx: Transaction, person: Person, event: Pressed) -> None:
    """Show the whole of an entry, privately."""
    row = await tx.get(Entry, row_id(event.value))
    match = _match(row.id)
    seen = await seen_by(tx, person, [match])
    if not seen and row.state == "in_review" and await _may_look_over(tx, person, row):
        seen = await seen_in(tx, await tx.readable(person), [match], states=(*FINDABLE, "in_review"))
    if not seen:
        raise Unknown  # as of one that never was: nobody learns which there are
    card = replies_knowledge.entry(seen[0], now=tx.now)
    await tx.show(tx.hidden("read", row.id, event.id), card, to=event.actor, about=About(entries=(row.id,)))


# --- what a reader sees -----------------------------------------------------------------------------------------------


async def seen_by(tx: Transaction, reader: Person | None, matches: Sequence[Match]) -> list[Past]:
    """The entries of these matches as `reader` sees them (None: what everybody may see), in the same order."""
    return await seen_in(tx, await tx.readable(reader) if reader else frozenset({ORG}), matches)


async def seen_in(
    tx: Transaction, spaces: Collection[str], matches: Sequence[Match], *, states: Sequence[str] = FINDABLE
) -> list[Past]:
    """The entries of these matches as a reader of `spaces` sees them, in the same order. Checks visibility again,
    against the database: the index may be a moment behind a channel that has just become private."""
    by_id = {int(match.id.partition(":")[2]): match for match in matches}
    rows: list[Entry] = await tx.all(
        select(Entry).where(Entry.id.in_(by_id), Entry.state.in_(states), Entry.space.in_(spaces))
    )
    if not rows:
        return []
    answers: dict[int, list[EntryAnswer]] = {}
    ids = [row.id for row in rows]
    for answer in await tx.all(
        select(EntryAnswer).where(EntryAnswer.entry_id.in_(ids)).order_by(EntryAnswer.accepted.desc(), EntryAnswer.id)
    ):
        answers.setdefault(answer.entry_id, []).append(answer)
    authors = {answer.author_id for many in answers.values() for answer in many}
    names = await names_of(tx, {row.owner_id for row in rows} | authors)
    known = await communities.seen_by(tx, spaces)
    community = {row.id: row.name for row in await tx.all(select(Community).where(Community.id.in_(known)))}
    counted = await tx.session.execute(
        select(Endorsement.entry_id, func.count()).where(Endorsement.entry_id.in_(ids)).group_by(Endorsement.entry_id)
    )
    helped = {key: int(count) for key, count in counted.all()}
    found = {row.id: row for row in rows}
    return [
        Past(
            entry_id=key,
            title=row.title,
            answer=told(answers.get(key, [])),
            author=replies.listed(
                list(
                    dict.fromkeys(
                        names[a.author_id] for a in answers.get(key, []) if a.accepted and a.author_id in names
                    )
                )
            ),
            owner=names.get(row.owner_id, ""),
            community=community.get(row.community_id or 0, "a colleague" if row.origin else "imported knowledge"),
            created=row.created_at,
            reviewed=row.verified_at if row.state == "published" else None,
            accepted=row.state == "published" and any(a.accepted for a in answers.get(key, [])),
            link=row.link,
            body=row.body,
            helped=helped.get(key, 0),
            why=_why(match),
        )
        for key, match in by_id.items()
        if (row := found.get(key))
    ]


async def shown(tx: Transaction, spaces: Collection[str], ids: Iterable[int]) -> dict[int, Past]:
    """These entries by their ids, as a reader of `spaces` sees them."""
    return {past.entry_id: past for past in await seen_in(tx, spaces, [_match(key) for key in dict.fromkeys(ids)])}


def _match(entry_id: int) -> Match:
    return Match(id=f"entry:{entry_id}", kind="entry", score=1.0, similarity=1.0, words=())


def told(answers: Sequence[EntryAnswer]) -> str:
    """The accepted answers, or the first one where none was accepted."""
    chosen = [answer.text for answer in answers if answer.accepted] or [answer.text for answer in answers[:1]]
    return "\n\n".join(chosen)


def _why(match: Match) -> str:
    close = (
        "nearly the same question"
        if match.similarity >= 0.85
        else ("much the same meaning" if match.similarity >= 0.6 else "a related question")
    )
    return f"{close}; both speak of {replies.listed([plain(w) for w in match.words[:4]])}" if match.words else close


async def names_of(tx: Transaction, ids: Iterable[int | None]) -> dict[int | None, str]:
    """People's names by id."""
    wanted = {key for key in ids if key is not None}
    if not wanted:
        return {}
    return {row.id: row.name for row in await tx.all(select(Person).where(Person.id.in_(wanted)))}


async def find(
    store: Store, index: ExpertiseIndex, reader: Person | None, text: str, *, limit: int = 5, at_least: float = 0.0
) -> list[tuple[Past, Match]]:
    """Entries like `text` that `reader` may see (None: what everybody may see), best first."""
    async with store.reading() as tx:
        spaces = await tx.readable(reader) if reader else frozenset({ORG})
    matches = await index.similar(text, readable=spaces, kinds=ENTRIES, limit=limit)
    matches = [match for match in matches if match.score >= at_least]
    async with store.reading() as tx:
        items = {item.entry_id: item for item in await seen_by(tx, reader, matches)}
    keys = [(int(match.id.partition(":")[2]), match) for match in matches]
    return [(items[key], match) for key, match in keys if key in items]


async def search(store: Store, index: ExpertiseIndex, reader: Person, text: str) -> list[Past]:
    """What is worth showing to somebody who searches for `text`, of what they may see, best first."""
    near = await find(store, index, reader, text, limit=FOUND)
    return [past for past, match in near if _tells(match, text)]


def _tells(match: Match, text: str) -> bool:
    """Who searches looks through several, and searches by a word, too."""
    asked = len(words_of(text))
    return match.similarity >= LIKE or 0 < asked < 2 * len(match.words)


# --- taken elsewhere ----------------------------------------------------------------------------------------------


async def exported(tx: Transaction) -> list[dict[str, Any]]:
    """What everybody may see, in the format that `weaver import qa` reads."""
    rows: list[Entry] = await tx.all(
        select(Entry).where(Entry.space == ORG, Entry.state.in_(FINDABLE)).order_by(Entry.id)
    )
    slugs = {row.id: row.slug for row in await tx.all(select(Community))}
    people = {row.id: row.email or row.source_key or row.name for row in await tx.all(select(Person))}
    answers: dict[int, list[EntryAnswer]] = {}
    for answer in await tx.all(select(EntryAnswer).order_by(EntryAnswer.id)):
        answers.setdefault(answer.entry_id, []).append(answer)
    return [
        {
            "id": str(row.id),
            "community": slugs.get(row.community_id or 0, ""),
            "title": row.title,
            "body": row.body,
            "asker": people.get(row.asker_id or 0),
            "created": row.created_at.isoformat(),
            "link": row.link,
            "answers": [
                {
                    "author": people.get(a.author_id or 0),
                    "text": a.text,
                    "accepted": a.accepted,
                    "endorsements": a.endorsements,
                }
                for a in answers.get(row.id, [])
            ],
        }
        for row in rows
    ]
