"""Mirrors: a question in the other channels of its community, so that it is asked in one and answered in another.

A question has one home, the thread below its card in the channel it was posted in. Where its community has channels in
other workspaces, of whatever platforms, its card stands in one of each, and what is said in one thread is shown in the
others. That goes on only between channels that everybody in the organisation reads, and nobody else: what is written in
one is read in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from bot import communities
from bot.models import ORG, Channel, Mirror, Question, Work
from bot.ports import BOARDS, Message, PersonRef, Place
from bot.store import About, Transaction

#: How long something waits for a mirror whose card its platform does not take.
LATE = timedelta(days=7)
APART = (
    "This channel and the one where that was asked do not have the same readers any more, so I pass nothing on between "
    "them. What you wrote stays here, and only here."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A thread of a question, and the name of its channel. `mirror` is the row's id, 0 for the question's own home."""

    place: Place
    channel: str
    link: str
    mirror: int = 0

    @property
    def posted(self) -> bool:
        """Whether the question's card is there."""
        return self.place.thread is not None

    @property
    def label(self) -> str:
        """How people elsewhere call it."""
        return label(self.channel, self.place.platform)

    def key(self, key: str) -> str:
        """What a card is known by that stands in each of the threads."""
        return f"{key}:{self.mirror}" if self.mirror else key


def label(channel: str, platform: str) -> str:
    """How people on other platforms call a channel."""
    return f"#{channel} on {platform.capitalize()}"


# --- where ----------------------------------------------------------------------------------------------------------


async def _everybodys(tx: Transaction, channel: Channel) -> bool:
    """Whether everybody in the organisation reads this channel, and nobody else."""
    return not channel.private and ORG in await communities.readers_see(tx, channel)


async def channels(tx: Transaction, community_id: int | None, home: Channel) -> list[Channel]:
    """Where a question of this community is shown, too, when it is posted in `home`: a channel of each other workspace.

    One of each, the same that is chosen to ask in, and none beside the home: people see all channels of the workspace
    they are in, and would get everything twice.
    """
    mine = select(Channel).where(Channel.community_id == community_id, Channel.workspace != BOARDS)
    rows: list[Channel] = await tx.all(mine.where(Channel.archived.is_(False)).order_by(Channel.channel))
    found: dict[tuple[str, str], Channel] = {}
    if community_id and await _everybodys(tx, home):
        for row in rows:
            elsewhere = (row.platform, row.workspace) != (home.platform, home.workspace)
            if elsewhere and await _everybodys(tx, row):
                found.setdefault((row.platform, row.workspace), row)
    return list(found.values())


async def connected(tx: Transaction, question: Question, channel: Channel) -> bool:
    """Whether what is said of this question in its other threads may be shown in this channel, and the reverse."""
    home = await tx.channel_at(question.home)
    shared = question.space == ORG and home is not None and await _everybodys(tx, home)
    return shared and await _everybodys(tx, channel)


async def homes(tx: Transaction, question: Question) -> list[Home]:
    """The threads of a question that show what is said in any of them now; its own home first."""
    channel = await tx.channel_at(question.home)
    own = Home(place=question.home, channel=channel.name if channel else "", link=question.link)
    found = []
    for row in await tx.all(select(Mirror).where(Mirror.question_id == question.id).order_by(Mirror.id)):
        there = await tx.channel_at(row.place)
        if there and not there.archived and await connected(tx, question, there):
            found.append(Home(place=row.place, channel=there.name, link=row.link, mirror=row.id))
    gone = channel is not None and channel.archived and found
    return found if gone else [own, *found]


async def hears(tx: Transaction, question: Question, place: Place) -> bool:
    """Whether what is said in this thread counts for the question."""
    return place.root == question.home.root or any(place.root == home.place.root for home in await homes(tx, question))


def nearest(among: Sequence[Home], near: PersonRef | Place | None) -> Home:
    """The thread that this person opens, or that is in this place: there, on the same platform, or the home."""
    if near is None:
        return among[0]

    def far(home: Home) -> int:
        if (home.place.platform, home.place.workspace) == (near.platform, near.workspace):
            return 0
        return 1 if home.place.platform == near.platform else 2

    return min((home for home in among if home.link) if any(home.link for home in among) else among, key=far)


