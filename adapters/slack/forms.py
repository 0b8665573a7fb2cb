"""Forms as Slack's modals, and back: https://docs.slack.dev/reference/views, https://docs.slack.dev/surfaces/modals.

The block of an input has the input's name. Slack takes 3,000 characters in one input; a longer text is shown in
several, whose names carry how they are put together again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from slack_sdk.models.blocks import (
    CheckboxesElement,
    DateTimePickerElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    PlainTextObject,
    StaticMultiSelectElement,
    StaticSelectElement,
    UserMultiSelectElement,
    UserSelectElement,
)
from slack_sdk.models.blocks.block_elements import InputInteractiveElement
from slack_sdk.models.views import View

from bot.ports import Form, Input, Place, clean
from bot.ports import Option as Choice

Value = str | tuple[str, ...] | bool

ACTION = "value"
TOGGLE = "toggle"
LONGEST = 3000  # characters in one input
TITLE = 24
WORDS = 75  # of an option
CHOICES = 100
BOXES = 10  # checkboxes; more choices become a menu
LABEL = 2000
HINT = 2000
_JOINS = {"/": "\n", "+": ""}


def view_of(form: Form, place: Place, intro: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The modal. `place` is where the form was opened; `intro` are the blocks above the inputs."""
    kept = {"value": form.value, "channel": place.channel, "thread": place.thread}
    return View(
        type="modal",
        callback_id=form.name,
        title=_plain(form.title, TITLE),
        submit=_plain(form.submit, TITLE),
        close=PlainTextObject(text="Cancel"),
        private_metadata=json.dumps(kept),
        blocks=[*map(dict, intro), *(block for question in form.inputs for block in _inputs(question))],
    ).to_dict()


def _inputs(question: Input) -> list[InputBlock]:
    if question.kind in ("text", "long_text") and isinstance(question.initial, str):
        return _texts(question, question.initial)
    element, required = _element(question)
    return [_block(question, question.name, question.label, element, required=required)] if element else []


def _block(
    question: Input, name: str, label: str, element: InputInteractiveElement | Any, *, required: bool, hint: bool = True
) -> InputBlock:
    return InputBlock(
        block_id=name,
        label=_plain(label, LABEL),
        element=element,
        hint=_plain(question.hint, HINT) if question.hint and hint else None,
        optional=not required,
    )


def _texts(question: Input, initial: str) -> list[InputBlock]:
    pieces = _pieces(clean(initial))
    blocks = []
    for number, (join, piece) in enumerate(pieces):
        first = number == 0
        element = PlainTextInputElement(
            action_id=ACTION,
            initial_value=piece or None,
            multiline=question.kind == "long_text",
            max_length=min(LONGEST, max(question.max_length, len(piece), 1)),
        )
        name = question.name if first else f"{question.name}~{number + 1}{join}"
        label = question.label if first else f"{question.label} (continued)"
        required = question.required and first
        blocks.append(_block(question, name, label, element, required=required, hint=first))
    return blocks


