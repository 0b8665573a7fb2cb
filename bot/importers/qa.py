"""`weaver import qa`: questions that were answered elsewhere, from a JSON Lines file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bot.errors import ImportProblem
from bot.importers.batches import ask_for_index, fingerprint, import_in_batches
from bot.importers.communities import known_communities, needed_communities
from bot.importers.entries import NewAnswer, NewEntry, put_entries
from bot.importers.people import named_people
from bot.importers.qa_lines import Line, LineError, numbered_lines, read_line
from bot.importers.report import Outcome, Progress, Report
from bot.importers.text import months_after, slug_of
from bot.models import ORG, Community
from bot.store import Store, Transaction

STATES = {"publish": "published", "draft": "draft", "review": "in_review"}
TWICE = "Its id has been in an earlier line of this community already, which counts."


async def import_qa(
    store: Store,
    path: Path,
    *,
    community: str | None = None,
    rule: str = "publish",
    progress: Progress | None = None,
) -> Report:
    """Import a file of questions and answers. Safe to repeat, and to kill and run again.

    `community` stands in for what the lines say; `rule` is what becomes of the entries, and of new communities.
    """
    if rule not in STATES:
        raise ImportProblem(f'"{rule}" is no rule for entries. Use one of {", ".join(STATES)}.')
    if community is not None and not slug_of(community):
        raise ImportProblem(
            f'"{community}" is no name for a community. Use letters and digits, such as "data-analytics".'
        )
    report = Report("entries")
    source = await asyncio.to_thread(fingerprint, "qa", path, community, rule)
    total = await asyncio.to_thread(_last_line, path)
    report.facts["lines"] = total

    async def put(tx: Transaction, lines: list[Line]) -> Outcome:
        return await _put_lines(tx, lines, rule)

    def committed(line: int) -> None:
        if progress:
            progress(line, total)

    lines = _lines(path, report, store.clock.now(), community)
    await import_in_batches(store, source, lines, put, report, committed=committed)
    if progress:
        progress(total, total)
    if total and report.remarks_left.counts["It is not JSON."] == total:
        raise ImportProblem(f"No line of {path} is JSON. The file needs one JSON object on each line.")
    return report


def _last_line(path: Path) -> int:
    """The number of the last line. Reads it all, so that a damaged file is found before anything is taken."""
    return max((number for number, _ in numbered_lines(path)), default=0)


def _lines(path: Path, report: Report, now: datetime, community: str | None) -> Iterator[tuple[int, Line]]:
    """The lines that can be taken; the others go into the report."""
    seen: set[tuple[str, str]] = set()
    for number, raw in numbered_lines(path):
        try:
            line = read_line(number, raw, now, community)
        except LineError as problem:
            report.leave(f"line {number}", str(problem), kind=problem.kind)
            continue
        if (line.community, line.id) in seen:
            report.leave(f"line {number}", TWICE)
            continue
        seen.add((line.community, line.id))
        yield number, line


async def _put_lines(tx: Transaction, lines: list[Line], rule: str) -> Outcome:
    slugs = {line.community: "" for line in lines}
    before = await known_communities(tx, set(slugs))
    communities = await needed_communities(tx, slugs, rule=rule)
    people, added = await named_people(tx, {name for line in lines for name in line.people}, source="qa")
    await ask_for_index(tx, "people", added)
    outcome = await put_entries(
        tx, [_entry(line, communities[line.community], people, STATES[rule], tx.now) for line in lines]
    )
    named = {person: name for name, person in people.items()}  # an address may be written in several ways
    outcome.people = [named[person] for person in added]
    outcome.communities = [communities[slug].name for slug in slugs if slug not in before]
    return outcome


def _entry(line: Line, community: Community, people: dict[str, int], state: str, now: datetime) -> NewEntry:
    created = line.created or now
    published = state == "published"
    return NewEntry(
        where=f"line {line.number}",
        source_key=f"qa:{line.community}:{line.id}",
        title=line.title,
        body=line.body,
        state=state,
        space=ORG,
        community_id=community.id,
        owner_id=people.get(_owner(line)),
        asker_id=people.get(line.asker),
        link=line.link,
        created_at=created,
        verified_at=None,
        review_at=months_after(created, community.review_months) if published else None,
        answers=tuple(
            NewAnswer(
                author_id=people.get(answer.author),
                text=answer.text,
                accepted=answer.accepted,
                endorsements=answer.endorsements,
                created_at=created,
            )
            for answer in line.answers
        ),
    )


def _owner(line: Line) -> str:
    """Who wrote the accepted answer that helped most, else who answered first."""
    credited = [answer for answer in line.answers if answer.author]
    accepted = [answer for answer in credited if answer.accepted]
    if accepted:
        return max(accepted, key=lambda answer: answer.endorsements).author
    others = [name for name in (*(answer.author for answer in credited), *line.answerers) if name != line.asker]
    return next(iter(others), credited[0].author if credited else "")
