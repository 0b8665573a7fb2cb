"""What people type, read as they meant it: **bold**, *italic*, _italic_, `code`, [links](https://…) and addresses.

Gentler than Markdown, for most people never wrote any: signs within words and __names__ are no styles, a backslash and
an entity are what they are, and a link always stands beside its address, so that it says where it leads.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

SAFE = ("http://", "https://", "mailto:")
ADDRESS = re.compile(r"https?://[^\s<>\"'`|]*[^\s<>\"'`|.,;:!?…*_~)\]]", re.IGNORECASE)
FENCE = re.compile(r"```(?:[\w+-]*\n)?(.*?)```", re.DOTALL)  # anywhere, as chats have it
_SCHEME = re.compile(r"(?<![a-z0-9])https?$", re.IGNORECASE)
_IN_WORD = re.compile(r"[A-Za-z0-9]")  # elsewhere (漢字, say) words have no spaces between them
DEEPEST = 16  # markdown-it drops what is nested deeper than 20, so nobody's words may come so far


def reader(*blocks: str) -> MarkdownIt:
    """A parser of people's words; `blocks` are markdown-it's rules for what is longer than a line."""
    made = MarkdownIt("zero", {"html": False, "breaks": True})
    made.enable(["emphasis", "backticks", "link", *blocks])
    made.inline.ruler.before("backticks", "address", _address)
    made.core.ruler.push("words", _words)
    return made


def _address(state: StateInline, silent: bool) -> bool:
    """An address that stands bare, taken whole: what is in it styles nothing."""
    scheme = _SCHEME.search(state.pending) if state.src.startswith("://", state.pos) and not state.linkLevel else None
    found = ADDRESS.match(state.src, state.pos - len(scheme.group())) if scheme else None
    if silent or scheme is None or found is None or found.end() > state.posMax:
        return False
    address = found.group()
    if state.src.startswith(")", found.end()) and address.count("(") > address.count(")"):  # …/wiki/Cavitation_(pump)
        address += ")"
    state.pending = state.pending[: -len(scheme.group())]
    for token in _link(address):
        state.push(token.type, token.tag, token.nesting).attrs = dict(token.attrs)
        state.tokens[-1].content = token.content
    state.pos = found.start() + len(address)
    return True


def _words(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = _honest(_whole(block.children))


def _whole(tokens: list[Token]) -> list[Token]:
    """Styles around whole words; the signs of others are text again."""
    kept, opened = list(tokens), list[int]()
    for at, token in enumerate(tokens):
        if token.type in ("strong_open", "em_open"):
            opened.append(at)
        elif token.type in ("strong_close", "em_close"):
            begin = opened.pop()
            before = tokens[begin - 1].content[-1:] if begin and tokens[begin - 1].type == "text" else ""
            after = tokens[at + 1].content[:1] if at + 1 < len(tokens) and tokens[at + 1].type == "text" else ""
            if token.markup == "__" or _IN_WORD.match(before) or _IN_WORD.match(after):
                kept[begin] = kept[at] = Token("text", "", 0, content=token.markup)
    return kept


def _honest(tokens: list[Token]) -> list[Token]:
    """Each link with other words than its address has the address behind them."""
    made: list[Token] = []
    address, said, begin = "", "", 0
    for token in tokens:
        if token.type == "link_open":
            address, said, begin = str(token.attrGet("href") or ""), "", len(made)
        elif token.type == "link_close":
            if said == address and address.lower().startswith(SAFE):
                made[begin:] = _link(address)
            else:
                shown = _link(address) if address.lower().startswith(SAFE) else [_text(address)]
                made += [_text(" ("), *shown, _text(")")]
        else:
            said += token.content
            made.append(token)
    return made


def _link(address: str) -> list[Token]:
    return [Token("link_open", "a", 1, attrs={"href": address}), _text(address), Token("link_close", "a", -1)]


def _text(words: str) -> Token:
    return Token("text", "", 0, content=words)
