"""What Slack accepts: the methods with their arguments and scopes, and the limits of blocks and views.

Arguments and scopes after https://docs.slack.dev/reference/methods (and Slack's OpenAPI description of 2021, where
`newer` is False); limits after https://docs.slack.dev/reference/block-kit, as slack_sdk's models check them, and a few
that these leave out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View as ViewModel

from .state import Json

TEXT_MAX = 40_000
#: All text in the blocks of one message. Slack does not document where `msg_blocks_too_long` begins; this is what
#: people report.
BLOCKS_TEXT_MAX = 13_200
_CHANGED = "as_user attachments blocks link_names markdown_text parse text"
_SAID = _CHANGED + " icon_emoji icon_url thread_ts username"


@dataclass(frozen=True)
class Method:
    """One method. `scopes`: any of them will do; `family`: a scope such as `channels:read` by the channel's kind."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    family: str = ""
    newer: bool = False


def _method(required: str = "", optional: str = "", scopes: str = "", family: str = "", newer: bool = False) -> Method:
    return Method(tuple(required.split()), tuple(optional.split()), tuple(scopes.split()), family, newer)


METHODS = {
    "apps.connections.open": _method(newer=True),
    "auth.revoke": _method(optional="test"),
    "auth.test": _method(),
    "bots.info": _method(optional="bot team_id", scopes="users:read"),
    "chat.delete": _method("channel ts", "as_user", "chat:write"),
    "chat.getPermalink": _method("channel message_ts"),
    "chat.postEphemeral": _method("channel user", _SAID, "chat:write"),
    "chat.postMessage": _method(
        "channel", _SAID + " metadata mrkdwn reply_broadcast unfurl_links unfurl_media", "chat:write"
    ),
    "chat.unfurl": _method(
        "unfurls", "channel ts unfurl_id source user_auth_blocks user_auth_message user_auth_required user_auth_url",
        "links:write",
    ),
    "chat.update": _method("channel ts", _CHANGED + " file_ids metadata reply_broadcast", "chat:write"),
    "conversations.history": _method(
        "channel", "cursor include_all_metadata inclusive latest limit oldest", family="history"
    ),
    "conversations.info": _method("channel", "include_locale include_num_members", family="read"),
    "conversations.join": _method("channel", scopes="channels:join"),
    "conversations.list": _method(optional="cursor exclude_archived limit team_id types", family="read"),
    "conversations.members": _method("channel", "cursor limit", family="read"),
    "conversations.open": _method(optional="channel prevent_creation return_im users", scopes="im:write mpim:write"),
    "conversations.replies": _method(
        "channel ts", "cursor include_all_metadata inclusive latest limit oldest", family="history"
    ),
    "dnd.info": _method(optional="team_id user", scopes="dnd:read"),
    "files.completeUploadExternal": _method(
        "files", "blocks channel_id channels initial_comment thread_ts", "files:write", newer=True
    ),
    "files.getUploadURLExternal": _method("filename length", "alt_txt snippet_type", "files:write", newer=True),
    "oauth.v2.access": _method(optional="client_id client_secret code grant_type redirect_uri refresh_token"),
    "reactions.add": _method("channel name timestamp", scopes="reactions:write"),
    "reactions.get": _method(optional="channel file file_comment full timestamp", scopes="reactions:read"),
    "reactions.remove": _method("name", "channel file file_comment timestamp", "reactions:write"),
    "team.info": _method(optional="domain team", scopes="team:read"),
    "users.conversations": _method(optional="cursor exclude_archived limit team_id types user", family="read"),
    "users.info": _method("user", "include_locale", "users:read"),
    "users.list": _method(optional="cursor include_locale limit team_id", scopes="users:read"),
    "users.lookupByEmail": _method("email", scopes="users:read.email"),
    "users.profile.get": _method(optional="include_labels user", scopes="users.profile:read"),
    "views.open": _method("view", "interactivity_pointer trigger_id"),
    "views.publish": _method("user_id view", "hash"),
    "views.push": _method("view", "interactivity_pointer trigger_id"),
    "views.update": _method("view", "external_id hash view_id"),
}  # fmt: skip


def missing_arguments(method: str, arguments: Json) -> list[str]:
    """The required arguments that are not there."""
    return [name for name in METHODS[method].required if arguments.get(name) in (None, "")]


def unknown_arguments(method: str, arguments: Json) -> list[str]:
    """Arguments that the method does not take: Slack ignores them, so they are most likely misspelt.

    `team_id` passes everywhere: Bolt's clients send it with each call.
    """
    known = {"token", "team_id", *METHODS[method].required, *METHODS[method].optional}
    return sorted(set(arguments) - known)


