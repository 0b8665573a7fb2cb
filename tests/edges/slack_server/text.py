"""What one reads on a message or a view, as plain text; and the parts one can press or fill in."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from .state import Json, Message, Team, View

_REFERENCE = re.compile(r"<([@#!]?)([^>|]*)(?:\|([^>]*))?>")


def mrkdwn_text(text: str, team: Team) -> str:
    """Mentions and links as people see them, escapes undone; emphasis stays as it was written."""

    def shown(match: re.Match[str]) -> str:
        sign, target, label = match.groups()
        if sign == "@":
            user = team.users.get(target)
            return "@" + (user.real_name if user else label or target)
        if sign == "#":
            channel = team.channels.get(target)
            return "#" + (channel.name if channel else label or target)
        if sign == "!":
            return label or "@" + target.split("^")[0]
        return label or target

    return html.unescape(_REFERENCE.sub(shown, text))


def _text(node: Json | None, team: Team) -> str:
    if not node:
        return ""
    text = str(node.get("text", ""))
    return mrkdwn_text(text, team) if node.get("type") == "mrkdwn" else text


def element_text(element: Json, team: Team) -> str:
    """A button as `[Label]`, other inputs by their placeholder or current choice."""
    kind = element["type"]
    if kind == "button":
        return f"[{_text(element['text'], team)}]"
    if kind in ("mrkdwn", "plain_text"):
        return _text(element, team)
    if kind == "image":
        return f"({element.get('alt_text', '')})"
    if "options" in element:
        return "{" + " | ".join(_text(option["text"], team) for option in element["options"]) + "}"
    return "{" + (_text(element.get("placeholder"), team) or kind) + "}"


def _rich(node: Json, team: Team) -> str:
    if node.get("type") == "text":
        return str(node["text"])
    if node.get("type") == "user":
        return mrkdwn_text(f"<@{node['user_id']}>", team)
    if node.get("type") == "link":
        return str(node.get("text") or node["url"])
    return "".join(_rich(one, team) for one in node.get("elements", []))


def block_text(block: Json, team: Team) -> str:
    """One block."""
    kind = block["type"]
    if kind in ("section", "header", "markdown"):
        text = block.get("text")
        parts = [text if isinstance(text, str) else _text(text, team)]
        parts += [_text(one, team) for one in block.get("fields", [])]
        parts += [element_text(block["accessory"], team)] if block.get("accessory") else []
        return "\n".join(part for part in parts if part)
    if kind in ("actions", "context"):
        return " ".join(element_text(element, team) for element in block["elements"])
    if kind == "input":
        return f"{_text(block['label'], team)}: {element_text(block['element'], team)}"
    if kind == "image":
        return f"({block.get('alt_text', '')})"
    return _rich(block, team) if kind == "rich_text" else ""


def blocks_text(blocks: list[Json], team: Team) -> str:
    """All blocks, one below the other."""
    return "\n".join(text for block in blocks if (text := block_text(block, team)))


def message_text(message: Message, team: Team) -> str:
    """What one reads: the blocks, or else the text; then the previews of links, and the reactions."""
    bot = message.bot_id is not None and bool(message.blocks)
    words = blocks_text(message.blocks, team) if bot else mrkdwn_text(message.text, team)
    previews = [*message.attachments, *message.unfurls.values()]
    shown = [blocks_text(one.get("blocks", []), team) or str(one.get("text", "")) for one in previews]
    reactions = " ".join(f":{name}: {len(users)}" for name, users in message.reactions.items())
    return "\n".join(part for part in (words, *shown, reactions) if part)


def view_text(view: View, team: Team) -> str:
    """Title, blocks, errors, and the buttons below."""
    content = view.content
    lines = [blocks_text(view.blocks, team), *view.errors.values()]
    if content["type"] == "modal":
        buttons = [f"[{_text(content[name], team)}]" for name in ("close", "submit") if content.get(name)]
        lines = [f"# {_text(content['title'], team)}", *lines, " ".join(buttons)]
    return "\n".join(line for line in lines if line)


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each thing one can press or fill in, with its block."""
    for block in blocks:
        for one in [*block.get("elements", []), block.get("accessory"), block.get("element")]:
            if isinstance(one, dict) and one.get("action_id"):
                yield block, one
