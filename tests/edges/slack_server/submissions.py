"""A form sent back, and what the bot's answer does to it: https://docs.slack.dev/surfaces/modals#response_actions"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import payloads, validation
from .inbound import Attempt
from .state import Json, View
from .view_methods import new_view, replace_content
from .web_api import Call, Violation

if TYPE_CHECKING:
    from .people import Person


@dataclass(frozen=True)
class Submission:
    """What came back: `attempt` None if Slack's client did not even send it; sentences by block_id."""

    attempt: Attempt | None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """The bot took it."""
        return self.attempt is not None and not self.attempt.reason and not self.errors


async def submits(person: Person, view: View) -> Submission:
    """view_submission, and the response_action."""
    payload = payloads.view_submission(person, view)
    attempt = await person.server.inbound.deliver("interactive", payload).tried()
    if attempt.reason:
        view.errors = {"": "We had some trouble connecting. Try again?"}
        return Submission(attempt, view.errors)
    body = attempt.json()
    action = body.get("response_action")
    stack = person.team.modals.get(person.id, [])
    if action == "errors":
        return Submission(attempt, _errors(person, view, body))
    if action in ("update", "push"):
        _change(person, view, body, push=action == "push")
    elif action == "clear":
        stack.clear()
    elif body:
        _violation(person, f"response_action {action!r} is unknown", body)
    elif view in stack:
        del stack[stack.index(view) :]
    return Submission(attempt)


def _violation(person: Person, problem: str, body: Json) -> None:
    person.server.violations.append(Violation("view_submission", problem, body))


def _errors(person: Person, view: View, body: Json) -> dict[str, str]:
    errors: dict[str, str] = body.get("errors") or {}
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    for unknown in set(errors) - inputs:
        _violation(person, f"an error for {unknown!r}, which is no input block of the view", body)
    if not errors:
        _violation(person, "response_action errors without errors", body)
    view.errors = dict(errors)
    return view.errors


def _change(person: Person, view: View, body: Json, *, push: bool) -> None:
    problems = validation.view_problems(body.get("view"))
    for problem in problems:
        _violation(person, problem, body)
    installation, stack = person.team.installation, person.team.modals.get(person.id, [])
    if problems or installation is None:
        view.errors = {"": "We had some trouble connecting. Try again?"}
        return
    call = Call(person.server, "response_action", {"view": body["view"]}, person.team, installation)
    if push:
        stack.append(new_view(call, person.id, root=stack[0], previous=view))
    else:
        replace_content(call, view)


async def closes(person: Person, view: View) -> Attempt | None:
    """view_closed, if the view asked for it. The one below shows again."""
    stack = person.team.modals[person.id]
    del stack[stack.index(view) :]
    if not view.content.get("notify_on_close"):
        return None
    payload = payloads.view_closed(person, view)
    return await person.server.inbound.deliver("interactive", payload).tried()