def _pieces(text: str) -> list[tuple[str, str]]:
    """The text in parts that fit into an input, each with how it is joined to the one before."""
    pieces = [("", text)]
    while len(pieces[-1][1]) > LONGEST:
        join, rest = pieces.pop()
        at = rest.rfind("\n", LONGEST // 2, LONGEST)
        if at > 0:
            pieces += [(join, rest[:at]), ("/", rest[at + 1 :])]
        else:
            pieces += [(join, rest[:LONGEST]), ("+", rest[LONGEST:])]
    return pieces


def _element(question: Input) -> tuple[Any, bool]:
    """The element for an input, and whether it must be filled in."""
    initial = question.initial
    several = initial if isinstance(initial, tuple) else (initial,) if isinstance(initial, str) and initial else ()
    required = question.required
    options = [_option(choice) for choice in question.options[:CHOICES]]
    chosen = [option for option in options if option.value in several]
    element: Any = None
    match question.kind:
        case "choice" if options:
            element = StaticSelectElement(
                action_id=ACTION, options=options, initial_option=chosen[0] if chosen else None
            )
        case "choices" if options and len(options) <= BOXES:
            element = CheckboxesElement(action_id=ACTION, options=options, initial_options=chosen or None)
        case "choices" if options:
            element = StaticMultiSelectElement(action_id=ACTION, options=options, initial_options=chosen or None)
        case "person":
            element = UserSelectElement(action_id=ACTION, initial_user=several[0] if several else None)
        case "people":
            element = UserMultiSelectElement(action_id=ACTION, initial_users=list(several) or None)
        case "datetime":
            element = DateTimePickerElement(action_id=ACTION, initial_date_time=_seconds(several))
        case "toggle":
            yes = Option(value="yes", text=_plain(question.label, WORDS))
            element = CheckboxesElement(
                action_id=TOGGLE, options=[yes], initial_options=[yes] if initial is True else None
            )
            required = False
        case "text" | "long_text":
            element = PlainTextInputElement(action_id=ACTION, multiline=question.kind == "long_text")
    return element, required


def _option(choice: Choice) -> Option:
    hint = _plain(choice.hint, WORDS) if choice.hint else None
    return Option(value=choice.value[:150], text=_plain(choice.label, WORDS), description=hint)


def _seconds(initial: Sequence[str]) -> int | None:
    try:
        return int(datetime.fromisoformat(initial[0]).timestamp()) if initial else None
    except ValueError:
        return None


def _plain(text: str, limit: int) -> PlainTextObject:
    text = clean(text) or " "
    return PlainTextObject(text=text if len(text) <= limit else text[: limit - 1].rstrip() + "…", emoji=False)


# --- back -----------------------------------------------------------------------------------------------------------


def submitted_values(state: Mapping[str, Any]) -> dict[str, Value]:
    """What `view.state.values` says, by input."""
    values: dict[str, Value] = {}
    parts: list[tuple[int, str, str, str]] = []
    for block, actions in state.items():
        given = actions if isinstance(actions, dict) else {}
        name, more, part = block.partition("~")
        if isinstance(given.get(TOGGLE), dict):
            values[name] = bool(given[TOGGLE].get("selected_options"))
        elif isinstance(given.get(ACTION), dict):
            value = _value(given[ACTION])
            if more and isinstance(value, str) and part[:-1].isdigit():
                parts.append((int(part[:-1]), name, part[-1], value))
            else:
                values[name] = value
    for _, name, join, value in sorted(parts):
        if value:
            values[name] = f"{values.get(name, '')}{_JOINS.get(join, chr(10))}{value}"
    return values


def _value(element: Mapping[str, Any]) -> Value:
    kind = element.get("type")
    value: Value = ""
    match kind:
        case "plain_text_input":
            value = str(element.get("value") or "")
        case "static_select" | "radio_buttons":
            value = str((element.get("selected_option") or {}).get("value") or "")
        case "checkboxes" | "multi_static_select":
            value = tuple(str(one.get("value")) for one in element.get("selected_options") or ())
        case "users_select":
            value = str(element.get("selected_user") or "")
        case "multi_users_select":
            value = tuple(str(one) for one in element.get("selected_users") or ())
        case "datetimepicker":
            chosen = element.get("selected_date_time")
            value = datetime.fromtimestamp(chosen, UTC).isoformat() if isinstance(chosen, int) else ""
    return value


def errors_of(errors: Mapping[str, str], view: Mapping[str, Any]) -> dict[str, str]:
    """A `FormError` for Slack: each sentence at its input; what belongs to none of them, at the first."""
    inputs = [block for block in view.get("blocks") or () if isinstance(block, dict) and block.get("type") == "input"]
    known = [str(block.get("block_id")) for block in inputs]
    if not known:
        return dict(errors)
    found: dict[str, str] = {}
    for name, sentence in errors.items():
        at = name if name in known else known[0]
        found[at] = f"{found[at]} {sentence}" if at in found else sentence
    return found
