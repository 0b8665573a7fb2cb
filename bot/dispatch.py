"""The dispatcher: each event finds the one use case that handles it, acts once, and never stays without an answer.

The adapter has verified who acts. Here the actor becomes a person, the event's id is taken in the transaction of its
effect (the same event again does nothing), known errors become kind replies, unknown ones an incident number.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple

import structlog
from sqlalchemy import select

from bot import answers, communities, experts, knowledge, questions, replies, routing, suggestions
from bot.acquaintance import Acquaintance
from bot.errors import BotError, NotAllowed
from bot.models import Answer, Person, Prompt, Question
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
    Message,
    Opened,
    PersonChanged,
    PersonRef,
    PlaceChanged,
    Pressed,
    Reacted,
    Submitted,
)
from bot.store import Store, Transaction, row_id
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
    "post": routing.post,
    "post_anonymously": routing.post,
    "prompt_answer": answers.prompt_answer_form,
    "prompt_pass": answers.pass_on,
    "prompt_later": answers.later,
    "prompt_hand_over": answers.hand_over_form,
    "answer": answers.answer_form,
    "accept": answers.accept,
    "missing": answers.missing_form,
    "me_too": answers.me_too,
    "read": knowledge.read,
    "publish": knowledge.publish,
    "retire": knowledge.discard,
    "edit_entry": knowledge.edit_form,
}
SUBMITS: Mapping[str, Submit] = {
    "change": routing.change,
    "prompt_answer": answers.prompt_answer,
    "hand_over": answers.hand_over,
    "answer": answers.answer,
    "missing": answers.missing,
    "edit_entry": knowledge.edit,
}
COMMANDS = ("ask", "know", "experts", "community", "mine", "help")
ACCEPT = ("white_check_mark", "heavy_check_mark")
ME_TOO = ("raising_hand", "man-raising-hand", "woman-raising-hand")


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
    ) -> None:
        self._at_least = at_least
        self._store = store
        self._index = index
        self._platforms = platforms
        self._acquaintance = acquaintance

    async def handle(self, event: Event) -> None:
        """Handle one event. Returns once its effect is committed; raises only `FormError`, for the open form."""
        platform = self._platforms[event.actor.platform]
        try:
            if isinstance(event, PlaceChanged):
                await self._acquaintance.visit(event.place)
                return
            if isinstance(event, PersonChanged):
                await self._acquaintance.ask_who(event.actor)
                return
            person = await self._acquaintance.meet(event)
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

    async def _open(self, platform: ChatPlatform, event: Event, trigger: str, form: Form) -> None:
        try:
            await platform.open_form(trigger, form)
        except DeliveryError as error:
            log.warning("form.not_opened", form=form.name, reason=str(error))
            await self._say(event, "The form did not open in time. Press the button once more, please.")

    async def _once(self, tx: Transaction, person: Person, event: Event) -> Form | None:
        if not await tx.first_time(event.id):
            return None
        match event:
            case Pressed():
                return await self._pressed(tx, person, event)
            case Submitted():
                await self._submitted(tx, person, event)
            case Commanded():
                await self._commanded(tx, person, event)
            case Heard():
                await self._heard(tx, person, event)
            case Edited():
                await answers.edited(tx, event)
            case Deleted():
                await answers.deleted(tx, event)
            case Reacted(added=True):
                if event.emoji in ACCEPT:
                    await answers.accept_message(tx, person, event.place, event.message_id)
                elif event.emoji in ME_TOO:
                    await answers.follow_message(tx, person, event.place, event.message_id)
            case Opened():
                await self._tell(tx, event, await self._overview(tx, person))
            case Joined() | Left():
                change = communities.joined if isinstance(event, Joined) else communities.left
                if channel := await tx.channel_at(event.place):
                    await change(tx, channel, person)
        return None

    # --- buttons and words ------------------------------------------------------------------------------------------

    async def _pressed(self, tx: Transaction, person: Person, event: Pressed) -> Form | None:
        if event.action in ("as_answer", "as_question"):
            await self._resolve(tx, person, event)
            return None
        press = PRESSES.get(event.action)
        if press is None:
            raise BotError("That button belongs to an older version of me. Ask again and you get a new card.")
        return await press(tx, person, event)

    async def _submitted(self, tx: Transaction, person: Person, event: Submitted) -> None:
        submit = SUBMITS.get(event.form)
        if submit is None:
            raise BotError("That form belongs to an older version of me. Ask again and you get a new card.")
        await submit(tx, person, event)

    async def _heard(self, tx: Transaction, person: Person, event: Heard) -> None:
        if event.place.thread:
            if event.direct and await self._reply_to_card(tx, person, event):
                return
            if not event.direct and await answers.heard_in_thread(tx, person, event):
                return
        if not (event.direct or event.addressed):
            return
        if event.text.strip().lower().strip("!?. ") in ("help", "hi", "hello", "hey", "start"):
            await self._tell(tx, event, replies.help_text())
            return
        prompts = await self._open_prompts(tx, person) if event.direct else []
        if prompts:  # is it an answer, or a question of their own? Either way it is kept, and they say which
            question = await self._keep(tx, person, event)
            card = replies.answer_or_question(question.text, question.id, prompts)
            await tx.show(f"ask:{question.id}", card, to=event.actor)
            return
        await questions.ask(tx, person, event.actor, event.place, event.text, ready=self._index.embedder.ready)
        if not event.direct:
            where = "I have your question. I answer you in our direct conversation, so that only you see it."
            await tx.show(f"seen:{event.id}", replies.note(where), to=event.place, whisper=event.actor)

    async def _commanded(self, tx: Transaction, person: Person, event: Commanded) -> None:
        text = event.text.strip()
        if event.name in ("know", "experts") and text:
            text = questions.readable_question(text)
            asked = {"name": event.name, "text": text, "ref": astuple(event.actor), "person": person.id}
            await tx.later("look_up", event.id, knowing=asked)
        elif event.name == "ask" and text:
            await questions.ask(tx, person, event.actor, event.place, text, ready=self._index.embedder.ready)
        elif event.name == "community":
            seen = await communities.overview(tx, person, platform=event.actor.platform)
            await self._tell(tx, event, replies.communities(seen))
        elif event.name == "mine":
            await self._tell(tx, event, await self._overview(tx, person))
        else:
            await self._tell(tx, event, replies.help_text())

    async def _reply_to_card(self, tx: Transaction, person: Person, event: Heard) -> bool:
        """A reply to one of the bot's own messages in the direct conversation."""
        card = await tx.card_at(event.place, event.place.thread or "")
        about, _, key = card.key.partition(":") if card else ("", "", "")
        if about == "prompt":
            await answers.reply_to_prompt(tx, person, key, event.text)
            return True
        if about == "told":
            row = await tx.get(Answer, int(key))
            question = await tx.get(Question, row.question_id)
            if questions.asker_of(tx, question)[0] == person.id:
                await answers.say_what_is_missing(tx, question, event.text, event.id)
                return True
        return False

    async def _open_prompts(self, tx: Transaction, person: Person) -> list[tuple[int, str]]:
        mine = select(Prompt).where(Prompt.expert_id == person.id, Prompt.state == "open").order_by(Prompt.id.desc())
        rows = await tx.all(mine.limit(3))
        return [(row.id, (await tx.get(Question, row.question_id)).text) for row in rows]

    async def _overview(self, tx: Transaction, person: Person) -> Message:
        mine = select(Question).join(Prompt, Prompt.question_id == Question.id)
        waiting = mine.where(Prompt.expert_id == person.id, Prompt.state == "open").order_by(Prompt.id.desc())
        rows = await tx.all(waiting.limit(10))
        asked = [await questions.view(tx, row) for row in rows]
        return replies.overview(await questions.mine(tx, person), asked)

    async def _keep(self, tx: Transaction, person: Person, event: Heard) -> Question:
        question = await questions.ask(
            tx, person, event.actor, event.place, event.text, ready=self._index.embedder.ready
        )
        await tx.never_mind("suggest", question.id)
        return question

    async def _resolve(self, tx: Transaction, person: Person, event: Pressed) -> None:
        """What an ambiguous message was: an answer to a prompt, or a question."""
        question_id, _, prompt_id = event.value.partition(".")
        question = await tx.get(Question, row_id(question_id))
        if questions.asker_of(tx, question)[0] != person.id:
            raise NotAllowed("Only the person who wrote that can say what it is.")
        if question.state != "open":
            return
        if event.action == "as_question":
            ready = self._index.embedder.ready
            await tx.show(f"ask:{question.id}", replies.looking(question.text, ready=ready), to=event.actor)
            await tx.later("suggest", question.id)
            return
        await answers.reply_to_prompt(tx, person, prompt_id, question.text)
        question.state, question.closed_reason = "closed", "was an answer"
        words = "✓ Thank you. Your answer is in the thread under your name."
        await tx.show(f"ask:{question.id}", replies.settled(question.text, words), to=event.actor)

    # --- replies ------------------------------------------------------------------------------------

    async def _tell(self, tx: Transaction, event: Event, message: Message) -> None:
        """A private reply where the person is: in the direct conversation, or for their eyes in the channel."""
        direct = isinstance(event, Heard) and event.direct
        whisper = None if direct or not event.place.channel else event.actor
        await tx.show(f"reply:{event.id}", message, to=event.place if whisper else event.actor, whisper=whisper)

    async def _say(self, event: Event, words: str) -> None:
        """Tell the person why something was not done. Who did not turn to the bot is not spoken to."""
        if not _expects_reply(event):
            return
        lost = _would_be_lost(event)
        message = replies.given_back(words, lost) if lost else replies.note(words)

        async def say(tx: Transaction) -> None:
            await tx.first_time(event.id)
            await self._tell(tx, event, message)

        await self._store.run(say)

    async def look_up(self, event_id: str) -> None:
        """Answer a `/know` or `/experts`: private, and only from what the person may see."""
        async with self._store.reading() as tx:
            asked = await tx.known_for("look_up", event_id)
            person = await tx.get(Person, asked["person"])
            spaces, now = await tx.readable(person), tx.now
        text, ref = asked["text"], PersonRef(*asked["ref"])
        try:
            if asked["name"] == "know":
                found = await knowledge.find(self._store, self._index, person, text, at_least=self._at_least / 2)
                message = replies.found(text, [past for past, _ in found], now)
            else:
                who = await experts.who_knows(self._store, self._index, text, readable=spaces, limit=5)
                message = replies.knowing(text, who)
        except Exception:
            log.exception("search.failed", command=asked["name"])
            message = replies.given_back(
                "My search is out of order just now. Try again later, or ask it as a question.", text
            )
        await self._store.run(lambda tx: tx.show(f"found:{event_id}", message, to=ref))


def _expects_reply(event: Event) -> bool:
    """Whether the person turned to the bot, or wrote where it listens."""
    if isinstance(event, Heard):
        return event.direct or event.addressed or event.place.thread is not None
    return isinstance(event, (Commanded, Pressed, Submitted, Opened))


def _would_be_lost(event: Event) -> str:
    """What was typed into a command or a form stands nowhere in the chat: a refusal gives it back."""
    if isinstance(event, Commanded):
        return questions.typed(event.text)
    if isinstance(event, Submitted):
        texts = [questions.typed(value) for value in event.values.values() if isinstance(value, str)]
        return max((text for text in texts if " " in text), key=len, default="")
    return ""
