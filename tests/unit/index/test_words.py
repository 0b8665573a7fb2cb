"""The tokeniser that every backend shares."""

from __future__ import annotations

import math

import pytest

from expertise_index.words import LONGEST_TEXT, MOST_WORDS, weigh, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How do I reset the VPN passwords?", ("reset", "vpn", "password")),
        ("reset RESET Reset", ("reset",)),
        ("set-up: C3PO, naïve ﬁle", ("set", "c3po", "naïve", "file")),
        ("status of the process analysis bus", ("status", "process", "analysis", "bus")),
        ("\0 \"AND\" (OR) 'x' *", ("x",)),
        ("شبكة 重置 пароль", ("شبكة", "重置", "пароль")),
        ("", ()),
        ("x" * 41, ()),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    assert words_of("a " * LONGEST_TEXT + "printer") == ()


def test_rare_words_weigh_more_and_words_nobody_used_nothing() -> None:
    weights = weigh({"printer": 50, "e4711": 1, "nowhere": 0}, total=100, length=10)

    assert list(weights.idf) == ["e4711", "printer"]
    assert weights.idf["printer"] == pytest.approx(math.log1p(50.5 / 50.5))
    assert weights.score(["printer"], 10) == pytest.approx(weights.idf["printer"])
    assert weights.score(["printer"], 5) > weights.score(["printer"], 20)


def test_only_the_rarest_words_search() -> None:
    weights = weigh({f"w{n:02}": n + 1 for n in range(30)}, total=100, length=10)

    assert list(weights.idf) == [f"w{n:02}" for n in range(MOST_WORDS)]
