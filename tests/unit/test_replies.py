"""What people typed can do nothing in what the bot says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from adapters.web.render import render_markdown, render_message
from bot import replies, replies_experts, replies_home, replies_knowledge
from bot.ports import Buttons, Context, Message, Text
from bot.replies import Asked, Candidate, Past, excerpt, plain
from bot.replies_home import Asking, Belonging, Expertise, Home

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PIECES = st.sampled_from(
    ["*", "**", "_", "`", "```", "[a](https://evil.example)", "<!channel>", "@everyone", "<b>", "#", "- ", "1. ", "> ",
     "~~", "|", "\\", "https://evil.example", "www.evil.example", "a@b.example", ":tada:", "![x](y)", "&lt;", "\n", " ",
     "word", "\u202e", "<@U123>", "<https://a|b>", "+ ", "===", "***"]
)  # fmt: skip
TYPED = st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join).map(lambda text: text.replace("\0", ""))
HOSTILE = "*bold* [click](https://evil.example) <!channel> @everyone <script>alert(1)</script> `x`"


@given(TYPED)
def test_plain_is_shown_as_it_was_typed(text: str) -> None:
    """No markup comes of it, and the words are all there."""
    shown = render_markdown(f"Before {plain(text)} after")
    assert set(re.findall(r"</?(\w+)", shown)) <= {"div", "p", "a"}
    assert _links_say_where_they_lead(shown)
    words = unescape(re.sub(r"<[^>]+>", "", shown))
    assert words.split() == ["Before", *text.split(), "after"]


@given(TYPED)
def test_plain_leaves_nothing_that_pings(text: str) -> None:
    """Neither Slack's nor Teams' nor anybody's way to call people is left unescaped."""
    assert not re.search(r"(?<!\\)[<@]", plain(text))


@given(TYPED, st.integers(20, 200))
def test_an_excerpt_is_short_and_closes_its_code(text: str, length: int) -> None:
    """Cut at a word where there is one."""
    cut = excerpt(text, length)
    assert len(cut) <= length + 6
    if len(text.strip()) > length:
        assert cut.count("```") % 2 == 0


def test_an_excerpt_of_one_long_word() -> None:
    """There is no word to cut at."""
    assert len(excerpt("x" * 50_000, 300)) <= 306


def _links_say_where_they_lead(shown: str) -> bool:
    """The page makes links of bare addresses; a link with other words on it leads to our own pages only."""
    links = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', shown)
    return all(address.startswith("https://chat.example") or address == words for address, words in links)


