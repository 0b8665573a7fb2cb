"""Dialogs: handing a form to the request that waits for it, and checking what comes back.

The page gets the form with a signed token that says which form it is and what its inputs take; on return only the
token is believed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer

from adapters.web.requests import RequestError, clean
from bot.ports import DeliveryError, Form, FormError, Input

FORM_SECONDS = 24 * 3600
Value = str | tuple[str, ...] | bool


class Forms:
    """Forms on their way to a page, by trigger, and back, by token."""

    def __init__(self, secret: str) -> None:
        self._token = URLSafeTimedSerializer(secret, salt="weaver-web-form")
        self._waiting: dict[str, Form | None] = {}

    def expect(self) -> str:
        """A trigger for a request that now waits for its handling."""
        trigger = secrets.token_urlsafe(16)
        self._waiting[trigger] = None
        return trigger

    def offer(self, trigger: str, form: Form) -> None:
        """Answer a trigger with a form. Too late once the request is over."""
        if trigger not in self._waiting:
            raise DeliveryError("the request that could have opened this form is over")
        self._waiting[trigger] = form

    def collect(self, trigger: str) -> Form | None:
        """What was offered for a trigger, which ends with this."""
        return self._waiting.pop(trigger, None)

    def outgoing(self, form: Form, *, person: str, channel: str, thread: str | None) -> dict[str, Any]:
        """A form as the page gets it."""
        takes = [
            [i.name, i.kind, i.required, i.max_length, [option.value for option in i.options]] for i in form.inputs
        ]
        token = self._token.dumps(
            {"form": form.name, "value": form.value, "by": person, "in": [channel, thread], "takes": takes}
        )
        return {
            "token": token,
            "title": form.title,
            "submit": form.submit,
            "intro": form.intro,
            "inputs": [_outgoing(question) for question in form.inputs],
        }

    def returned(self, token: str, person: str) -> Mapping[str, Any]:
        """What a token says, if we made it for this person and not too long ago."""
        try:
            said: Mapping[str, Any] = self._token.loads(token, max_age=FORM_SECONDS)
        except BadSignature:
            said = {}
        if said.get("by") != person:
            raise RequestError(409, "This form has been open for too long. Copy what you need and open it again.")
        return said


def _outgoing(question: Input) -> dict[str, Any]:
    return {
        "name": question.name,
        "label": question.label,
        "kind": question.kind,
        "hint": question.hint,
        "initial": list(question.initial) if isinstance(question.initial, tuple) else question.initial,
        "without": list(question.without),
        "options": [{"value": o.value, "label": o.label, "hint": o.hint} for o in question.options],
        "required": question.required,
        "maxLength": question.max_length,
    }


def checked(takes: list[Any], typed: Mapping[str, Any], known: Callable[[str], bool]) -> dict[str, Value]:
    """The typed values in the port's types. Raises `FormError` with a sentence for each input that will not do.

    `known` tells whether a person's id is one of somebody who may be chosen.
    """
    values: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for name, kind, required, longest, options in takes:
        try:
            values[name] = _value(kind, typed.get(name), longest, options, known)
        except ValueError as problem:
            errors[name] = str(problem)
        else:
            if required and kind != "toggle" and not values[name]:
                errors[name] = "Please choose." if kind in _CHOSEN else "Please fill this in."
    if errors:
        raise FormError(errors)
    return values


_CHOSEN = ("choice", "choices", "person", "people")


def _value(kind: str, typed: Any, longest: int, options: list[str], known: Callable[[str], bool]) -> Value:
    if kind == "toggle":
        return typed is True
    if kind in ("choices", "people"):
        chosen = tuple(dict.fromkeys(str(one) for one in typed)) if isinstance(typed, list) else ()
        _check(kind, chosen, options, known)
        return chosen
    text = clean(typed).strip() if isinstance(typed, str) else ""
    if kind in _CHOSEN:
        _check(kind, (text,) if text else (), options, known)
    elif kind == "datetime" and text:
        return _moment(text)
    elif len(text) > longest:
        raise ValueError(f"At most {longest:,} characters, please; these are {len(text):,}.")
    return text


def _check(kind: str, chosen: tuple[str, ...], options: list[str], known: Callable[[str], bool]) -> None:
    fits = options.__contains__ if kind in ("choice", "choices") else known
    if not all(fits(one) for one in chosen):
        raise ValueError("Please choose from the list.")


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("Please give a date and a time.") from None
    if moment.tzinfo is None:
        raise ValueError("Please give a date and a time.")
    return moment.isoformat()
