"""A neutral message as Block Kit, within Slack's limits: https://docs.slack.dev/reference/block-kit/blocks.

Blocks are slack-sdk's models, which check the limits once more. Nothing in a message pings: the bot's own words carry
no mentions, people's words are rich text, and `verbatim` keeps Slack from finding mentions by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    ImageBlock,
    MarkdownTextObject,
    PlainTextObject,
    RichTextBlock,
    SectionBlock,
)

from adapters.runs import Block, Run, read_facts, read_markdown, read_words
from adapters.slack.interactions import LINK
from adapters.slack.markup import mrkdwn, rich_texts
from adapters.slack.text import escape
from bot.ports import Button, Buttons, Context, Divider, Fields, Image, Message, Part, Quote, Text, clean

TEXT = 3000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
LABEL = 75
VALUE = 2000
FIELD = 2000
FIELDS = 10
ROW = 5
_RICH = 2900  # of a rich text block; Slack names no limit, so it is kept below that of other texts
_CUT = "Some of this does not fit into one Slack message."

Blocks = list[dict[str, Any]]


def fallback(message: Message) -> str:
    """The `text` of a message: what notifications show, and what a screen reader says."""
    return cut(escape(message.summary), TEXT)


def blocks_of(message: Message, limit: int = MESSAGE_BLOCKS) -> Blocks:
    """The blocks of a message, at most `limit`."""
    blocks = [block for part in message.parts for block in _part(part)]
    return fitted(blocks or text_blocks(escape(message.summary)), limit)


def text_blocks(markdown: str) -> Blocks:
    """The port's Markdown as sections; as rich text where mrkdwn would show something else, or is too long."""
    read = read_markdown(markdown)
    words = mrkdwn(read)
    if words is None or len(words) > TEXT:
        return _rich(read)
    return [SectionBlock(text=MarkdownTextObject(text=words, verbatim=True)).to_dict()] if words.strip() else []


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; what is cut is marked so."""
    return text if len(text) <= limit else re.sub(r"&[a-z]{0,3}$", "", text[: limit - 1]).rstrip() + "…"


def _part(part: Part) -> Blocks:
    made: Blocks = []
    match part:
        case Text(markdown):
            made = text_blocks(markdown)
        case Context(markdown):
            made = _context(markdown)
        case Quote(text, by):
            made = _quote(text, by)
        case Fields(items):
            made = _fields(items)
        case Buttons(items):
            made = _buttons(items)
        case Image(url, alt):
            made = _image(url, alt)
        case Divider():
            made = [DividerBlock().to_dict()]
    return made


def _rich(blocks: Sequence[Block]) -> Blocks:
    return [RichTextBlock(elements=made["elements"]).to_dict() for made in rich_texts(blocks, _RICH)]


def _context(markdown: str) -> Blocks:
    read = read_markdown(markdown)
    words = mrkdwn(read)
    if words is None or len(words) > TEXT:
        return _rich(read)
    return [ContextBlock(elements=[MarkdownTextObject(text=words, verbatim=True)]).to_dict()] if words.strip() else []


def _quote(text: str, by: str) -> Blocks:
    blocks = read_words(text, bold_star=True)
    if by:
        name = Run(clean(by), bold=True)
        if blocks and blocks[0].kind == "quote":
            blocks[0] = Block("quote", (name, Run("\n"), *blocks[0].runs))
        else:
            blocks.insert(0, Block("quote", (name,)))
    return _rich(blocks)


def _fields(items: Sequence[tuple[str, str]]) -> Blocks:
    made: Blocks = []
    for at in range(0, len(items), FIELDS):
        fields = [_field(label, text) for label, text in items[at : at + FIELDS]]
        made.append(SectionBlock(fields=fields).to_dict())
    return made


def _field(label: str, text: str) -> MarkdownTextObject | PlainTextObject:
    """A fact. Code in it is shown as code; it has no other markup."""
    said = [replaced for block in read_facts(text) for replaced in block.runs if block.kind != "code"]
    head = (Run(clean(label), bold=True), Run("\n")) if clean(label) else ()
    words = mrkdwn([Block("section", (*head, *said))])
    if not words or len(words) > FIELD:
        return PlainTextObject(text=cut(clean(f"{label}\n{text}"), FIELD), emoji=False)
    return MarkdownTextObject(text=words, verbatim=True)


def _buttons(items: Sequence[Button]) -> Blocks:
    made: Blocks = []
    for at in range(0, len(items), ROW):
        row, taken = [], set()
        for number, button in enumerate(items[at : at + ROW]):
            action = f"{LINK}{number}" if button.url else button.action
            if action in taken:  # within one block each needs its own
                action = f"{action}#{number}"
            taken.add(action)
            row.append(
                ButtonElement(
                    text=PlainTextObject(text=cut(clean(button.label), LABEL) or " ", emoji=False),
                    action_id=action,
                    value=None if button.url else button.value[:VALUE] or None,
                    url=button.url or None,
                    style=None if button.style == "plain" else button.style,
                )
            )
        made.append(ActionsBlock(elements=row).to_dict())
    return made


def _image(url: str, alt: str) -> Blocks:
    words = cut(clean(alt), VALUE) or "A picture"
    if not url.startswith(("https://", "http://")) or len(url) > TEXT:
        return [ContextBlock(elements=[PlainTextObject(text=words, emoji=False)]).to_dict()]
    return [ImageBlock(image_url=url, alt_text=words).to_dict()]


# --- limits ---------------------------------------------------------------------------------------------------------


def fitted(blocks: Blocks, limit: int) -> Blocks:
    """At most `limit` blocks: lines between are dropped first, then neighbours joined, and only then something cut.

    Buttons are never cut: what one can do must stay possible.
    """
    if len(blocks) > limit:
        blocks = [block for block in blocks if block["type"] != "divider"]
    if len(blocks) > limit:
        blocks = _joined(blocks)
    if len(blocks) <= limit:
        return blocks
    room = limit - 1
    rows = [number for number, block in enumerate(blocks) if block["type"] == "actions"][:room]
    others = [number for number, block in enumerate(blocks) if block["type"] != "actions"][: room - len(rows)]
    kept = [blocks[number] for number in sorted([*rows, *others])]
    return [*kept, ContextBlock(elements=[PlainTextObject(text=_CUT)]).to_dict()]


def _joined(blocks: Blocks) -> Blocks:
    """Neighbours of one kind as one block, while their text stays within the limit."""
    made: Blocks = []
    for block in blocks:
        last = made[-1] if made else {}
        if last.get("type") == block["type"] == "section" and "text" in last and "text" in block:
            words = f"{last['text']['text']}\n\n{block['text']['text']}"
            if len(words) <= TEXT:
                made[-1] = SectionBlock(text=MarkdownTextObject(text=words, verbatim=True)).to_dict()
                continue
        if last.get("type") == block["type"] == "rich_text" and _length(last) + _length(block) <= _RICH:
            made[-1] = {**last, "elements": [*last["elements"], *block["elements"]]}
            continue
        made.append(block)
    return made


def _length(value: Any) -> int:
    """The characters of a rich text block."""
    if isinstance(value, dict):
        return len(value["text"]) if isinstance(value.get("text"), str) else sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else 0
