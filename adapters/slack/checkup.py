"""What `weaver doctor` says of Slack: whether it is reached, with which scopes, and how Slack reaches the bot.

Only asks, and says nothing that is secret: https://docs.slack.dev/reference/methods/auth.test.
"""

from __future__ import annotations

from adapters.slack.calls import SlackError
from adapters.slack.client import SlackChat
from adapters.slack.manifest import bot_scopes
from adapters.slack.oauth import INSTALL
from bot.ports import DeliveryError, Finding

_APP_TOKEN = (
    "Switch Socket Mode on, and make a new SLACK_APP_TOKEN with the scope connections:write (Basic Information)"
)
_NETWORK = "Check the network and the proxy of this machine"


async def examine(chat: SlackChat | None) -> list[Finding]:
    """Look at the app in each workspace, and at the way in."""
    if chat is None:
        return [Finding("Slack", True, "not configured; docs/slack.md says how to")]
    found = []
    teams = await chat.installations.teams()
    for team in teams:
        found.append(await _workspace(chat, team, "Install the app there again"))
    if chat.settings.bot_token:
        found.append(
            await _workspace(chat, "", "Copy SLACK_BOT_TOKEN again, from OAuth & Permissions of the Slack app")
        )
    elif not teams:
        where = f"{chat.settings.public_url}{INSTALL}" if chat.settings.public_url else f"{INSTALL} of this server"
        found.append(Finding("Slack", True, f"no workspace has installed the app yet. Open {where}"))
    return [*found, await _way_in(chat)]


async def _workspace(chat: SlackChat, team: str, remedy: str) -> Finding:
    """One workspace, by its stored token; with no team, the one that the token of the settings belongs to."""
    try:
        token = await chat.installations.token(team) if team else chat.settings.bot_token
        who, scopes = await chat.calls.introduce(token)
    except SlackError as error:
        return Finding("Slack", False, _refused(error, f"{remedy}{f' ({team})' if team else ''}"))
    except DeliveryError as error:
        return Finding("Slack", False, f"{error} ({team}). {remedy}")
    reached = f"reached as {who.get('user')} in {who.get('team')}"
    if scopes is None:
        return Finding("Slack", True, f"{reached}; Slack does not say which scopes it granted")
    if missing := [scope for scope in bot_scopes() if scope not in scopes]:
        lacks = f"{reached}, but without {', '.join(missing)}"
        them = "this scope" if len(missing) == 1 else "these scopes"
        add = f"Add {them} under OAuth & Permissions of the Slack app (or paste the manifest of deploy/slack there)"
        return Finding("Slack", False, f"{lacks}. {add}, and install it again")
    return Finding("Slack", True, f"{reached}, with every scope of the manifest")


async def _way_in(chat: SlackChat) -> Finding:
    """How Slack tells the bot what happens. Whether a signing secret is the right one, only Slack's requests show."""
    about, settings = "Slack's way in", chat.settings
    if settings.app_token:
        try:
            await chat.calls.call_with("", "apps.connections.open", app_token=settings.app_token)
        except SlackError as error:
            return Finding(about, False, "Socket Mode: " + _refused(error, _APP_TOKEN))
        also = "; HTTP, too: SLACK_SIGNING_SECRET is there" if settings.signing_secret else ""
        return Finding(about, True, f"Socket Mode, and Slack takes SLACK_APP_TOKEN{also}")
    where = f"{settings.public_url}/slack/events" if settings.public_url else "/slack/events of this server"
    lacks = "" if settings.public_url else " (WEAVER_BASE_URL says under which address)"
    return Finding(about, True, f"HTTP: SLACK_SIGNING_SECRET is there. Slack has to reach {where}{lacks}")


def _refused(error: SlackError, remedy: str) -> str:
    """What Slack said, and what to do: wait, look at the network, or `remedy`."""
    if error.code == "no_answer":
        return f"{error}. {_NETWORK}"
    if error.retry_after is not None:
        return f"{error}. Try again in a moment"
    return f"{error}. {remedy}"
