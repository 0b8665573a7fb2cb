"""Who sent a request: botbuilder checks the token, and this decides what of its verdict is believed.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication. What is added:

- Keys are fetched without holding up the loop, and again when a token names one that is not known yet; botbuilder does
  it with blocking requests, and stumbles over an unknown key before it would fetch again.
- Whatever goes wrong is a refusal; botbuilder raises assorted exceptions.
- Only the Bot Framework's own service speaks for Teams: botbuilder also takes tokens of its emulator and of other bots,
  which say nothing about the service URL.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog
from jwt.algorithms import RSAAlgorithm

from adapters.teams.settings import SERVICE, TeamsSettings, on_this_machine
from bot.ports import Clock

log = structlog.get_logger()

FRESH = timedelta(days=1)
ASK_AGAIN = timedelta(minutes=5)  # for a key that is not known: not at the pace of whoever sends such tokens
TIMEOUT = 10.0
NO_KEYS = (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError)  # for whatever reason


class Refused(Exception):
    """This request is not from Teams, or not for this bot. The message says why, for the log."""


class Authentication:
    """Checks requests for one bot registration."""

    def __init__(self, settings: TeamsSettings, clock: Clock) -> None:
        from botbuilder.schema import Activity  # slow to import, and not needed where there is no Teams
        from botframework.connector.auth import (
            AuthenticationConfiguration,
            BotFrameworkAuthenticationFactory,
            JwtTokenExtractor,
            PasswordServiceClientCredentialFactory,
        )

        self._settings = settings
        self._activity = Activity
        self.keys = SigningKeys(settings.openid_metadata_url, clock)
        # This is where botbuilder looks for keys before it fetches any by itself.
        JwtTokenExtractor.metadataCache[settings.openid_metadata_url] = self.keys
        self._botbuilder = BotFrameworkAuthenticationFactory.create(
            to_channel_from_bot_login_url=settings.login_url,
            to_channel_from_bot_oauth_scope=SERVICE,
            to_bot_from_channel_token_issuer=settings.token_issuer,
            oauth_url=SERVICE,
            to_bot_from_channel_open_id_metadata_url=settings.openid_metadata_url,
            # The same keys for emulator tokens, so that none of those is ever rightly signed.
            to_bot_from_emulator_open_id_metadata_url=settings.openid_metadata_url,
            credential_factory=PasswordServiceClientCredentialFactory(settings.app_id, settings.app_password),
            auth_configuration=AuthenticationConfiguration(),
        )

    async def check(self, header: str, activity: dict[str, Any]) -> None:
        """Return where this activity came from Teams, for this bot, from the service URL it names; raise `Refused`."""
        service_url, channel = activity.get("serviceUrl"), activity.get("channelId")
        if not isinstance(service_url, str) or not service_url or channel != "msteams":
            raise Refused("not an activity of Teams")
        if self._settings.unauthenticated:
            if not on_this_machine(service_url):
                raise Refused("the emulator is believed on this machine only")
            return
        if not self._settings.app_id or not header:
            raise Refused("no token")
        try:
            about = self._activity(type="message", channel_id=channel, service_url=service_url)
            result = await self._botbuilder.authenticate_request(about, header)
            claims: dict[str, Any] = result.claims_identity.claims
        except Exception as error:  # whatever it is, it did not show who sent this
            raise Refused(f"{type(error).__name__}: {error}") from error
        wanted = {"iss": self._settings.token_issuer, "aud": self._settings.app_id, "serviceurl": service_url}
        wrong = [name for name, value in wanted.items() if claims.get(name) != value]
        if wrong:
            raise Refused(f"the token has another {', '.join(wrong)}")
        if not service_url.startswith("https://") and not on_this_machine(service_url):
            raise Refused("the service URL is not encrypted")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the channels that may be signed for with it. botbuilder reads both by these names."""

    public_key: Any
    endorsements: list[str]


class SigningKeys:
    """The keys that an OpenID metadata document leads to, for a day."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched: datetime | None = None
        self._asked: datetime | None = None
        self._turn = asyncio.Lock()

    async def get(self, key_id: str | None) -> SigningKey:
        """The key of this id. Raises `Refused` for an unknown one."""
        async with self._turn:
            now = self._clock.now()
            stale = self._fetched is None or now - self._fetched > FRESH
            may_ask = self._asked is None or now - self._asked > ASK_AGAIN
            if stale or (key_id not in self._keys and may_ask):
                self._asked = now
                try:
                    self._keys = await self.fetch()
                    self._fetched = now
                except NO_KEYS:
                    log.exception("teams.no_signing_keys", url=self._url)  # those we have stay good
        if key_id not in self._keys:
            raise Refused("the token is signed with a key that is not Microsoft's")
        return self._keys[key_id]

    async def fetch(self) -> dict[str, SigningKey]:
        """The keys as they are now, by id. Raises one of `NO_KEYS`."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT), raise_for_status=True) as http:
            async with http.get(self._url) as answer:
                where = (await answer.json(content_type=None))["jwks_uri"]
            async with http.get(where) as answer:
                keys = (await answer.json(content_type=None))["keys"]
        return {
            key["kid"]: SigningKey(RSAAlgorithm.from_jwk(json.dumps(key)), list(key.get("endorsements") or ()))
            for key in keys
            if key.get("kty") == "RSA" and isinstance(key.get("kid"), str)
        }
