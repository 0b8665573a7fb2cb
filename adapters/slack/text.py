"""What Slack calls text, made readable: https://docs.slack.dev/messaging/formatting-message-text#retrieving-messages."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.ports import clean

_REFERENCE = re.compile(r"<([^<>\n]+)>")


def escape(text: str) -> str:
    """The three characters that can begin anything in Slack's markup."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The characters as they were typed."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def readable(text: str, name_of: Callable[[str], str | None]) -> str:
    """The text as its readers see it: names for ids, addresses written out, nothing escaped.

    `name_of` gives the name of a user id, or None where it is not known yet: nobody is asked for it here.
    """

    def spelt(found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target.startswith("@"):
            return "@" + (name_of(target[1:]) or label or "someone")
        if target.startswith("#"):
            return "#" + (label or "channel")
        if target.startswith("!"):
            return _special(target[1:], label)
        address = target.removeprefix("mailto:")
        return address if not label or _same(label, address) else f"{label} ({address})"

    return unescape(_REFERENCE.sub(spelt, text))


def _special(what: str, label: str) -> str:
    name = what.partition("^")[0]
    if name in ("here", "channel", "everyone"):
        return f"@{name}"
    if name == "subteam":
        return label if label.startswith("@") else f"@{label or 'group'}"
    return label or name


def _same(label: str, address: str) -> bool:
    """Whether the label is the address itself, perhaps without its scheme."""
    return address.removeprefix("https://").removeprefix("http://").rstrip("/") == (
        label.removeprefix("https://").removeprefix("http://").rstrip("/")
    )


def without_mention(text: str, user: str) -> tuple[str, bool]:
    """The raw text without mentions of `user`, and whether there were any."""
    if not user:
        return text, False
    cut, count = re.subn(rf"<@{re.escape(user)}(?:\|[^<>]*)?>[,:]?[ \t]*", "", text)
    return (cut.strip(), True) if count else (text, False)