async def question_in(tx: Transaction, place: Place) -> int | None:
    """The id of the question that is mirrored in this thread."""
    here = (Mirror.platform == place.platform, Mirror.workspace == place.workspace)
    there = (Mirror.channel == place.channel, Mirror.thread == place.thread)
    found: int | None = await tx.first(select(Mirror.question_id).where(*here, *there))
    return found


async def soon(tx: Transaction, place: Place) -> bool:
    """Whether a question's card is on its way into this channel as a mirror."""
    here = (Mirror.platform == place.platform, Mirror.workspace == place.workspace)
    unsettled = (Mirror.channel == place.channel, Mirror.thread.is_(None))
    return await tx.first(select(Mirror.id).where(*here, *unsettled)) is not None


# --- what is shown there ----------------------------------------------------------------------------------------------


async def begin(tx: Transaction, question: Question, platforms: Collection[str]) -> None:
    """The question is posted: from now on it is mirrored, once in each of the other workspaces that there still are."""
    home = await tx.channel_at(question.home)
    there = select(Mirror.platform, Mirror.workspace).where(Mirror.question_id == question.id)
    known = {tuple(row) for row in (await tx.session.execute(there)).all()}
    for row in await channels(tx, question.community_id, home) if home else ():
        if row.platform in platforms and (row.platform, row.workspace) not in known:
            where = {"platform": row.platform, "workspace": row.workspace, "channel": row.channel}
            await tx.add(Mirror(question_id=question.id, **where))


async def show(
    tx: Transaction,
    question: Question,
    key: str,
    message: Message,
    *,
    written: Place | None = None,
    by: PersonRef | None = None,
) -> None:
    """Show something in all threads of a question, or bring it up to date; not where somebody has `written` it.

    `by` gets it back if it cannot be shown at home.
    """
    for home in await homes(tx, question):
        if written and (home.place.platform, home.place.workspace) == (written.platform, written.workspace):
            continue
        passed_on = home.mirror > 0 or written is not None
        about = About(question=question.id, by=astuple(by) if by and not passed_on else (), mirrored=passed_on)
        place, waiting = home.place, f"{home.mirror}/{key}"
        if home.mirror:  # locked: its card may be posted at this moment
            place = (await tx.get(Mirror, home.mirror)).place
        if home.mirror and place.thread is None:
            card, lane = {"card": message.as_json()}, f"mirror:{home.mirror}"
            await tx.later("carry", waiting, after=LATE, lane=lane, knowing=card)
        else:
            await tx.never_mind("carry", waiting)
            await tx.show(home.key(key), message, to=place, about=about)


async def withdraw(tx: Transaction, question: Question, key: str) -> None:
    """Take something back in all threads, also in those that are not connected any more."""
    await tx.withdraw(key)
    for mirror in await tx.all(select(Mirror.id).where(Mirror.question_id == question.id)):
        await tx.never_mind("carry", f"{mirror}/{key}")
        await tx.withdraw(f"{key}:{mirror}")


async def when_posted(tx: Transaction, mirror_id: int, message_id: str) -> None:
    """The question's card is in this channel: what was said elsewhere meanwhile follows into its thread."""
    mirror = await tx.get(Mirror, mirror_id)
    mirror.thread = message_id
    waiting = (Work.kind == "carry", Work.subject.startswith(f"{mirror.id}/"))
    await tx.session.execute(update(Work).where(*waiting).values(due_at=tx.now))
    await tx.later("mirrored", mirror.id)


async def give_up(tx: Transaction, mirror_id: int) -> None:
    """The question's card may not go to this channel any more, before it was there."""
    waiting = (Work.kind == "carry", Work.subject.startswith(f"{mirror_id}/"))
    await tx.session.execute(delete(Work).where(*waiting))
    await tx.session.delete(await tx.get(Mirror, mirror_id))


async def carry(tx: Transaction, subject: str) -> None:
    """Show in a mirror what was said before its thread was there."""
    mirror_id, _, key = subject.partition("/")
    waiting = select(Work).where(Work.kind == "carry", Work.subject == subject)
    work: Work | None = await tx.first(waiting.with_for_update())  # or it has been shown as it is by now
    mirror = await tx.session.get(Mirror, int(mirror_id))
    if work is None or mirror is None or mirror.thread is None:
        return
    message = Message.from_json(tx.seal.open_json(work.sealed)["card"])
    passed_on = About(question=mirror.question_id, mirrored=True)
    await tx.show(f"{key}:{mirror.id}", message, to=mirror.place, about=passed_on)
