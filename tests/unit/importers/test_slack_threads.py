"""Which threads are questions, what answers them, and how Slack's markup reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.importers.slack_judgement import is_question, is_small_talk, is_thanks, sentences
from bot.importers.slack_text import readable
from bot.importers.slack_threads import NO_ANSWER, NO_QUESTION, Found, gather, question_in

Thread = Callable[..., list[dict[str, Any]]]
ASKED = "How do I reset the flow meter after a firmware update? It shows E42."


def found_in(messages: list[dict[str, Any]]) -> Found | str:
    threads, _, _ = gather(messages)
    return question_in(next(iter(threads.values())))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask <@U1> and <@U9> in <#C1> or <#C2|general>", "ask @Ada and @somebody in #pumps or #general"),
        (
            "see <https://a.example/x|the guide>, <https://a.example>",
            "see the guide (https://a.example/x), https://a.example",
        ),
        ("<http://a.example|a.example> <mailto:a@b.example|a@b.example>", "http://a.example a@b.example"),
        ("&lt;b&gt; &amp; `a &lt; b` :smile: :our_logo:", "<b> & `a < b` 😄 :our_logo:"),
        ("<!here> <!subteam^S1|@ops>", "@here @ops"),
        (
            "```\nif a &lt; b:\n    :tada:  <https://x.example>\n```",
            "```\nif a < b:\n    :tada:  https://x.example\n```",
        ),
        ("done :+1::skin-tone-3: a\0b", "done 👍 ab"),
    ],
)
def test_markup_reads_as_it_was_meant(text: str, expected: str) -> None:
    """Names, links, entities, emoji; code exactly."""
    assert expected == readable(text, {"U1": "Ada"}, {"C1": "pumps"})


@pytest.mark.parametrize(
    "text",
    [
        ASKED,
        "Hi all! Does anyone know where the calibration sheets for the old sensors are kept?",
        "I'm getting an error when I start the exporter: `no such table`. Any ideas?",
        "Is it possible to export a report as PDF without the cover page?",
        "Why does the nightly job skip stations without a serial number?",
    ],
)
def test_questions(text: str) -> None:
    """Those that stand on their own."""
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "Good morning everyone, happy Friday!",
        "I just released version 2 of the exporter, check it out: https://a.example",
        "is that what you mean?",
        "ok, and then?",
        "@ben did you see my comment on your pull request?",
        "We are hiring a data engineer, feel free to apply. Questions? Ask me.",
        "lol right?",
    ],
)
def test_no_questions(text: str) -> None:
    """Greetings, news, and fragments of a conversation."""
    assert not is_question(text)


def test_small_words() -> None:
    """Thanks and chatter are told from answers."""
    assert all(map(is_small_talk, ["thanks a lot!", "+1", "👍 🎉", "same here", "you're welcome", "makes sense", "ok"]))
    assert not is_small_talk("restart the meter twice")
    assert not is_small_talk("`meter --reset`")
    assert is_thanks("That worked, thank you!")
    assert not is_thanks("thanks, but it still does not work")
    assert sentences("Use e.g. the old one. It works `a. b`!") == ["Use e.g. the old one.", "It works `a. b`!"]


def test_a_thread_becomes_a_question_with_its_answers(thread: Thread) -> None:
    """Messages in a row are one answer; thanks accept it; the asker's additions belong to the question."""
    found = found_in(
        thread(
            1000, ("U1", ASKED), ("U1", "It is the new model, by the way."), ("U2", "Hold the button for ten seconds."),
            ("U2", "Then switch it off and on."), ("U3", "🎉"), ("U1", "That worked, thanks!"),
            ("U3", "Nice to hear that."),
        )
    )  # fmt: skip

    assert isinstance(found, Found)
    assert found.title == "How do I reset the flow meter after a firmware update?"
    assert found.body == "It shows E42.\nIt is the new model, by the way."
    assert [a.text for a in found.answers] == ["Hold the button for ten seconds.\nThen switch it off and on."]
    assert (found.answers[0].accepted, found.owner) == (True, "U2")


def test_a_greeting_may_come_first(thread: Thread) -> None:
    """In a message of its own."""
    found = found_in(thread(1000, ("U1", "Hi all!"), ("U1", ASKED), ("U2", "Hold the button for ten seconds.")))

    assert isinstance(found, Found)
    assert found.title.startswith("How do I reset the flow meter")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([("U1", ASKED), ("U1", "Never mind, found it in the manual on page 7.")], NO_ANSWER),
        ([("U1", ASKED), ("U2", "👍"), ("U3", "+1"), ("U2", "thanks")], NO_ANSWER),
        ([("U1", ASKED), ("U2", "Which model do you have?")], NO_ANSWER),
        (
            [("U1", "The pump is running again since this morning."), ("U2", "Great news, that was quick work.")],
            NO_QUESTION,
        ),
    ],
)
def test_threads_that_are_left(thread: Thread, messages: list[tuple[str, str]], reason: str) -> None:
    """Each with its reason."""
    assert reason == found_in(thread(1000, *messages))


def test_reactions_endorse_and_accept(thread: Thread) -> None:
    """Those of others; a check mark accepts."""
    reactions = [
        {"name": "+1", "users": ["U1", "U2", "U3"], "count": 3},
        {"name": "white_check_mark", "users": ["U1"], "count": 1},
        {"name": "thumbsdown", "users": ["U4"], "count": 1},
    ]
    found = found_in(thread(1000, ("U1", ASKED), ("U2", "Hold the button for ten seconds.", {"reactions": reactions})))

    assert isinstance(found, Found)
    assert (found.answers[0].endorsed, found.answers[0].accepted) == (3, True)


def test_edits_and_deletions_count(thread: Thread) -> None:
    """The last text is what was said; what was deleted was not."""
    messages = thread(
        1000, ("U1", ASKED, {"edited": {"user": "U1", "ts": "1001.0"}}), ("U2", "Hold the button for two seconds."),
        ("U3", "Buy a new one, that is easiest."), ("U4", "joined", {"subtype": "channel_join"}),
        ("UB", "I am a robot with an answer.", {"bot_id": "B1"}),
    )  # fmt: skip
    change = {"type": "message", "subtype": "message_changed", "ts": "2000.0"}
    change |= {"message": {"ts": messages[1]["ts"], "user": "U2", "text": "Hold the button for ten seconds."}}
    gone = {"type": "message", "subtype": "message_deleted", "ts": "2001.0", "deleted_ts": messages[2]["ts"]}
    found = found_in([*messages, change, gone])

    assert isinstance(found, Found)
    assert [answer.text for answer in found.answers] == ["Hold the button for ten seconds."]


def test_another_persons_question_ends_the_thread(thread: Thread) -> None:
    """What follows is about something else."""
    found = found_in(
        thread(
            1000, ("U1", ASKED), ("U2", "Hold the button for ten seconds."), ("U1", "thanks!"),
            ("U3", "Does anyone know how I can order a spare gasket for the small pump?"),
            ("U4", "In the parts shop on floor 2."),
        )
    )  # fmt: skip

    assert isinstance(found, Found)
    assert len(found.answers) == 1


def test_a_long_question_keeps_all_its_words(thread: Thread) -> None:
    """The title is short, and the body complete."""
    long = (
        "I am trying to understand "
        + "the very long story of our pump station and its many sensors " * 5
        + "and how can I check them all at once?"
    )
    found = found_in(thread(1000, ("U1", long), ("U2", "Hold the button for ten seconds.")))

    assert isinstance(found, Found)
    assert len(found.title) <= 150
    assert long == found.body
