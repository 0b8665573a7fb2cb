"""Slack's message markup made readable. Code stays exactly as it was typed.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache

import emoji

from bot.importers.text import clean

CODE = re.compile(r"(```.*?(?:```|$)|`[^`\n]+`)", re.DOTALL)
_SPECIAL = re.compile(r"<([^<>\n]+)>")
_EMOJI = re.compile(r":([a-z0-9_+'\-]+):(?::skin-tone-\d:)?")


def readable(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """Plain text with code marks. `people` and `channels` give names by Slack id."""

    def special(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        label = label.strip()
        if target.startswith("@"):
            return "@" + (people.get(target[1:]) or label or "somebody")
        if target.startswith("#"):
            return "#" + (label or channels.get(target[1:]) or "channel")
        if target.startswith("!"):
            return label or "@" + target[1:].partition("^")[0]
        return _link(target, label)

    parts = []
    for part in CODE.split(clean(text)):
        code = part.startswith("`")
        words = html.unescape(_SPECIAL.sub(_typed if code else special, part))
        parts.append(words if code else _EMOJI.sub(_picture, words))
    return "".join(parts).strip()


def _typed(match: re.Match[str]) -> str:
    """In code, Slack's own marking of a link is undone; the rest is somebody's code."""
    target, _, label = match[1].partition("|")
    if re.match(r"(https?|mailto|tel):", target):
        return label or target
    return match[0]


def _link(target: str, label: str) -> str:
    if target.startswith(("mailto:", "tel:")):
        return label or target.partition(":")[2]
    if not re.match(r"[a-z][a-z0-9+.\-]*:", target):
        return f"<{target}|{label}>" if label else f"<{target}>"  # no link: somebody's angle brackets
    bare = target.partition("://")[2].rstrip("/")
    if not label or label.rstrip("/") in {target.rstrip("/"), bare}:
        return target
    return f"{label} ({target})"


def _picture(match: re.Match[str]) -> str:
    """The emoji itself; one of the workspace's own keeps its name."""
    picture = emoji.emojize(f":{match[1]}:", language="alias")
    if picture == match[0] and "-" in match[1]:
        picture = emoji.emojize(f":{match[1].replace('-', '_')}:", language="alias")
    return match[0] if picture.startswith(":") else picture


@lru_cache(maxsize=512)  # each message is judged in several ways, one after the other
def prose(text: str) -> str:
    """Readable text without code, links, quoted lines and emoji: what is judged when the words matter."""
    words = CODE.sub(" CODE ", text)
    words = re.sub(r"https?://\S+", " LINK ", words)
    words = re.sub(r"^>.*$", " ", words, flags=re.MULTILINE)
    words = _EMOJI.sub(" ", words if words.isascii() else emoji.replace_emoji(words, " "))
    return words.replace("’", "'").strip()
