"""Forms as dialogs, and back: https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/task-modules/task-modules-bots.

A dialog carries what it is about in a sealed token; on return only the token is believed. With it a form that cannot be
taken is shown once more, with what was typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from adapters.inbox import Sealer
from adapters.teams.render import Element, attachment_of, card_with, line, markdown
from bot.errors import BotError, ConfigurationError
from bot.ports import Clock, Form, FormError, Input, Option, PersonRef, Place, clean

Value = str | tuple[str, ...] | bool

TOKEN = "form"
GOOD_FOR = timedelta(days=1)
TITLE = 64
_TIME = "~time"
_PEOPLE = {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
_FILL, _CHOOSE = "Please fill this in.", "Please choose."


class Stale(BotError):
    """This form has been open for too long. Copy what you need, and open it again from its button."""


class Forms:
    """Makes dialogs, and reads what comes back. `directory`: the client can look people up."""

    def __init__(self, seal: Sealer, clock: Clock, *, directory: bool) -> None:
        self._seal = seal
        self._clock = clock
        self._directory = directory

    def dialog(
        self, form: Form, person: PersonRef, place: Place, zone: tzinfo, errors: Mapping[str, str] | None = None
    ) -> Element:
        """The answer that opens this form for this person; `place` is where it belongs."""
        wrong = dict(errors or {})
        body: list[Element] = markdown(form.intro) if form.intro else []
        inputs = [element for question in form.inputs for element in self._input(question, zone, wrong)]
        body = [*[_warning(sentence) for sentence in wrong.values()], *body, *inputs]  # what belongs to no input
        send = {
            "type": "Action.Submit",
            "title": form.submit,
            "style": "positive",
            "data": {TOKEN: self._token(form, person, place)},
        }
        card = card_with(body, form.title, [send])
        shown = {"title": form.title[:TITLE], "height": "large", "width": "medium", "card": attachment_of(card)}
        return {"task": {"type": "continue", "value": shown}}

    def _token(self, form: Form, person: PersonRef, place: Place) -> str:
        bare = replace(form, inputs=tuple(replace(one, initial="", without=()) for one in form.inputs))
        said = {
            "form": asdict(bare),
            "by": person.id,
            "at": [place.workspace, place.channel, place.thread],
            "made": self._clock.now().timestamp(),
        }
        return self._seal.seal(json.dumps(said))

    def returned(self, token: object, person: PersonRef) -> tuple[Form, Place]:
        """The form of a token made for this person lately, and where it belongs. Raises `Stale`."""
        try:
            said = json.loads(self._seal.open(str(token)))
            made, whose, at = said["made"], said["by"], said["at"]
        except (ConfigurationError, ValueError, KeyError, TypeError):
            raise Stale from None
        if whose != person.id or self._clock.now().timestamp() - made > GOOD_FOR.total_seconds():
            raise Stale
        kept = said["form"]
        inputs = tuple(
            Input(**{**one, "without": (), "options": tuple(Option(**option) for option in one["options"])})
            for one in kept["inputs"]
        )
        return Form(**{**kept, "inputs": inputs}), Place(person.platform, at[0], at[1], at[2])

    # --- inputs -----------------------------------------------------------------------------------------------------

    def _input(self, question: Input, zone: tzinfo, wrong: dict[str, str]) -> list[Element]:
        above = [_warning(wrong.pop(question.name))] if question.name in wrong else []
        hint = [{**line(question.hint, isSubtle=True, size="Small"), "spacing": "None"}] if question.hint else []
        return [*above, *self._elements(question, zone), *hint]

    def _elements(self, question: Input, zone: tzinfo) -> list[Element]:
        initial = question.initial
        several = initial if isinstance(initial, tuple) else (initial,) if isinstance(initial, str) and initial else ()
        base: Element = {"id": question.name, "label": clean(question.label) or question.name}
        needed: Element = {
            "isRequired": True,
            "errorMessage": _FILL if question.kind in ("text", "long_text") else _CHOOSE,
        }
        base |= needed if question.required and question.kind != "toggle" else {}
        match question.kind:
            case "choice" | "choices":
                choices = [{"title": _titled(option), "value": option.value} for option in question.options]
                many = question.kind == "choices"
                style = "expanded" if many or len(choices) <= 4 else "compact"
                made = {**base, "type": "Input.ChoiceSet", "choices": choices, "style": style, "wrap": True}
                return [{**made, "isMultiSelect": many, "value": ",".join(several)}]
            case "person" | "people" if self._directory:
                made = {**base, "type": "Input.ChoiceSet", "choices": [], "choices.data": _PEOPLE}
                return [{**made, "isMultiSelect": question.kind == "people", "value": ",".join(several)}]
            case "toggle":
                yes = "true" if initial is True else "false"
                made = {"id": question.name, "type": "Input.Toggle", "title": base["label"], "value": yes}
                return [{**made, "wrap": True}]
            case "datetime":
                day, time = _split(several[0] if several else "", zone)
                when: Element = {"type": "Input.Time", "id": question.name + _TIME, "label": "Time", "value": time}
                when |= {"isRequired": True, "errorMessage": _CHOOSE} if question.required else {}
                return [{**base, "type": "Input.Date", "value": day}, when]
        made = {**base, "type": "Input.Text", "maxLength": question.max_length, "value": ",".join(several)}
        return [{**made, "isMultiline": question.kind == "long_text"}]

    def values(self, form: Form, place: Place, data: Mapping[str, Any], zone: tzinfo) -> tuple[dict[str, Value], Form]:
        """What came back, by input, and the form as it was filled in. Raises `Rejected` for what cannot be taken."""
        values: dict[str, Value] = {}
        errors: dict[str, str] = {}
        for question in form.inputs:
            value = _value(question, data, zone)
            values[question.name] = value
            allowed = [option.value for option in question.options]
            chosen = value if isinstance(value, tuple) else (value,)
            if question.kind in ("choice", "choices") and any(one and one not in allowed for one in chosen):
                errors[question.name] = "Please choose from the list."
            elif question.required and question.kind != "toggle" and not value:
                errors[question.name] = _FILL if question.kind in ("text", "long_text") else _CHOOSE
            elif isinstance(value, str) and len(value) > question.max_length:
                errors[question.name] = f"At most {question.max_length:,} characters, please; these are {len(value):,}."
        filled = replace(form, inputs=tuple(replace(one, initial=values[one.name]) for one in form.inputs))
        if errors:
            raise Rejected(errors, filled, place)
        return values, filled


class Rejected(FormError):
    """A form that came back as it cannot be taken. `form` has what was typed, `place` is where it belongs."""

    def __init__(self, errors: Mapping[str, str], form: Form, place: Place) -> None:
        super().__init__(errors)
        self.form = form
        self.place = place


def _value(question: Input, data: Mapping[str, Any], zone: tzinfo) -> Value:
    raw = data.get(question.name)
    text = clean(raw).strip() if isinstance(raw, str) else ""
    if question.kind == "toggle":
        return text.lower() == "true" or raw is True
    if question.kind in ("choices", "people"):
        return tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if question.kind == "datetime":
        time = data.get(question.name + _TIME)
        try:
            moment = datetime.fromisoformat(f"{text}T{time if isinstance(time, str) and time else '00:00'}")
        except ValueError:
            return ""
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()
    return text


def _split(moment: str, zone: tzinfo) -> tuple[str, str]:
    try:
        local = datetime.fromisoformat(moment).astimezone(zone)
    except ValueError:
        return "", ""
    return local.date().isoformat(), local.strftime("%H:%M")


def _titled(option: Option) -> str:
    return clean(f"{option.label} ({option.hint})" if option.hint else option.label) or option.value


def _warning(sentence: str) -> Element:
    return {**line(sentence, color="Attention", weight="Bolder"), "spacing": "Medium"}


def zone_of(activity: Mapping[str, Any]) -> tuple[tzinfo, str]:
    """The time zone of the client that sent this, and its name."""
    entities = activity.get("entities")
    names = [activity.get("localTimezone")]
    names += [one.get("timezone") for one in entities if isinstance(one, dict)] if isinstance(entities, list) else []
    for name in names:
        if isinstance(name, str) and name:
            try:
                return ZoneInfo(name), name
            except (KeyError, ValueError, OSError):  # not a name, or none that is known here
                continue
    return ZoneInfo("UTC"), ""
