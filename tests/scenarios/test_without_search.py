"""The model cannot be loaded: people still help, and nobody waits for a search that never comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.app import open_bot
from bot.settings import Settings
from expertise_index import HashEmbedder
from tests.scenarios.chat import Actor, FakeChat, MovableClock
from tests.scenarios.conftest import COMMUNITIES, PEOPLE, found


class BrokenEmbedder(HashEmbedder):
    """A model whose files are damaged."""

    @property
    def ready(self) -> bool:
        return False

    async def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise OSError("the model's weights cannot be read")


async def test_a_question_reaches_people_without_the_model(tmp_path: Path) -> None:
    chat, clock = FakeChat(), MovableClock()
    for key, (name, _) in PEOPLE.items():
        chat.add_person(key, name)
    for slug, (_, _, _, private) in COMMUNITIES.items():
        chat.add_channel(slug, private=private, members=() if private else PEOPLE)
    settings = Settings(home=tmp_path)
    async with open_bot(settings, clock=clock, embedder=BrokenEmbedder(), platforms={"fake": chat}) as bot:
        await bot.store.run(lambda tx: found(tx, chat))
        ana, mod = Actor(chat, bot, "ana"), Actor(chat, bot, "mod")
        await ana.says("Why does the pump make a noise like gravel?")
        assert "My search is out of order" in ana.sees("I would post it").words
        await ana.presses("Ask under my name")
        await mod.says("Ask Ben, he has the same pump.", thread=mod.sees("you may know").id)
        ana.sees("Maud Keller answered your question")
