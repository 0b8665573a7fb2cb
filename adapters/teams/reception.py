"""What happens with a verified activity: kept, acknowledged, understood, handed to the core.

Activities wait for their turn in their conversation. Invokes are handled at once and waited for, a little less than
Teams waits, since their answer is in the response: the dialog, what is wrong with it, the card as it is now.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from time import monotonic
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import GivenBack, Inbox, Sealer
from adapters.teams import activities, invokes
from adapters.teams.activities import TYPES, Envelope, conversation_of, person_id, split_id, tenant_of
from adapters.teams.forms import TOKEN, Forms, Rejected, zone_of
from adapters.teams.references import PERSONAL, Account, References
from adapters.teams.render import Element
from adapters.teams.schema import inbox
from adapters.teams.settings import PLATFORM
from adapters.teams.text import dict_in, dicts_in, text_in
from bot.errors import BotError
from bot.ports import (
    Clock,
    Composer,
    DeliveryError,
    Event,
    EventHandler,
    Form,
    FormError,
    PersonRef,
    Place,
    PlaceChanged,
    Pressed,
    Submitted,
)

log = structlog.get_logger()

WAIT = 8.0  # seconds for an invoke; Teams waits ten to fifteen
WAIT_FOR_CARD = 1.5  # seconds more, for the card to be brought up to date after a press
_LATER = "I have it, and am still at work on it. You hear from me in our chat."
_DONE = "I have it. You hear from me in our chat."
_UNKNOWN = "I do not know that button any more. Ask again, and you get a new card."
WAIT_FOR_SEARCH = 4.0  # seconds; Teams waits five: https://learn.microsoft.com/microsoftteams/platform/messaging-extensions/how-to/search-commands/respond-to-search
_SEARCH_ELSEWHERE = "Write “know” and a topic to me in our chat: I show you there what colleagues have worked out."

#: Tells somebody in private what was wrong with a form that is closed already, and gives back what they typed.
GiveBack = Callable[[Submitted, str, Form], Awaitable[None]]


@dataclass
class Seat:
    """An invoke that waits for what becomes of it."""

    name: str
    waiting: bool = True
    words: str = ""  # a sentence to answer with
    dialog: Element | None = None
    event: Event | None = None
    zone: tzinfo = UTC
    card: asyncio.Future[Element] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Reception:
    """Takes in what Teams sends, for all tenants."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        seal: Sealer,
        forms: Forms,
        references: References,
        *,
        give_back: GiveBack,
        name: str,
    ) -> None:
        self.inbox = Inbox(engine, inbox, clock, seal, act=self._act, name=name)
        self.handle: EventHandler | None = None
        self.composer: Composer | None = None
        self._clock = clock
        self._seal = seal
        self._forms = forms
        self._references = references
        self._give_back = give_back
        self._seats: dict[str, Seat] = {}

    async def accept(self, activity: Mapping[str, Any]) -> tuple[int, Element | None]:
        """Keep a verified activity; status and body to answer Teams with. Raises where it could not be kept."""
        kind, name = text_in(activity, "type"), text_in(activity, "name")
        if kind not in TYPES:
            return 200, None
        about_somebody = kind in ("conversationUpdate", "installationUpdate")
        if not tenant_of(activity) or not (about_somebody or person_id(dict_in(activity, "from"))):
            log.warning("teams.nobody", kind=kind)
            return 200, None
        if kind == "invoke":
            return await self._invoked(activity, name)
        await self.inbox.keep(self._key(activity), self._lane(activity), self._stored(activity), mine=False)
        return 200, None

    async def _invoked(self, activity: Mapping[str, Any], name: str) -> tuple[int, Element | None]:
        if name == invokes.QUERY:
            return 200, await self._found(activity)
        if name in (invokes.LINK, invokes.UNNAMED_LINK):
            return 200, await self._previewed(activity, named=name == invokes.LINK)
        if name not in invokes.SETTLED:
            return 501, None
        key = self._key(activity)
        if key in self._seats:  # the same again, while the first is under way: that one is answered
            return 200, invokes.said(name, _LATER)
        begun, seat = monotonic(), Seat(name)
        self._seats[key] = seat
        try:
            kept = await self.inbox.keep(key, "", self._stored(activity), mine=True)
            if kept is None:  # it came before, and was handled
                return 200, invokes.said(name, _DONE)
            task = self.inbox.begin(kept)
            await asyncio.wait({task}, timeout=max(0.0, WAIT - (monotonic() - begun)))
            seat.waiting = False
            return 200, await self._answer(seat, finished=task.done())
        finally:
            self._seats.pop(key, None)

    async def _answer(self, seat: Seat, *, finished: bool) -> Element | None:
        if seat.dialog is not None:
            return seat.dialog
        if seat.words:
            return invokes.said(seat.name, seat.words)
        if not finished:
            return invokes.said(seat.name, _LATER)
        if seat.name == invokes.ACTION:
            try:
                return invokes.card_answer(await asyncio.wait_for(seat.card, WAIT_FOR_CARD))
            except TimeoutError:
                return invokes.said(seat.name, _DONE)
        return {} if seat.name in (invokes.SUBMIT, invokes.POINT_SUBMIT) else invokes.said(seat.name, _DONE)

    async def _found(self, activity: Mapping[str, Any]) -> Element:
        if self.composer is None:
            return invokes.said(invokes.QUERY, _SEARCH_ELSEWHERE)
        text, further = invokes.query_of(activity)
        if further:  # all there is was shown at once
            return invokes.found([])
        try:
            async with asyncio.timeout(WAIT_FOR_SEARCH):
                return invokes.found(await self.composer.search(*_writing(activity), text))
        except BotError as error:
            return invokes.said(invokes.QUERY, error.sentence)
        except TimeoutError:
            log.warning("teams.search_slow")
            return invokes.said(invokes.QUERY, "My search took too long. Try again in a moment.")
        except Exception:
            log.exception("teams.search_failed")
            return invokes.said(invokes.QUERY, "My search is out of order just now. Try again later.")

    async def _previewed(self, activity: Mapping[str, Any], *, named: bool) -> Element:
        """The preview of a link; without one, Teams leaves the link as it is."""
        url = text_in(dict_in(activity, "value"), "url")
        person, place = _writing(activity)
        try:
            async with asyncio.timeout(WAIT_FOR_SEARCH):
                message = await self.composer.preview(person if named else None, place, url) if self.composer else None
        except BotError:  # nobody who may read it; and nobody has asked for anything
            return {}
        except Exception:
            log.exception("teams.preview_failed")
            return {}
        return invokes.previewed(message) if message else {}

    # --- what the core does while an invoke waits -------------------------------------------------------------------

    def open(self, trigger: str, form: Form) -> None:
        """Answer a waiting invoke with a form. Raises `DeliveryError` where none waits, or none that can open one."""
        seat = self._seats.get(trigger)
        if seat is None or not seat.waiting or seat.event is None:
            raise DeliveryError("the button press that could have opened this form is over")
        if seat.name not in invokes.OPENING:
            raise DeliveryError(f"a dialog cannot open in answer to {seat.name}")
        event = seat.event
        seat.dialog = self._forms.dialog(form, event.actor, event.place, seat.zone)

    def shown(self, message_id: str, card: Element) -> None:
        """A card was brought up to date: who just pressed on it sees that at once."""
        for seat in self._seats.values():
            pressed = seat.event
            if isinstance(pressed, Pressed) and pressed.message_id == message_id and not seat.card.done():
                seat.card.set_result(card)

    # --- after the acknowledgement ----------------------------------------------------------------------------------

    def _stored(self, activity: Mapping[str, Any]) -> str:
        return json.dumps({"activity": activity, "received": self._clock.now().isoformat()})

    def _key(self, activity: Mapping[str, Any]) -> str:
        """Equal for what is repeated, by Teams or by somebody whose form stayed open since our answer was lost, and for
        nothing else: an edit has the id of the message that was edited."""
        data = dict_in(dict_in(activity, "value"), "data")
        if text_in(activity, "name") in (invokes.SUBMIT, invokes.POINT_SUBMIT) and text_in(data, TOKEN):
            whose = [tenant_of(activity), person_id(dict_in(activity, "from"))]
            return self._seal.mark(json.dumps([*whose, data], sort_keys=True))
        known, kind = text_in(activity, "id"), text_in(activity, "type")
        conversation = text_in(dict_in(activity, "conversation"), "id")
        if not known:
            return self._seal.mark(f"teams/whole/{json.dumps(activity, sort_keys=True)}")
        more = text_in(activity, "timestamp") if kind in ("messageUpdate", "messageDelete") else ""
        return self._seal.mark(json.dumps([tenant_of(activity), conversation, kind, known, more]))

    def _lane(self, activity: Mapping[str, Any]) -> str:
        conversation, _ = split_id(text_in(dict_in(activity, "conversation"), "id"))
        return self._seal.mark(f"teams/lane/{tenant_of(activity)}/{conversation}")

    async def _act(self, key: str, stored: str) -> None:
        kept = json.loads(stored)
        activity: Mapping[str, Any] = kept["activity"]
        await self._learn(activity)
        envelope = Envelope(
            activity=activity,
            key=key,
            received=datetime.fromisoformat(kept["received"]),
            mark=self._seal.mark,
            channels=await self._channels(activity),
        )
        seat = self._seats.get(key)
        if text_in(activity, "type") == "invoke" or "form" in dict_in(activity, "value"):
            await self._interaction(key, envelope, seat)
            return
        for event in activities.translate(envelope):
            await self._hand_over(event)

    async def _interaction(self, key: str, envelope: Envelope, seat: Seat | None) -> None:
        """A button, a form, or an action on a message."""
        activity, zone = envelope.activity, zone_of(envelope.activity)[0]
        form: Form | None = None
        event: Event | None = None
        try:
            if text_in(activity, "type") == "invoke":
                event, form = invokes.event_of(envelope, self._forms, key)
            else:
                event, form = invokes.submitted(envelope, self._forms, dict_in(activity, "value"))
            if event is None:
                self._say(seat, _UNKNOWN)
                return
            if seat is not None:
                seat.event, seat.zone = event, zone
            await self._hand_over(event)
        except BotError as error:  # a form that is not ours any more
            self._say(seat, error.sentence)
            raise GivenBack from error
        except FormError as error:
            place = error.place if isinstance(error, Rejected) else event.place if event else envelope.place
            form = error.form if isinstance(error, Rejected) else form
            if form is None:
                raise
            if seat is not None and seat.waiting:
                seat.dialog = self._forms.dialog(form, envelope.actor, place, zone, error.errors)
                raise GivenBack from error
            await self._give_back(Submitted(**envelope.common(), form=form.name, value=form.value), str(error), form)

    @staticmethod
    def _say(seat: Seat | None, words: str) -> None:
        if seat is None:
            log.info("teams.not_understood", answer=words)
        else:
            seat.words = words

    async def _hand_over(self, event: Event) -> None:
        if not event.actor.id and not isinstance(event, PlaceChanged):
            log.warning("teams.nobody", kind=type(event).__name__)
            return
        if self.handle is None:
            raise DeliveryError("the bot is not ready yet", retry_after=0.5)
        await self.handle(event)

    # --- what activities teach --------------------------------------------------------------------------------------

    async def _learn(self, activity: Mapping[str, Any]) -> None:
        """Keep how this conversation and who wrote in it are reached."""
        tenant, conversation = tenant_of(activity), conversation_of(activity)
        if conversation is None:
            return
        removed = any(activities.is_bot(one, activity) for one in dicts_in(activity, "membersRemoved"))
        if removed or text_in(activity, "action").startswith("remove"):
            await self._references.lose(tenant, conversation.id)
            if conversation.kind == PERSONAL:
                await self._references.forget_chat(tenant, person_id(dict_in(activity, "from")))
            return
        await self._references.learn(tenant, conversation)
        sender = dict_in(activity, "from")
        if activities.is_bot(sender, activity):
            return
        account = Account(
            id=text_in(sender, "id"),
            seen_in=conversation.id,
            personal=conversation.id if conversation.kind == PERSONAL else "",
            time_zone=zone_of(activity)[1],
        )
        await self._references.learn_account(tenant, person_id(sender), account)

    async def _channels(self, activity: Mapping[str, Any]) -> dict[str, bool]:
        """The known channels that a change of a team concerns, and whether everybody in the team is in them."""
        data = dict_in(activity, "channelData")
        happened, team = text_in(data, "eventType"), text_in(dict_in(data, "team"), "id")
        of_team = happened.startswith("team") or text_in(activity, "type") == "installationUpdate"
        if not team or not of_team:
            return {}
        return {one.id: one.of_all for one in await self._references.channels_of(tenant_of(activity), team)}


def _writing(activity: Mapping[str, Any]) -> tuple[PersonRef, Place]:
    """Who writes a message, and where."""
    tenant, (conversation, _) = tenant_of(activity), split_id(text_in(dict_in(activity, "conversation"), "id"))
    return PersonRef(PLATFORM, tenant, person_id(dict_in(activity, "from"))), Place(PLATFORM, tenant, conversation)
