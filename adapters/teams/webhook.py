"""Teams without a bot: cards posted through Workflows webhooks, for organisations that may not register one.

https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498.
A webhook takes cards for one channel and gives nothing back: nothing is heard, nothing can be changed later, and
buttons become a link to Weaver's page, where one answers. Whoever has the address may post, so it is a secret.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import Sealer
from adapters.teams.deliveries import Deliveries
from adapters.teams.render import attachment_of, card_of
from adapters.teams.settings import PLATFORM, on_this_machine
from bot.errors import ConfigurationError
from bot.ports import (
    BOARDS,
    Button,
    Buttons,
    Capabilities,
    Clock,
    DeliveryError,
    Form,
    Message,
    Part,
    PersonRef,
    Place,
    PlaceInfo,
    Profile,
)

TIMEOUT = 15.0
_PASSING = (408, 412, 429, 500, 502, 503, 504)


class TeamsWebhooks:
    """`bot.ports.ChatPlatform` that can only post. `webhooks` are the addresses, by the name of their channel."""

    name = PLATFORM
    capabilities = Capabilities(
        private_in_channel=False, seconds_between_posts=1.0, forms=False, reactions=False, update=False, people=False
    )

    def __init__(
        self, engine: AsyncEngine, clock: Clock, *, seal: Sealer, webhooks: Mapping[str, str], base_url: str
    ) -> None:
        for name, url in webhooks.items():
            if not url.startswith("https://") and not on_this_machine(url):
                raise ConfigurationError(f"The webhook of {name!r} must begin with https://. Copy it from Workflows.")
        self._webhooks = dict(webhooks)
        self._base_url = base_url.rstrip("/")
        self._deliveries = Deliveries(engine, clock, seal)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, place: Place, message: Message, *, delivery_id: str) -> str:
        """Post a card. Its id is the delivery id: a webhook names none."""
        if await self._deliveries.find(delivery_id):
            return delivery_id
        url = self._webhooks.get(place.channel)
        if url is None or place.workspace != BOARDS:
            raise DeliveryError("there is no webhook of this channel: add it to the settings")
        card = card_of(Message(message.summary, tuple(self._linked(part) for part in message.parts)))
        try:
            body = {"type": "message", "attachments": [{**attachment_of(card), "contentUrl": None}]}
            async with self._http().post(url, json=body) as answer:
                status, patience = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:  # without its text, which has the address
            raise DeliveryError(f"the webhook was not reached: {type(error).__name__}", retry_after=_jitter()) from None
        if status in _PASSING:
            wait = max(_jitter(), float(patience) if patience.isdigit() else 0.0)
            raise DeliveryError(f"the webhook asks for patience ({status})", retry_after=min(wait, 3600.0))
        if status >= 400:
            raise DeliveryError(f"the webhook refused it ({status}): is the workflow still there, and switched on?")
        await self._deliveries.record(delivery_id, delivery_id)
        return delivery_id

    def _linked(self, part: Part) -> Part:
        """Buttons that open an address stay; all others become one that opens Weaver's page."""
        if not isinstance(part, Buttons):
            return part
        links = tuple(button for button in part.items if button.url)
        here = (Button("Open in Weaver", "", url=self._base_url, style="primary"),)
        return Buttons(links if len(links) == len(part.items) else (*here, *links))

    async def find(self, place: Place, *, delivery_id: str) -> str | None:
        """The message sent under this delivery id, as far as the webhook's answer was recorded."""
        return await self._deliveries.find(delivery_id)

    async def place(self, place: Place) -> PlaceInfo:
        """A channel of the settings. Who reads it is not known here: what is posted there is for the organisation."""
        if place.channel not in self._webhooks or place.workspace != BOARDS:
            raise LookupError("there is no webhook of this channel")
        return PlaceInfo(place=place.root, name=place.channel, private=False)

    async def permalink(self, place: Place, message_id: str) -> str:
        """Weaver's page: a webhook does not tell where its message is."""
        return self._base_url

    async def tidy(self) -> None:
        """Forget what was sent more than a month ago."""
        await self._deliveries.tidy()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self._session

    # --- what a webhook cannot do -----------------------------------------------------------------------------------

    async def update(self, place: Place, message_id: str, message: Message) -> None:
        """Nothing: what is posted stays as it is."""

    async def withdraw(self, place: Place, message_id: str) -> None:
        """Nothing: what is posted stays."""

    async def unfurl(self, place: Place, message_id: str, previews: Mapping[str, Message]) -> None:
        """Nothing: no message is heard."""

    async def members(self, place: Place) -> list[PersonRef]:
        """Nobody is known."""
        return []

    async def whisper(self, place: Place, person: PersonRef, message: Message, *, delivery_id: str) -> str:
        """Not possible."""
        raise DeliveryError("a webhook reaches no single person")

    async def direct(self, person: PersonRef) -> Place:
        """Not possible."""
        raise DeliveryError("a webhook reaches no single person")

    async def open_form(self, trigger: str, form: Form) -> None:
        """Not possible."""
        raise DeliveryError("a webhook opens no forms")

    async def show_home(self, person: PersonRef, message: Message) -> None:
        """Not possible."""
        raise DeliveryError("a webhook has no home view")

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        """Nobody is known."""
        return None

    async def profile(self, person: PersonRef) -> Profile:
        """Nobody is known."""
        raise LookupError("a webhook knows nobody")


def _jitter() -> float:
    return random.uniform(1.0, 3.0)
