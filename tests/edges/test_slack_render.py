"""Neutral messages and forms as Block Kit: nothing pings, nothing typed is styled, no limit is passed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.runs import read_markdown
from adapters.slack import forms, render
from adapters.slack.markup import mrkdwn
from adapters.slack.text import readable, without_mention
from bot import replies
from bot.ports import (
    Button,
    Buttons,
    Context,
    Divider,
    Fields,
    Form,
    Image,
    Input,
    Message,
    Option,
    Part,
    Place,
    Quote,
    Text,
    clean,
)
from tests.edges.slack_server.validation import block_problems, texts_length, view_problems

NASTY = "<!channel> @here *bold* _it_ ~no~ `code` > quote <@U123ABC> & :tada: <https://x|y>"


def shown(value: Any) -> str:
    """All text in blocks, as a reader sees it."""
    if isinstance(value, list):
        return "".join(map(shown, value))
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("text"), str):
        return str(value["text"]).replace("\N{WORD JOINER}", "")
    return "".join(shown(one) for one in value.values())


def blocks(*parts: Part, limit: int = 50) -> list[dict[str, Any]]:
    made = render.blocks_of(Message("A summary", parts), limit)
    assert block_problems(made, most=limit) == []
    return made


def test_the_bots_own_words() -> None:
    """Bold, italic, code, links and lists."""
    text = (
        "**Ana** asks *politely* about `NPSH` in [#pumps](https://x.example/a?b=1&c=2|d):\n\n- one\n- two\n\n1. first"
    )
    (section,) = blocks(Text(text))
    assert section["text"]["text"] == (
        "*Ana* asks _politely_ about `NPSH` in <https://x.example/a?b=1&amp;c=2%7Cd|#pumps>:\n\n"
        "• one\n• two\n\n1. first"
    )
    assert section["text"]["verbatim"] is True


@pytest.mark.parametrize("name", ["*Ann*", "a_b _c_", "~x", "`x`", ":tada:", "**", "5 * 3"])
def test_names_are_never_styled(name: str) -> None:
    """What mrkdwn cannot say becomes rich text, which has no markup."""
    (block,) = blocks(Text(f"**{replies.plain(name)}** asks"))
    assert block["type"] == "rich_text"
    assert shown(block) == f"{name} asks"
    (context,) = blocks(Context(f"From {replies.plain(name)}"))
    assert context["type"] == "rich_text"
    assert shown(context) == f"From {name}"


def test_a_line_does_not_begin_a_quote() -> None:
    """In mrkdwn it would, escaped or not."""
    (block,) = blocks(Text(replies.lines("> y\n> z")))
    assert (block["type"], shown(block)) == ("rich_text", "> y\n> z")


@pytest.mark.parametrize("name", ["snake_case_name", "O'Neil-Smith", "R&D <team>", "3:30", "a*b"])
def test_plain_names_stay_mrkdwn(name: str) -> None:
    """Within a word Slack knows no styles."""
    (block,) = blocks(Text(f"**{replies.plain(name)}** asks"))
    assert block["type"] == "section"
    assert block["text"]["text"] == f"*{name.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}* asks"


def test_a_quote_is_as_meant_and_pings_nobody() -> None:
    """Rich text, which has no markup; the styles of Slack's own people are in it, and addresses can be followed."""
    typed = f"{NASTY}\nsee https://x.example/a?b=1.\n```python\nif a < b:\n    <!here>\n```\nthe end"
    (block,) = blocks(Quote(typed, by="*Ben*"))
    kinds = [element["type"] for element in block["elements"]]
    assert kinds == ["rich_text_quote", "rich_text_preformatted", "rich_text_quote"]
    assert "<!channel" not in json.dumps(block)
    assert "<@U123ABC" not in json.dumps(block)
    first, code, last = block["elements"]
    assert shown(first).startswith("*Ben*\n<!channel> @here bold it ~no~ code > quote <@U123ABC> & :tada:")
    styles = {run["text"]: run.get("style") for run in first["elements"]}
    assert (styles["bold"], styles["it"], styles["code"]) == ({"bold": True}, {"italic": True}, {"code": True})
    assert {"type": "link", "url": "https://x.example/a?b=1", "text": "https://x.example/a?b=1"} in first["elements"]
    assert shown(code) == "if a < b:\n    <!here>"
    assert shown(last) == "the end"


