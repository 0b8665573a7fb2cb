"""Pages in Slack's look, so that a person can judge the cards: a channel, a form, a home view. For eyes, not for tests.

page.set_content(channel_page(ana, water))    # Playwright; then page.screenshot(path=…)
"""

from __future__ import annotations

import hashlib
import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emoji

from .forms import value_of
from .state import Channel, Json, Message, Team, View

if TYPE_CHECKING:
    from .people import Person

_CSS = (Path(__file__).parent / "render.css").read_text()
_STYLES = {"code": "code", "bold": "b", "italic": "i", "strike": "s"}
_COLOURS = ("#4a154b", "#2eb67d", "#e8912d", "#1264a3", "#e01e5a", "#0b7285")


def _escape(text: str) -> str:
    """Slack's three escapes undone, and HTML's put on; emoji names become emoji."""
    return html.escape(emoji.emojize(html.unescape(text), language="alias"), quote=True)


def _reference(inner: str, team: Team) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        user = team.users.get(target[1:])
        return f'<span class="mention">@{_escape(user.real_name if user else label or target[1:])}</span>'
    if target.startswith("#"):
        channel = team.channels.get(target[1:])
        return f'<span class="mention">#{_escape(channel.name if channel else label or target[1:])}</span>'
    if target.startswith("!"):
        return f'<span class="mention broadcast">{_escape(label or "@" + target[1:])}</span>'
    return f'<a href="{_escape(target)}">{_escape(label or target)}</a>'


def _inline(text: str, team: Team) -> str:
    """References, code and emphasis on one line. The first two are put aside, so that nothing in them is emphasis."""
    aside: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        piece = match.group()
        code = piece.startswith("`")
        aside.append(f"<code>{_escape(piece[1:-1])}</code>" if code else _reference(piece[1:-1], team))
        return f"\0{len(aside) - 1}\0"

    line = _escape(re.sub(r"`[^`\n]+`|<[^<>\n]+>", put_aside, text.replace("\0", "")))
    for mark, tag in (("*", "b"), ("_", "i"), ("~", "s")):
        sign = re.escape(mark)
        pattern = rf"(?<![\w{sign}]){sign}(?=[^\s{sign}])([^{sign}\n]*[^\s{sign}]){sign}(?![\w{sign}])"
        line = re.sub(pattern, rf"<{tag}>\1</{tag}>", line)
    return re.sub(r"\0(\d+)\0", lambda match: aside[int(match.group(1))], line)


def mrkdwn_html(text: str, team: Team) -> str:
    """Slack's markup as HTML: code blocks, quotes, lines."""
    found = []
    for piece in re.split(r"(```.*?```)", text, flags=re.DOTALL):
        if piece.startswith("```") and len(piece) >= 6:
            found.append(f"<pre>{_escape(piece[3:-3].strip(chr(10)))}</pre>")
            continue
        quoted: list[str] = []
        lines: list[str] = []
        after_code = bool(found) and found[-1].startswith("<pre>")
        for line in [*piece.removeprefix("\n" if after_code else "").split("\n"), None]:
            quote = re.match(r"(?:&gt;|>) ?(.*)", line) if line is not None else None
            if quote:
                quoted.append(_inline(quote.group(1), team))
                continue
            if quoted:
                lines.append(f"<blockquote>{'<br>'.join(quoted)}</blockquote>")
                quoted = []
            if line is not None:
                lines.append(_inline(line, team) + "<br>")
        found.append("".join(lines).removesuffix("<br>"))
    return "".join(found).replace("</blockquote><br>", "</blockquote>")


def _words(node: Json | None, team: Team) -> str:
    if not node:
        return ""
    if node["type"] == "mrkdwn":
        return mrkdwn_html(node["text"], team)
    return _escape(node["text"]).replace("\n", "<br>")


def _image(node: Json) -> str:
    return f'<img src="{_escape(node.get("image_url", ""))}" alt="{_escape(node.get("alt_text", ""))}">'


