"""What `weaver doctor` says of Teams: whether Microsoft takes the bot for what it says it is, and the other way round.

Only asks, and says nothing that is secret. Error codes of the sign-in:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from adapters.teams.authentication import NO_KEYS
from adapters.teams.client import TeamsChat
from adapters.teams.connector import TeamsError
from bot.ports import Finding

_NETWORK = "Check the network and the proxy of this machine"
_REMEDIES = {
    "no_answer": _NETWORK,
    "invalid_client": "Make a new client secret under Certificates & secrets of the app registration (they end after "
    "a while), and set its value, not its id, as TEAMS_APP_PASSWORD",
    "unauthorized_client": "Check TEAMS_APP_ID, and TEAMS_TENANT_ID, which is the tenant of the app registration",
    "invalid_request": "Check TEAMS_TENANT_ID, which is the tenant of the app registration",
}


async def examine(chat: TeamsChat | None) -> list[Finding]:
    """Look at the bot's registration, and at the keys that vouch for what comes in."""
    if chat is None:
        return [Finding("Teams", True, "not configured; docs/teams.md says how to")]
    settings = chat.settings
    if settings.unauthenticated:
        says = "Microsoft's local client only, unauthenticated and from this machine (TEAMS_EMULATOR)"
        return [Finding("Teams", True, says)]
    return [await _sign_in(chat), await _way_in(chat)]


async def _sign_in(chat: TeamsChat) -> Finding:
    settings = chat.settings
    bot = f"app {settings.app_id}, {f'tenant {settings.tenant_id}' if settings.tenant_id else 'for every tenant'}"
    try:
        await chat.connector.sign_in()
    except TeamsError as error:
        remedy = _REMEDIES.get(error.code, "Check TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID")
        return Finding("Teams", False, f"{bot}: {error} at {urlsplit(settings.token_url).netloc}. {remedy}")
    return Finding("Teams", True, f"{bot}, signed in with TEAMS_APP_PASSWORD")


async def _way_in(chat: TeamsChat) -> Finding:
    about, where = "Teams' way in", urlsplit(chat.settings.openid_metadata_url).netloc
    try:
        keys = await chat.authentication.keys.fetch()
    except NO_KEYS as error:
        says = (
            f"{where}, whose keys vouch for Teams, could not be asked ({type(error).__name__}), so nothing is believed"
        )
        return Finding(about, False, f"{says}. {_NETWORK}")
    if not keys:
        return Finding(about, False, f"{where} has no keys, so nothing is believed. {_NETWORK}")
    return Finding(about, True, "/api/messages of this server; the keys that vouch for Teams are there")
