"""After an anonymous question, with everything going wrong that can: the log names nobody and quotes nothing."""

from __future__ import annotations

import pytest

from tests.log_lines import log_lines
from tests.scenarios.conftest import World

QUESTION = "Why does the pump make a noise like gravel when the suction valve is half closed?"
ANSWER = "That is cavitation: open the suction valve fully, and check the NPSH margin."


async def test_an_anonymous_question_leaves_no_trace_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its words, not its asker's name, address or id, though deliveries fail and an event cannot be handled."""
    with log_lines() as lines:
        ana, ben = world.be("ana"), world.be("ben")
        words = f"could not send “{QUESTION}” for Ana Duarte <ana@acme.example>"
        world.chat.faults = [RuntimeError(words), RuntimeError(words)]
        await ana.says(QUESTION)
        for _ in range(3):  # whichever messages they hit
            world.clock.forward(hours=1)
            await world.bot.worker.settle()
        await ana.presses("Ask anonymously")
        await ben.says(ANSWER, thread=ben.sees("you may know").id)

        with monkeypatch.context() as patched:
            patched.setattr("bot.questions.readable_question", int)
            await ana.says(QUESTION)
            await ana.commands("know", QUESTION)
            patched.setattr("bot.questions.asker_of", lambda _tx, question: {}[question.text])
            await ana.presses("This answers it")

    log = lines.getvalue()
    assert log.count("work.failed") == 2
    assert log.count("event.failed") == 3
    for secret in ("gravel", "Ana", "Duarte", "ana@acme.example", "cavitation", '"ana"', "'ana'", "dm-ana"):
        assert secret not in log, secret
