"""Measures against cases counted by hand, and a small set run through the index."""

from __future__ import annotations

import json
import lzma
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from expertise_index import HashEmbedder, measures
from expertise_index.evaluation import Report, evaluate


def test_measures_of_one_ranking() -> None:
    found = [False, True, False, True]

    assert measures.reciprocal_rank(found) == 1 / 2
    assert measures.reciprocal_rank(found, 1) == 0
    assert measures.recall(found, 4, 3) == 1 / 4
    assert measures.hit(found, 1) == 0
    assert measures.hit(found, 2) == 1
    expected = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / math.log2(4))
    assert measures.ndcg(found, 3, 10) == pytest.approx(expected)


def test_auroc_counts_pairs_and_half_of_ties() -> None:
    # 0.9 beats both, 0.5 beats one and ties with one: (2 + 1.5) of 4 pairs.
    assert measures.auroc(np.array([0.9, 0.5]), np.array([0.5, 0.1])) == 3.5 / 4


def test_calibration_error_is_the_weighted_gap() -> None:
    score, right = np.array([0.95, 0.95, 0.15, 0.15]), np.array([1.0, 0.0, 0.0, 0.0])

    assert measures.calibration_error(score, right) == pytest.approx((abs(1.9 - 1) + 0.3) / 4)


def test_an_interval_holds_the_mean_and_repeats() -> None:
    values = [0.0, 1.0] * 50

    measured = measures.mean_with_interval(values)

    assert measured.low < measured.value == 0.5 < measured.high
    assert 0.15 < measured.high - measured.low < 0.25
    assert measured == measures.mean_with_interval(values)


def write(folder: Path, name: str, rows: list[dict[str, Any]], *, packed: bool = False) -> None:
    text = "\n".join(json.dumps(row) for row in rows).encode()
    if packed:
        (folder / f"{name}.jsonl.xz").write_bytes(lzma.compress(text))
    else:
        (folder / f"{name}.jsonl").write_bytes(text)


def value(report: Report, kind: str, split: str, measure: str) -> float:
    number: float = report.as_dict()[kind][split][measure]["value"]
    return number


def day(number: int) -> str:
    return datetime(2026, 1, number, tzinfo=UTC).isoformat()


async def test_a_set_of_threads_with_rolling_history(tmp_path: Path) -> None:
    threads = [("a", "printer jams", 1, ["ann"]), ("b", "visa for japan", 2, ["bob"]), ("c", "printer", 9, ["cyd"])]
    write(
        tmp_path,
        "entries",
        [
            {"id": id_, "community": "c", "title": title, "body": "", "asker": "x", "created": day(at)}
            | {"answers": [{"author": who[0], "text": "so", "accepted": True}], "answerers": who}
            for id_, title, at, who in threads
        ],
        packed=True,
    )
    ask = {"title": "printer jams", "body": "", "created": day(5), "split": "test"}
    write(
        tmp_path,
        "queries",
        [
            {"id": "q1", "asker": "x"} | ask,
            {"id": "q2", "asker": "ann"} | ask,
            {"id": "q3", "asker": "x"} | ask | {"split": "dev"},
        ],
    )
    (tmp_path / "similar.qrels").write_text("q1 0 a 1\nq1 0 c 1\nq2 0 b 1\nq3 0 a 0\n")
    (tmp_path / "experts.qrels").write_text("q1 0 ann 2\nq2 0 ann 1\n")
    steps: list[tuple[int, int]] = []

    report = await evaluate(
        tmp_path,
        HashEmbedder(),
        run=tmp_path / "run",
        least=1,
        progress=lambda done, total: steps.append((done, total)),
    )

    # q1 finds a first, but c was created later; q2 finds b second. q3 has no judgement, so it counts nowhere.
    assert value(report, "similar", "test", "MRR@10") == (1 + 1 / 2) / 2
    assert value(report, "similar", "test", "R@1") == (1 / 2 + 0) / 2
    assert value(report, "similar", "test", "R@10") == (1 / 2 + 1) / 2
    # ann is found for q1, but may not be suggested to herself.
    assert value(report, "experts", "test", "hit@1") == 1 / 2
    assert "dev" not in report.as_dict()["similar"]
    assert steps[-1] == (6, 6)
    assert report.rows[0][0] == "kind"
    assert len(report.rows) == 1 + len(report.results)
    lines = (tmp_path / "run" / "similar.run").read_text().splitlines()
    assert [line.split()[:4] for line in lines[:2]] == [["q1", "Q0", "a", "1"], ["q1", "Q0", "b", "2"]]
    experts = (tmp_path / "run" / "experts.run").read_text()
    assert "q2 Q0 ann" not in experts
    assert "cyd" not in experts


async def test_least_leaves_out_who_answered_too_little(tmp_path: Path) -> None:
    entries = [
        {"id": f"{n}", "title": "printer", "body": "", "created": day(n + 1), "answers": [], "answerers": who}
        for n, who in enumerate((["ann"], ["ann", "bob"]))
    ]
    write(tmp_path, "entries", entries)
    write(tmp_path, "queries", [{"id": "q", "title": "printer", "body": "", "asker": "x", "created": day(20)}])
    (tmp_path / "experts.qrels").write_text("q 0 bob 1\n")

    assert value(await evaluate(tmp_path, HashEmbedder(), least=1), "experts", "all", "hit@3") == 1
    assert value(await evaluate(tmp_path, HashEmbedder(), least=2), "experts", "all", "hit@3") == 0


async def test_a_set_of_equal_answers(tmp_path: Path) -> None:
    write(
        tmp_path,
        "entries",
        [
            {"id": "a", "title": "printer jams", "body": "", "answer_key": "paper"},
            {"id": "b", "title": "printer jammed again", "body": "", "answer_key": "paper"},
            {"id": "c", "title": "visa for japan", "body": "", "answer_key": "visa"},
        ],
    )
    write(
        tmp_path,
        "queries",
        [
            {"id": "q1", "title": "printer jams", "body": "", "answer_key": "paper", "split": "test"},
            {"id": "q2", "title": "visa", "body": "", "answer_key": "paper", "split": "test"},
            {"id": "q3", "title": "lunch", "body": "", "answer_key": None, "split": "test"},
        ],
    )

    report = await evaluate(tmp_path, HashEmbedder(), split="test")

    assert value(report, "similar", "test", "acc@1") == 1 / 2
    assert value(report, "similar", "test", "acc@3") == 1  # each answer is shown once, so the second is the other one
    assert value(report, "similar", "test", "AUROC") == 1
    assert report.as_dict()["similar"]["test"]["n"] == 2