def _choices(element: Json, team: Team, chosen: Any) -> str:
    picked = {one["value"] for one in (chosen if isinstance(chosen, list) else [chosen]) if one}
    mark = ("☑", "☐") if element["type"] == "checkboxes" else ("◉", "○")
    return "".join(
        f'<span class="choice">{mark[option["value"] not in picked]} {_words(option["text"], team)}'
        f"<small>{_words(option.get('description'), team)}</small></span>"
        for option in element["options"]
    )


def _names(value: Any, team: Team) -> list[str]:
    names = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            names.append(one["text"]["text"])
        elif user := team.users.get(str(one)):
            names.append(user.real_name)
        elif channel := team.channels.get(str(one)):
            names.append("#" + channel.name)
        else:
            names.append(str(one))
    return names


def element_html(element: Json, team: Team, value: Any = None) -> str:
    """A button, a menu, an input with what is in it."""
    kind = element["type"]
    if kind == "button":
        return f'<span class="button {element.get("style", "")}">{_words(element["text"], team)}</span>'
    if kind in ("plain_text", "mrkdwn"):
        return f"<span>{_words(element, team)}</span>"
    if kind == "image":
        return _image(element)
    if kind == "overflow":
        return '<span class="button" style="min-width:0">⋯</span>'
    if kind in ("checkboxes", "radio_buttons"):
        return _choices(element, team, value)
    shape = "tall" if element.get("multiline") else "" if kind.endswith("_input") else "menu"
    if kind == "datetimepicker" and value:
        value = datetime.fromtimestamp(int(value), UTC).strftime("%B %-d, %Y at %H:%M")
    if value in (None, "", []):
        inside = f'<span class="placeholder">{_words(element.get("placeholder"), team)}</span>'
    elif isinstance(value, list):
        inside = "".join(f'<span class="chip">{_escape(name)}</span>' for name in _names(value, team))
    else:
        inside = html.escape(value) if kind.endswith("_input") else _escape(_names(value, team)[0])
    return f'<div class="field {shape}">{inside}</div>'


def _rich(node: Json, team: Team) -> str:
    kind = str(node.get("type"))
    if kind == "text":
        words = html.escape(node["text"]).replace("\n", "<br>")
        for name, tag in _STYLES.items():
            words = f"<{tag}>{words}</{tag}>" if node.get("style", {}).get(name) else words
        return words
    if kind == "user":
        return _reference("@" + node["user_id"], team)
    if kind == "channel":
        return _reference("#" + node["channel_id"], team)
    if kind == "broadcast":
        return _reference("!" + node["range"], team)
    if kind == "link":
        return f'<a href="{_escape(node["url"])}">{_escape(node.get("text") or node["url"])}</a>'
    inside = [_rich(one, team) for one in node.get("elements", [])]
    if kind == "rich_text_list":
        tag = "ol" if node.get("style") == "ordered" else "ul"
        return f'<{tag} start="{node.get("offset", 0) + 1}">{"".join(f"<li>{one}</li>" for one in inside)}</{tag}>'
    tag = {"rich_text_quote": "blockquote", "rich_text_preformatted": "pre", "rich_text_section": "div"}.get(
        kind, "div"
    )
    return f"<{tag}>{''.join(inside)}</{tag}>"


def block_html(block: Json, team: Team, view: View | None = None) -> str:
    """One block; `view` knows what was typed, and what was wrong with it."""

    def element(one: Json) -> str:
        return element_html(one, team, value_of(view, block, one))

    kind = block["type"]
    if kind == "divider":
        return '<hr class="divider">'
    if kind == "section":
        words = _words(block.get("text"), team)
        if block.get("fields"):
            fields = "".join(f"<div>{_words(one, team)}</div>" for one in block["fields"])
            words += f'<div class="fields">{fields}</div>'
        accessory = element(block["accessory"]) if block.get("accessory") else ""
        return f'<div class="block section"><div class="words">{words}</div>{accessory}</div>'
    if kind in ("actions", "context"):
        return f'<div class="block {kind}">{"".join(element(one) for one in block["elements"])}</div>'
    if kind == "input":
        optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
        hint = f'<div class="hint">{_words(block["hint"], team)}</div>' if block.get("hint") else ""
        error = view.errors.get(block["block_id"], "") if view else ""
        hint = f'<div class="error">⚠ {_escape(error)}</div>' if error else hint
        label = f'<div class="label">{_words(block["label"], team)}{optional}</div>'
        return f'<div class="block">{label}{element(block["element"])}{hint}</div>'
    if kind == "image":
        return f'<div class="block image">{_words(block.get("title"), team)}<br>{_image(block)}</div>'
    if kind == "header":
        return f'<div class="block header">{_words(block["text"], team)}</div>'
    return f'<div class="block">{_rich(block, team)}</div>'


