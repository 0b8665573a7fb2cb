"""Find similar questions, and the people and communities who know: text in, ids and scores out.

A library on its own. It knows text, ids, spaces and people's ids, nothing of chat.
"""

from __future__ import annotations

from expertise_index.backend import MissingExtensionError, WrongSchemaError
from expertise_index.embedder import Embedder, HashEmbedder, SentenceEmbedder
from expertise_index.index import ExpertiseIndex
from expertise_index.values import CommunityMatch, Contribution, Evidence, Expert, Item, Match
from expertise_index.words import words_of

__all__ = [
    "CommunityMatch",
    "Contribution",
    "Embedder",
    "Evidence",
    "Expert",
    "ExpertiseIndex",
    "HashEmbedder",
    "Item",
    "Match",
    "MissingExtensionError",
    "SentenceEmbedder",
    "WrongSchemaError",
    "words_of",
]
