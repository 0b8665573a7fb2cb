"""The dispatcher: each event finds the one use case that handles it, acts once, and never stays without an answer.

The adapter has verified who acts. Here the actor becomes a person, the event's id is taken in the transaction of its
effect (the same event again does nothing), known errors become kind replies, unknown ones an incident number.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot import (
    answers,
    communities,
    forms,
    founding,
    home,
    knowledge,
    listening,
    pointed,
    posting,
    previews,
    profiles,
    prompts,
    questions,
    replies,
    routing,
    saving,
    suggestions,
)
from bot.acquaintance import Acquaintance
from bot.addresses import Addresses
from bot.commands import Commands, overview
from bot.errors import BotError
from bot.models import Person
from bot.ports import (
    ChatPlatform,
    Commanded,
    Deleted,
    DeliveryError,
    Edited,
    Event,
    Form,
    FormError,
    Heard,
    Joined,
    Left,
    LinkShared,
    Opened,
    PersonChanged,
    PersonRef,
    Place,
    PlaceChanged,
    Pointed,
    Pressed,
    Reacted,
    Submitted,
)
from bot.questions import tell
from bot.settings import Reactions
from bot.store import Store, Transaction
from expertise_index import ExpertiseIndex

log = structlog.get_logger()

Press = Callable[[Transaction, Person, Pressed], Awaitable[Form | None]]
Submit = Callable[[Transaction, Person, Submitted], Awaitable[None]]

PRESSES: Mapping[str, Press] = {
    "solved": suggestions.solved,
    "not_quite": suggestions.not_quite,
    "share": suggestions.share,
    "ask_experts": suggestions.ask_experts,
    "change": routing.change_form,
    "cancel": routing.cancel,
    "post": posting.post,
    "post_anonymously": posting.post,
    "prompt_answer": answers.prompt_answer_form,
    "prompt_pass": prompts.pass_on,
    "prompt_later": prompts.later,
    "prompt_hand_over": prompts.hand_over_form,
    "answer": answers.answer_form,
    "accept": answers.accept,
    "missing": answers.missing_form,
    "me_too": answers.me_too,
    "read": knowledge.read,
    "publish": knowledge.publish,
    "retire": knowledge.discard,
    "edit_entry": knowledge.edit_form,
    "mute": listening.mute,
    "unmute": listening.unmute,
}
#: Buttons that do nothing but open a form.
FORMS = {"ask", "profile", "found"}
FORMS |= {name for name, press in PRESSES.items() if press.__annotations__["return"] == "Form"}
SUBMITS: Mapping[str, Submit] = {
    "change": routing.change,
    "prompt_answer": answers.prompt_answer,
    "hand_over": prompts.hand_over,
    "answer": answers.answer,
    "missing": answers.missing,
    "edit_entry": knowledge.edit,
}


AGAIN, TRIES = timedelta(seconds=3), 20  # looking for the thread of a reply
CHOICES = ("community", "rule", "likely", "person", "away")  # inputs in which nobody types


class Dispatcher:
    """Handles events of all platforms."""

    def __init__(
        self,
        store: Store,
        index: ExpertiseIndex,
        acquaintance: Acquaintance,
        platforms: Mapping[str, ChatPlatform],
        *,
        at_least: float,
        addresses: Addresses,
        reactions: Reactions,
    ) -> None:
        self._store = store
        self._addresses = addresses
        self._reactions = reactions
        self._commands = Commands(store, index, at_least=at_least)
        self._platforms = platforms
        self._acquaintance = acquaintance

    async def handle(self, event: Event) -> None:
        """Handle one event. Returns once its effect is committed; raises only `FormError`, for the open form."""
        platform = self._platforms[event.actor.platform]
        try:
            if isinstance(event, PlaceChanged):
                await self._acquaintance.changed(event.place)
                return
            if isinstance(event, PersonChanged):
                await self._acquaintance.ask_who(event.actor)
                return
            if isinstance(event, Joined | Left):
                await self._acquaintance.moved(event)
            person = await self._acquaintance.meet(event)
            if isinstance(event, Pointed) and event.author:
                await self._acquaintance.introduce(event.author)
            form = await self._store.run(lambda tx: self._once(tx, person, event))
        except FormError:
            raise
        except BotError as error:
            await self._say(event, error.sentence)
        except Exception:
            incident = uuid.uuid4().hex[:8]
            log.exception("event.failed", incident=incident, kind=type(event).__name__)
            words = (
                f"Something went wrong on my side (incident {incident}). Nothing you wrote is lost; please try again."
            )
            await self._say(event, words)
            if not _expects_reply(event):
                raise  # nobody would hear of it: the adapter must know, and hand it over again
        else:
            trigger = getattr(event, "trigger", "")
            if form and trigger:
                await self._open(platform, event, trigger, form)

    async def look_up(self, event_id: str) -> None:
        """Answer a search, as durable work."""
        await self._commands.look_up(event_id)

    async def heard_again(self, event_id: str) -> None:
        """A reply that came before the thread of its question was on record: look once more."""

        heard: list[Heard] = []

        async def look(tx: Transaction) -> None:
            said = await tx.known_for("heard_again", event_id)
            ref, place = PersonRef(*said["actor"]), Place(*said["place"])
            person = await tx.person_of(ref)
            event = Heard(id=event_id, actor=ref, place=place, at=datetime.fromisoformat(said["at"]),
                          message_id=said["message"], text=said["text"])  # fmt: skip
            heard.append(event)
            if person is None or await answers.heard_in_thread(tx, person, event):
                return
            if said["left"] and await answers.soon_a_thread(tx, place):
                await tx.never_mind("heard_again", event_id)
                await tx.later("heard_again", event_id, after=AGAIN, knowing={**said, "left": said["left"] - 1})

        try:
            await self._store.run(look)
        except BotError as error:
            await self._say(heard[-1], error.sentence)

    async def _open(self, platform: ChatPlatform, event: Event, trigger: str, form: Form) -> None:
        try:
            await platform.open_form(trigger, form)
        except DeliveryError as error:
            log.warning("form.not_opened", form=form.name, reason=str(error))
            again = "Press the button once more, please." if isinstance(event, Pressed) else "Please try it once more."
            await self._say(event, f"The form did not open in time. {again}")

    async def _once(self, tx: Transaction, person: Person, event: Event) -> Form | None:
        if isinstance(event, Pressed) and event.action in FORMS:  # it has no other effect, and may be handed over again
            return await self._effect(tx, person, event)
        if not await tx.first_time(event.id):
            return None
        form = await self._effect(tx, person, event)
        if not isinstance(event, Opened) and (_expects_reply(event) or isinstance(event, (Joined, Left))):
            await questions.home_changed(tx, person.id)
        return form

    async def _effect(self, tx: Transaction, person: Person, event: Event) -> Form | None:
        match event:
            case Pressed():
                return await self._pressed(tx, person, event)
            case Submitted():
                await self._submitted(tx, person, event)
            case Commanded():
                return await self._commands.commanded(tx, person, event)
            case Heard():
                await self._heard(tx, person, event)
            case Edited():
                await answers.edited(tx, event)
                await saving.edited(tx, event)
            case Deleted():
                await answers.deleted(tx, event)
                await saving.deleted(tx, event)
            case Reacted(added=True):
                await self._reacted(tx, person, event)
            case Pointed():
                return await pointed.handle(tx, person, event, addresses=self._addresses, ready=self._commands.ready)
            case LinkShared():
                await previews.shared(tx, person, event, self._addresses)
            case Opened():
                if self._platforms[event.actor.platform].capabilities.home:
                    await home.opened(tx, person, event.actor)
                else:
                    await tell(tx, event, *await overview(tx, person, event.actor))
            case Joined() | Left():
                change = communities.joined if isinstance(event, Joined) else communities.left
                if channel := await tx.channel_at(event.place):
                    await change(tx, channel, person)
        return None

    # --- buttons and words ------------------------------------------------------------------------------------------

    async def _pressed(self, tx: Transaction, person: Person, event: Pressed) -> Form | None:
        match event.action:  # buttons without a row of their own
            case "as_answer" | "as_question":
                await self._commands.resolve(tx, person, event)
                return None
            case "ask":
                return forms.ask_form()
            case "profile":
                return await profiles.form(tx, person)
            case "found":
                return await founding.open_form(tx, person, event)
        press = PRESSES.get(event.action)
        if press is None:
            raise BotError("That button belongs to an older version of me. Ask again and you get a new card.")
        return await press(tx, person, event)

    async def _submitted(self, tx: Transaction, person: Person, event: Submitted) -> None:
        match event.form:  # forms without a row of their own
            case "ask":
                await self._commands.asked(tx, person, event)
            case "profile":
                await profiles.save(tx, person, event)
            case "found":
                await founding.found(tx, person, event)
            case "save":
                await saving.save(tx, person, event, self._addresses)
            case name if submit := SUBMITS.get(name):
                await submit(tx, person, event)
            case _:
                raise BotError("That form belongs to an older version of me. Ask again and you get a new card.")

    async def _reacted(self, tx: Transaction, person: Person, event: Reacted) -> None:
        match self._reactions.meaning(event.emoji):
            case "accept":
                await answers.accept_message(tx, person, event.place, event.message_id)
            case "me_too":
                await answers.follow_message(tx, person, event.place, event.message_id)
            case "save":
                await saving.by_reaction(tx, person, event.actor, event.place, event.message_id)

    async def _heard(self, tx: Transaction, person: Person, event: Heard) -> None:
        if await tx.card_at(event.place, event.message_id):  # the bot's own words, as a platform may give them back
            return
        in_thread = event.place.thread is not None and not event.direct
        if in_thread and not event.addressed and await answers.heard_in_thread(tx, person, event):
            return
        if in_thread and not event.addressed and await answers.soon_a_thread(tx, event.place):
            said: dict[str, Any] = {
                "place": astuple(event.place),
                "actor": astuple(event.actor),
                "at": event.at.isoformat(),
            }
            said |= {"message": event.message_id, "text": event.text, "left": TRIES}
            await tx.later("heard_again", event.id, after=AGAIN, knowing=said)
            return
        if event.direct or event.addressed:
            await self._commands.said(tx, person, event)
        else:
            await listening.heard(tx, person, event)

    # --- replies ------------------------------------------------------------------------------------------------------

    async def _say(self, event: Event, words: str) -> None:
        """Tell the person why something was not done. Who did not turn to the bot is not spoken to."""
        if not _expects_reply(event):
            return
        lost = _would_be_lost(event)
        message = replies.given_back(words, lost) if lost else replies.note(words)

        async def say(tx: Transaction) -> None:
            await tx.first_time(event.id)
            await tell(tx, event, message)

        await self._store.run(say)


def _expects_reply(event: Event) -> bool:
    """Whether the person turned to the bot, or wrote where it listens."""
    if isinstance(event, Heard):
        return event.direct or event.addressed or event.place.thread is not None
    return isinstance(event, (Commanded, Pressed, Submitted, Pointed, Opened))


def _would_be_lost(event: Event) -> str:
    """What was typed into a command or a form stands nowhere in the chat: a refusal gives it back."""
    if isinstance(event, Commanded):
        return questions.typed(event.text)
    if isinstance(event, Submitted):
        texts = {name: questions.typed(value) for name, value in event.values.items() if isinstance(value, str)}
        return "\n\n".join(text for name, text in texts.items() if text and name not in CHOICES)
    return ""
