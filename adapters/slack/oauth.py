"""Installing the app in further workspaces: https://docs.slack.dev/authentication/installing-with-oauth.

`/slack/install` sends an administrator to Slack; `/slack/oauth_redirect` is where Slack sends them back. A state that
is good once, for ten minutes, in the browser that began, keeps others from finishing what somebody else started.
"""

from __future__ import annotations

import hmac
from html import escape
from urllib.parse import urlencode

import structlog
from aiohttp import web

from adapters.slack.client import SlackChat
from adapters.slack.installations import STATE_SECONDS, Installation
from adapters.slack.manifest import bot_scopes
from bot.ports import DeliveryError

log = structlog.get_logger()

INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
_COOKIE = "weaver-slack-install"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class OAuth:
    """The two pages."""

    def __init__(self, chat: SlackChat) -> None:
        self._chat = chat
        self._settings = chat.settings

    async def install(self, request: web.Request) -> web.Response:
        """Off to Slack's page that asks whether to allow the app."""
        if not (self._settings.client_id and self._settings.client_secret):
            words = "This bot serves one workspace, by its token. Several need SLACK_CLIENT_ID and SLACK_CLIENT_SECRET."
            return _page(404, "There is nothing to install here", words)
        state = await self._chat.installations.new_state()
        asked = {
            "client_id": self._settings.client_id,
            "scope": ",".join(bot_scopes()),
            "state": state,
            "redirect_uri": self._redirect(request),
        }
        response = web.HTTPFound(f"{self._settings.authorize_url}?{urlencode(asked)}", headers=_HEADERS)
        secure = self._redirect(request).startswith("https://")
        response.set_cookie(
            _COOKIE, state, max_age=STATE_SECONDS, path="/slack", httponly=True, secure=secure, samesite="Lax"
        )
        raise response

    async def redirect(self, request: web.Request) -> web.Response:
        """Back from Slack, with a code for a token, or without."""
        if request.query.get("error"):
            return _page(200, "Not installed", "You did not allow the app. Nothing has changed.")
        state, code = request.query.get("state", ""), request.query.get("code", "")
        same = hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), state.encode())
        if not (state and code and same and await self._chat.installations.take_state(state)):
            words = "This link is older than ten minutes, was used before, or was begun in another browser."
            return _page(400, "Please begin again", words, again=True)
        try:
            answer = await self._chat.calls.call_as_app(
                self._settings.client_id,
                self._settings.client_secret,
                "oauth.v2.access",
                code=code,
                redirect_uri=self._redirect(request),
            )
        except DeliveryError as error:
            log.error("slack.install_failed", reason=str(error))
            return _page(502, "Slack did not confirm it", f"{error}. Nothing has changed.", again=True)
        team = answer.get("team") if isinstance(answer.get("team"), dict) else None
        token = str(answer.get("access_token") or "")
        if not team or not team.get("id") or not token:
            words = "The app has to be installed in one workspace, with a bot. Choose a workspace on Slack's page."
            return _page(400, "Not installed", words, again=True)
        if self._settings.workspaces and team["id"] not in self._settings.workspaces:
            log.warning("slack.install_refused", workspace=team["id"])
            return _page(403, "Not this workspace", "This bot is not meant for that workspace. Ask its administrator.")
        await self._chat.installations.save(
            Installation(
                team=str(team["id"]),
                name=str(team.get("name") or "")[:200],
                bot_user=str(answer.get("bot_user_id") or ""),
                scopes=str(answer.get("scope") or ""),
                token=token,
            )
        )
        self._chat.people.forget_workspace(str(team["id"]))
        words = f"Weaver is now in {team.get('name') or 'your workspace'}. Open it in Slack and ask it something."
        response = _page(200, "Installed", words)
        response.del_cookie(_COOKIE, path="/slack")
        return response

    def _redirect(self, request: web.Request) -> str:
        base = self._settings.public_url.rstrip("/") or str(request.url.origin())
        return base + REDIRECT


def _page(status: int, title: str, words: str, *, again: bool = False) -> web.Response:
    link = f'<p><a href="{INSTALL}">Begin again</a></p>' if again else ""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:1rem/1.5 system-ui,sans-serif;'
        "max-width:34rem;margin:4rem auto;padding:0 1rem}</style>"
        f"<h1>{escape(title)}</h1><p>{escape(words)}</p>{link}</html>"
    )
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)