def every(node: Any) -> Iterator[Json]:
    """All objects within blocks, the outer ones first."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from every(value)
    elif isinstance(node, list):
        for value in node:
            yield from every(value)


def texts_length(blocks: list[Json]) -> int:
    """How much text the blocks carry."""
    return sum(len(node["text"]) for node in every(blocks) if isinstance(node.get("text"), str))


def block_problems(blocks: Any, *, most: int = 50) -> list[str]:
    """What is wrong with these blocks; nothing if Slack takes them."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return ["blocks must be an array of objects"]
    found = [f"no more than {most} items allowed [json-pointer:/blocks]"] if len(blocks) > most else []
    ids = [block["block_id"] for block in blocks if block.get("block_id")]
    found += [f"block_id {one} is there twice" for one in sorted({one for one in ids if ids.count(one) > 1})]
    for number, block in enumerate(blocks):
        found += [f"{problem} [json-pointer:/blocks/{number}]" for problem in _problems_of_block(block)]
    return found


def _problems_of_block(block: Json) -> Iterator[str]:
    try:
        parsed = Block.parse(copy.deepcopy(block))
        if parsed is None:
            yield f"unsupported type: {block.get('type')}"
            return
        parsed.to_dict()
    except SlackObjectFormationError as error:
        yield str(error)
    except (TypeError, AttributeError, KeyError) as error:
        yield f"missing or odd field: {error}"
    inside = list(every(block))
    actions = [node["action_id"] for node in inside if node.get("action_id")]
    if len(actions) != len(set(actions)):
        yield f"action_id must be unique within a block: {actions}"
    if block.get("type") in ("actions", "context") and not block.get("elements"):
        yield "must provide elements"
    yield from (f"field longer than 2000: {len(f['text'])}" for f in block.get("fields", []) if len(f["text"]) > 2000)
    for node in inside:
        yield from _problems_of_element(node)


def _problems_of_element(node: Json) -> Iterator[str]:
    kind = node.get("type")
    if kind in ("plain_text", "mrkdwn") and not node.get("text"):
        yield "must be more than 0 characters: text"
    if kind in ("checkboxes", "radio_buttons") and not 1 <= len(node.get("options", [])) <= 10:
        yield f"{kind} must have 1 to 10 options"
    if kind in ("static_select", "multi_static_select") and not (node.get("options") or node.get("option_groups")):
        yield f"{kind} must have options"
    if kind == "plain_text_input" and not 1 <= node.get("max_length", 3000) <= 3000:
        yield "max_length must be 1 to 3000"
    if kind == "plain_text_input" and len(node.get("initial_value", "")) > node.get("max_length", 3000):
        yield "initial_value is longer than max_length"
    options = [*node.get("options", []), *(o for g in node.get("option_groups", []) for o in g.get("options", []))]
    chosen = [*node.get("initial_options", []), *filter(None, [node.get("initial_option")])]
    if options and any(one not in options for one in chosen):
        yield "initial_option is not one of the options"
    values = [option.get("value") for option in options]
    if len(values) != len(set(values)):
        yield "two options have the same value"
    yield from ("option description longer than 75" for o in options
                if len(o.get("description", {}).get("text", "")) > 75)  # fmt: skip


def attachment_problems(attachments: Any) -> list[str]:
    """What is wrong with the blocks within attachments, or within previews of links."""
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        return ["attachments must be an array of objects"]
    return [problem for one in attachments for problem in block_problems(one.get("blocks") or [])]


def view_problems(view: Any) -> list[str]:
    """What is wrong with this view; nothing if Slack takes it."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["view must be an object with type modal or home"]
    found = block_problems(view.get("blocks", []), most=100)
    try:
        ViewModel(**copy.deepcopy(view)).to_dict()
    except (SlackObjectFormationError, TypeError, AttributeError) as error:
        found.append(f"{error} [json-pointer:/view]")
    if view["type"] == "modal":
        if not (view.get("title") or {}).get("text"):
            found.append("a modal needs a title [json-pointer:/view/title]")
        if any(block.get("type") == "input" for block in view.get("blocks", [])) and not view.get("submit"):
            found.append("a modal with inputs needs submit [json-pointer:/view/submit]")
    if len(view.get("external_id") or "") > 255:
        found.append("external_id longer than 255")
    return found


def metadata_problems(metadata: Any) -> list[str]:
    """Message metadata needs a type and a flat-ish payload object."""
    if metadata == {}:
        return []
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        return ["metadata needs event_type"]
    if not isinstance(metadata.get("event_payload"), dict):
        return ["metadata needs event_payload"]
    return []
