"""`weaver import slack`: people, channels, and the questions answered in threads, from a workspace's export.

The threads become drafts: somebody looks at each before it is published. Direct messages are never read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.importers.batches import BATCH, fingerprint, import_in_batches
from bot.importers.entries import NewAnswer, NewEntry, put_entries
from bot.importers.report import Outcome, Progress, Report
from bot.importers.slack_archive import ChannelInfo, SlackArchive, Team
from bot.importers.slack_channels import Home, put_channel
from bot.importers.slack_people import people_of, put_users, read_user, shown_name, workspace_of
from bot.importers.slack_text import readable
from bot.importers.slack_threads import NO_START, Found, Said, gather, question_in
from bot.store import Store, Transaction

DIRECT = "It holds direct messages, which are never imported."
UNLISTED = "The export does not list this folder as a channel, so it cannot be told who may see it."
SHARED = "Two channels of this export have this folder's name, so it cannot be told who may see which message."


@dataclass(frozen=True, slots=True)
class Place:
    """What makes a channel's threads into entries."""

    workspace: str
    url: str
    channel: ChannelInfo
    home: Home


async def import_slack(
    store: Store,
    path: Path,
    *,
    workspace: str | None = None,
    url: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import an export archive. Safe to repeat, and to kill and run again.

    `workspace` is the team's id (T…), needed only where the export does not tell it; `url` its address.
    """
    report = Report("entries")
    source = await asyncio.to_thread(fingerprint, "slack", path, workspace, url)
    with await asyncio.to_thread(SlackArchive, path) as archive:
        team = await asyncio.to_thread(archive.team)
        days = archive.days()
        space = workspace or workspace_of(team.users)
        people = await _import_users(store, space, team, report)
        names = {str(user.get("id")): shown_name(user) for user in team.users}
        places = await _import_channels(store, space, team, names, report, url=url)
        todo = _folders(days, places, team, report)
        total = sum(len(files) for _, files in todo)

        reader = _Reader(archive, names, {place.channel.id: place.channel.name for place in places}, report)
        ends: list[int] = []  # how many entries each folder read so far has given in all

        def committed(position: int) -> None:
            if progress:
                folders = sum(1 for end in ends if end <= position)
                progress(sum(len(files) for _, files in todo[:folders]), total)

        found = reader.questions(todo, ends)
        await import_in_batches(store, source, found, _put_threads, report, committed=committed)
    report.facts |= people | {"channels": len(places), "messages": reader.messages, "threads": reader.threads}
    if progress:
        progress(total, total)
    return report


async def _import_users(store: Store, workspace: str, team: Team, report: Report) -> dict[str, int]:
    users = [user for row in team.users if (user := read_user(row)) is not None]
    users.sort(key=lambda user: (user.email or "", user.id))  # those with one address come in one batch
    counts: Counter[str] = Counter()
    for start in range(0, len(users), BATCH):
        batch = users[start : start + BATCH]

        async def put(tx: Transaction, batch: list[Any] = batch) -> Outcome:
            return await put_users(tx, workspace, batch)

        outcome = await store.run(put)
        counts.update(people_taken=outcome.taken, people_updated=outcome.updated, people_unchanged=outcome.unchanged)
        report.include(Outcome(noted=outcome.noted))
    return {**counts, "bots": len(team.users) - len(users)}


async def _import_channels(
    store: Store, workspace: str, team: Team, names: dict[str, str], report: Report, *, url: str | None
) -> list[Place]:
    places = []
    address = (url or "https://slack.com").rstrip("/")
    for info in team.channels:

        async def put(tx: Transaction, info: ChannelInfo = info) -> Home:
            return await put_channel(tx, workspace, info, names, report)

        places.append(Place(workspace, address, info, await store.run(put)))
    return places


def _folders(
    days: dict[str, list[str]], places: list[Place], team: Team, report: Report
) -> list[tuple[Place, list[str]]]:
    """The folders to read, with the channel each belongs to."""
    by_name: dict[str, list[Place]] = {}
    for place in places:
        by_name.setdefault(place.channel.name, []).append(place)
        by_name.setdefault(place.channel.id, []).append(place)
    todo = []
    for folder, files in days.items():
        found = by_name.get(folder, [])
        if len(found) == 1:
            todo.append((found[0], files))
        elif folder in team.direct or folder.startswith("mpdm-"):
            report.leave(folder, DIRECT)
        else:
            report.leave(folder, SHARED if found else UNLISTED)
    return todo


class _Reader:
    """Reads channel after channel, and finds the questions in the threads."""

    def __init__(self, archive: SlackArchive, names: dict[str, str], channels: dict[str, str], report: Report) -> None:
        self._archive = archive
        self._names = names
        self._channels = channels
        self._report = report
        self.messages = 0
        self.threads = 0

    def questions(
        self, folders: list[tuple[Place, list[str]]], ends: list[int]
    ) -> Iterator[tuple[int, tuple[Place, Found]]]:
        """Every question that was answered, numbered in an order that is the same each time."""
        position = 0
        for place, files in folders:
            threads, unusable, count = gather(self._archive.messages(files, self._report.leave))
            self.messages += count
            self.threads += len(threads)
            for ts, thread in threads.items():
                found = self._question(ts, thread, unusable)
                if isinstance(found, str):
                    self._report.leave(f"{place.channel.name} {ts}", found)
                else:
                    position += 1
                    yield position, (place, found)
            ends.append(position)

    def _question(self, ts: str, thread: list[Said], unusable: dict[str, str]) -> Found | str:
        if thread[0].ts != ts:
            return unusable.get(ts, NO_START)
        return question_in([replace(one, text=readable(one.text, self._names, self._channels)) for one in thread])


async def _put_threads(tx: Transaction, found: list[tuple[Place, Found]]) -> Outcome:
    workspaces = {place.workspace for place, _ in found}
    users = {user for _, one in found for user in (one.asker, *(answer.user for answer in one.answers))}
    people: dict[str, int] = {}
    for workspace in workspaces:
        people |= await people_of(tx, workspace, users)
    return await put_entries(tx, [_entry(place, one, people) for place, one in found])


def _entry(place: Place, found: Found, people: dict[str, int]) -> NewEntry:
    channel = place.channel.id
    return NewEntry(
        where=f"{place.channel.name} {found.ts}",
        source_key=f"slack:{place.workspace}:{channel}:{found.ts}",
        origin=f"slack:{place.workspace}:{channel}",
        title=found.title,
        body=found.body,
        state="draft",
        space=place.home.space,
        community_id=place.home.community_id,
        owner_id=people.get(found.owner),
        asker_id=people.get(found.asker),
        link=f"{place.url}/archives/{channel}/p{found.ts.replace('.', '')}?thread_ts={found.ts}&cid={channel}",
        created_at=found.at,
        verified_at=None,
        review_at=None,
        answers=tuple(
            NewAnswer(
                author_id=people.get(answer.user),
                text=answer.text,
                accepted=answer.accepted,
                endorsements=answer.endorsed,
                created_at=answer.at,
            )
            for answer in found.answers
        ),
    )
