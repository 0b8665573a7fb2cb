"""What happens with a verified request: kept, acknowledged, understood, handed to the core.

Events wait for their turn in their channel. Commands, presses and shortcuts are handled at once, for their trigger
lives three seconds. A form is waited for, a little less than that, so that what is wrong with it can be said in it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import GivenBack, Inbox, Sealer
from adapters.slack import events, interactions
from adapters.slack.events import EVENTS, MESSAGES, Envelope, id_in
from adapters.slack.forms import errors_of
from adapters.slack.installations import Installations
from adapters.slack.people import People
from adapters.slack.schema import inbox
from bot.ports import (
    Clock,
    DeliveryError,
    Event,
    EventHandler,
    FormError,
    PersonChanged,
    PlaceChanged,
    Submitted,
)

log = structlog.get_logger()

WAIT = 2.5  # seconds for a form; Slack waits three
_SUBMISSION = "view_submission"

#: Tells somebody in private what was wrong with a form that is closed already, and gives back what they typed.
GiveBack = Callable[[Submitted, FormError, Mapping[str, Any]], Awaitable[None]]


@dataclass
class _Seat:
    """A request that waits for what becomes of a form."""

    task: asyncio.Task[None] | None = None
    waiting: bool = True
    error: FormError | None = None


class Reception:
    """Takes in what Slack sends, for all workspaces."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        seal: Sealer,
        installations: Installations,
        people: People,
        *,
        give_back: GiveBack,
        acted: Callable[[Event], None],
        name: str,
    ) -> None:
        self.inbox = Inbox(engine, inbox, clock, seal, act=self._act, name=name)
        self.handle: EventHandler | None = None
        self._clock = clock
        self._seal = seal
        self._installations = installations
        self._people = people
        self._give_back = give_back
        self._acted = acted
        self._seats: dict[str, _Seat] = {}

    async def accept(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Keep a verified request; what to answer Slack with, or None. Raises where it could not be kept."""
        begun = monotonic()
        is_event = isinstance(body.get("event"), dict)
        if is_event and not _matters(body["event"]):
            return None
        key = self._key(body)
        stored = json.dumps({"body": body, "received": self._clock.now().timestamp()})
        kept = await self.inbox.keep(key, self._lane(body) if is_event else "", stored, mine=not is_event)
        if is_event:
            return None
        if body.get("type") != _SUBMISSION:
            if kept is not None:
                self.inbox.begin(kept)
            return None
        if kept is not None:
            seat = self._seats[key] = _Seat()
            seat.task = self.inbox.begin(kept)
            seat.task.add_done_callback(lambda _: self._seats.pop(key, None))
        waited_for = self._seats.get(key)
        if waited_for is None or waited_for.task is None:
            return None
        await asyncio.wait({waited_for.task}, timeout=max(0.0, WAIT - (monotonic() - begun)))
        if waited_for.error is not None:
            return {"response_action": "errors", "errors": errors_of(waited_for.error.errors, body.get("view") or {})}
        waited_for.waiting = False
        return None

    def _key(self, body: Mapping[str, Any]) -> str:
        """Equal for what Slack repeats, over HTTP or Socket Mode, for a form sent once more, and for nothing else.

        A form whose acknowledgement was lost stays open, and Slack asks its writer to try again.
        """
        event_id, view = body.get("event_id"), body.get("view")
        what = f"event/{event_id}" if event_id else json.dumps(body, sort_keys=True)
        if body.get("type") == _SUBMISSION and isinstance(view, dict) and id_in(view):
            written = [id_in(body.get("team")), id_in(body.get("user")), id_in(view), view.get("state")]
            what = f"form/{json.dumps(written, sort_keys=True)}"
        return self._seal.mark(f"slack/{what}")

    def _lane(self, body: Mapping[str, Any]) -> str:
        event = body["event"]
        item = event.get("item")
        channel = id_in(event.get("channel")) or (id_in(item.get("channel")) if isinstance(item, dict) else "")
        return self._seal.mark(f"slack/lane/{channel or id_in(event.get('user')) or body.get('team_id')}")

    # --- after the acknowledgement ----------------------------------------------------------------------------------

    async def _act(self, key: str, stored: str) -> None:
        kept = json.loads(stored)
        body: dict[str, Any] = {**kept["body"], "received": kept["received"]}
        event = await self._understood(key, body)
        if event is None:
            return
        self._acted(event)
        if self.handle is None:
            raise DeliveryError("the bot is not ready yet", retry_after=0.5)
        try:
            await self.handle(event)
        except FormError as error:
            seat = self._seats.get(key)
            if seat is not None and seat.waiting:
                seat.error = error
                raise GivenBack from error
            if isinstance(event, Submitted):
                await self._give_back(event, error, body.get("view") or {})

    async def _understood(self, key: str, body: Mapping[str, Any]) -> Event | None:
        raw = body.get("event")
        kind = str(raw.get("type")) if isinstance(raw, dict) else ""
        if isinstance(raw, dict) and kind in ("app_uninstalled", "tokens_revoked"):
            await self._ended(body, raw)
            return None
        team = await self._team(body)
        bot = _bot_in(body, team)
        if bot:
            self._people.is_bot(team, bot)
        envelope = Envelope(
            body=body,
            team=team,
            bot=bot or await self._people.bot_user(team),
            key=key,
            mark=self._seal.mark,
            name_of=lambda user: self._people.name(team, user),
        )
        event = events.translate(envelope) if raw else interactions.translate(envelope)
        if isinstance(event, PersonChanged):
            self._people.forget_person(team, event.actor.id)
        if isinstance(event, PlaceChanged):
            self._people.forget_place(team, event.place.channel)
        if event is not None and not event.actor.id and not isinstance(event, PlaceChanged):
            log.warning("slack.nobody", kind=type(event).__name__)
            return None
        return event

    async def _team(self, body: Mapping[str, Any]) -> str:
        """The workspace on whose behalf Slack tells this: where the app is installed, not where the person is from."""
        candidates = [team for team in _teams_in(body) if team]
        for team in candidates:
            if await self._installations.serves(team):
                return team
        raise DeliveryError("the Slack app is not installed in the workspace that this came from")

    async def _ended(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """The app was removed from a workspace, or its token taken back."""
        if event.get("type") == "tokens_revoked" and not (event.get("tokens") or {}).get("bot"):
            return
        team, at = str(body.get("team_id") or ""), body.get("event_time")
        when = int(at) if isinstance(at, (int, float)) else int(self._clock.now().timestamp())
        await self._installations.remove(team, as_of=when)
        self._people.forget_workspace(team)


def _matters(event: Mapping[str, Any]) -> bool:
    """Whether an event is worth a row: most messages of bots, our own among them, are not."""
    changed = event.get("message") if event.get("subtype") == "message_changed" else event
    by_bot = isinstance(changed, dict) and changed.get("bot_id")
    if event.get("type") == "message" and (by_bot or event.get("subtype") not in MESSAGES):
        return False
    return str(event.get("type")) in EVENTS


def _teams_in(body: Mapping[str, Any]) -> list[str]:
    found: list[Any] = []
    granted = body.get("authorizations")
    if isinstance(granted, list):
        found += [one.get("team_id") for one in granted if isinstance(one, dict)]
    view, message, user = body.get("view"), body.get("message"), body.get("user")
    if isinstance(view, dict):
        found.append(view.get("app_installed_team_id"))
    found += [body.get("context_team_id"), id_in(body.get("team")), body.get("team_id")]
    for part, name in ((message, "team"), (user, "team_id"), (body.get("event"), "team")):
        if isinstance(part, dict):
            found.append(part.get(name))
    return list(dict.fromkeys(team for team in found if isinstance(team, str)))


def _bot_in(body: Mapping[str, Any], team: str) -> str:
    """The bot's own user, where the event says on whose behalf it was sent."""
    granted = body.get("authorizations")
    for one in granted if isinstance(granted, list) else ():
        if isinstance(one, dict) and one.get("is_bot") and one.get("team_id") in (team, None):
            return str(one.get("user_id") or "")
    return ""
