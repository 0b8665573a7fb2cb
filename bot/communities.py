"""Communities of practice: where they live, who moderates them, and who may see them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, or_, select, update

from bot.models import (
    ORG,
    Account,
    AwaitedMember,
    Channel,
    Community,
    Entry,
    Membership,
    Person,
    Question,
    SpaceMember,
)
from bot.ports import BOARDS, PersonRef, Place, PlaceInfo
from bot.store import Transaction


async def name(tx: Transaction, community_id: int | None) -> str:
    """A community's name; empty for none."""
    community = await tx.session.get(Community, community_id) if community_id else None
    return community.name if community else ""


async def boards(tx: Transaction, community_id: int | None) -> list[Place]:
    """Where this community's open questions are shown, too, and cannot be answered."""
    if community_id is None:
        return []
    there = (Channel.workspace == BOARDS, Channel.archived.is_(False), Channel.private.is_(False))
    rows: list[Channel] = await tx.all(
        select(Channel).where(Channel.community_id == community_id, *there).order_by(Channel.channel)
    )
    return [Place(row.platform, row.workspace, row.channel) for row in rows]


async def home(tx: Transaction, community_id: int | None, *, platform: str, spaces: Collection[str]) -> Channel | None:
    """The community's channel that a reader of `spaces` sees, on `platform` if it has one there."""
    if community_id is None:
        return None
    found: list[Channel] = await tx.all(select(Channel).where(Channel.community_id == community_id))
    rows = [row for row in found if row.space in spaces and not row.archived and not row.board]
    rows.sort(key=lambda row: (row.platform != platform, row.channel))
    return rows[0] if rows else None


async def homes_for(tx: Transaction, person: Person, *, platform: str) -> dict[int, Channel]:
    """The communities this person may post in, each with its channel."""
    spaces = await tx.readable(person)
    rows: list[Channel] = await tx.all(
        select(Channel).where(
            Channel.community_id.is_not(None), Channel.archived.is_(False), Channel.workspace != BOARDS
        )
    )
    rows.sort(key=lambda row: (row.platform != platform, row.channel), reverse=True)  # the last one wins, as in `home`
    return {row.community_id: row for row in rows if row.community_id and row.space in spaces}


async def seen_by(tx: Transaction, spaces: Collection[str]) -> set[int]:
    """The communities a reader of `spaces` knows of: with a channel they may see, or with none at all yet."""
    homes: list[Channel] = await tx.all(select(Channel).where(Channel.workspace != BOARDS))
    hidden = {row.community_id for row in homes if row.space not in spaces}
    shown = {row.community_id for row in homes if row.space in spaces}
    return {key for key in await tx.all(select(Community.id)) if key in shown or key not in hidden}


async def overview(tx: Transaction, person: Person, *, platform: str) -> list[tuple[str, str, str, int]]:
    """Name, channel, domain and number of open questions of each community this person may see."""
    seen = Question.space.in_(await tx.readable(person))
    waiting = select(Question.community_id, func.count()).where(Question.state == "routed", seen)
    counted = await tx.session.execute(waiting.group_by(Question.community_id))
    counts = {key: int(count) for key, count in counted.all()}
    homes = await homes_for(tx, person, platform=platform)
    rows = {row.id: row for row in await tx.all(select(Community).where(Community.id.in_(homes)))}
    found = [(row.name, homes[key].name, row.domain, counts.get(key, 0)) for key, row in rows.items()]
    return sorted(found)


async def moderated_by(tx: Transaction, person: Person) -> list[Community]:
    """The communities this person moderates."""
    mine = (Membership.person_id == person.id, Membership.role == "moderator")
    joined = select(Community).join(Membership, Membership.community_id == Community.id)
    return await tx.all(joined.where(*mine).order_by(Community.name))


async def moderates(tx: Transaction, person: Person, community_id: int) -> bool:
    """Whether this person moderates this community."""
    return any(row.id == community_id for row in await moderated_by(tx, person))


async def moved(tx: Transaction, place: Place, *, left: PersonRef | None = None) -> None:
    """Something has changed in a channel: what is being asked of the platform meanwhile is old already.

    Who has `left` sees nothing of it any more, and is not waited for.
    """
    if channel := await tx.channel_at(place):
        locked = await tx.get(Channel, (channel.platform, channel.workspace, channel.channel))
        locked.changes += 1
        if left:  # at once: whether they are back by now, the platform says
            space = channel.members_space
            awaited = (AwaitedMember.space == space, AwaitedMember.user == left.id)
            await tx.session.execute(delete(AwaitedMember).where(*awaited))
            account = await tx.session.get(Account, (left.platform, left.workspace, left.id))
            inside = (SpaceMember.space == space, SpaceMember.person_id == account.person_id) if account else ()
            if inside:
                await tx.session.execute(delete(SpaceMember).where(*inside))


class OldAnswer(Exception):
    """The channel has changed while its platform was being asked."""


