"""Text to words: one tokeniser for every backend, so that all find the same and no query syntax is ever built."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Longest text looked at, in characters. A question of a person is shorter; a pasted log need not be read to its end.
LONGEST_TEXT = 20_000

#: Longest word kept, in characters: beyond it is a key or an encoded file, which nobody types again.
LONGEST_WORD = 40

#: Only this many words of a question search, the rarest: the others add cost, and little to find.
MOST_WORDS = 12

# BM25's usual constants. Words count once per item: in short texts repetition says little.
_K1, _B = 1.2, 0.75

# Letters, digits and marks of any script; inner - . ' stay out, so "set-up" gives two words.
_WORD = re.compile(r"\w+")

# So frequent in questions that sharing them tells nothing. Question words are here too: "how do I" starts half of them.
_STOP_WORDS = frozenset(
    """a about after all also am an and any anyone are as at be because been before being both but by can could did do
    does doing don done for from get getting got had has have having he hello help her here hey hi him his how i if in
    into is isn it its just know ll like me more most my need no nor not now of off on one only or other our out over
    own please re s same she should so some someone such t than thank thanks that the their them then there these they
    this those through to too under until up us ve very want was we were what when where which while who why will with
    would you your""".split()  # noqa: SIM905  (a list of strings would be forty lines)
)


def words_of(text: str) -> tuple[str, ...]:
    """The distinct words of a text, folded, in order of first appearance, stop words left out.

    Folding: compatibility forms and case are unified, accents stay, a plural s of English is dropped ("cards" meets
    "card"). NUL bytes, quotes and operators are no letters, so no result can carry them.
    """
    return tuple(as_typed(text))


def as_typed(text: str) -> dict[str, str]:
    """The words of `words_of`, each with how it was first written: what to show to whoever wrote it."""
    found: dict[str, str] = {}
    for written in _WORD.findall(unicodedata.normalize("NFKC", text[:LONGEST_TEXT])):
        word = written.casefold()
        if word not in _STOP_WORDS and len(word) <= LONGEST_WORD:
            found.setdefault(_singular(word), written)
    return found


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How telling each word of one question is among the items its reader may see.

    The BM25 of an item is the sum of the ``idf`` of shared words / (``flat`` + ``steep`` * words of the item).
    """

    #: By word, most telling first, words that no item has left out.
    idf: dict[str, float]
    flat: float
    steep: float

    def score(self, shared: Iterable[str], length: int) -> float:
        """BM25 of an item with ``length`` words that shares these."""
        return sum(self.idf[word] for word in shared) / (self.flat + self.steep * length)


def weigh(counts: Mapping[str, int], total: int, length: float) -> Weights:
    """``counts``: in how many of ``total`` items each word of the question is; ``length``: average words of an item."""
    idf = {word: math.log1p((total - count + 0.5) / (count + 0.5)) for word, count in counts.items() if count}
    order = sorted(idf, key=lambda word: (-idf[word], word))
    scale = _K1 + 1
    return Weights(
        idf={word: idf[word] for word in order[:MOST_WORDS]},
        flat=(1 + _K1 * (1 - _B)) / scale,
        steep=_K1 * _B / max(length, 1.0) / scale,
    )
