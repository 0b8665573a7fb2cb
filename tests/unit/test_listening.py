"""What is taken for a question that nobody addressed to the bot: careful rather than eager."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.listening import looks_like_a_question


@pytest.mark.parametrize(
    "text",
    [
        "Why does the pump hum at night?",
        "how do I restart the deployment of a container",
        "Hi all, does anyone know who looks after the badge printer",
        "The pump hums at night. Is that normal?",
        "Is there a template for the travel request",
        "see https://wiki.example/x?y=1 \u2013 where is the new address?",
        "Warum brummt die Pumpe in der Nacht?",
        "Weiß jemand wo die Vorlage liegt",
        "Comment est calculée la pression d'aspiration",
        "¿Alguien sabe cómo se cambia el sello",
        "Qualcuno sa dove si trova il modulo",
        "Weet iemand waar het formulier ligt",
        "为什么水泵在半夜会发出声音？",
        "لماذا تصدر المضخة صوتا غريبا؟",
    ],
)
def test_these_ask(text: str) -> None:
    """With a mark at the end, or without, begun as questions are."""
    assert looks_like_a_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "?", "???", "Really?", "Why not, Ben?", "What a day that was!", "Lunch?", "为什么？",
        "@ben can you look at the pump?", "<@U123> is the pump running again?",
        "Who wants cake in the kitchen, come and get it", "When we closed the valve it hummed.",
        "https://wiki.example/a?b=c&d=e", "`SELECT a FROM b WHERE c = ?`", "```\nwhat is this code doing?\n```",
        "I asked him why the pump hums. He did not know.", ":thinking_face: :question: ?",
        "Howto for pumps is in the wiki now", "The pump hums, who knows.",
    ],
)  # fmt: skip
def test_these_do_not(text: str) -> None:
    """Talk, code, links, and what is for somebody else."""
    assert not looks_like_a_question(text)


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    """Without an error, in no time."""
    assert looks_like_a_question(text) in (True, False)
