"""Committing an import batch by batch, so that a killed one goes on where it was and nothing counts twice.

One transaction holds a batch's rows, the mark of how far the file has come, and the index work for the rows. The mark
goes away when the file is done: importing it again then compares every row anew.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import TypeVar

from sqlalchemy import delete

from bot.errors import ImportProblem
from bot.importers.report import Outcome, Report
from bot.models import ImportMark
from bot.store import Store, Transaction

Item = TypeVar("Item")

BATCH = 500
#: An import interrupted longer ago begins anew: too much may have changed in between.
RESUMABLE = timedelta(days=7)
#: More ranges than this are joined over their smallest gaps: indexing a few rows again is cheaper than many work rows.
MAX_RANGES = 20


def fingerprint(kind: str, path: Path, *options: str | None) -> str:
    """The name of an import: its kind, the content of the file, and what else decides about the result."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise ImportProblem(
            f"{path} could not be read: {error.strerror or error}. Check the path and its permissions."
        ) from error
    digest.update(repr(options).encode())
    return f"{kind}:{digest.hexdigest()}"


def id_ranges(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Inclusive ranges that hold all ids, with as little else as `MAX_RANGES` of them allow."""
    ordered = sorted(set(ids))
    if not ordered:
        return []
    gaps = [(after - before, position) for position, (before, after) in enumerate(pairwise(ordered), 1)]
    widest = sorted((gap for gap in gaps if gap[0] > 1), reverse=True)[: MAX_RANGES - 1]
    cuts = [0, *sorted(position for _, position in widest), len(ordered)]
    return [(ordered[start], ordered[end - 1]) for start, end in pairwise(cuts)]


async def ask_for_index(tx: Transaction, kind: str, ids: Iterable[int]) -> None:
    """Have these rows (`entries` or `people`) brought into the index after the commit."""
    for first, last in id_ranges(ids):
        await tx.later("index", f"{kind}:{first}-{last}")


async def import_in_batches(
    store: Store,
    source: str,
    items: Iterator[tuple[int, Item]],
    apply: Callable[[Transaction, list[Item]], Awaitable[Outcome]],
    report: Report,
    *,
    committed: Callable[[int], None] = lambda position: None,
) -> None:
    """Apply all items, each batch in one transaction. `items` gives (position in the file, item), ascending.

    Reading runs in a thread, a batch at a time. `committed` is told the position reached.
    """
    resume_after = await _position(store, source)
    while batch := await asyncio.to_thread(lambda: list(islice(items, BATCH))):
        position = batch[-1][0]
        todo = [item for place, item in batch if place > resume_after]
        report.earlier += len(batch) - len(todo)
        if todo:
            report.include(await store.run(_step(source, position, todo, apply)))
        committed(position)
    await store.run(lambda tx: tx.session.execute(delete(ImportMark).where(ImportMark.source == source)))


def _step(
    source: str, position: int, items: list[Item], apply: Callable[[Transaction, list[Item]], Awaitable[Outcome]]
) -> Callable[[Transaction], Awaitable[Outcome]]:
    async def step(tx: Transaction) -> Outcome:
        outcome = await apply(tx, items)
        await tx.session.merge(ImportMark(source=source, position=position, at=tx.now))
        return outcome

    return step


async def _position(store: Store, source: str) -> int:
    async with store.reading() as tx:
        mark = await tx.session.get(ImportMark, source)
        return mark.position if mark and tx.now - mark.at < RESUMABLE else 0
