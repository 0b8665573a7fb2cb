"""The home view: what waits for a person, what they asked, where they belong, what they know, what they may search.

It is made as durable work, on opening and (once for many changes, see `questions.home_changed`) when something on it
changes, from what the person may see at that moment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import select

from bot import communities, profiles, questions, replies_home
from bot.models import ORG, Account, Channel, Community, Membership, Person, Prompt, Question
from bot.ports import ChatPlatform, Message, PersonRef
from bot.replies_home import Asking, Belonging, Home
from bot.store import Store, Transaction

MOST = 10


async def opened(tx: Transaction, person: Person, ref: PersonRef) -> None:
    """Somebody opened their home view: it is made at once, and kept up to date from now on."""
    account = await tx.session.get(Account, (ref.platform, ref.workspace, ref.id))
    if account:
        account.home = True
        await tx.session.flush()
    await questions.home_changed(tx, person.id, after=timedelta())


async def publish(store: Store, platforms: Mapping[str, ChatPlatform], subject: str) -> None:
    """Make one person's home view what it should be now."""
    async with store.reading() as tx:
        known = await tx.known_for("home", subject)
        ref = PersonRef(*known["ref"])
        person = await tx.person_of(ref)
        if person is None or ref.platform not in platforms:
            return
        message = await compose(tx, person, ref)
    await platforms[ref.platform].show_home(ref, message)


async def compose(tx: Transaction, person: Person, ref: PersonRef) -> Message:
    """The home view of `person` on the platform of `ref`."""
    spaces = await tx.readable(person)
    asked: list[Question] = await tx.all(
        select(Question)
        .where(Question.asker_id == person.id, Question.state.in_(("routed", "answered")), Question.space.in_(spaces))
        .order_by(Question.id.desc()).limit(MOST)
    )  # fmt: skip
    waiting: list[Prompt] = await tx.all(
        select(Prompt)
        .join(Question, Question.id == Prompt.question_id)
        .where(Prompt.expert_id == person.id, Prompt.state == "open", Question.space.in_(spaces))
        .order_by(Prompt.id.desc()).limit(MOST)
    )  # fmt: skip
    return replies_home.home(
        Home(
            asked=tuple([await questions.view(tx, row, near=ref) for row in asked]),
            waiting=tuple([await _asking(tx, row, ref) for row in waiting]),
            communities=await _communities(tx, person, ref.platform),
            expertise=await profiles.expertise(tx, person),
            everything=ORG in spaces,
            private=await _channels(tx, spaces),
            made_at=profiles.local(person, tx.now),
        )
    )


async def _asking(tx: Transaction, prompt: Prompt, ref: PersonRef) -> Asking:
    question = await tx.session.get_one(Question, prompt.question_id)
    return Asking(
        prompt_id=prompt.id,
        asked=await questions.view(tx, question, near=ref),
        why=await questions.why_asked(tx, prompt, question),
    )


async def _communities(tx: Transaction, person: Person, platform: str) -> tuple[Belonging, ...]:
    homes = await communities.homes_for(tx, person, platform=platform)
    mine = select(Membership).where(Membership.person_id == person.id, Membership.community_id.in_(homes))
    roles = {row.community_id: row.role for row in await tx.all(mine)}
    rows: list[Community] = await tx.all(select(Community).where(Community.id.in_(roles)).order_by(Community.name))
    return tuple(Belonging(name=row.name, channel=homes[row.id].name, role=roles[row.id]) for row in rows)


async def _channels(tx: Transaction, spaces: Collection[str]) -> tuple[str, ...]:
    """The names of the private channels among these spaces."""
    name_of_space = Channel.platform + ":" + Channel.workspace + ":" + Channel.channel
    rows = await tx.all(select(Channel.name).where(Channel.private, name_of_space.in_(spaces)).order_by(Channel.name))
    return tuple(rows)
