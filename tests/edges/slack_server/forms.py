"""How Slack tells what is in a form: `state.values`, by the kind of each element.

https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .state import Json, View

#: Of each kind of element: the field its value comes in, and the field its first value stands in.
_FIELDS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
}


def _is_list(field: str) -> bool:
    return field in ("selected_options", "selected_users", "selected_conversations", "selected_channels", "files")


def _options(element: Json) -> list[Json]:
    grouped = [one for group in element.get("option_groups", []) for one in group["options"]]
    return [*element.get("options", []), *grouped]


def choose(element: Json, wanted: str) -> Json:
    """The option with this value, or with this label."""
    options = _options(element)
    for option in options:
        if wanted in (option["value"], option["text"]["text"]):
            return {name: option[name] for name in ("text", "value", "description") if name in option}
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": wanted, "emoji": True}, "value": wanted}
    raise LookupError(f"no option {wanted!r} among {[one['value'] for one in options]}")


def entered(element: Json, value: Any) -> Json:
    """What a person entered: text, a value or label of an option, ids, a list of either, a date, a Unix time."""
    kind = element["type"]
    field, _ = _FIELDS[kind]
    if field == "selected_option":
        value = choose(element, value) if value is not None else None
    elif field == "selected_options":
        value = [choose(element, one) for one in ([value] if isinstance(value, str) else value)]
    elif _is_list(field):
        value = [value] if isinstance(value, str) else list(value)
    elif field == "value":
        value = str(value) if value not in (None, "") else None
    return {"type": kind, field: value}


def initial(element: Json) -> Json:
    """What stands in it before anybody touched it."""
    field, first = _FIELDS[element["type"]]
    return {"type": element["type"], field: element.get(first, [] if _is_list(field) else None)}


def value_of(view: View | None, block: Json, element: Json) -> Any:
    """What is in an input now: what was entered, or what stood there first."""
    if element["type"] not in _FIELDS:
        return None
    state = view.values.get(block["block_id"], {}).get(element.get("action_id", "")) if view else None
    return (state or initial(element))[_FIELDS[element["type"]][0]]


def _inputs(view: View) -> list[tuple[Json, Json]]:
    found = []
    for block in view.blocks:
        one = block.get("element") or block.get("accessory")
        elements = [one] if one else block.get("elements", [])
        found += [(block, e) for e in elements if e.get("type") in _FIELDS]
    return found


def names_of(block: Json, element: Json) -> set[str]:
    """The names a test may call an input by: its block_id, its action_id, its label."""
    label = block.get("label", {}).get("text", "")
    return {block["block_id"], element["action_id"], label}


def fill(view: View, values: Mapping[str, Any]) -> None:
    """Type into a form; what is not named stays as it is."""
    left = set(values)
    for block, element in _inputs(view):
        state = view.values.setdefault(block["block_id"], {})
        state.setdefault(element["action_id"], initial(element))
        for name in names_of(block, element) & set(values):
            state[element["action_id"]] = entered(element, values[name])
            left.discard(name)
    for block_id in set(view.values) - {block["block_id"] for block in view.blocks}:
        del view.values[block_id]
    if left:
        known = sorted(block.get("label", {}).get("text", block["block_id"]) for block, _ in _inputs(view))
        raise LookupError(f"no input {sorted(left)} in the view: {known}")


def complaints(view: View) -> dict[str, str]:
    """What Slack's own client finds before it sends anything, by block_id."""
    found = {}
    for block, element in _inputs(view):
        state = view.values.get(block["block_id"], {}).get(element["action_id"], {})
        value = state.get(_FIELDS[element["type"]][0])
        if block["type"] == "input" and not block.get("optional") and not value:
            found[block["block_id"]] = "Please complete this required field."
        elif element["type"] == "plain_text_input" and value:
            least, most = element.get("min_length", 0), element.get("max_length", 3000)
            if not least <= len(value) <= most:
                found[block["block_id"]] = f"Please use {least} to {most} characters."
    return found
