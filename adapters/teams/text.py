"""What people write in Teams, made readable: mentions as names, HTML as words.

A message comes as text, with mentions as `<at>…</at>` listed in its entities, and mostly a second time as an attached
piece of HTML: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/channel-and-group-conversations
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from bot.ports import clean

_AT = re.compile(r"<at(?:\s[^<>]*)?>(.*?)</at>", re.DOTALL | re.IGNORECASE)
_REPLY = "http://schema.skype.com/Reply"
_BREAKS = ("br", "p", "div", "li", "tr", "pre", "blockquote", "h1", "h2", "h3", "codeblock")


@dataclass(frozen=True, slots=True)
class Command:
    """A word that begins a message to the bot. `alone`: only if nothing follows it, else it begins a sentence."""

    name: str
    description: str
    alone: bool = False


COMMANDS = (
    Command("ask", "Ask a question: past answers at once, then the people who know"),
    Command("experts", "Who knows about a topic, and why"),
    Command("know", "Search what colleagues have already worked out"),
    Command("community", "The communities, and what is open in them", alone=True),
    Command("mine", "What waits for you, and where your questions stand", alone=True),
    Command("help", "What I can do, and how", alone=True),
)
_NAMES = "|".join(command.name for command in COMMANDS)
_COMMAND = re.compile(rf"(/?)({_NAMES})\b[ \t:]*(.*)", re.DOTALL | re.IGNORECASE)
_ALONE = [command.name for command in COMMANDS if command.alone]


def dict_in(value: object, name: str) -> Mapping[str, Any]:
    """The object under this name; empty where there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def text_in(value: object, name: str) -> str:
    """The text under this name; empty where there is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def dicts_in(value: object, name: str) -> list[Mapping[str, Any]]:
    """The objects in the list under this name."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def words_of(activity: Mapping[str, Any]) -> tuple[str, bool, str]:
    """The text of a message without mentions of the bot; whether it was mentioned; which message this one quotes.

    Other mentions become names. What a reply quotes is not part of the text.
    """
    me = text_in(dict_in(activity, "recipient"), "id")
    text, quoted = text_in(activity, "text"), ""
    rich = next((a for a in dicts_in(activity, "attachments") if text_in(a, "contentType") == "text/html"), None)
    if rich is not None and _REPLY in text_in(rich, "content"):
        text, quoted = plain(text_in(rich, "content"))
        mentions = [one for one in dicts_in(activity, "entities") if text_in(one, "type") == "mention"]
        names = [text_in(dict_in(one, "mentioned"), "name") for one in mentions if _is(one, me)]
        mine = bool(names)
        for name in names:
            text = re.sub(rf"@?{re.escape(name)}[,:]?[ \t]*", "", text, count=1) if name else text
        return clean(text).strip(), mine, quoted
    mine = False
    for entity in dicts_in(activity, "entities"):
        if text_in(entity, "type") != "mention":
            continue
        written = text_in(entity, "text")
        if _is(entity, me):
            mine = True
            if written:
                text = re.sub(rf"{re.escape(written)}[,:]?[ \t]*", "", text)
        elif written:
            text = text.replace(written, f"@{text_in(dict_in(entity, 'mentioned'), 'name') or 'someone'}", 1)
    text = _AT.sub(lambda found: f"@{found[1]}", text)
    if text_in(activity, "textFormat") == "xml":
        text, _ = plain(text)
    return clean(text.replace("&nbsp;", " ").replace("\xa0", " ").replace("\r\n", "\n")).strip(), mine, quoted


def _is(entity: Mapping[str, Any], account: str) -> bool:
    return bool(account) and text_in(dict_in(entity, "mentioned"), "id") == account


def command_in(text: str) -> tuple[str, str] | None:
    """The command a text begins with, and the rest of it. "Ask Maria, she knows" is a sentence: it has no slash, and
    what Teams' menu puts there is written small."""
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return None
    name, rest = found[2].lower(), found[3].strip()
    sentence = bool(rest) and (name in _ALONE or (not found[1] and found[2] != name))
    return None if sentence else (name, rest)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.quoted = ""
        self._inside = 0  # of what a reply quotes

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "blockquote" and (self._inside or about.get("itemtype") == _REPLY):
            self._inside += 1
            self.quoted = self.quoted or about.get("itemid") or ""
        if self._inside:
            return
        if tag in ("code", "pre", "codeblock"):
            self.words.append("\n```\n" if tag != "code" else "`")
        elif tag in _BREAKS:
            self.words.append("\n")
        if tag == "li":
            self.words.append("- ")
        if tag in ("img", "emoji"):
            self.words.append(about.get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            self._inside -= tag == "blockquote"
        elif tag in ("code", "pre", "codeblock"):
            self.words.append("\n```\n" if tag != "code" else "`")
        elif tag in ("p", "div"):
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.words.append(data)


def plain(markup: str) -> tuple[str, str]:
    """The words of a piece of Teams' HTML, and the id of the message it quotes."""
    reader = _Reader()
    try:
        reader.feed(markup)
        reader.close()
    except (ValueError, AssertionError):
        return html.unescape(re.sub(r"<[^<>]*>", " ", markup)), ""
    text = re.sub(r"\n{3,}", "\n\n", "".join(reader.words).replace("\xa0", " "))
    return text.strip(), reader.quoted
