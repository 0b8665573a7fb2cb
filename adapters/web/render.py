"""The neutral message, and what people type, as HTML that can do nothing but be read.

Two fences, one behind the other: markdown-it with HTML switched off writes the markup, nh3 then lets through only
the tags and addresses named here.
"""

from __future__ import annotations

from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt

from adapters.words import DEEPEST, FENCE, reader
from bot.ports import Button, Buttons, Context, Divider, Fields, Image, Message, Part, Quote, Text, clean

_TAGS = {"a", "p", "br", "strong", "em", "code", "pre", "ul", "ol", "li", "div", "dl", "dt", "dd", "figure", "img"}
_TAGS |= {"hr", "button", "blockquote", "figcaption", "span"}
_ATTRIBUTES = {
    "a": {"href", "class", "target"},
    "ol": {"start"},
    "img": {"src", "alt", "loading"},
    "button": {"type", "class", "data-action", "data-value"},
    "div": {"class", "dir"},
    "p": {"class", "dir"},
    "dl": {"class"},
    "dd": {"dir"},
    "blockquote": {"class", "dir"},
    "figure": {"class"},
    "span": {"class"},
}
_SCHEMES = {"http", "https", "mailto"}


def _markdown() -> MarkdownIt:
    small = MarkdownIt("zero", {"html": False, "breaks": True})
    return small.enable(["emphasis", "backticks", "link", "list", "fence", "newline", "escape", "entity", "blockquote"])


_TYPED = reader("list", "newline", "blockquote")  # people's words: each link beside its address
_MARKDOWN = _markdown()  # the bot's own: it writes a link as one, and escapes what people typed


def render_words(text: str) -> str:
    """What a person typed, in small styles: bold, italic, code, links, lists, quotes, new lines."""
    return _clean(_words_of_a_person(text))


def render_markdown(text: str) -> str:
    """The port's small Markdown, as the bot writes it."""
    return _clean(f'<div class="md" dir="auto">{_MARKDOWN.render(text)}</div>')


def render_message(message: Message) -> str:
    """One message of the bot. Anything beyond plain words is a card."""
    card = any(not isinstance(part, Text) for part in message.parts)
    body = "".join(_part(part) for part in message.parts) or _words(message.summary)
    return _clean(f'<div class="{"card" if card else "words"}">{body}</div>')


def _part(part: Part) -> str:
    html = ""
    match part:
        case Text(markdown):
            html = f'<div class="md" dir="auto">{_MARKDOWN.render(markdown)}</div>'
        case Context(markdown):
            html = f'<div class="context" dir="auto">{_MARKDOWN.renderInline(markdown)}</div>'
        case Quote(text, by):
            name = f'<div class="by" dir="auto">{escape(by)}</div>' if by else ""
            html = f'<blockquote class="quote">{name}{_words_of_a_person(text)}</blockquote>'
        case Fields(items):
            facts = "".join(f'<div><dt>{escape(k)}</dt><dd dir="auto">{escape(v)}</dd></div>' for k, v in items)
            html = f'<dl class="facts">{facts}</dl>'
        case Buttons(items):
            html = f'<div class="buttons">{"".join(_button(button) for button in items)}</div>'
        case Image(url, alt):
            picture = f'<img src="{escape(url)}" alt="{escape(alt)}" loading="lazy">' if _safe_picture(url) else ""
            html = f'<figure class="picture">{picture or escape(alt)}</figure>'
        case Divider():
            html = "<hr>"
    return html


def _button(button: Button) -> str:
    label = escape(button.label)
    if button.url:
        return f'<a class="button {button.style}" href="{escape(button.url)}">{label}</a>'
    action, value = escape(button.action), escape(button.value)
    return f'<button type="button" class="button {button.style}" data-action="{action}" data-value="{value}">' + (
        f"{label}</button>"
    )


def _words_of_a_person(text: str) -> str:
    """A person's words in their small styles; as they are where they would be nested deeper than anybody means."""
    text = clean(text)
    pieces, end = list[str](), 0
    for found in FENCE.finditer(text):
        code = escape(found[1].strip("\n"))
        pieces += [_styled(text[end : found.start()]), f"<pre><code>{code}</code></pre>" if code else ""]
        end = found.end()
    return f'<div class="md" dir="auto">{"".join(pieces)}{_styled(text[end:])}</div>'


def _styled(text: str) -> str:
    tokens = _TYPED.parse(text)
    if any(token.level > DEEPEST for token in tokens):
        return f"<p>{_words(text)}</p>"
    return str(_TYPED.renderer.render(tokens, _TYPED.options, {}))


def _words(text: str) -> str:
    return escape(text.strip("\n")).replace("\n", "<br>")


def _safe_picture(url: str) -> bool:
    return url.startswith(("https://", "http://")) or (url.startswith("/") and not url.startswith("//"))


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Only classes of ours: nothing that is shown may dress up as another part of the page."""
    if name != "class":
        return value
    ours = {"md", "card", "words", "context", "quote", "by", "facts", "buttons", "button", "picture"}
    ours |= {"plain", "primary", "danger"}
    return " ".join(word for word in value.split() if word in ours) or None


def _clean(html: str) -> str:
    options: dict[str, Any] = {"link_rel": "noopener noreferrer nofollow", "attribute_filter": _attribute}
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        **options,
    )
