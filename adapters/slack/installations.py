"""Which workspaces have installed the app, and their tokens: sealed in the database, or the one token of the settings.

A token from the settings serves the one workspace it belongs to; which that is, Slack says when first asked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import Sealer
from adapters.slack.schema import installations, oauth_states
from adapters.slack.settings import SlackSettings
from bot.ports import Clock, DeliveryError

log = structlog.get_logger()

_FRESH = timedelta(seconds=60)  # how long another replica may not know of an installation or its end
STATE_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The app in one workspace."""

    team: str
    name: str
    bot_user: str
    scopes: str
    token: str


class Installations:
    """Finds, keeps and removes installations."""

    def __init__(self, engine: AsyncEngine, clock: Clock, seal: Sealer, settings: SlackSettings) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self._clock = clock
        self._seal = seal
        self._settings = settings
        self._known: dict[str, tuple[float, Installation | None]] = {}
        self._single_team = ""

    async def token(self, team: str) -> str:
        """The bot's token in this workspace. Raises `DeliveryError` where the app is not installed there."""
        found = await self.find(team)
        if found is not None:
            return found.token
        if self._settings.bot_token and self._single_team in ("", team):
            return self._settings.bot_token
        raise DeliveryError("the Slack app is not installed in this workspace")

    def single(self, team: str) -> None:
        """The settings' token belongs to this workspace, and serves no other."""
        self._single_team = team

    async def serves(self, team: str) -> bool:
        """Whether the app is installed in this workspace, as far as is known."""
        try:
            return bool(team and await self.token(team))
        except DeliveryError:
            return False

    async def find(self, team: str) -> Installation | None:
        """The stored installation of a workspace."""
        now = self._clock.now().timestamp()
        until, known = self._known.get(team, (0.0, None))
        if until > now:
            return known
        async with self._reading.connect() as connection:
            row = (await connection.execute(select(installations).where(installations.c.team == team))).first()
        found = (
            Installation(
                team=row.team,
                name=row.name,
                bot_user=row.bot_user,
                scopes=row.scopes,
                token=self._seal.open(row.sealed_token),
            )
            if row
            else None
        )
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[team] = (now + _FRESH.total_seconds(), found)
        return found

    async def teams(self) -> list[str]:
        """The workspaces that have installed the app."""
        async with self._reading.connect() as connection:
            return list(await connection.scalars(select(installations.c.team).order_by(installations.c.name)))

    async def save(self, installation: Installation) -> None:
        """Keep an installation; a newer one of the same workspace replaces it."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(installations).where(installations.c.team == installation.team))
            await connection.execute(
                insert(installations).values(
                    team=installation.team,
                    name=installation.name,
                    bot_user=installation.bot_user,
                    scopes=installation.scopes,
                    sealed_token=self._seal.seal(installation.token),
                    installed_at=int(self._clock.now().timestamp()),
                )
            )
        self._known.pop(installation.team, None)
        log.info("slack.installed", workspace=installation.team)

    async def remove(self, team: str, *, as_of: int) -> None:
        """Forget an installation that ended at `as_of` (seconds); a newer one stays."""
        async with self._engine.begin() as connection:
            gone = delete(installations).where(installations.c.team == team, installations.c.installed_at <= as_of)
            removed = (await connection.execute(gone)).rowcount
        self._known.pop(team, None)
        if removed:
            log.info("slack.uninstalled", workspace=team)
        elif self._settings.bot_token:
            log.warning("slack.token_ended", workspace=team, do="install the app again and set the new SLACK_BOT_TOKEN")

    async def new_state(self) -> str:
        """A value that the coming OAuth answer must bring back, once, within ten minutes."""
        state = secrets.token_urlsafe(32)
        now = int(self._clock.now().timestamp())
        async with self._engine.begin() as connection:
            await connection.execute(delete(oauth_states).where(oauth_states.c.expires_at < now))
            values = {"mark": self._seal.mark(state), "expires_at": now + STATE_SECONDS}
            await connection.execute(insert(oauth_states).values(values))
        return state

    async def take_state(self, state: str) -> bool:
        """Whether this is a state of ours, still good and not used before."""
        now = int(self._clock.now().timestamp())
        async with self._engine.begin() as connection:
            ours = (oauth_states.c.mark == self._seal.mark(state)) & (oauth_states.c.expires_at >= now)
            return bool((await connection.execute(delete(oauth_states).where(ours))).rowcount)
