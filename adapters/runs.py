"""The port's small Markdown, and people's words, as blocks of styled runs: the form that has no markup to escape from.

A platform that can show styled runs (Slack's rich text, Teams' rich text blocks) shows these, and nothing that somebody
typed can begin a style, a link or a mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.ports import clean


@dataclass(frozen=True, slots=True)
class Run:
    """Some text in one style."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, an item of a list (`mark` is what stands before it), a quote, or a block of code."""

    kind: str  # "section", "item", "quote" or "code"
    runs: tuple[Run, ...]
    mark: str = ""
    depth: int = 0


_MARKDOWN = MarkdownIt("zero", {"html": False, "breaks": True}).enable(
    ["emphasis", "backticks", "link", "list", "fence", "newline", "escape", "entity", "blockquote"]
)
_SAFE = ("http://", "https://", "mailto:")
_CODE = re.compile(r"```(?:[\w+-]*\n)?(?P<block>.*?)```|`(?P<code>[^`\n]+)`", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s<>\"'`|]*[^\s<>\"'`|.,;:!?…*_~)\]]")
BULLET = "• "


def read_markdown(text: str) -> list[Block]:
    """The blocks of a text in the port's Markdown."""
    blocks: list[Block] = []
    lists: list[int] = []  # of the lists we are in: the next number, or 0 for bullets
    mark, quoted = "", 0
    for token in _MARKDOWN.parse(clean(text)):
        match token.type:
            case "bullet_list_open":
                lists.append(0)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                mark = f"{lists[-1]}. " if lists[-1] else BULLET
                lists[-1] += 1 if lists[-1] else 0
            case "blockquote_open" | "blockquote_close":
                quoted += token.nesting
            case "fence":
                blocks.append(Block("code", (Run(token.content.rstrip("\n") or " "),)))
            case "inline":
                kind = "item" if lists else "quote" if quoted else "section"
                runs = tuple(_runs(token.children or []))
                if runs:
                    blocks.append(Block(kind, runs, mark if lists else "", max(0, len(lists) - 1)))
    return blocks


def _runs(tokens: Iterable[Token]) -> Iterator[Run]:
    bold = italic = 0
    url = ""
    for token in tokens:
        match token.type:
            case "strong_open" | "strong_close":
                bold += token.nesting
            case "em_open" | "em_close":
                italic += token.nesting
            case "link_open":
                address = str(token.attrGet("href") or "")
                url = address if address.lower().startswith(_SAFE) else ""
            case "link_close":
                url = ""
            case _:
                text = "\n" if token.type in ("softbreak", "hardbreak") else token.content
                if text:
                    yield Run(text, bool(bold), bool(italic), token.type == "code_inline", url)


def read_words(text: str) -> list[Block]:
    """A person's words as they typed them: only code is shown as code, and an address can be followed."""
    blocks: list[Block] = []
    runs: list[Run] = []
    end = 0
    text = clean(text)

    def close() -> None:
        trimmed = _trimmed(runs)
        if trimmed:
            blocks.append(Block("quote", trimmed))
        runs.clear()

    for found in _CODE.finditer(text):
        runs += _with_addresses(text[end : found.start()])
        if found["block"] is not None:
            close()
            if found["block"].strip("\n"):
                blocks.append(Block("code", (Run(found["block"].strip("\n")),)))
        else:
            runs.append(Run(found["code"], code=True))
        end = found.end()
    runs += _with_addresses(text[end:])
    close()
    return blocks


def _with_addresses(text: str) -> Iterator[Run]:
    end = 0
    for found in _ADDRESS.finditer(text):
        if found.start() > end:
            yield Run(text[end : found.start()])
        yield Run(found.group(), url=found.group())
        end = found.end()
    if end < len(text):
        yield Run(text[end:])


def _trimmed(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Without empty lines at either end."""
    kept = list(runs)
    while kept and not kept[0].text.lstrip("\n"):
        kept.pop(0)
    while kept and not kept[-1].text.rstrip():
        kept.pop()
    if kept and not kept[0].code:
        kept[0] = replace(kept[0], text=kept[0].text.lstrip("\n"))
    if kept and not kept[-1].code:
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip())
    return tuple(kept)
