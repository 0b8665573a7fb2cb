"""The channels of a Slack export: each with its community, and private ones with the people who may see them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select

from bot.importers.bulk import insert_many
from bot.importers.communities import needed_communities
from bot.importers.report import Report
from bot.importers.slack_archive import ChannelInfo
from bot.importers.slack_people import PLATFORM, people_of
from bot.importers.slack_text import readable
from bot.importers.text import shortened, slug_of
from bot.models import ORG, Channel, SpaceMember
from bot.store import Transaction

NOT_LET_IN = (
    "Members who have joined this private channel since the last import are let in when the bot is in the channel, "
    "as this export may be older than what is known here."
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where the entries of a channel belong."""

    space: str
    community_id: int | None


async def put_channel(
    tx: Transaction, workspace: str, info: ChannelInfo, names: dict[str, str], report: Report
) -> Home:
    """Make this channel known, and say where its entries belong."""
    row = await tx.session.get(Channel, (PLATFORM, workspace, info.id))
    if row is None:
        row = await tx.add(
            Channel(platform=PLATFORM, workspace=workspace, channel=info.id, name=info.name, private=info.private)
        )
    row.name = info.name
    # Private then or private now: what was said there is its members' alone.
    space = f"{PLATFORM}:{workspace}:{info.id}" if row.private or info.private else ORG
    # Everybody sees a community's name and domain, so a private channel gets none of its own accord.
    slug = slug_of(info.name)
    if row.community_id is None and space == ORG and slug:
        domain = shortened(readable(info.about, names, {}), 1000)
        row.community_id = (await needed_communities(tx, {slug: domain}, rule="draft"))[slug].id
    if space != ORG:
        await _let_in(tx, space, info, set((await people_of(tx, workspace, set(info.members))).values()), report)
    return Home(space, row.community_id)


async def _let_in(tx: Transaction, space: str, info: ChannelInfo, members: set[int], report: Report) -> None:
    """The first time, its members; later only fewer, never more: an old export must not let back in who has left."""
    known = set(await tx.all(select(SpaceMember.person_id).where(SpaceMember.space == space)))
    if not known:
        if members:
            rows = [{"space": space, "person_id": person} for person in sorted(members)]
            await insert_many(tx, SpaceMember, rows)
        return
    if gone := known - members:
        mine = (SpaceMember.space == space, SpaceMember.person_id.in_(gone))
        await tx.session.execute(delete(SpaceMember).where(*mine))
    if members - known:
        report.note(f"channel {info.name}", NOT_LET_IN)
