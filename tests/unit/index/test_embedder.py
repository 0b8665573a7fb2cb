"""Vectors of unit length, off the event loop, from a model that loads in the background."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from expertise_index import Embedder, ExpertiseIndex, HashEmbedder, SentenceEmbedder
from tests.unit.index.conftest import item


async def test_the_fake_is_deterministic_and_alike_for_alike_texts() -> None:
    embedder: Embedder = HashEmbedder(64)

    one, same, alike, other = await embedder.encode(["printer jams", "printer jams", "printers jam", "visa"])

    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert (one == same).all()
    assert one @ alike > one @ other + 0.3
    assert (await embedder.encode([])).shape == (0, 64)
    assert np.linalg.norm(await embedder.encode([""])) == pytest.approx(1)


def test_importing_the_package_loads_no_model_library() -> None:
    code = "import sys, expertise_index; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    root = Path(__file__).resolve().parents[3]

    begin = time.perf_counter()
    printed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"
    assert time.perf_counter() - begin < 5  # a loaded machine; alone it takes a fifth of a second


async def test_a_model_that_cannot_be_loaded_says_so_at_every_call(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    embedder = SentenceEmbedder(str(tmp_path))
    await embedder.start()

    for _ in range(2):
        with pytest.raises(Exception):  # noqa: B017, PT011  (whatever the library raises)
            await embedder.encode(["text"])

    assert not embedder.ready
    await embedder.close()


@pytest.mark.needs_model
@pytest.mark.filterwarnings("ignore")  # of the model libraries, in their own thread
async def test_the_bundled_model_finds_what_shares_no_word() -> None:
    embedder = SentenceEmbedder()
    index = await ExpertiseIndex.open("sqlite://", embedder)
    longest_pause = 0.0

    async def watch() -> None:
        nonlocal longest_pause
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            longest_pause = max(longest_pause, time.perf_counter() - before)

    watching = asyncio.create_task(watch())
    assert not embedder.ready  # opening did not wait
    await index.put([item("reset", "How can I change my password?"), item("lunch", "What is for lunch on Friday?")])
    (first, *_) = await index.similar("forgot login credentials", readable={"open"})
    together = await asyncio.gather(*(embedder.encode([text]) for text in ("one", "two", "three")))
    watching.cancel()
    await index.close()
    await embedder.close()

    assert first.id == "reset"
    assert first.words == ()
    assert embedder.ready
    assert embedder.dimensions == 384
    assert all(np.linalg.norm(vectors) == pytest.approx(1, abs=1e-3) for vectors in together)
    assert longest_pause < 2, "the event loop stood still while the model loaded"
    with pytest.raises(RuntimeError):
        await embedder.encode(["late"])
