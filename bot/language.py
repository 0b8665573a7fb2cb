"""Whether a question is in a language that an English model does not know: then the asker hears so.

By script where it is not Latin; otherwise by `py3langid`, and only for text long enough to be sure of.
"""

from __future__ import annotations

import asyncio
import functools
import unicodedata
from typing import Any

#: English, and the creoles that detection takes short colloquial English for.
ENGLISH = frozenset({"en", "pcm", "sco"})
FEWEST_LETTERS = 20
OTHER_SCRIPT = 0.3  # this share of letters that are not Latin, and it is not English
SURE, HARDLY = 0.8, 0.05  # how probable another language, and English, must be


async def foreign(text: str, *, model: str) -> bool:
    """Whether `text` is not English while `model`, by its name, knows only that. Off the event loop."""
    return "multilingual" not in model.lower() and await asyncio.to_thread(not_english, text)


def not_english(text: str) -> bool:
    """Whether `text` is surely in another language than English."""
    letters = [char for char in text[:2000] if char.isalpha()]
    if not letters:
        return False
    if sum(not _latin(char) for char in letters) / len(letters) >= OTHER_SCRIPT:
        return True
    if len(letters) < FEWEST_LETTERS:
        return False
    ranked = dict(_identifier().rank(text[:2000]))
    english = sum(float(ranked.get(name, 0)) for name in ENGLISH)
    return english <= HARDLY and float(max(ranked.values())) >= SURE


def _latin(char: str) -> bool:
    return char.isascii() or unicodedata.name(char, "").startswith("LATIN")


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)  # type: ignore[no-untyped-call]
