"""Measures of a ranking against judgements, with bootstrap intervals. Pure functions of what was found.

``found`` is one list per query: whether each ranked item is relevant, best first. ``relevant`` counts, per query, the
relevant items there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: Resamples of the bootstrap; its seed is fixed, so a report can be repeated to the digit.
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure with its 95 % bootstrap interval over queries."""

    value: float
    low: float
    high: float


def reciprocal_rank(found: Sequence[bool], cutoff: int | None = None) -> float:
    """1 / rank of the first relevant item, 0 if there is none among the first ``cutoff``."""
    for rank, hit in enumerate(found[:cutoff], start=1):
        if hit:
            return 1 / rank
    return 0.0


def recall(found: Sequence[bool], relevant: int, cutoff: int) -> float:
    """Share of the relevant items among the first ``cutoff``."""
    return sum(found[:cutoff]) / relevant


def hit(found: Sequence[bool], cutoff: int) -> float:
    """1 if any of the first ``cutoff`` is relevant, else 0."""
    return float(any(found[:cutoff]))


def ndcg(found: Sequence[bool], relevant: int, cutoff: int) -> float:
    """Normalised discounted cumulative gain, with relevance yes or no."""
    gain = sum(1 / math.log2(rank + 1) for rank, one in enumerate(found[:cutoff], start=1) if one)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(cutoff, relevant) + 1))


def auroc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Probability that an answerable query scores higher than one that is not; ties count half."""
    ranked = np.sort(outside)
    below = np.searchsorted(ranked, inside, side="left")
    not_above = np.searchsorted(ranked, inside, side="right")
    return float((below + not_above).mean() / 2 / len(outside))


def calibration_error(score: NDArray[np.float64], right: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error: how far the scores, taken as probabilities, are from what came true."""
    bin_of = np.minimum((score * bins).astype(np.intp), bins - 1)
    gap = np.bincount(bin_of, weights=score - right, minlength=bins)
    return float(np.abs(gap).sum() / len(score))


def mean_with_interval(values: Sequence[float]) -> Measured:
    """The mean over queries."""
    data = np.asarray(values, np.float64)
    return with_interval(lambda sample: float(data[sample].mean()), len(data))


def with_interval(measure: Callable[..., float], *sizes: int) -> Measured:
    """``measure`` is given, for each group of this size, the indices to measure: all, then those of each resample."""
    generator = np.random.default_rng(20)
    samples = [measure(*(generator.integers(0, size, size) for size in sizes)) for _ in range(RESAMPLES)]
    low, high = np.percentile(samples, [2.5, 97.5])
    return Measured(value=measure(*(np.arange(size) for size in sizes)), low=float(low), high=float(high))


def auroc_with_interval(inside: Sequence[float], outside: Sequence[float]) -> Measured:
    """`auroc`, each group resampled within itself."""
    yes, no = np.asarray(inside, np.float64), np.asarray(outside, np.float64)
    return with_interval(lambda of_yes, of_no: auroc(yes[of_yes], no[of_no]), len(yes), len(no))