def test_a_link_in_a_quote_says_where_it_leads() -> None:
    """Other words on it stand before its address; what leads elsewhere than to the web is no link."""
    (block,) = blocks(Quote("[click](https://evil.example) [x](javascript:alert(1)) **[y](/c)**"))
    assert shown(block) == "click (https://evil.example) [x](javascript:alert(1)) y (/c)"
    links = [one for one in block["elements"][0]["elements"] if one["type"] == "link"]
    assert links == [{"type": "link", "url": "https://evil.example", "text": "https://evil.example"}]


@pytest.mark.parametrize("typed", ["__init__.py", "2**3**4", "a_b_c", "  - deep\n    x = 1", "*" * 2000, "[" * 2000])
def test_what_is_no_style_in_a_quote(typed: str) -> None:
    """It is shown as it was typed, spaces included."""
    assert shown(blocks(Quote(typed))) == typed.lstrip("\n")


def test_a_doctype_in_code_can_be_copied() -> None:
    """Only what Slack would read as a reference is broken up."""
    (block,) = blocks(Quote("```\n<!DOCTYPE html>\n```"))
    assert block["elements"][0]["elements"][0]["text"] == "<!DOCTYPE html>"


def test_the_summary_is_escaped_and_cut() -> None:
    """It is read by notifications and screen readers, and parsed by Slack."""
    assert render.fallback(Message("Ana asks: <!channel> & co", ())) == "Ana asks: &lt;!channel&gt; &amp; co"
    long = render.fallback(Message("&" * 3000, ()))
    assert len(long) <= 3000
    assert long.endswith("&amp;…")


def test_long_texts_are_split() -> None:
    """At a line or a space where there is one; nothing is lost."""
    lines = "\n".join(f"line {number} of a long text" for number in range(600))
    made = blocks(Quote(lines, by="Ben"))
    assert len(made) > 3
    assert shown(made).replace("Ben\n", "", 1) == lines
    word = "x" * 7000
    assert shown(blocks(Quote(word))) == word
    said = "word " * 2000
    assert "".join(shown(blocks(Text(said))).split()) == "word" * 2000


def test_more_than_fifty_blocks() -> None:
    """Lines go first, then neighbours are joined, then the rest is cut and said so; buttons stay."""
    items = [part for n in range(40) for part in (Quote(f"q{n}"), Context(f"c{n}"), Divider())]
    assert len(blocks(*items)) == 50
    texts = [Text(f"t{n}") for n in range(120)]
    assert shown(blocks(*texts)).count("t") == 120
    many = [part for n in range(60) for part in (Text(f"t{n}"), Quote("q"), Buttons((Button(f"b{n}", "a", str(n)),)))]
    made = blocks(*many, Buttons((Button("last", "z", "1"),)))
    assert len(made) == 50
    assert "does not fit" in shown(made)
    assert len(blocks(*items, limit=100)) == 80


def test_buttons_fields_and_pictures() -> None:
    """Within their limits, whatever they are given."""
    row = Buttons(
        (
            Button("Open", "open", url="https://x.example"),
            Button("Yes" * 40, "yes", "1", "primary"),
            Button("Yes", "yes", "2"),
            Button("No", "no", "v" * 3000, "danger"),
        )
    )
    (actions,) = blocks(row)
    assert [one["action_id"] for one in actions["elements"]] == ["link:0", "yes", "yes#2", "no"]
    assert "value" not in actions["elements"][0]
    first, second = blocks(Fields(tuple((f"label {n}", f"`/know` <{n}>") for n in range(11))))
    assert (len(first["fields"]), len(second["fields"])) == (10, 1)
    assert first["fields"][0]["text"] == "*label 0*\n`/know` &lt;0&gt;"
    (picture,) = blocks(Image("https://x.example/a.png", "A chart"))
    assert picture["alt_text"] == "A chart"
    (instead,) = blocks(Image("/a.png", "A chart"))
    assert instead["type"] == "context"
    assert blocks()[0]["text"]["text"] == "A summary"


PARTS = st.one_of(
    st.builds(Quote, st.text(max_size=4000), st.text(max_size=40)),
    st.builds(lambda text: Text(f"**{replies.plain(text)}** and {replies.plain(text)}"), st.text(max_size=400)),
    st.builds(lambda text: Context(replies.lines(text)), st.text(max_size=400)),
    st.builds(lambda a, b: Fields(((a, b),)), st.text(min_size=1, max_size=20), st.text(max_size=3000)),
    st.builds(lambda a: Buttons((Button(a or "x", "go", "1"),)), st.text(max_size=100)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, max_size=12))
