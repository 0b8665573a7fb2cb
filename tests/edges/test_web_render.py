"""What is typed and what the bot says become HTML that can do nothing but be read."""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web import codec
from adapters.web.render import render_message, render_words
from bot.ports import Button, Buttons, Context, Divider, Fields, Image, Message, Quote, Text

#: What words of people may turn into.
QUIET = {"div", "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "a", "blockquote"}


def _elements(html: str) -> list[tuple[str, list[str]]]:
    """The elements a browser would make of it, with the names of their attributes."""
    found: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(html)
    return found


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        "`<b onclick=alert(1)>`",
        "```\n</code></pre><script>alert(1)</script>\n```",
        '[x](https://a.example/"onmouseover="alert(1))',
        "https://a.example/<script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "\u202e<script>",
    ],
)
def test_markup_typed_by_people_stays_text(typed: str) -> None:
    for html in (render_words(typed), render_message(Message("s", (Quote(typed, typed),)))):
        elements = _elements(html)
        assert {tag for tag, _ in elements} <= QUIET
        assert {name for _, names in elements for name in names} <= {"class", "dir", "href", "target", "rel"}


@pytest.mark.parametrize("link", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x"])
def test_links_lead_to_the_web_or_nowhere(link: str) -> None:
    html = render_words(f"[x]({link})") + render_message(Message("s", (Buttons((Button("Go", "", url=link),)),)))
    assert "href" not in html
    good = render_words("[x](https://a.example) [y](mailto:a@b.example)")
    assert good.count("noopener") == 2


def test_words_that_ping_elsewhere_are_only_words() -> None:
    html = render_words("<!channel> @everyone <@U123>")
    assert "&lt;!channel&gt; @everyone &lt;@U123&gt;" in html
    assert "<a" not in html


def test_each_piece_says_its_own_direction() -> None:
    html = render_message(Message("s", (Quote("שלום (123)", "دينا"), Fields((("Name", "نور"),)))))
    assert html.count('dir="auto"') == 3


def test_the_small_markdown_is_there_and_no_more() -> None:
    html = render_words("**b** *i* `c`\n- one\n- two\n\n# no heading\n\n![no](https://a.example/x.png)")
    assert "<strong>b</strong> <em>i</em> <code>c</code>" in html
    assert html.count("<li>") == 2
    assert "<h1" not in html
    assert "<img" not in html


def test_bare_addresses_become_links_without_the_full_stop() -> None:
    html = render_words("See https://a.example/x_(y). Or (https://b.example/z).")
    assert 'href="https://a.example/x_(y)"' in html
    assert 'href="https://b.example/z"' in html
    assert "`https" not in render_words("`https://a.example`")
    assert "<a" not in render_words("`https://a.example`")


def quoted(typed: str) -> str:
    """A person's words in a card."""
    return render_message(Message("s", (Quote(typed),)))


def test_a_quote_looks_as_its_author_meant_it() -> None:
    html = quoted("**bold**, _it_ and `x<y`\n- one\n- two\n\nsee:```\na\n  b```")
    assert "<strong>bold</strong>, <em>it</em> and <code>x&lt;y</code>" in html
    assert "<li>one</li>\n<li>two</li>" in html
    assert "<pre><code>a\n  b</code></pre>" in html


@pytest.mark.parametrize(
    "typed",
    ["__init__.py", "snake_case_name", "2**3**4", "5 * 3 * 2", "C:\\new\\*.txt", "&lt;b&gt;", "# no heading", "**open"],
)
def test_what_was_no_style_stays_as_it_was_typed(typed: str) -> None:
    assert f"<p>{escape(typed)}</p>" in quoted(typed)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("[click](https://evil.example)", "click (https://evil.example)"),
        ("[https://bank.example](https://evil.example)", "https://bank.example (https://evil.example)"),
        ("![x](https://evil.example/x.png)", "!x (https://evil.example/x.png)"),
        ("[admin](/c/water/1)", "admin (/c/water/1)"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](JaVaScRiPt:alert(1))", "[x](JaVaScRiPt:alert(1))"),
        ("[x](data:image/png;base64,AAAA)", "x (data:image/png;base64,AAAA)"),
        ("https://a.example/_x_/*y*/w_(z)", "https://a.example/_x_/*y*/w_(z)"),
        ("**[b](https://a.example)**", "b (https://a.example)"),
    ],
)
def test_a_link_in_a_quote_says_where_it_leads(typed: str, shown: str) -> None:
    html = quoted(typed)
    assert unescape(re.sub("<[^>]+>", "", html)).strip() == shown
    for address, words in re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', html):
        assert address == words
        assert address.startswith("https://")
    assert "<img" not in html


@pytest.mark.parametrize(
    "typed",
    [
        "> " * 2000 + "deep", "- " * 2000 + "deep", "*" * 4000 + "deep", "[" * 4000 + "deep", "**_" * 1500 + "deep",
        "[a](" * 1500 + "deep", "\n".join("  " * depth + "- item" for depth in range(60)) + " deep",
        "<b>" * 1500 + "deep", "`" * 3999 + " deep", "```" * 1001 + "deep",
    ],
)  # fmt: skip
def test_what_is_nested_without_end_is_still_there(typed: str) -> None:
    for html in (quoted(typed), render_words(typed)):
        assert "deep" in html
        assert {tag for tag, _ in _elements(html)} <= QUIET


@given(st.text(st.sampled_from("ab1 \n*_`[](){}<>&\\-+>#!.:/@|~\u202e"), max_size=120))
def test_no_word_of_a_quote_is_lost(typed: str) -> None:
    html = quoted(typed)
    assert {tag for tag, _ in _elements(html)} <= QUIET
    kept = [*re.findall("[ab]", unescape(re.sub("<[^>]+>", "", html)))]
    assert kept == re.findall("[ab]", typed)


def test_pictures_come_from_the_web_or_from_here() -> None:
    def shown(url: str) -> str:
        return render_message(Message("s", (Image(url, 'a "chart"'),)))

    assert 'alt="a &quot;chart&quot;"' in shown("https://a.example/x.png")
    assert "<img" in shown("/chart/1.png")
    assert "<img" not in shown("javascript:alert(1)")
    assert "<img" not in shown("data:image/svg+xml,x")


def test_a_message_comes_back_as_it_was() -> None:
    message = Message(
        "s\u2028 <ü>",
        (
            Text("**x**"),
            Quote("q", "by"),
            Fields((("a", "b"), ("c", "d"))),
            Context("c"),
            Buttons((Button("L", "act", "7", "danger"), Button("U", "", url="https://a.example"))),
            Image("/x", "alt"),
            Divider(),
        ),
    )
    assert codec.decode(codec.encode(message)) == message


@given(st.text(max_size=200))
def test_nothing_typed_makes_an_element_of_its_own(typed: str) -> None:
    """Whatever is typed, only tags of the small Markdown come out."""
    assert {tag for tag, _ in _elements(render_words(typed))} <= QUIET
