"""What somebody says or commands to the bot itself: questions, searches, their own things."""

from __future__ import annotations

from dataclasses import astuple, replace

import structlog
from sqlalchemy import select

from bot import (
    answers,
    communities,
    experts,
    forms,
    founding,
    knowledge,
    listening,
    profiles,
    questions,
    replies,
    replies_experts,
    replies_home,
    replies_knowledge,
)
from bot.errors import InvalidQuestion, NotAllowed
from bot.models import Answer, Person, Prompt, Question
from bot.ports import Commanded, Form, FormError, Heard, Message, PersonRef, Pressed, Submitted
from bot.questions import tell
from bot.store import About, Store, Transaction, row_id
from expertise_index import ExpertiseIndex

log = structlog.get_logger()

GREETINGS = ("help", "hi", "hello", "hey", "start")
FOUNDING = ("found", "new", "create", "change", "edit")
SAID = {"mine": "mine", "profile": "profile", "community": "community", "communities": "community"}

HOW = {
    "know": "Write what you are looking for after it, for instance: /know pump cavitation",
    "experts": "Write a topic after it, for instance: /experts pump cavitation",
}


class Commands:
    """Takes questions and commands; `index` answers the searches, later and in private."""

    def __init__(self, store: Store, index: ExpertiseIndex, *, at_least: float) -> None:
        self._store = store
        self._index = index
        self._at_least = at_least

    @property
    def ready(self) -> bool:
        """Whether the search works already."""
        return self._index.embedder.ready

    async def commanded(self, tx: Transaction, person: Person, event: Commanded) -> Form | None:
        """A command. One without its words says how it is used, or opens a form where there is a trigger."""
        text = event.text.strip()
        match event.name:
            case "know" | "experts" if text:
                text = questions.readable_question(text)
                asked = {"name": event.name, "text": text, "ref": astuple(event.actor), "person": person.id}
                await tx.later("look_up", event.id, knowing=asked)
            case "know" | "experts":
                await tell(tx, event, replies.note(HOW[event.name]))
            case "ask" if text:
                await self._ask(tx, person, event, text)
            case "ask" if event.trigger:
                return forms.ask_form()
            case "community" if text.lower().split() in (["listen", "on"], ["listen", "off"]):
                words = await listening.switch(tx, person, event.place, on=text.lower().endswith("on"))
                await tell(tx, event, replies.note(words))
            case "community" if text.lower() in FOUNDING and event.trigger:
                return await founding.form(tx, person, event.place)
            case "community" | "mine" | "profile" if text and text.lower() not in FOUNDING:
                takes = f"/{event.name} takes no words. If that is a question, write it to me as it is, or after /ask."
                await tell(tx, event, replies.given_back(takes, text))
            case "community":
                seen = await communities.overview(tx, person, platform=event.actor.platform)
                may, here = await founding.may(tx, person, event.place), founding.value_of(tx, person, event.place)
                await tell(tx, event, replies_home.communities(seen, may=may, here=here))
            case "mine":
                await tell(tx, event, *await overview(tx, person, event.actor))
            case "profile" if event.trigger:
                return await profiles.form(tx, person)
            case "profile":
                await tell(tx, event, replies_home.profile(await profiles.expertise(tx, person)))
            case "help" if not text:
                await tell(tx, event, replies_home.help_text())
            case name:
                await tell(tx, event, replies_home.no_such_command(name, text))
        return None

    async def asked(self, tx: Transaction, person: Person, event: Submitted) -> None:
        """The form of a question comes back. Raises `FormError` where there is no question in it."""
        detail = questions.typed(event.text("detail"))
        try:
            text = questions.readable_question(event.text("text"))
            text = questions.readable_question(f"{text}\n\n{detail}" if detail else text)
        except InvalidQuestion as error:
            raise FormError({"text": error.sentence}) from None
        await self._ask(tx, person, event, text)

    async def said(self, tx: Transaction, person: Person, event: Heard) -> None:
        """A message to the bot: in the direct conversation, or with its name."""
        if event.direct and event.place.thread and await self._reply_to_card(tx, person, event):
            return
        word = event.text.strip().lower().strip("!?./ ")
        if word in GREETINGS:
            await tell(tx, event, replies_home.help_text())
            return
        if word in SAID:  # where the platform has no such command, or nobody remembers the slash
            await self.commanded(tx, person, _command(event, SAID[word]))
            return
        prompts = await self._open_prompts(tx, person) if event.direct else []
        if prompts:  # an answer, typed without saying to what; or a question of their own: they say which
            question = await self._ask(tx, person, event, event.text)
            await tx.never_mind("suggest", question.id)
            card = replies_experts.answer_or_question(
                question.text, question.id, [(key, row.text) for key, row in prompts]
            )
            told = About(listed=tuple(row.id for _, row in prompts))
            await tx.show(f"ask:{question.id}", card, to=event.actor, about=told)
            return
        await self._ask(tx, person, event, event.text)
        if not event.direct:
            where = "I have your question. I answer you in our direct conversation, so that only you see it."
            key, note = tx.hidden("seen", event.id), replies.note(where)
            await tx.show(key, note, to=event.place, whisper=event.actor, or_nowhere=True)

    async def _ask(self, tx: Transaction, person: Person, event: Heard | Commanded | Submitted, text: str) -> Question:
        if isinstance(event, Submitted):
            aloud = event.value == forms.ALOUD
        else:
            aloud = not event.direct if isinstance(event, Heard) else event.aloud
        return await questions.ask(tx, person, event.actor, event.place, text, ready=self.ready, aloud=aloud)

    async def _reply_to_card(self, tx: Transaction, person: Person, event: Heard) -> bool:
        """A reply to one of the bot's own messages in the direct conversation."""
        card = await tx.card_at(event.place, event.place.thread or "")
        if card and card.kind == "prompt":
            await answers.reply_to_prompt(tx, person, str(card.row), event.text)
            return True
        if card and card.kind == "told":
            row = await tx.get(Answer, card.row)
            question = await tx.get(Question, row.question_id)
            if questions.asker_of(tx, question)[0] == person.id:
                await answers.reply_to_answer(tx, person, question, event)
                return True
        return False

    async def _open_prompts(self, tx: Transaction, person: Person) -> list[tuple[int, Question]]:
        mine = select(Prompt).join(Question, Question.id == Prompt.question_id)
        mine = mine.where(Prompt.expert_id == person.id, Prompt.state == "open")
        mine = mine.where(Question.space.in_(await tx.readable(person))).order_by(Prompt.id.desc())
        rows = await tx.all(mine.limit(3))
        return [(row.id, await tx.get(Question, row.question_id)) for row in rows]

    async def resolve(self, tx: Transaction, person: Person, event: Pressed) -> None:
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

    async def look_up(self, event_id: str) -> None:
        """Answer a `/know` or `/experts`: private, and only from what the person may see."""
        async with self._store.reading() as tx:
            asked = await tx.known_for("look_up", event_id)
            person = await tx.get(Person, asked["person"])
            spaces, now = await tx.readable(person), tx.now
        text, ref, told = asked["text"], PersonRef(*asked["ref"]), set[int]()
        try:
            if asked["name"] == "know":
                found = await knowledge.search(self._store, self._index, person, text)
                told = {past.entry_id for past in found}
                message = replies_knowledge.found(text, found, now)
            else:
                who = await experts.who_knows(self._store, self._index, text, readable=spaces, limit=5)
                told = {item["entry"] for one in who for item in one.because if "entry" in item}
                message = replies_knowledge.knowing(text, who)
        except Exception:
            log.exception("search.failed", command=asked["name"])
            message = replies.given_back(
                "My search is out of order just now. Try again later, or ask it as a question.", text
            )
        about = About(entries=tuple(told))
        await self._store.run(lambda tx: tx.show(tx.hidden("found", event_id), message, to=ref, about=about))


def _command(event: Heard, name: str) -> Commanded:
    place = replace(event.place, channel="") if event.direct else event.place  # answered where it was said
    return Commanded(id=event.id, actor=event.actor, place=place, at=event.at, name=name)


async def overview(tx: Transaction, person: Person, ref: PersonRef) -> tuple[Message, About]:
    """What waits for this person, and where their questions stand: where the platform has no home view."""
    mine = select(Question).join(Prompt, Prompt.question_id == Question.id)
    mine = mine.where(Question.space.in_(await tx.readable(person)))
    waiting = mine.where(Prompt.expert_id == person.id, Prompt.state == "open").order_by(Prompt.id.desc())
    rows = await tx.all(waiting.limit(10))
    asked = [await questions.view(tx, row, near=ref) for row in rows]
    own = await questions.mine(tx, person, near=ref)
    return replies_home.overview(own, asked), About(listed=tuple(one.id for one in (*own, *asked)))
