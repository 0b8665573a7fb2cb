"""Styled runs (`adapters.runs`) as Slack's two markups.

*mrkdwn* is what buttons' neighbours are usually written in, but nothing can be escaped in it except & < >: a name with
a star in it would turn bold. *Rich text* has no such trouble, for it has no markup at all. So bot's words become mrkdwn
where that says exactly the same, and rich text where it would not; people's words are always rich text.
https://docs.slack.dev/messaging/formatting-message-text, https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from adapters.runs import BULLET, Block, Run
from adapters.slack.text import escape

#: What Slack would read as a reference in its markup. Rich text shows it as it stands; a joiner that nobody sees keeps
#: it so wherever a client turns rich text into plain text again.
_CALL = re.compile(r"<(?=!(?:channel|here|everyone|subteam|date)\b|[@#][A-Z][A-Z0-9]{2})")
#: What would begin or end a style in mrkdwn, or become an emoji: then mrkdwn cannot say it.
_STYLING = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])|`|^\s*>|:[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*:", re.MULTILINE)


# --- mrkdwn ---------------------------------------------------------------------------------------------------------


def mrkdwn(blocks: Sequence[Block]) -> str | None:
    """The blocks in Slack's mrkdwn, or None where it would not show them as they are."""
    out: list[str] = []
    for number, block in enumerate(blocks):
        words = _mrkdwn_runs(block.runs) if block.kind != "code" else _mrkdwn_code(block.runs[0].text)
        if words is None:
            return None
        if number:
            before = blocks[number - 1]
            tight = block.kind == before.kind == "item" and (block.mark == BULLET) == (before.mark == BULLET)
            out.append("\n" if tight else "\n\n")
        if block.kind == "quote":
            words = "\n".join(f">{line}" for line in words.split("\n"))
        out.append("    " * block.depth + block.mark + words)
    return "".join(out)


def _mrkdwn_code(text: str) -> str | None:
    return None if "```" in text else f"```\n{escape(text)}\n```"


def _mrkdwn_runs(runs: Sequence[Run]) -> str | None:
    out: list[str] = []
    for number, run in enumerate(runs):
        if (not run.code and _STYLING.search(run.text)) or (run.code and "`" in run.text):
            return None
        words = escape(run.text)
        styles = ("`" if run.code else "") + ("_" if run.italic else "") + ("*" if run.bold else "")
        if run.url:
            if "\n" in run.text or "|" in run.text:
                return None
            address = escape(run.url).replace("|", "%7C").replace("\n", "")
            words = f"<{address}|{words}>"
        if styles:
            before = runs[number - 1].text[-1:] if number else ""
            after = runs[number + 1].text[:1] if number + 1 < len(runs) else ""
            if "\n" in run.text or run.text != run.text.strip() or before.isalnum() or after.isalnum():
                return None  # Slack knows styles around whole words only
            words = styles[::-1] + words + styles
        out.append(words)
    return "".join(out)


# --- rich text ------------------------------------------------------------------------------------------------------


def rich_texts(blocks: Sequence[Block], limit: int) -> list[dict[str, Any]]:
    """The blocks as rich text, in as many `rich_text` blocks of at most `limit` characters as it takes."""
    made: list[dict[str, Any]] = []
    room = 0
    for block in blocks:
        for piece in _pieces(block, limit):
            size = sum(len(run.text) for run in piece.runs)
            if size > room:
                made.append({"type": "rich_text", "elements": []})
                room = limit
            room -= size
            _add(made[-1]["elements"], piece)
    return made


def _pieces(block: Block, limit: int) -> Iterator[Block]:
    """The block, cut where it is too long: at the end of a line, else at a space, else where it must be."""
    runs: list[Run] = []
    room = limit
    for whole in block.runs:
        run = whole
        while len(run.text) > room:
            head = run.text[:room]
            cut = max(head.rfind("\n"), 0) or max(head.rfind(" "), 0)
            cut = cut + 1 if cut > room // 2 else room
            if run.url:
                cut = room  # an address has no good place; its parts would lead nowhere, so they are no links
                run = replace(run, url="")
            yield replace(block, runs=(*runs, replace(run, text=run.text[:cut])))
            runs, room, run = [], limit, replace(run, text=run.text[cut:])
        if run.text:
            runs.append(run)
            room -= len(run.text)
        if not room:
            yield replace(block, runs=tuple(runs))
            runs, room = [], limit
    if runs:
        yield replace(block, runs=tuple(runs))


def _add(elements: list[dict[str, Any]], block: Block) -> None:
    parts = [_rich_run(run) for run in block.runs]
    if block.kind == "item":
        style = "bullet" if block.mark in ("", BULLET) else "ordered"
        section = {"type": "rich_text_section", "elements": parts}
        last = elements[-1] if elements else {}
        if last.get("type") == "rich_text_list" and (last["style"], last["indent"]) == (style, block.depth):
            last["elements"].append(section)
            return
        made: dict[str, Any] = {"type": "rich_text_list", "style": style, "indent": block.depth, "elements": [section]}
        if style == "ordered" and block.mark.rstrip(". ").isdigit() and block.mark != "1. ":
            made["offset"] = int(block.mark.rstrip(". ")) - 1
        elements.append(made)
        return
    if elements and block.kind == "section" and elements[-1]["type"] == "rich_text_section":
        elements[-1]["elements"] += [{"type": "text", "text": "\n\n"}, *parts]
        return
    kinds = {"quote": "rich_text_quote", "code": "rich_text_preformatted"}
    elements.append({"type": kinds.get(block.kind, "rich_text_section"), "elements": parts})


def _rich_run(run: Run) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "text", "text": _CALL.sub("<\N{WORD JOINER}", run.text)}
    if run.url:
        part = {"type": "link", "url": run.url, "text": part["text"]}
    styles = {name: True for name in ("bold", "italic", "code") if getattr(run, name)}
    return {**part, "style": styles} if styles else part