async def learn(
    tx: Transaction, info: PlaceInfo, members: Collection[PersonRef], *, asked_at: int | None = None
) -> Channel:
    """Keep what a platform says of a channel now; for a private one, `members` are all who may see it.

    `asked_at` is the channel's count of changes when the platform was asked (-1: it was not known). Raises `OldAnswer`
    where it is another one by now.

    A channel made private takes along what was asked in it. One made public does not: what its members wrote when it
    was theirs stays theirs.
    """
    place = info.place
    row = await tx.channel_at(place)
    if row is not None:  # locked: whoever posts or keeps something here meanwhile waits, or is waited for
        row = await tx.get(Channel, (place.platform, place.workspace, place.channel))
        if asked_at is not None and row.changes != asked_at:
            raise OldAnswer
    else:
        row = await tx.add(Channel(platform=place.platform, workspace=place.workspace, channel=place.channel))
    changed = row.private != info.private or row.archived != info.archived
    row.name, row.private, row.archived, row.outsiders = info.name, info.private, info.archived, info.outsiders
    row.checked_at = tx.now
    if info.private:
        await _members_are(tx, row.members_space, members)
        await _close(tx, row)  # each time: what was written while it was being closed, too
    if changed and row.community_id:
        await tx.later("index", f"communities:{row.community_id}-{row.community_id}")
    return row


async def lost(tx: Transaction, place: Place) -> None:
    """The platform knows this channel no longer, or not for us: nothing is posted there, and who may still see a
    private one cannot be told any more, so nobody does."""
    if row := await tx.channel_at(place):
        row.archived, row.checked_at = True, tx.now
        await _members_are(tx, row.members_space, ())
        if row.community_id:
            await tx.later("index", f"communities:{row.community_id}-{row.community_id}")


async def readers_see(tx: Transaction, channel: Channel) -> frozenset[str]:
    """The spaces that every reader of this channel may see: what may be shown in it.

    A member whom nobody has introduced yet may be a guest. Guests of a public channel are not known.
    """
    own = frozenset({channel.space}) - {ORG}
    if channel.outsiders:
        return own
    if channel.private:
        here = select(SpaceMember.person_id).where(SpaceMember.space == channel.members_space)
        guests = select(Person.id).where(Person.id.in_(here), Person.guest)
        unknown = select(AwaitedMember.user).where(AwaitedMember.space == channel.members_space)
        if await tx.first(guests) is not None or await tx.first(unknown) is not None:
            return own
    return own | {ORG}


async def _members_are(tx: Transaction, space: str, members: Collection[PersonRef]) -> None:
    """Exactly these may see the space; those nobody has introduced yet, as soon as somebody does."""
    users = sorted({ref.id for ref in members})
    known: dict[str, int] = {}
    for start in range(0, len(users), 500):
        for account in await tx.all(select(Account).where(Account.user.in_(users[start : start + 500]))):
            if space.startswith(f"{account.platform}:{account.workspace}:"):
                known[account.user] = account.person_id
    await tx.session.execute(delete(SpaceMember).where(SpaceMember.space == space))
    await tx.session.execute(delete(AwaitedMember).where(AwaitedMember.space == space))
    tx.session.add_all(SpaceMember(space=space, person_id=key) for key in sorted(set(known.values())))
    tx.session.add_all(AwaitedMember(space=space, user=user) for user in users if user not in known)
    await tx.session.flush()


async def let_in(tx: Transaction, person_id: int, ref: PersonRef) -> None:
    """Somebody has just been introduced: they may see the private channels they were waited for in."""
    for row in await tx.all(select(AwaitedMember).where(AwaitedMember.user == ref.id)):
        if row.space.startswith(f"{ref.platform}:{ref.workspace}:"):
            await _see(tx, row.space, person_id)
            await tx.session.delete(row)


async def _close(tx: Transaction, channel: Channel) -> None:
    """The channel is private now: so is what was asked in it, and the knowledge that came of it."""
    here = (
        Question.platform == channel.platform,
        Question.workspace == channel.workspace,
        Question.channel == channel.channel,
    )
    await tx.session.execute(update(Question).where(*here, Question.space == ORG).values(space=channel.space))
    asked = select(Question.id).where(*here)
    came_from = or_(Entry.origin == channel.members_space, Entry.question_id.in_(asked))
    closed = await tx.all(select(Entry).where(Entry.space == ORG, came_from))
    for entry in closed:
        entry.space = channel.space
        await tx.later("index", f"entries:{entry.id}-{entry.id}")


async def joined(tx: Transaction, channel: Channel, person: Person) -> None:
    """Somebody came into a channel: they are a member of its community. (Who may see it, its platform says.)"""
    if channel.community_id and await tx.session.get(Membership, (channel.community_id, person.id)) is None:
        await tx.add(Membership(community_id=channel.community_id, person_id=person.id))


async def left(tx: Transaction, channel: Channel, person: Person) -> None:
    """Somebody left a channel: at once, nothing of a private one is shown to them any more."""
    if seeing := await tx.session.get(SpaceMember, (channel.members_space, person.id)):
        await tx.session.delete(seeing)
    member = await tx.session.get(Membership, (channel.community_id, person.id)) if channel.community_id else None
    if member and member.role == "member":
        await tx.session.delete(member)


async def _see(tx: Transaction, space: str, person_id: int) -> None:
    if await tx.session.get(SpaceMember, (space, person_id)) is None:
        await tx.add(SpaceMember(space=space, person_id=person_id))
