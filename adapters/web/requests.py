"""Reading requests with distrust, and saying in a plain sentence what is wrong with one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

#: What one message may hold. Longer things belong into a document.
LONGEST = 40_000

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class RequestError(Exception):
    """A request that cannot be done, with the sentence for the person and perhaps one for each input of a form."""

    def __init__(self, status: int, sentence: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.errors = dict(errors or {})


def missing() -> RequestError:
    """The answer for what is not there and for what is not for this person's eyes: the same, on purpose."""
    return RequestError(404, "This is not here any more, or not for you to see.")


def clean(text: str) -> str:
    """Text that every database takes: without NUL and without halves of characters."""
    return text.replace("\0", "").replace("\r\n", "\n").encode("utf-8", "ignore").decode("utf-8")


async def body(request: web.Request) -> Mapping[str, Any]:
    """The JSON object of a request."""
    try:
        data = json.loads(await request.text())
    except (ValueError, RecursionError):
        raise RequestError(400, "This request could not be read.") from None
    if not isinstance(data, dict):
        raise RequestError(400, "This request could not be read.")
    return data


def text_of(data: Mapping[str, Any], name: str) -> str:
    """A text of a request, cleaned; empty where there is none."""
    value = data.get(name)
    return clean(value) if isinstance(value, str) else ""


def key_of(data: Mapping[str, Any]) -> str:
    """The page's own key for this act: the same act sent again has the same key, and happens once."""
    key = text_of(data, "key")
    if not _KEY.fullmatch(key):
        raise RequestError(400, "This request has no proper key. Reload the page and try again.")
    return key


def words_of(data: Mapping[str, Any]) -> str:
    """What a person typed as a message."""
    text = text_of(data, "text").strip()
    if not text:
        raise RequestError(422, "There is nothing in this message yet.")
    if len(text) > LONGEST:
        raise RequestError(
            422,
            f"This message has {len(text):,} characters; at most {LONGEST:,} fit into one. "
            "Send it in parts, or link to a document.",
        )
    return text
