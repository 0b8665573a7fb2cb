"""What an administrator sets for Slack."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

API_URL = "https://slack.com/api/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """One Slack app: for a single workspace by `bot_token`, for several by `client_id` and `client_secret` (OAuth).

    Requests come in over HTTP where there is a `signing_secret`, and over Socket Mode where there is an `app_token`.
    `workspaces`, where given, are the only ones (team ids) that may install the app.
    """

    bot_token: str = ""
    signing_secret: str = ""
    app_token: str = ""
    api_url: str = API_URL
    client_id: str = ""
    client_secret: str = ""
    public_url: str = ""
    workspaces: tuple[str, ...] = ()

    @property
    def on(self) -> bool:
        """Whether Slack is to be served at all."""
        return bool((self.bot_token or self.client_id) and (self.signing_secret or self.app_token))

    @property
    def base_url(self) -> str:
        """The address that method names are added to."""
        return (self.api_url or API_URL).rstrip("/") + "/"

    @property
    def authorize_url(self) -> str:
        """Slack's page on which an administrator allows the app."""
        there = urlsplit(self.base_url)
        return f"{there.scheme}://{there.netloc}/oauth/v2/authorize"