def _cards() -> list[Message]:
    past = Past(entry_id=1, title=HOSTILE, answer=HOSTILE, author=HOSTILE, owner=HOSTILE, community=HOSTILE,
                created=NOW, reviewed=None, link="https://chat.example/1", why="a related question")  # fmt: skip
    asked = Asked(id=1, text=HOSTILE, asker=HOSTILE, community=HOSTILE, channel=HOSTILE, state="accepted",
                  link="https://chat.example/1", followers=2, accepted_by=HOSTILE)  # fmt: skip
    someone = Candidate(person_id=1, name=HOSTILE, title=HOSTILE, why="profile lists pumps")
    return [
        replies.looking(HOSTILE, ready=True), replies.suggestions(1, HOSTILE, [past, replace(past, shared=True)], NOW),
        replies.solved(HOSTILE, past, NOW), replies.posted(asked, [HOSTILE], waiting=False),
        replies.preview(1, HOSTILE, agreed="a1b2", community=HOSTILE, channel=HOSTILE, readers="outsiders",
                        why=replies.UNSURE, candidates=[someone], usually="", lead=replies.FOREIGN, aloud=True),
        replies.cancelled(HOSTILE), replies.question(asked), replies.answer(asked, 1, HOSTILE, HOSTILE, accepted=True),
        replies.answered(asked, 1, HOSTILE, HOSTILE, accepted=False, withdrawn=False),
        replies.answered(asked, 1, HOSTILE, HOSTILE, accepted=False, withdrawn=True),
        replies.missing(asked, HOSTILE), replies.shared(HOSTILE, past, NOW),
        replies_experts.prompt(asked, 1, why="", named_by=HOSTILE, similar=[past], state="open", now=NOW),
        replies_experts.your_answer_was_accepted(asked, "published", NOW, 2),
        replies_experts.your_answer_helped(HOSTILE, 3),
        replies_experts.question_solved(asked, HOSTILE, HOSTILE), replies_experts.follow_up(asked, HOSTILE),
        replies_knowledge.found(HOSTILE, [past], NOW), replies_knowledge.knowing(HOSTILE, [someone]),
        replies.settled(HOSTILE, "Done."),
        replies_experts.answer_or_question(HOSTILE, 1, [(1, HOSTILE)]),
        replies_knowledge.to_review(1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, ""),
        replies_home.communities([(HOSTILE, HOSTILE, HOSTILE, 1)]), replies_home.overview([asked], [asked]),
        replies_knowledge.entry(past, now=NOW), replies_knowledge.entry_decided(HOSTILE, HOSTILE, published=True),
        replies.note(HOSTILE), replies.given_back("No.", HOSTILE),
        replies.suggestions(1, HOSTILE, [past], NOW, overheard_in=HOSTILE),
        replies.muted(1, HOSTILE, HOSTILE, muted=True),
        replies_knowledge.preview(past, NOW, address="https://chat.example/entries/1"),
        replies_knowledge.saved(HOSTILE, HOSTILE, "draft", "https://chat.example/entries/1"),
        replies_knowledge.your_answer_was_saved(HOSTILE, HOSTILE, HOSTILE, "draft", "https://chat.example/entries/1"),
        replies_knowledge.saved_already(HOSTILE, "https://chat.example/entries/1"),
        replies_home.home(_home(asked)), replies_home.profile(_home(asked).expertise),
    ]  # fmt: skip


def _home(asked: Asked) -> Home:
    known = Expertise(declared=(HOSTILE,), imported=(HOSTILE,), inferred=(HOSTILE,), away_until=NOW)
    belonging = Belonging(name=HOSTILE, channel=HOSTILE, role="moderator")
    asking = Asking(prompt_id=1, asked=asked, why=HOSTILE)
    return Home(asked=(asked,), waiting=(asking,), communities=(belonging,), expertise=known, everything=True,
                private=(HOSTILE,), made_at=NOW)  # fmt: skip


def test_no_card_lets_typed_words_do_anything() -> None:
    """Where typed words stand outside a quote, they are escaped; on the page nothing of them is markup."""
    for card in _cards():
        for part in card.parts:
            if isinstance(part, Text | Context):
                assert not re.search(r"(?<!\\)[<@]", part.markdown), part.markdown
                assert "[click](" not in part.markdown
        shown = render_message(card)
        assert "<script" not in shown
        assert _links_say_where_they_lead(shown)


def test_every_card_survives_the_database() -> None:
    """As JSON and back it is the same card."""
    for card in _cards():
        assert Message.from_json(card.as_json()) == card


def test_rows_of_buttons_are_short_enough_for_every_platform() -> None:
    """At most five in a row, labels of at most 75 characters."""
    for card in _cards():
        for part in card.parts:
            if isinstance(part, Buttons):
                assert 1 <= len(part.items) <= 5
                assert all(0 < len(button.label) <= 75 for button in part.items)


@given(st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_names_in_a_row(names: list[str]) -> None:
    """All of them, whatever they are."""
    row = replies.listed(names)
    assert all(name in row for name in names)


def test_counted() -> None:
    """One thing, two things, and words with a plural of their own."""
    assert [replies.counted(n, "question") for n in (0, 1, 2)] == ["0 questions", "1 question", "2 questions"]
    assert [replies.counted(n, "entry", "entries") for n in (1, 1200)] == ["1 entry", "1,200 entries"]
