"""Teams as the core sees it: the chat port on the Bot Connector's methods. A workspace is an Entra tenant.

Message ids are activity ids. Teams cannot be asked for what was sent under an id of ours, so that is kept here, as soon
as Teams has answered. One window remains: where Teams took a message and its answer was lost, or the process was killed
before it was on record, the bot sends that message once more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import Sealer
from adapters.teams.authentication import Authentication
from adapters.teams.connector import Connector, TeamsError
from adapters.teams.deliveries import Deliveries
from adapters.teams.forms import Forms
from adapters.teams.people import People
from adapters.teams.reception import Reception
from adapters.teams.references import CHANNEL, PERSONAL, Account, Conversation, References
from adapters.teams.render import Element, attachment_of, card_of
from adapters.teams.settings import PLATFORM, TeamsSettings
from adapters.teams.text import text_in
from bot.ports import (
    Capabilities,
    Clock,
    Composer,
    DeliveryError,
    EventHandler,
    Form,
    Message,
    PersonRef,
    Place,
    PlaceInfo,
    Profile,
    Quote,
    Submitted,
    Text,
)

_SUMMARY = 500
_PATIENCE = 5.0  # seconds before another try, where Teams answered and said nothing


class TeamsChat:
    """`bot.ports.ChatPlatform` for Teams.

    `forms` are the actions whose buttons open a form: Teams wants to know before one is pressed.
    """

    name = PLATFORM
    #: No message for one person's eyes in a channel; 60 posts in 30 seconds in one conversation.
    capabilities = Capabilities(private_in_channel=False, seconds_between_posts=0.5, home=False)

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        *,
        seal: Sealer,
        settings: TeamsSettings,
        forms: Collection[str] = (),
        replica: str = "weaver",
    ) -> None:
        self.settings = settings
        self.authentication = Authentication(settings, clock)
        self._deliveries = Deliveries(engine, clock, seal)
        self._forms = frozenset(forms)
        self.connector = Connector(settings, clock)
        self._references = References(engine, seal)
        self._people = People(self.connector, self._references, settings, direct=self.direct)
        self.reception = Reception(
            engine,
            clock,
            seal,
            Forms(seal, clock, directory=not settings.unauthenticated),
            self._references,
            give_back=self._give_back,
            name=replica,
        )

    # --- messages ---------------------------------------------------------------------------------------------------

    async def send(self, place: Place, message: Message, *, delivery_id: str) -> str:
        """Post a card; under a delivery id that was sent before, only its id."""
        before = await self.find(place, delivery_id=delivery_id)
        if before is not None:
            return before
        where = await self._reached(place)
        activity = self._activity(where, card_of(message, self._forms), message)
        try:
            if where.kind == CHANNEL and place.thread is None:  # only so a post of its own begins
                begun = {"isGroup": True, "channelData": {"channel": {"id": where.id}}, "activity": activity}
                bot = {"id": where.bot, "name": where.bot_name}
                more = {"bot": bot, "tenantId": place.workspace}
                answer = await self.connector.call(where.service_url, "POST", "conversations", body={**begun, **more})
                known = text_in(answer, "activityId")
            else:
                path = ("conversations", _thread(where, place), "activities")
                known = text_in(await self.connector.call(where.service_url, "POST", *path, body=activity), "id")
        except TeamsError as error:
            if error.status == 404 and where.kind == PERSONAL:  # the reference has gone: begin a new chat
                await self._references.forget(place.workspace, where.id)
                raise DeliveryError(f"the chat is gone ({error.code})", retry_after=1.0) from error
            raise
        if not known:  # it can neither be changed nor replied to: as good as lost
            raise DeliveryError("Teams took a message and did not tell its id", retry_after=_PATIENCE)
        await self._deliveries.record(delivery_id, known)
        return known

    async def update(self, place: Place, message_id: str, message: Message) -> None:
        """Replace what a message says."""
        where = await self._references.conversation(place.workspace, place.channel)
        if where is None or not message_id:
            return
        card = card_of(message, self._forms)
        activity = {**self._activity(where, card, message), "id": message_id}
        await self._unless_gone(where, "PUT", message_id, activity)
        self.reception.shown(message_id, card)

    async def withdraw(self, place: Place, message_id: str) -> None:
        """Remove a message."""
        where = await self._references.conversation(place.workspace, place.channel)
        if where is not None and message_id:
            await self._unless_gone(where, "DELETE", message_id)

    async def whisper(self, place: Place, person: PersonRef, message: Message, *, delivery_id: str) -> str:
        """Write to the person: Teams has nothing that one person alone sees in a channel."""
        return await self.send(await self.direct(person), message, delivery_id=delivery_id)

    async def find(self, place: Place, *, delivery_id: str) -> str | None:
        """The message that Teams took under this delivery id, as far as its answer was recorded."""
        return await self._deliveries.find(delivery_id)

    async def permalink(self, place: Place, message_id: str) -> str:
        """An address that opens the message: https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/deep-link-teams."""
        known = await self._references.conversation(place.workspace, place.channel)
        about = {"tenantId": place.workspace}
        if known is not None and known.kind == CHANNEL:
            about |= {"groupId": known.team_group, "parentMessageId": place.thread or message_id}
            about |= {"teamName": known.team_name, "channelName": known.name}
        else:
            about["context"] = '{"contextType":"chat"}'
        path = f"{quote(place.channel, safe='')}/{quote(message_id, safe='')}"
        return f"https://teams.microsoft.com/l/message/{path}?{urlencode({k: v for k, v in about.items() if v})}"

    async def unfurl(self, place: Place, message_id: str, previews: Mapping[str, Message]) -> None:
        """Nothing: Teams takes a preview only while it asks for one, as somebody writes (`assist`)."""

    # --- one person -------------------------------------------------------------------------------------------------

    async def direct(self, person: PersonRef) -> Place:
        """The chat with this person, begun if there is none. Raises `DeliveryError` where Teams does not allow one."""
        tenant = person.workspace
        account = await self._references.account(tenant, person.id)
        if account is not None and account.personal:
            known = await self._references.conversation(tenant, account.personal)
            if known is not None and not known.gone:
                return Place(PLATFORM, tenant, account.personal)
        somewhere = await self._references.anywhere(tenant)
        if somewhere is None:
            raise DeliveryError("Teams has not told yet how anybody in this tenant is reached: install the app there")
        asked = {
            "isGroup": False,
            "bot": {"id": somewhere.bot, "name": somewhere.bot_name},
            "members": [{"id": account.id if account and account.id else person.id}],
            "tenantId": tenant,
            "channelData": {"tenant": {"id": tenant}},
        }
        answer = await self.connector.call(somewhere.service_url, "POST", "conversations", body=asked)
        chat = text_in(answer, "id")
        if not chat:
            raise DeliveryError("Teams began no chat with this person", retry_after=_PATIENCE)
        service_url, bot = somewhere.service_url, somewhere.bot
        conversation = Conversation(id=chat, kind=PERSONAL, service_url=service_url, bot=bot)
        await self._references.learn(tenant, conversation)
        known_as = account or Account(id="")
        await self._references.learn_account(tenant, person.id, Account(id=known_as.id, seen_in=chat, personal=chat))
        return Place(PLATFORM, tenant, chat)

    async def open_form(self, trigger: str, form: Form) -> None:
        """Open a dialog in answer to the press that gave `trigger`. Raises `DeliveryError` once that is over."""
        self.reception.open(trigger, form)

    async def show_home(self, person: PersonRef, message: Message) -> None:
        """There is no home view here: `capabilities.home` says so."""
        raise DeliveryError("Teams has no home view for bots")

    async def profile(self, person: PersonRef) -> Profile:
        """Who this is."""
        return await self._people.profile(person)

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        """Teams does not tell a bot who is in a tenant; people are met where they are."""
        return None

    async def place(self, place: Place) -> PlaceInfo:
        """What this chat or channel is."""
        return await self._people.place(place)

    async def members(self, place: Place) -> list[PersonRef]:
        """Who is in this chat or channel."""
        return await self._people.members(place)

    # --- for the edge itself ----------------------------------------------------------------------------------------

    def assist(self, composer: Composer) -> None:
        """From now on answer from this what somebody searches for in the compose box, or links to."""
        self.reception.composer = composer

    async def resume(self, handle: EventHandler) -> None:
        """From now on hand over what Teams sends, beginning with what an earlier process was killed over."""
        self.reception.handle = handle
        await self._deliveries.tidy()
        await self.reception.inbox.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self.reception.inbox.stop()

    async def close(self) -> None:
        """Close the connections."""
        await self.stop()
        await self.connector.close()

    async def _reached(self, place: Place) -> Conversation:
        known = await self._references.conversation(place.workspace, place.channel)
        if known is None:
            raise DeliveryError("Teams has not told how this conversation is reached: the app is not installed there")
        if known.gone:
            raise DeliveryError("the app was removed from this conversation")
        return known

    def _activity(self, where: Conversation, card: Element, message: Message) -> dict[str, Any]:
        return {
            "type": "message",
            "from": {"id": where.bot, "name": where.bot_name},
            "summary": message.summary[:_SUMMARY],
            "attachmentLayout": "list",
            "attachments": [attachment_of(card)],
        }

    async def _unless_gone(
        self, where: Conversation, method: str, message_id: str, body: dict[str, Any] | None = None
    ) -> None:
        path = ("conversations", where.id, "activities", message_id)
        try:
            await self.connector.call(where.service_url, method, *path, body=body)
        except TeamsError as error:
            if not error.gone:
                raise

    async def _give_back(self, event: Submitted, wrong: str, form: Form) -> None:
        """The dialog is closed already: say what was wrong, and give back every word."""
        filled = [(one.label, one.initial) for one in form.inputs]
        typed = [Quote(words, by=label) for label, words in filled if isinstance(words, str) and words]
        message = Message(
            f"That could not be taken as it is: {wrong}",
            (Text("**That could not be taken as it is.**"), Quote(wrong), Text("Here is what you wrote:"), *typed),
        )
        await self.send(await self.direct(event.actor), message, delivery_id=event.id)


def _thread(where: Conversation, place: Place) -> str:
    """The conversation id of a thread: only channels have any."""
    return f"{where.id};messageid={place.thread}" if where.kind == CHANNEL and place.thread else where.id
