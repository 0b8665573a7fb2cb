"""views.*: modals and home views. https://docs.slack.dev/surfaces/modals"""

from __future__ import annotations

import hashlib
import json

from .state import Json, SlackError, View, new_id
from .web_api import Call, method


def new_view(call: Call, user: str, *, root: View | None = None, previous: View | None = None) -> View:
    """A view of the arguments' content, before one person."""
    content = call.arguments["view"]
    view_id = new_id("V")
    return View(
        id=view_id,
        team_id=call.team.id,
        app_id=call.server.app_id,
        bot_id=call.installation.bot_id,
        user=user,
        content=content | {"blocks": call.server.with_ids(content["blocks"])},
        hash=new_hash(call.server.next_ts(), content),
        root=root.root if root else view_id,
        previous=previous.id if previous else None,
    )


def new_hash(ts: str, content: Json) -> str:
    """What changes with every version of a view."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{ts.split('.', maxsplit=1)[0]}.{digest[:8]}{ts[-4:]}"


def _modal(call: Call) -> None:
    if call.arguments["view"]["type"] != "modal":
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] must be a modal"]})


@method("views.open")
async def views_open(call: Call) -> Json:
    _modal(call)
    user = call.server.triggers.use(call.text("trigger_id"), call.team)
    view = new_view(call, user)
    call.team.modals[user] = [view]
    return {"view": view.as_json()}


@method("views.push")
async def views_push(call: Call) -> Json:
    _modal(call)
    user = call.server.triggers.use(call.text("trigger_id"), call.team)
    stack = call.team.modals.get(user, [])
    if not stack:
        raise SlackError("invalid_trigger_id")
    if len(stack) >= 3:
        raise SlackError("push_limit_reached")
    view = new_view(call, user, root=stack[0], previous=stack[-1])
    stack.append(view)
    return {"view": view.as_json()}


@method("views.update")
async def views_update(call: Call) -> Json:
    found = call.team.view(call.text("view_id"))
    if external := call.text("external_id"):
        views = [v for stack in call.team.modals.values() for v in stack]
        found = next((v for v in views if v.content.get("external_id") == external), None)
    if found is None:
        raise SlackError("not_found")
    if call.text("hash") and call.text("hash") != found.hash:
        raise SlackError("hash_conflict")
    replace_content(call, found)
    return {"view": found.as_json()}


def replace_content(call: Call, view: View) -> None:
    """New blocks; what was typed stays where block and action ids stay."""
    content = call.arguments["view"]
    view.content = content | {"blocks": call.server.with_ids(content["blocks"])}
    view.hash, view.errors = new_hash(call.server.next_ts(), content), {}


@method("views.publish")
async def views_publish(call: Call) -> Json:
    if call.arguments["view"]["type"] != "home":
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] must be a home view"]})
    user = call.user("user_id")
    if user.deleted:
        raise SlackError("user_not_found")
    if not call.server.manifest.get("features", {}).get("app_home", {}).get("home_tab_enabled"):
        raise SlackError("not_enabled")
    view = call.team.homes.get(user.id)
    if view and call.text("hash") and call.text("hash") != view.hash:
        raise SlackError("hash_conflict")
    if view:
        replace_content(call, view)
    else:
        view = call.team.homes[user.id] = new_view(call, user.id)
    return {"view": view.as_json()}
