"""What an administrator sets for Teams."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

PLATFORM = "teams"
SERVICE = "https://api.botframework.com"  # who signs what comes in, and what the bot's own token is for
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsSettings:
    """One bot registration. With a `tenant_id` only that tenant is served, without one every tenant that installs it.

    `open_teams` are the teams whose standard channels everybody in the organisation may read, by id ("*": all of
    them): Teams tells a bot nothing of that, so without it what is said in a team stays with its members.
    `emulator` serves Microsoft's local client, unauthenticated and from this machine only; with an `app_id` it has no
    effect. The addresses below are Microsoft's; tests set others.
    """

    app_id: str = ""
    app_password: str = ""
    tenant_id: str = ""
    emulator: bool = False
    open_teams: tuple[str, ...] = ()
    login_url: str = "https://login.microsoftonline.com"
    openid_metadata_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    token_issuer: str = SERVICE

    @property
    def on(self) -> bool:
        """Whether Teams is to be served at all."""
        return bool(self.app_id and self.app_password) or self.unauthenticated

    @property
    def unauthenticated(self) -> bool:
        """Whether requests are believed without a token: only for the emulator."""
        return self.emulator and not self.app_id

    @property
    def token_url(self) -> str:
        """Where the bot gets its own token: from its tenant, or from the Bot Framework's where it serves several."""
        return f"{self.login_url.rstrip('/')}/{self.tenant_id or 'botframework.com'}/oauth2/v2.0/token"


def on_this_machine(url: str) -> bool:
    """Whether an address is one of this machine."""
    return urlsplit(url).hostname in _LOOPBACK
