"""A question goes out: into its channel and those where it is mirrored, and to its experts; or it is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy import delete, select

from bot import communities, knowledge, mirrors, prompts, questions, replies, routing
from bot.errors import NoCommunity, NotAllowed
from bot.models import ORG, Channel, Mirror, Person, Prompt, Question, Suggestion
from bot.moments import hour
from bot.ports import ChatPlatform, Place, Pressed
from bot.store import About, Store, Transaction
from expertise_index import ExpertiseIndex


async def post(tx: Transaction, person: Person, event: Pressed) -> None:
    """Post the question in its community's channel, under the asker's name or without."""
    question_id, _, agreement = event.value.partition(".")
    question = await questions.own(tx, person, question_id, "open", "suggested")
    spaces = await tx.readable(person)
    home = await communities.home(tx, question.community_id, platform=event.actor.platform, spaces=spaces)
    if home is None:
        raise NoCommunity
    home = await tx.get(Channel, (home.platform, home.workspace, home.channel))  # as it is now, and stays so long
    if not await tx.may_see(person, home.space):
        raise NotAllowed("You are not in that channel. Choose another community.")
    if agreement != routing.agreement(tx, home):
        await routing.show_preview(
            tx, question, "This has changed since I showed it to you. Have another look, please."
        )
        return
    if question.aloud and event.action == "post_anonymously":
        raise NotAllowed(
            "Others have read it under your name already, so I cannot ask it without. Ask under your name."
        )
    question.agreed = agreement
    question.state, question.anonymous = "routed", event.action == "post_anonymously"
    question.asker_id = None if question.anonymous else person.id
    question.asked_at = hour(tx.now) if question.anonymous else tx.now
    if question.anonymous:
        await _forget(tx, question, home)
    question.platform, question.workspace, question.channel = home.platform, home.workspace, home.channel
    question.space = home.space
    await questions.show_question(tx, question)
    ref = questions.asker_of(tx, question)[1]
    asked = await questions.view(tx, question, near=ref)
    await tx.show(f"ask:{question.id}", replies.posted(asked, [], waiting=True), to=ref)


async def _forget(tx: Transaction, question: Question, home: Channel) -> None:
    """What an anonymous asker was shown, and which reasons count only for them, would tell what they may see. (And
    what they shared stands there with their name.)"""
    await tx.session.execute(delete(Suggestion).where(Suggestion.question_id == question.id))
    every = [item for planned in question.plan for item in planned["because"]]
    known = {None, *await routing.quoted(tx, every, {ORG, home.space})}
    question.community_why = []
    question.plan = [{**p, "because": [i for i in p["because"] if i.get("entry") in known]} for p in question.plan]


async def take_back(tx: Transaction, question_id: int, lead: str) -> None:
    """It was not posted, since its channel has other readers than the asker agreed to, or refused it: they are asked
    again."""
    question = await tx.get(Question, question_id)
    if question.state != "routed" or question.thread is not None:
        return
    question.state, question.asker_id, question.anonymous = "suggested", None, False
    question.platform = question.workspace = question.channel = question.space = None
    await questions.home_changed(tx, questions.asker_of(tx, question)[0])
    await routing.preview_again(tx, question, lead)


async def when_posted(tx: Transaction, question_id: int, place: Place, message_id: str) -> None:
    """The question's message is in its channel: its thread is the question's home from now on."""
    question = await tx.get(Question, question_id)
    question.thread = message_id
    await tx.later("announce", question.id)


async def announce(
    store: Store, index: ExpertiseIndex, platforms: dict[str, ChatPlatform], question_id: str, *, at_least: float
) -> None:
    """The question has a home: tell the asker where, mirror it, and ask the chosen experts."""
    async with store.reading() as tx:
        question = await tx.session.get(Question, int(question_id))
        if question is None or question.thread is None or question.state == "closed":
            return
        place = question.home.root
    link = question.link or await platforms[place.platform].permalink(place, question.thread)
    similar = await prompts.similar_for(store, index, question, at_least=at_least)
    boards = await _boards(store, platforms, question)

    async def tell(tx: Transaction) -> None:
        question = await tx.get(Question, int(question_id))
        question.link = link
        await tx.session.flush()
        await mirrors.begin(tx, question, platforms)
        await questions.show_question(tx, question)
        chosen = [p for p in question.plan if p["asked"]]
        for planned in chosen:
            near = similar.get(planned["person"], [])
            if not await prompts.ask(tx, question, planned["person"], because=planned["because"], similar=near):
                await prompts.ask_next(tx, question)  # who is not reached is made up for by the next best
        prompted = await tx.all(select(Prompt.expert_id).where(Prompt.question_id == question.id).order_by(Prompt.id))
        names = await knowledge.names_of(tx, prompted)
        ref = questions.asker_of(tx, question)[1]
        asked = await questions.view(tx, question, near=ref)
        card = replies.posted(asked, [names[key] for key in prompted], waiting=False)
        await tx.show(f"ask:{question.id}", card, to=ref)
        asked = await questions.view(tx, question)
        if question.space == ORG:  # who reads a board is not known: nothing of a private channel is shown there
            for board in boards:
                card, told = replies.on_board(asked), About(question=question.id)
                await tx.show(f"board:{question.id}:{board.channel}", card, to=board, about=told)

    await store.run(tell)


async def mirrored(
    store: Store, index: ExpertiseIndex, platforms: Mapping[str, ChatPlatform], mirror_id: str, *, at_least: float
) -> None:
    """A question's card is in another channel: who was asked to answer over there gets the way to its thread there."""
    async with store.reading() as tx:
        mirror = await tx.session.get(Mirror, int(mirror_id))
        question = await tx.session.get(Question, mirror.question_id) if mirror else None
        if mirror is None or question is None or mirror.thread is None:
            return
    link = await platforms[mirror.platform].permalink(mirror.place.root, mirror.thread)
    similar = await prompts.similar_for(store, index, question, at_least=at_least)

    async def tell(tx: Transaction) -> None:
        question = await tx.get(Question, mirror.question_id)
        (await tx.get(Mirror, mirror.id)).link = link
        await questions.show_question(tx, question)
        for row in await tx.all(select(Prompt).where(Prompt.question_id == question.id)):
            account = await tx.recipient(row.expert_id, question.space, platform=question.platform)
            if account and (account.platform, account.workspace) == (mirror.platform, mirror.workspace):
                await questions.show_prompt(tx, row, question, similar=similar.get(row.expert_id))

    await store.run(tell)


async def _boards(store: Store, platforms: Mapping[str, ChatPlatform], question: Question) -> list[Place]:
    """Where the question is shown, too: of its community's boards those that there still are."""
    async with store.reading() as tx:
        places = await communities.boards(tx, question.community_id)
    found = []
    for place in places:
        with suppress(LookupError):
            found.append((await platforms[place.platform].place(place)).place)
    return found
