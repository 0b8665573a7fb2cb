"""Slack as the core sees it: the chat port on Slack's methods.

Message ids are Slack's time stamps. A whisper's id says where it went: a message shown to one person in a channel
cannot be found or changed later, and Slack does not promise that it is seen; so only short notes to somebody who acted
in that channel a moment ago are shown there, and everything else goes to the person's direct conversation.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import Sealer
from adapters.slack import forms, render
from adapters.slack.calls import Calls, SlackError
from adapters.slack.events import COMPOSER
from adapters.slack.installations import Installations
from adapters.slack.interactions import split_trigger
from adapters.slack.people import PLATFORM, People, Shelf
from adapters.slack.reception import Reception
from adapters.slack.settings import SlackSettings
from bot.ports import (
    Buttons,
    Capabilities,
    Clock,
    Commanded,
    Event,
    EventHandler,
    Form,
    FormError,
    Heard,
    Message,
    PersonRef,
    Place,
    PlaceInfo,
    Pointed,
    Pressed,
    Profile,
    Quote,
    Reacted,
    Submitted,
    Text,
)

DELIVERY = "weaver_delivery"
_EPHEMERAL = "shown"
_HERE_SECONDS = 60.0  # after acting in a channel somebody is taken to be looking at it
_GONE = {"message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed", "channel_not_found"}
_NOT_SHOWN = {"user_not_in_channel", "channel_not_found", "not_in_channel", "is_archived", "user_not_found",
              "restricted_action", "messages_tab_disabled", "cannot_reply_to_message"}  # fmt: skip
_NO_PREVIEW = {"cannot_unfurl_url", "cannot_unfurl_message", "cannot_find_message", "cannot_find_channel",
               "missing_unfurls", "cannot_parse_attachment", "cannot_prompt", "cannot_find_service"}  # fmt: skip
_PAGES = 5
_PAGE = 200


class SlackChat:
    """`bot.ports.ChatPlatform` for Slack. A workspace is a Slack team id."""

    name = PLATFORM
    capabilities = Capabilities(private_in_channel=True, seconds_between_posts=1.0, home=True)

    def __init__(
        self, engine: AsyncEngine, clock: Clock, *, seal: Sealer, settings: SlackSettings, replica: str = "weaver"
    ) -> None:
        self.settings = settings
        self.installations = Installations(engine, clock, seal, settings)
        self.calls = Calls(settings.base_url, self.installations.token)
        self.people = People(self.calls, self.installations, clock)
        self.reception = Reception(
            engine,
            clock,
            seal,
            self.installations,
            self.people,
            give_back=self._give_back,
            acted=self._acted,
            name=replica,
        )
        self._conversations = Shelf[str](clock, timedelta(days=1))
        self._here: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._doubtful: OrderedDict[str, None] = OrderedDict()

    # --- messages ---------------------------------------------------------------------------------------------------

    async def send(self, place: Place, message: Message, *, delivery_id: str) -> str:
        """Post; joins a public channel first where the bot is not in it."""
        said = {
            **self._said(place, message),
            "thread_ts": place.thread,
            "metadata": {"event_type": DELIVERY, "event_payload": {"id": delivery_id}},
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            answer = await self.calls.call(place.workspace, "chat.postMessage", **said)
        except SlackError as error:
            if error.code != "not_in_channel":
                raise
            await self.calls.call(place.workspace, "conversations.join", channel=place.channel)
            answer = await self.calls.call(place.workspace, "chat.postMessage", **said)
        return str(answer.get("ts") or "")

    async def update(self, place: Place, message_id: str, message: Message) -> None:
        """Replace what a message says."""
        where, ts = _whereabouts(place, message_id)
        if ts:
            await self._unless(_GONE, where, "chat.update", ts=ts, **self._said(where, message))

    async def withdraw(self, place: Place, message_id: str) -> None:
        """Remove a message."""
        where, ts = _whereabouts(place, message_id)
        if ts:
            await self._unless(_GONE, where, "chat.delete", ts=ts, channel=where.channel)

    async def whisper(self, place: Place, person: PersonRef, message: Message, *, delivery_id: str) -> str:
        """Show a note where the person just acted, or else write to them. Not both, unless Slack leaves in doubt
        whether it showed the note: then better twice than never."""
        if place.channel.startswith("D"):
            return await self.send(place, message, delivery_id=delivery_id)
        if self._sure_to_see(place, person, message) and delivery_id not in self._doubtful:
            try:
                said = {**self._said(place, message), "thread_ts": place.thread, "user": person.id}
                await self.calls.call(place.workspace, "chat.postEphemeral", **said)
            except SlackError as error:
                if error.code not in _NOT_SHOWN:
                    if not error.definite:
                        _remember(self._doubtful, delivery_id, None)
                    raise
            else:
                return _EPHEMERAL
        direct = await self.direct(person)
        found = await self.find(direct, delivery_id=delivery_id)
        return f"{direct.channel}:{found or await self.send(direct, message, delivery_id=delivery_id)}"

    async def find(self, place: Place, *, delivery_id: str) -> str | None:
        """The message that carries this delivery id, among the latest of the place."""
        method, more = "conversations.history", {"channel": place.channel, "include_all_metadata": True}
        if place.thread:
            method, more["ts"] = "conversations.replies", place.thread
        for _ in range(_PAGES):
            try:
                answer = await self.calls.call(place.workspace, method, limit=_PAGE, **more)
            except SlackError as error:
                if error.code in ("thread_not_found", "not_in_channel"):
                    return None
                raise
            for message in answer.get("messages") or ():
                about = message.get("metadata") or {}
                if about.get("event_type") == DELIVERY and about.get("event_payload", {}).get("id") == delivery_id:
                    return str(message.get("ts"))
            more["cursor"] = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not more["cursor"]:
                break
        return None

    async def permalink(self, place: Place, message_id: str) -> str:
        """An address that opens the message."""
        where, ts = _whereabouts(place, message_id)
        channel = where.channel
        answer = await self.calls.call(where.workspace, "chat.getPermalink", channel=channel, message_ts=ts)
        return str(answer.get("permalink") or "")

    async def unfurl(self, place: Place, message_id: str, previews: Mapping[str, Message]) -> None:
        """Show previews below a message, or in the composer of one that is not posted yet."""
        if not previews:
            return
        shown = {url: {"blocks": render.blocks_of(message)} for url, message in previews.items()}
        at = {"channel": place.channel, "ts": message_id}
        if place.channel == COMPOSER:
            at = {"unfurl_id": message_id, "source": "composer"}
        await self._unless(_NO_PREVIEW | _GONE, place, "chat.unfurl", unfurls=shown, **at)

    # --- one person -------------------------------------------------------------------------------------------------

    async def direct(self, person: PersonRef) -> Place:
        """The direct conversation with this person."""
        channel = self._conversations.get(person.workspace, person.id)
        if channel is None:
            answer = await self.calls.call(person.workspace, "conversations.open", users=[person.id])
            channel = str((answer.get("channel") or {}).get("id") or "")
            self._conversations.put(person.workspace, person.id, channel)
        return Place(PLATFORM, person.workspace, channel)

    async def open_form(self, trigger: str, form: Form) -> None:
        """Open a modal. Raises `DeliveryError` where the trigger is older than three seconds."""
        place, trigger_id = split_trigger(trigger)
        view = forms.view_of(form, place, render.text_blocks(form.intro or ("" if form.inputs else form.title)))
        await self.calls.call(place.workspace, "views.open", trigger_id=trigger_id, view=view)

    async def show_home(self, person: PersonRef, message: Message) -> None:
        """Publish the person's App Home."""
        view = {"type": "home", "blocks": render.blocks_of(message, render.VIEW_BLOCKS)}
        await self.calls.call(person.workspace, "views.publish", user_id=person.id, view=view)

    async def profile(self, person: PersonRef) -> Profile:
        """Who this is."""
        return await self.people.profile(person)

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        """Who has this address."""
        return await self.people.lookup(workspace, email)

    async def place(self, place: Place) -> PlaceInfo:
        """What this channel is."""
        return await self.people.place(place)

    async def members(self, place: Place) -> list[PersonRef]:
        """Who is in this channel."""
        return await self.people.members(place)

    # --- for the edge itself ----------------------------------------------------------------------------------------

    async def resume(self, handle: EventHandler) -> None:
        """From now on hand over what Slack sends, beginning with what an earlier process was killed over."""
        self.reception.handle = handle
        await self.reception.inbox.start()

    async def stop(self) -> None:
        """Finish what is under way. Messages can be sent still."""
        await self.reception.inbox.stop()

    async def close(self) -> None:
        """Close the connections."""
        await self.calls.close()

    def _said(self, place: Place, message: Message) -> dict[str, Any]:
        return {
            "channel": place.channel,
            "text": render.fallback(message),
            "blocks": render.blocks_of(message),
            "parse": "none",
            "link_names": False,
        }

    async def _unless(self, gone: set[str], place: Place, method: str, **arguments: Any) -> None:
        try:
            await self.calls.call(place.workspace, method, **arguments)
        except SlackError as error:
            if error.code not in gone:
                raise

    def _acted(self, event: Event) -> None:
        place = event.place
        if place.channel and isinstance(event, (Heard, Commanded, Pressed, Pointed, Reacted)):
            _remember(self._here, (place.workspace, place.channel, event.actor.id), monotonic())

    def _sure_to_see(self, place: Place, person: PersonRef, message: Message) -> bool:
        """Slack shows such a message to who is there now, and forgets it: enough for a note, not for a card."""
        at = self._here.get((place.workspace, place.channel, person.id))
        card = any(isinstance(part, Buttons) and any(not button.url for button in part.items) for part in message.parts)
        return not card and at is not None and monotonic() - at < _HERE_SECONDS

    async def _give_back(self, event: Submitted, error: FormError, view: Mapping[str, Any]) -> None:
        """The form is closed already: say what was wrong, and give back every word."""
        labels = {
            str(block.get("block_id")): str((block.get("label") or {}).get("text") or "")
            for block in view.get("blocks") or ()
            if isinstance(block, dict)
        }
        wrong = " ".join(error.errors.values())
        typed = [
            Quote(value, by=labels.get(name, "")) for name, value in event.values.items() if isinstance(value, str)
        ]
        message = Message(
            f"That could not be taken as it is: {wrong}",
            (Text(f"**That could not be taken as it is.** {_literal(wrong)}\nHere is what you wrote:"), *typed),
        )
        direct = await self.direct(event.actor)
        if await self.find(direct, delivery_id=event.id) is None:
            await self.send(direct, message, delivery_id=event.id)


def _whereabouts(place: Place, message_id: str) -> tuple[Place, str]:
    """Where a message is: in its place, or, for a whisper, where it went. Without a time stamp it is out of reach."""
    if message_id == _EPHEMERAL:
        return place, ""
    channel, colon, ts = message_id.partition(":")
    return (Place(place.platform, place.workspace, channel), ts) if colon else (place, message_id)


def _remember(shelf: OrderedDict[Any, Any], key: object, value: object) -> None:
    shelf[key] = value
    shelf.move_to_end(key)
    while len(shelf) > 5000:
        shelf.popitem(last=False)


def _literal(text: str) -> str:
    return re.sub(r"([^\w\s])", r"\\\1", text)
