"""The one class an application talks to: puts items in, finds items, experts and communities."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING

from expertise_index import ranking
from expertise_index.backend import Filter, Query, Record, Vector
from expertise_index.words import as_typed, words_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from expertise_index.backend import Backend, Candidate
    from expertise_index.embedder import Embedder
    from expertise_index.values import CommunityMatch, Expert, Item, Match

#: Items written in one transaction, so that a large import never keeps questions waiting.
CHUNK = 256

#: Answers of fewer characters are never taken for the same answer.
SHORTEST_ANSWER = 20

#: Candidates by vector, and as many by words, that are ranked for a question.
DEPTH = 50

#: Questions whose vectors are kept in memory.
REMEMBERED = 256

#: The newest entries, looked at for who is there to answer.
NEWEST = 300


class ExpertiseIndex:
    """Text in, ids and scores out.

    Default deny: every search names the spaces its reader may see (``readable``); items of other spaces influence
    nothing, and an empty set finds nothing.
    """

    def __init__(self, backend: Backend, embedder: Embedder) -> None:
        """Use `open`."""
        self._backend = backend
        #: Its ``ready`` tells whether a search would begin at once. The caller's, who closes it.
        self.embedder = embedder
        self._asked: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    @classmethod
    async def open(cls, url: str, embedder: Embedder) -> ExpertiseIndex:
        """Opens or creates an index.

        ``url``: "sqlite:///relative.db", "sqlite:////absolute.db", "sqlite://" (in memory) or "postgresql://…".
        A driver name as in "sqlite+aiosqlite:" is ignored. The model is loaded by ``embedder.start()``, or when it is
        first needed.

        Raises ValueError for another kind of URL and WrongSchema for an index of another version.
        """
        kind, _, rest = url.partition("://")
        match kind.partition("+")[0]:
            case "sqlite":
                from expertise_index.sqlite import SqliteBackend

                path = rest.partition("?")[0].removeprefix("/")
                return cls(await SqliteBackend.open("" if path == ":memory:" else path, embedder.name), embedder)
            case "postgresql" | "postgres":
                from expertise_index.postgres import PostgresBackend

                return cls(await PostgresBackend.open(f"postgresql://{rest}"), embedder)
        raise ValueError(f"an index lives in sqlite:// or postgresql://, not in {kind}://")

    async def close(self) -> None:
        """Closes the database. The embedder is the caller's and stays open."""
        await self._backend.close()

    # Putting in.

    async def put(self, items: Sequence[Item]) -> int:
        """Inserts items, or replaces those with the same id; the next search finds them.

        Texts that are unchanged and have a vector of this model are not embedded again. Returns how many were.
        """
        embedded = 0
        for records in _chunks([_record(item) for item in items]):
            known = await self._backend.known([record.item.id for record in records])
            new = [one for one in records if known.get(one.item.id) != (one.digest, self.embedder.name)]
            values = await self.embedder.encode([record.text for record in new])
            vectors = [
                Vector(id=one.item.id, digest=one.digest, model=self.embedder.name, values=value)
                for one, value in zip(new, values, strict=True)
            ]
            await self._backend.write(records, vectors)
            embedded += len(new)
        return embedded

    async def stage(self, items: Sequence[Item]) -> None:
        """Stores items at once and owes their vectors: their words are found now, their meaning after `embed_owed`."""
        for records in _chunks([_record(item) for item in items]):
            await self._backend.write(records, ())

    async def owed(self) -> int:
        """How many vectors are owed: of staged items, and of items whose vector another model made."""
        return (await self.count())["owed"]

    async def embed_owed(self, *, limit: int = CHUNK) -> int:
        """Embeds up to ``limit`` of what is owed; returns how many, 0 when nothing is owed any more.

        May be interrupted and repeated: every call pays for good what it returns. Other processes may do the same.
        """
        debts = await self._backend.debts(self.embedder.name, limit)
        values = await self.embedder.encode([debt.text for debt in debts])
        await self._backend.fill(
            [
                Vector(id=debt.id, digest=debt.digest, model=self.embedder.name, values=value)
                for debt, value in zip(debts, values, strict=True)
            ]
        )
        return len(debts)

    async def remove(self, ids: Sequence[str]) -> None:
        """Forgets items; ids that are not there are fine."""
        await self._backend.remove(list(ids))

    async def count(self) -> dict[str, int]:
        """Items per kind ("entry", "profile", "community"), and how many vectors are "owed"."""
        found = await self._backend.count(self.embedder.name)
        return {"entry": 0, "profile": 0, "community": 0, "owed": 0} | found

    # Finding.

    async def similar(
        self,
        text: str,
        *,
        readable: Collection[str],
        limit: int = 5,
        kinds: Collection[str] = ("entry",),
        before: datetime | None = None,
        without: Collection[str] = (),
        vector: NDArray[np.float32] | None = None,
    ) -> list[Match]:
        """Items like the text, best first, each answer once.

        ``before``: only items created earlier. ``without``: ids to leave out. ``vector``: that of the text, if at hand.
        """
        allowed = _filter(readable, kinds, before, without)
        found = await self._candidates(text, allowed, vector)
        written = as_typed(clean(text))
        return [
            replace(match, words=tuple(written.get(word, word) for word in match.words))
            for match in ranking.matches(ranking.rank(found), limit)
        ]

    async def experts(
        self,
        text: str,
        *,
        readable: Collection[str],
        now: datetime,
        among: Collection[str] | None = None,
        without: Collection[str] = (),
        limit: int = 5,
        before: datetime | None = None,
        vector: NDArray[np.float32] | None = None,
    ) -> list[Expert]:
        """People who probably know, best first, with the evidence.

        ``among``: only these people. ``without``: not these people. ``now``: for how long ago something was.
        """
        allowed = _filter(readable, ("entry", "profile"), before)
        found = await self._candidates(text, allowed, vector, NEWEST)
        return ranking.experts(ranking.rank(found), now, among=among, without=without, limit=limit)

    async def communities(
        self, text: str, *, readable: Collection[str], now: datetime, limit: int = 3
    ) -> list[CommunityMatch]:
        """Communities where the text would be at home, best first. ``now``: for how long ago something was asked."""
        found = await self._candidates(text, _filter(readable, ("entry", "community"), None))
        return ranking.communities(ranking.rank(found), now, limit)

    async def _vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a question. The latest are kept: similar questions, experts and community are asked in turn."""
        vector = self._asked.pop(text, None)
        if vector is None:
            (vector,) = await self.embedder.encode([text])
        self._asked[text] = vector
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return vector

    async def _candidates(
        self,
        text: str,
        allowed: Filter,
        vector: NDArray[np.float32] | None = None,
        newest: int = 0,
    ) -> list[Candidate]:
        text = clean(text)
        if not allowed.spaces or not allowed.kinds or not text.strip():
            return []
        if vector is None:
            vector = await self._vector(text)
        query = Query(
            vector=vector,
            model=self.embedder.name,
            terms=words_of(text),
            allowed=allowed,
            depth=DEPTH,
            newest=newest,
        )
        return await self._backend.candidates(query)


def _filter(
    readable: Collection[str], kinds: Collection[str], before: datetime | None, without: Collection[str] = ()
) -> Filter:
    if isinstance(readable, str) or isinstance(kinds, str):
        raise TypeError("readable and kinds are collections, not one string")
    return Filter(spaces=frozenset(readable), kinds=frozenset(kinds), before=before, without=frozenset(without))


def clean(text: str) -> str:
    """The text without what databases and tokenisers refuse: NUL bytes and halves of surrogate pairs."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _record(item: Item) -> Record:
    item = replace(item, title=clean(item.title), body=clean(item.body), answer=clean(item.answer))
    text = f"{item.title}\n{item.body}".strip()
    key = item.answer_key or _same_answer(item.answer)
    return Record(
        item=item,
        text=text,
        digest=_digest(text),
        terms=words_of(f"{text}\n{item.answer}"),
        answer_key=_digest(key) if key else "",
    )


def _same_answer(answer: str) -> str:
    """What makes two answers the same; empty for an answer too short to mean the same everywhere, such as "yes"."""
    folded = " ".join(answer.split()).casefold()
    return folded if len(folded) >= SHORTEST_ANSWER else ""


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _chunks(records: Sequence[Record]) -> list[Sequence[Record]]:
    return [records[at : at + CHUNK] for at in range(0, len(records), CHUNK)]