def test_anything_fits(parts: list[Part]) -> None:
    """Whatever people type: Slack would take it, and it calls nobody."""
    made = blocks(*parts)
    raw = json.dumps(made, ensure_ascii=False)
    assert "<!channel" not in raw
    for block in made:
        assert block["type"] != "rich_text" or texts_length([block]) <= 3000 + 50


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_words_of_people_survive_markdown(text: str) -> None:
    """What goes through `plain` comes out as it was typed, in mrkdwn or in rich text."""
    plain = clean(" ".join(text.split()))
    read = read_markdown(replies.plain(text))
    assert "".join(run.text for block in read for run in block.runs) == plain
    words = mrkdwn(read)
    assert words is None or words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == plain


# --- text from Slack ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<@U1> and <@U2> and <@U3|eva>", "@Ana and @someone and @eva"),
        ("<#C1|pumps> <#C2|>", "#pumps #channel"),
        ("<!here> <!channel> <!subteam^S1|@heroes> <!date^1^{date}|3 May>", "@here @channel @heroes 3 May"),
        ("<https://x.example/a?b=1&amp;c=2>", "https://x.example/a?b=1&c=2"),
        ("<https://x.example|the wiki> <http://x.example|x.example>", "the wiki (https://x.example) http://x.example"),
        ("<mailto:a@x.example|a@x.example>", "a@x.example"),
        ("1 < 2 <", "1 < 2 <"),
    ],
)
def test_slack_text_is_made_readable(raw: str, read: str) -> None:
    """Names for ids, addresses written out, nothing escaped."""
    assert readable(raw, {"U1": "Ana"}.get) == read


def test_the_bots_mention_is_cut() -> None:
    """Wherever it stands; somebody else's stays."""
    assert without_mention("<@UBOT>, why?", "UBOT") == ("why?", True)
    assert without_mention("hey <@UBOT|weaver> why <@U2>?", "UBOT") == ("hey why <@U2>?", True)
    assert without_mention("why <@U2>?", "UBOT") == ("why <@U2>?", False)


# --- forms ----------------------------------------------------------------------------------------------------------


def test_a_form_of_everything_is_a_modal() -> None:
    """Within Slack's limits, and with what it needs on its way back."""
    many = tuple(Option(str(n), f"A choice with rather many words in its label, number {n}" * 2) for n in range(120))
    form = Form(
        name="all",
        value="3",
        title="A title that is much too long for Slack",
        submit="Send it off to everybody",
        intro="x" * 5000,
        inputs=(
            Input(name="a", label="Text", kind="text", hint="h" * 3000, max_length=10),
            Input(name="b", label="Long", kind="long_text", initial="z" * 9500, max_length=10_000),
            Input(name="c", label="One", kind="choice", options=many, initial="7"),
            Input(name="d", label="Some", kind="choices", options=many[:11], initial=("1",)),
            Input(name="e", label="Few", kind="choices", options=many[:3]),
            Input(name="f", label="When", kind="datetime", initial="2026-03-02T09:00:00+00:00"),
            Input(name="g", label="Whether", kind="toggle", initial=True),
            Input(name="h", label="Who", kind="person", initial=("U1",)),
            Input(name="i", label="Several", kind="people", initial=("U1", "U2")),
            Input(name="j", label="None there", kind="choices"),
        ),
    )
    view = forms.view_of(form, Place("slack", "T1", "C1", "1.2"), render.text_blocks(form.intro))
    assert view_problems(view) == []
    kept = json.loads(view["private_metadata"])
    assert kept == {"value": "3", "channel": "C1", "thread": "1.2"}
    names = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    assert names == ["a", "b", "b~2+", "b~3+", "b~4+", "c", "d", "e", "f", "g", "h", "i"]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab \n", min_size=2900, max_size=9500))
def test_a_long_text_comes_back_whole(text: str) -> None:
    """Shown in several inputs, put together again."""
    question = Input(name="text", label="Text", kind="long_text", initial=text, max_length=10_000)
    form = Form(name="f", value="", title="T", submit="S", inputs=(question,))
    view = forms.view_of(form, Place("slack", "T1", ""), ())
    state = {
        block["block_id"]: {
            block["element"]["action_id"]: {
                "type": "plain_text_input",
                "value": block["element"].get("initial_value"),
            }
        }
        for block in reversed(view["blocks"])  # whatever the order in which they come back
    }
    assert forms.submitted_values(state) == {"text": text}


def test_a_moment_comes_back_as_one() -> None:
    """Slack gives seconds; the port an aware time."""
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    state = {"f": {"value": {"type": "datetimepicker", "selected_date_time": int(moment.timestamp())}}}
    assert forms.submitted_values(state) == {"f": moment.isoformat()}
