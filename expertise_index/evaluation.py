"""Measures the index on a labelled set, through the same code that serves people, with rolling history.

A set is a folder with ``entries.jsonl`` and ``queries.jsonl`` (either may end in ``.xz``) and judgements:
``similar.qrels``, ``experts.qrels`` (TREC: query 0 item grade), or an ``answer_key`` in entries and queries, equal
where the answer is the same and null where there is none.
"""

from __future__ import annotations

import json
import lzma
from collections import Counter, defaultdict, deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from expertise_index import measures
from expertise_index.index import CHUNK, ExpertiseIndex
from expertise_index.measures import Measured
from expertise_index.values import Contribution, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from expertise_index.embedder import Embedder

#: Ranks kept of similar entries and of experts.
MOST_SIMILAR, MOST_EXPERTS = 10, 50

#: Nobody may be asked more often than this in a week in the measure "hit@3 capped".
WEEKLY_CAP = 5

_SPACE = "set"
_EPOCH = datetime.fromtimestamp(0, UTC)

Run = dict[str, list[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Result:
    """One measure on one split."""

    kind: str
    split: str
    measure: str
    queries: int
    measured: Measured


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured on one set."""

    name: str
    results: tuple[Result, ...]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """For a table: the heads of the columns, then a line for each measure."""
        lines: list[tuple[str, ...]] = [("kind", "split", "queries", "measure", "value", "95 % interval")]
        for one in self.results:
            value, low, high = (f"{number:.3f}" for number in asdict(one.measured).values())
            lines.append((one.kind, one.split, str(one.queries), one.measure, value, f"{low} to {high}"))
        return lines

    def as_dict(self) -> dict[str, Any]:
        """For JSON: {"set", "similar" or "experts": {split: {"n", measure: {"value", "low", "high"}}}}."""
        report: dict[str, Any] = {"set": self.name}
        for row in self.results:
            split = report.setdefault(row.kind, {}).setdefault(row.split, {"n": row.queries})
            split[row.measure] = {name: round(value, 4) for name, value in asdict(row.measured).items()}
        return report


@dataclass(slots=True)
class LabelledSet:
    """A set in memory."""

    name: str
    entries: list[dict[str, Any]]
    queries: list[dict[str, Any]]
    #: By kind ("similar", "experts"), by query: the relevant items.
    relevant: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> LabelledSet:
        """Reads a folder. Raises FileNotFoundError if it is no such set."""
        by_id = {query["id"]: query for query in _lines(folder, "queries")}  # a query told twice counts once
        self = cls(folder.name, _lines(folder, "entries"), list(by_id.values()))
        for kind in ("similar", "experts"):
            path = folder / f"{kind}.qrels"
            if path.exists():
                judged: dict[str, set[str]] = defaultdict(set)
                for line in path.read_text("utf-8").splitlines():
                    query, _, item, grade = line.split()
                    if int(grade) > 0:
                        judged[query].add(item)
                self.relevant[kind] = judged
        if not self.relevant:
            same: dict[str, set[str]] = defaultdict(set)
            for entry in self.entries:
                if entry["answer_key"] is not None:
                    same[entry["answer_key"]].add(entry["id"])
            self.relevant["similar"] = {
                query["id"]: same[query["answer_key"]] for query in self.queries if query["answer_key"] in same
            }
        return self

    @property
    def by_answer(self) -> bool:
        """Whether relevance is having the same answer, so that queries without an answer can be told apart."""
        return any(entry.get("answer_key") is not None for entry in self.entries)


async def evaluate(
    folder: Path,
    embedder: Embedder,
    *,
    run: Path | None = None,
    split: str | None = None,
    least: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Runs every query of a set (or of one ``split``) and measures what comes back.

    ``run``: folder for ``similar.run`` and ``experts.run``. ``least``: earlier threads that make a person a candidate
    expert. ``progress``: called with texts done and texts in all.
    """
    labelled = LabelledSet.load(folder)
    queries = [query for query in labelled.queries if split in (None, query.get("split"))]
    total = len(labelled.entries) + len(queries)
    step = progress or (lambda done, total: None)
    index = await ExpertiseIndex.open("sqlite://", embedder)
    try:
        items = [_item(entry) for entry in labelled.entries]
        for at in range(0, len(items), CHUNK):
            await index.put(items[at : at + CHUNK])
            step(at + len(items[at : at + CHUNK]), total)
        runs: dict[str, Run] = {kind: {} for kind in labelled.relevant}
        history = _History(labelled.entries)
        for at in range(0, len(queries), CHUNK):
            some = queries[at : at + CHUNK]
            vectors = await embedder.encode([_text(query) for query in some])
            for query, vector in zip(some, vectors, strict=True):
                if "similar" in runs:
                    runs["similar"][query["id"]] = await _similar(index, query, vector)
                if "experts" in runs:
                    among = history.active(_created(query), least)
                    runs["experts"][query["id"]] = await _experts(index, query, vector, among)
            step(len(items) + at + len(some), total)
    finally:
        await index.close()
    if run is not None:
        _write(run, runs)
    return Report(labelled.name, tuple(_measure(labelled, queries, runs)))


async def _similar(
    index: ExpertiseIndex, query: dict[str, Any], vector: NDArray[np.float32]
) -> list[tuple[str, float]]:
    found = await index.similar(
        _text(query), readable={_SPACE}, limit=MOST_SIMILAR, before=_created(query), vector=vector
    )
    return [(match.id, match.score) for match in found]


async def _experts(
    index: ExpertiseIndex, query: dict[str, Any], vector: NDArray[np.float32], among: set[str]
) -> list[tuple[str, float]]:
    created = _created(query)
    found = await index.experts(
        _text(query),
        readable={_SPACE},
        now=created or datetime.now(UTC),
        among=among,
        without={query.get("asker") or ""},
        limit=MOST_EXPERTS,
        before=created,
        vector=vector,
    )
    return [(expert.person, expert.score) for expert in found]


class _History:
    """How many threads each person had answered by a time; to be asked in any order, cheapest in order of time."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        dated = [(_created(entry) or _EPOCH, entry.get("answerers", ())) for entry in entries]
        self._entries = sorted(dated, key=lambda one: one[0])
        self._at = 0
        self._threads: Counter[str] = Counter()

    def active(self, before: datetime | None, least: int) -> set[str]:
        if self._at and before is not None and self._entries[self._at - 1][0] >= before:
            self._at, self._threads = 0, Counter()
        while self._at < len(self._entries) and (before is None or self._entries[self._at][0] < before):
            self._threads.update(set(self._entries[self._at][1]))
            self._at += 1
        return {person for person, threads in self._threads.items() if threads >= least}


# Measuring.


def _measure(labelled: LabelledSet, queries: Sequence[dict[str, Any]], runs: dict[str, Run]) -> Iterable[Result]:
    for kind, run in runs.items():
        relevant = labelled.relevant[kind]
        for split in sorted({str(query.get("split", "all")) for query in queries}):
            those = [query for query in queries if str(query.get("split", "all")) == split]
            judged = [query["id"] for query in those if relevant.get(query["id"])]
            if not judged:
                continue
            found = [[item in relevant[query] for item, _ in run[query]] for query in judged]
            measured: dict[str, Measured] = {}
            if kind == "experts":
                measured |= _of_experts(found)
                measured["hit@3 capped"] = measures.mean_with_interval(_capped(those, run, relevant))
            elif labelled.by_answer:
                measured |= _of_answers(found, judged, [query["id"] for query in those], run)
            else:
                measured |= _of_similar(found, [len(relevant[query]) for query in judged])
            for measure, value in measured.items():
                yield Result(kind, split, measure, len(judged), value)


def _of_similar(found: Sequence[list[bool]], relevant: Sequence[int]) -> dict[str, Measured]:
    pairs = list(zip(found, relevant, strict=True))
    values = {"MRR@10": [measures.reciprocal_rank(one, 10) for one in found]}
    for cutoff in (1, 5, 10):
        values[f"R@{cutoff}"] = [measures.recall(one, count, cutoff) for one, count in pairs]
    values["nDCG@10"] = [measures.ndcg(one, count, 10) for one, count in pairs]
    return {name: measures.mean_with_interval(one) for name, one in values.items()}


def _of_experts(found: Sequence[list[bool]]) -> dict[str, Measured]:
    values = {f"hit@{cutoff}": [measures.hit(one, cutoff) for one in found] for cutoff in (1, 3, 5)}
    values["MRR"] = [measures.reciprocal_rank(one) for one in found]
    return {name: measures.mean_with_interval(one) for name, one in values.items()}


def _of_answers(
    found: Sequence[list[bool]], judged: Sequence[str], queries: Sequence[str], run: Run
) -> dict[str, Measured]:
    measured = {
        f"acc@{cutoff}": measures.mean_with_interval([measures.hit(one, cutoff) for one in found]) for cutoff in (1, 3)
    }
    top = {query: run[query][0][1] if run[query] else 0.0 for query in queries}
    answerable = set(judged)
    outside = [score for query, score in top.items() if query not in answerable]
    if outside:
        measured["AUROC"] = measures.auroc_with_interval([top[query] for query in judged], outside)
    right = dict.fromkeys(queries, 0.0) | {q: float(any(one[:1])) for q, one in zip(judged, found, strict=True)}
    scores, truth = np.array([top[query] for query in queries]), np.array([right[query] for query in queries])
    measured["calibration error"] = measures.with_interval(
        lambda sample: measures.calibration_error(scores[sample], truth[sample]), len(queries)
    )
    return measured


def _capped(queries: Sequence[dict[str, Any]], run: Run, relevant: dict[str, set[str]]) -> list[float]:
    """hit@3 when people who were asked `WEEKLY_CAP` times within a week are passed over, greedily in order of time."""
    asked: dict[str, deque[datetime]] = defaultdict(deque)
    hits = []
    for query in sorted(queries, key=lambda one: _created(one) or _EPOCH):
        now, chosen = _created(query) or _EPOCH, []
        for person, _ in run[query["id"]]:
            times = asked[person]
            while times and times[0] <= now - timedelta(days=7):
                times.popleft()
            if len(times) < WEEKLY_CAP:
                chosen.append(person)
                times.append(now)
            if len(chosen) == 3:
                break
        if relevant.get(query["id"]):
            hits.append(float(any(person in relevant[query["id"]] for person in chosen)))
    return hits


# Reading and writing.


def _lines(folder: Path, name: str) -> list[dict[str, Any]]:
    packed = folder / f"{name}.jsonl.xz"
    plain = folder / f"{name}.jsonl"
    data = lzma.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes()
    return [json.loads(line) for line in data.split(b"\n") if line.strip()]


def _text(row: dict[str, Any]) -> str:
    return f"{row['title']}\n{row.get('body') or ''}".strip()


def _created(row: dict[str, Any]) -> datetime | None:
    if not row.get("created"):
        return None
    moment = datetime.fromisoformat(row["created"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _item(entry: dict[str, Any]) -> Item:
    created = _created(entry) or _EPOCH
    accepted = {answer["author"] for answer in entry.get("answers", ()) if answer.get("accepted")}
    return Item(
        id=entry["id"],
        kind="entry",
        title=entry["title"],
        body=entry.get("body") or "",
        answer="\n".join(answer["text"] for answer in entry.get("answers", ())),
        space=_SPACE,
        community=entry.get("community") or "",
        created=created,
        people=tuple(
            Contribution(person=person, at=created, accepted=person in accepted)
            for person in entry.get("answerers", ())
        ),
        answer_key=entry.get("answer_key") or "",
    )


def _write(folder: Path, runs: dict[str, Run]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, ranked in runs.items():
        (folder / f"{kind}.run").write_text("".join(_trec(ranked)), "utf-8")


def _trec(run: Run) -> Iterable[str]:
    for query, ranked in run.items():
        for rank, (item, score) in enumerate(ranked, start=1):
            yield f"{query} Q0 {item} {rank} {score:.9f} weaver\n"
