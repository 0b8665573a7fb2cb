"""The app manifest, made from the very tables the handlers use: https://docs.slack.dev/reference/app-manifest.

`python -m adapters.slack [address]` prints it. The files in `deploy/slack/` are made so, and a test keeps them so.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from adapters.slack.calls import METHODS
from adapters.slack.events import EVENTS
from adapters.slack.interactions import COMMANDS, SHORTCUTS


def bot_scopes() -> list[str]:
    """Every scope that a method or an event of ours needs, the one for commands and shortcuts, and no other."""
    needed = {scope for scopes in METHODS.values() for scope in scopes}
    needed |= {scope for kind in EVENTS.values() for scope in kind.scopes}
    return sorted(needed | {"commands"})


def bot_events() -> list[str]:
    """Every event that is subscribed to."""
    return sorted(name for event, kind in EVENTS.items() for name in (kind.names or (event,)))


def manifest(public_url: str = "") -> dict[str, Any]:
    """The manifest: with a public address for HTTP and OAuth, without one for Socket Mode."""
    url = f"{public_url.rstrip('/')}/slack/events"
    here = {"url": url} if public_url else {}
    requests = {"request_url": url} if public_url else {}
    made: dict[str, Any] = {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Weaver",
            "description": "Ask the expert in chat; what experts answer becomes knowledge.",
            "background_color": "#1f3d36",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Weaver", "always_online": True},
            "shortcuts": [
                {
                    "name": shortcut.name,
                    "type": "global" if shortcut.everywhere else "message",
                    "callback_id": shortcut.callback_id,
                    "description": shortcut.description,
                }
                for shortcut in SHORTCUTS
            ],
            "slash_commands": [
                {
                    "command": f"/{command.name}",
                    **here,
                    "description": command.description,
                    **({"usage_hint": command.hint} if command.hint else {}),
                    "should_escape": True,
                }
                for command in COMMANDS
            ],
        },
        "oauth_config": {"scopes": {"bot": bot_scopes()}},
        "settings": {
            "event_subscriptions": {**requests, "bot_events": bot_events()},
            "interactivity": {"is_enabled": True, **requests},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not public_url,
            "token_rotation_enabled": False,
        },
    }
    if public_url:
        made["features"]["unfurl_domains"] = [urlsplit(public_url).hostname]
        made["oauth_config"]["redirect_urls"] = [f"{public_url.rstrip('/')}/slack/oauth_redirect"]
    return made


def printed(public_url: str = "") -> str:
    """The manifest as JSON."""
    return json.dumps(manifest(public_url), indent=2, ensure_ascii=False) + "\n"