def _blocks(blocks: list[Json], team: Team, view: View | None = None) -> str:
    return "".join(block_html(block, team, view) for block in blocks)


def message_html(message: Message, team: Team) -> str:
    """One message with its author, time, previews and reactions."""
    user = team.users[message.user]
    colour = _COLOURS[hashlib.sha256(user.id.encode()).digest()[0] % len(_COLOURS)]
    badge = '<span class="badge">APP</span>' if user.bot_id else ""
    time = datetime.fromtimestamp(float(message.ts), UTC).strftime("%-I:%M %p")
    words = _blocks(message.blocks, team) or mrkdwn_html(message.text, team)
    edited = '<span class="edited">(edited)</span>' if message.edited else ""
    previews = "".join(
        f'<div class="attachment">{_blocks(one.get("blocks", []), team) or _escape(str(one.get("text", "")))}</div>'
        for one in [*message.attachments, *message.unfurls.values()]
    )
    pills = "".join(f"<span>{_escape(f':{name}:')} {len(who)}</span>" for name, who in message.reactions.items())
    reactions = f'<div class="reactions">{pills}</div>' if pills else ""
    only = '<div class="only">👁 Only visible to you</div>' if message.only_for else ""
    return (
        f'<div class="message{" ephemeral" if only else ""}">{only}'
        f'<div class="avatar" style="background:{colour}">{_escape(user.real_name[0])}</div>'
        f'<div><span class="name">{_escape(user.real_name)}</span>{badge}<span class="time">{time}</span>'
        f'<div class="content">{words}{edited}</div>{previews}'
        f"{reactions}</div></div>"
    )


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{_escape(title)}</title><style>{_CSS}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def channel_page(person: Person, channel: Channel) -> str:
    """A channel as this person sees it; each thread below its root, where Slack shows it beside."""
    messages = person.messages(channel)
    found = []
    for root in (one for one in messages if one.thread_ts in (None, one.ts)):
        found.append(message_html(root, person.team))
        if replies := [one for one in messages if one.thread_ts == root.ts and one is not root]:
            shown = "".join(message_html(reply, person.team) for reply in replies)
            count = f"{len(replies)} {'reply' if len(replies) == 1 else 'replies'}"
            found.append(f'<div class="thread"><div class="count">{count}</div>{shown}</div>')
    name = "Direct message" if channel.kind == "im" else f"{'🔒' if channel.kind == 'private' else '#'} {channel.name}"
    return _page(name, f'<header class="channel">{_escape(name)}</header><main>{"".join(found)}</main>')


def modal_page(person: Person) -> str:
    """The form before this person, with what they have typed and what was wrong."""
    view = person.modal
    if view is None:
        raise LookupError("no form is open")
    content, team = view.content, person.team
    foot = "".join(
        f'<span class="button {style}">{_words(content[name], team)}</span>'
        for name, style in (("close", ""), ("submit", "primary"))
        if content.get(name)
    )
    whole = f'<div class="error">⚠ {_escape(view.errors[""])}</div>' if "" in view.errors else ""
    title = f'<div class="title">{_words(content["title"], team)}</div>'
    body = f'<div class="body">{_blocks(view.blocks, team, view)}{whole}</div><div class="foot">{foot}</div>'
    return _page(content["title"]["text"], f'<div class="behind"><div class="modal">{title}{body}</div></div>')


def home_page(person: Person) -> str:
    """This person's home view."""
    view = person.home
    if view is None:
        raise LookupError("the home view was never published")
    name = person.team.bot().real_name
    body = f'<main style="padding:8px 20px">{_blocks(view.blocks, person.team, view)}</main>'
    return _page(name, f'<header class="channel">{_escape(name)}</header>{body}')
