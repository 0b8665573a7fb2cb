"""The app manifest, made from the very tables the handlers use: https://learn.microsoft.com/microsoft-365/extensibility/schema/.

`deploy/teams/build.py` makes the app package with it; `deploy/teams/manifest.json` is what it makes for an example, and
a test keeps it so.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from adapters.teams.invokes import POINTERS, QUERY_TEXT, SEARCH
from adapters.teams.text import COMMANDS

VERSION = "1.25"  # the first that takes a bot into private and shared channels
SCHEMA = f"https://developer.microsoft.com/json-schemas/teams/v{VERSION}/MicrosoftTeams.schema.json"
EXAMPLE_ID = "00000000-0000-0000-0000-000000000000"
EXAMPLE_URL = "https://weaver.example.com"
SCOPES = ["personal", "team", "groupChat"]
#: Answers in the thread of a question are heard without a mention; granted by the owner of each team on installing.
PERMISSIONS = ["ChannelMessage.Read.Group"]


def manifest(app_id: str = EXAMPLE_ID, public_url: str = EXAMPLE_URL, *, version: str = "1.0.0") -> dict[str, Any]:
    """The manifest of the bot with this app id, whose pages are at this address."""
    url = public_url.rstrip("/")
    domain = urlsplit(url).netloc
    links = {"type": "link", "value": {"domains": [domain], "supportsAnonymizedPayloads": True}}
    search = {
        "id": SEARCH.id,
        "type": "query",
        "title": SEARCH.title,
        "description": SEARCH.description,
        "context": ["compose", "commandBox"],
        "initialRun": False,
        "parameters": [{"name": QUERY_TEXT, "title": "Topic", "description": "A few words", "inputType": "text"}],
    }
    actions = [
        {
            "id": offer.id,
            "type": "action",
            "title": offer.title,
            "description": offer.description,
            "context": ["message"],
            "fetchTask": True,
        }
        for offer in POINTERS
    ]
    commands = [{"title": command.name, "description": command.description} for command in COMMANDS]
    return {
        "$schema": SCHEMA,
        "manifestVersion": VERSION,
        "version": version,
        "id": app_id,
        "developer": {
            "name": "Weaver",
            "websiteUrl": url,
            "privacyUrl": f"{url}/",
            "termsOfUseUrl": f"{url}/",
        },
        "name": {"short": "Weaver", "full": "Weaver: ask the experts"},
        "description": {
            "short": "Ask the expert in chat; what experts answer becomes knowledge.",
            "full": (
                "Ask anything about work, in your own words. If a colleague has answered it before, you see that "
                "answer at once, in private. If not, Weaver shows which community and which experts it would ask; "
                "nothing is posted before you say so. What experts answer becomes knowledge that the next person finds."
            ),
        },
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#0C6B64",
        "bots": [
            {
                "botId": app_id,
                "scopes": SCOPES,
                "supportsFiles": False,
                "isNotificationOnly": False,
                "commandLists": [{"scopes": SCOPES, "commands": commands}],
            }
        ],
        "composeExtensions": [{"botId": app_id, "commands": [search, *actions], "messageHandlers": [links]}],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": [domain],
        "webApplicationInfo": {"id": app_id, "resource": f"api://{domain}/{app_id}"},
        "authorization": {
            "permissions": {"resourceSpecific": [{"name": name, "type": "Application"} for name in PERMISSIONS]}
        },
        "supportsChannelFeatures": "tier1",
        "defaultInstallScope": "personal",
        "defaultGroupCapability": {"team": "bot", "groupchat": "bot"},
    }


def printed(app_id: str = EXAMPLE_ID, public_url: str = EXAMPLE_URL) -> str:
    """The manifest as JSON."""
    return json.dumps(manifest(app_id, public_url), indent=2, ensure_ascii=False) + "\n"
