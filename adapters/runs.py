"""The port's small Markdown, and people's words, as blocks of styled runs: the form that has no markup to escape from.

A platform that can show styled runs (Slack's rich text, Teams' rich text blocks) shows these, and nothing that somebody
typed can begin a style, a link or a mention.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.words import ADDRESS, FENCE, SAFE, reader
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
_WORDS = reader()
_CODE_OR_ADDRESS = re.compile(rf"`(?P<code>[^`\n]+)`|(?P<address>{ADDRESS.pattern})", re.IGNORECASE)
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


def _runs(tokens: Iterable[Token], *, bold_star: bool = False) -> Iterator[Run]:
    bold = italic = 0
    url = ""
    for token in tokens:
        match token.type:
            case "strong_open" | "strong_close":
                bold += token.nesting
            case "em_open" | "em_close" if bold_star and token.markup == "*":
                bold += token.nesting
            case "em_open" | "em_close":
                italic += token.nesting
            case "link_open":
                address = str(token.attrGet("href") or "")
                url = address if address.lower().startswith(SAFE) else ""
            case "link_close":
                url = ""
            case _:
                text = "\n" if token.type in ("softbreak", "hardbreak") else token.content
                if text:
                    yield Run(text, bool(bold), bool(italic), token.type == "code_inline", url)


def read_words(text: str, *, bold_star: bool = False) -> list[Block]:
    """A person's words, line by line as they typed them, in the styles of `adapters.words`. `bold_star`: one star on
    each side makes bold, too, as people of this platform know it."""
    return _blocks(text, lambda words: _styled(words, bold_star=bold_star))


def read_facts(text: str) -> list[Block]:
    """A few words that are nobody's text, a name say: only code is shown as code, and an address can be followed."""
    return _blocks(text, _unstyled)


def _blocks(text: str, read: Callable[[str], Iterable[Run]]) -> list[Block]:
    blocks: list[Block] = []
    runs: list[Run] = []
    end = 0
    text = clean(text)

    def close() -> None:
        trimmed = _trimmed(runs)
        if trimmed:
            blocks.append(Block("quote", trimmed))
        runs.clear()

    for found in FENCE.finditer(text):
        runs += read(text[end : found.start()])
        close()
        if code := found[1].strip("\n"):
            blocks.append(Block("code", (Run(code),)))
        end = found.end()
    runs += read(text[end:])
    close()
    return blocks


def _styled(text: str, *, bold_star: bool) -> Iterator[Run]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield Run("\n")
        [read] = _WORDS.parseInline(line)
        yield from _runs(read.children or (), bold_star=bold_star)


def _unstyled(text: str) -> Iterator[Run]:
    end = 0
    for found in _CODE_OR_ADDRESS.finditer(text):
        if found.start() > end:
            yield Run(text[end : found.start()])
        yield Run(found["code"], code=True) if found["code"] else Run(found["address"], url=found["address"])
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
