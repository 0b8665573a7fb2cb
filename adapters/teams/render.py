"""A neutral message as an Adaptive Card: https://adaptivecards.io/explorer/ (schema 1.5, which all of Teams shows).

Text is rich text (runs of styled words) everywhere: it has no markup, so nothing that somebody typed can style, link or
mention. Colours are named by meaning, so that dark and high contrast themes show them. No line is wider than a phone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from adapters.runs import BULLET, Block, Run, read_facts, read_markdown, read_words
from bot.ports import Button, Buttons, Context, Divider, Fields, Image, Message, Part, Quote, Text, clean

CARD = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
VERSION = "1.5"
LONGEST = 26_000  # bytes: Teams takes about 28 KB, with what is around the card
ROW = 6  # actions that Teams shows in one row
CUT = "There is more of this than fits into one Teams message; all of it is kept."
_INDENT = "\u2003"
_DATE = re.compile(r"\{\{(?=\s*(?:DATE|TIME))")

Element = dict[str, Any]


def card_of(message: Message, forms: Collection[str] = ()) -> Element:
    """The card of a message, below the size that Teams takes. `forms`: the actions that open a dialog."""
    card = _card(message, message.parts, forms)
    for limit in (6000, 3000, 1500, 800, 400, 200):  # words are shortened, evenly; what one can do must stay possible
        if size_of(card) <= LONGEST:
            return card
        shorter = [_shortened(part, limit) for part in message.parts]
        card = _card(message, (*shorter, Context(CUT)), forms)
    buttons = [part for part in message.parts if isinstance(part, Buttons)][-20:]
    few = [_shortened(part, 200) for part in message.parts if not isinstance(part, Buttons)][:20]
    return card if size_of(card) <= LONGEST else _card(message, (*few, *buttons, Context(CUT)), forms)


def attachment_of(card: Element) -> Element:
    """The card as an attachment of an activity."""
    return {"contentType": CARD, "content": card}


def size_of(card: Element) -> int:
    """The bytes of a card as it is sent."""
    return len(json.dumps(card, ensure_ascii=False).encode())


def card_with(body: Sequence[Element], fallback: str, actions: Sequence[Element] = ()) -> Element:
    """A card of these elements."""
    card: Element = {
        "type": "AdaptiveCard",
        "$schema": SCHEMA,
        "version": VERSION,
        "fallbackText": fallback,
        "body": list(body),
    }
    return {**card, "actions": list(actions)} if actions else card


def markdown(text: str, *, quiet: bool = False) -> list[Element]:
    """The port's Markdown as elements."""
    return _blocks(read_markdown(text), quiet=quiet)


