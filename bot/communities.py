"""Communities of practice: where they live, who moderates them, and who may see them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select

from bot.models import ORG, Channel, Community, Membership, Person, Question, SpaceMember
from bot.ports import PlaceInfo
from bot.store import Transaction


async def name(tx: Transaction, community_id: int | None) -> str:
    """A community's name; empty for none."""
    community = await tx.session.get(Community, community_id) if community_id else None
    return community.name if community else ""


async def home(tx: Transaction, community_id: int | None, *, platform: str, spaces: Collection[str]) -> Channel | None:
    """The community's channel that a reader of `spaces` sees, on `platform` if it has one there."""
    found: list[Channel] = await tx.all(select(Channel).where(Channel.community_id == community_id))
    rows = [row for row in found if row.space in spaces]
    rows.sort(key=lambda row: (row.platform != platform, row.channel))
    return rows[0] if rows else None


async def homes_for(tx: Transaction, person: Person, *, platform: str) -> dict[int, Channel]:
    """The communities this person may post in, each with its channel."""
    spaces = await tx.readable(person)
    rows: list[Channel] = await tx.all(select(Channel).where(Channel.community_id.is_not(None)))
    rows.sort(key=lambda row: (row.platform != platform, row.channel), reverse=True)  # the last one wins, as in `home`
    return {row.community_id: row for row in rows if row.community_id and row.space in spaces}


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


async def learn(tx: Transaction, info: PlaceInfo, members: list[Person]) -> Channel:
    """Keep what a platform says of a channel; for a private one, who may see it."""
    place = info.place
    row = await tx.channel_at(place)
    if row is None:
        row = await tx.add(Channel(platform=place.platform, workspace=place.workspace, channel=place.channel))
    row.name, row.private = info.name, info.private
    if info.private:
        for person in members:
            await _see(tx, row.space, person.id)
    return row


async def joined(tx: Transaction, channel: Channel, person: Person) -> None:
    """Somebody came into a channel: they may see it, and are a member of its community."""
    if channel.private:
        await _see(tx, channel.space, person.id)
    if channel.community_id and await tx.session.get(Membership, (channel.community_id, person.id)) is None:
        await tx.add(Membership(community_id=channel.community_id, person_id=person.id))


async def left(tx: Transaction, channel: Channel, person: Person) -> None:
    """Somebody left a channel: at once, nothing of a private one is shown to them any more."""
    seeing = await tx.session.get(SpaceMember, (channel.space, person.id))
    if seeing and channel.space != ORG:
        await tx.session.delete(seeing)
    member = await tx.session.get(Membership, (channel.community_id, person.id)) if channel.community_id else None
    if member and member.role == "member":
        await tx.session.delete(member)


async def _see(tx: Transaction, space: str, person_id: int) -> None:
    if await tx.session.get(SpaceMember, (space, person_id)) is None:
        await tx.add(SpaceMember(space=space, person_id=person_id))