def line(text: str, **style: Any) -> Element:
    """One line of words, as they are."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": _literal(text) or " ", **style}]}


def _card(message: Message, parts: Sequence[Part], forms: Collection[str]) -> Element:
    body: list[Element] = []
    separate = False
    for part in parts:
        elements = _part(part, forms)
        if isinstance(part, Divider):
            separate = True
        elif elements:
            if separate:
                elements[0] = {**elements[0], "separator": True, "spacing": "Medium"}
            separate = False
            body += elements
    summary = clean(message.summary)[:1000]
    return card_with(body or [line(summary)], summary)


def _part(part: Part, forms: Collection[str]) -> list[Element]:
    made: list[Element] = []
    match part:
        case Text(words):
            made = markdown(words)
        case Context(words):
            made = markdown(words, quiet=True)
        case Quote(words, by):
            items = [line(by, weight="Bolder"), *_blocks(read_words(words))] if by else _blocks(read_words(words))
            made = [{"type": "Container", "style": "emphasis", "items": items}] if items else []
        case Fields(items_):
            made = [_field(label, words) for label, words in items_]
        case Buttons(buttons):
            rows = [buttons[at : at + ROW] for at in range(0, len(buttons), ROW)]
            made = [{"type": "ActionSet", "actions": [_button(one, forms) for one in row]} for row in rows]
        case Image(url, alt):
            picture = {"type": "Image", "url": url, "altText": clean(alt) or "A picture", "size": "Stretch"}
            made = [picture if url.startswith(("https://", "http://")) else line(alt, isSubtle=True)]
        case Divider():
            pass
    return made


def _field(label: str, words: str) -> Element:
    runs: list[Run] = [Run(clean(label), bold=True), Run("\u2002")]
    for block in read_facts(words):
        runs += block.runs
    return {"type": "RichTextBlock", "inlines": [_run(run) for run in runs], "spacing": "Small"}


def _button(button: Button, forms: Collection[str]) -> Element:
    title = clean(button.label) or "…"
    if button.url:
        return {"type": "Action.OpenUrl", "title": title, "url": button.url}
    style = {"primary": "positive", "danger": "destructive"}.get(button.style, "default")
    said = {"action": button.action, "value": button.value}
    if button.action in forms:  # a dialog opens in answer to Action.Submit only
        data = {**said, "msteams": {"type": "task/fetch"}}
        return {"type": "Action.Submit", "title": title, "style": style, "data": data}
    otherwise = {"type": "Action.Submit", "title": title, "style": style, "data": said}
    return {
        "type": "Action.Execute",
        "title": title,
        "style": style,
        "verb": button.action,
        "data": said,
        "fallback": otherwise,
    }


# --- words ----------------------------------------------------------------------------------------------------------


def _blocks(blocks: Sequence[Block], *, quiet: bool = False) -> list[Element]:
    """Each line is an element of its own: a new line inside a run is not shown by all of Teams' clients."""
    made: list[Element] = []
    for block in blocks:
        for number, runs in enumerate(_lines(block)):
            tight = number > 0 or (block.kind == "item" and made and made[-1].get("id") is None and _item(made[-1]))
            mark = (Run(_INDENT * block.depth + block.mark),) if block.kind == "item" and number == 0 else ()
            inlines = [_run(run, quiet=quiet, code=block.kind == "code") for run in (*mark, *runs) if run.text]
            if not inlines:
                inlines = [{"type": "TextRun", "text": " "}]
            element: Element = {"type": "RichTextBlock", "inlines": inlines}
            made.append({**element, "spacing": "None"} if tight else element)
    return made


def _item(element: Element) -> bool:
    first = str(element["inlines"][0].get("text", "")).lstrip(_INDENT) if element.get("inlines") else ""
    return first == BULLET or first.rstrip(". ").isdigit()


def _lines(block: Block) -> list[list[Run]]:
    lines: list[list[Run]] = [[]]
    for run in block.runs:
        first, *more = run.text.split("\n")
        lines[-1].append(replace(run, text=first))
        lines += [[replace(run, text=words)] for words in more]
    return lines


def _run(run: Run, *, quiet: bool = False, code: bool = False) -> Element:
    made: Element = {"type": "TextRun", "text": _literal(run.text)}
    if run.bold:
        made["weight"] = "Bolder"
    if run.italic:
        made["italic"] = True
    if run.code or code:
        made["fontType"] = "Monospace"
    if quiet:
        made |= {"isSubtle": True, "size": "Small"}
    if run.url.startswith(("https://", "http://", "mailto:")):
        made |= {"selectAction": {"type": "Action.OpenUrl", "url": run.url}, "color": "Accent", "underline": True}
    return made


def _literal(text: str) -> str:
    """The words as they are: cards know no markup in a run, but dates (`{{DATE(…)}}`), which a joiner keeps apart."""
    return _DATE.sub("{\N{WORD JOINER}{", clean(text))


def _shortened(part: Part, limit: int) -> Part:
    match part:
        case Quote(words, by):
            return Quote(_cut(words, limit), by[:200])
        case Text(words) if len(words) > limit:  # its markup may be cut in two: then only the words are kept
            return Quote(_cut(words, limit))
        case Context(words) if len(words) > limit:
            return Quote(_cut(words, limit))
        case Fields(items):
            return Fields(tuple((label[:80], _cut(words, limit)) for label, words in items[:20]))
        case Buttons(items):
            return Buttons(tuple(replace(one, label=_cut(one.label, 75)) for one in items))
    return part


def _cut(words: str, limit: int) -> str:
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"
