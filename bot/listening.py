"""Opt-in listening: a question said to nobody, in a channel whose moderators allow it, may have been answered before.

Help is offered in private only, and only where it is sure; otherwise nothing is kept and nobody hears of it.
"""

from __future__ import annotations

import re
from dataclasses import astuple

import structlog
from sqlalchemy import select

from bot import knowledge, language, questions, replies, suggestions
from bot.errors import NotAllowed, Unknown
from bot.models import Channel, Mute, Person, Question
from bot.moments import hour
from bot.ports import Heard, PersonRef, Place, Pressed
from bot.store import Store, Transaction
from expertise_index import ExpertiseIndex

log = structlog.get_logger()

FEWEST_WORDS = 4
MARKS = ("?", "？", "؟")
#: Scripts that put no spaces between words: two characters count as one.
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
#: How a question begins that has lost its mark. More than the bare question word: "What a day" asks nothing.
BEGINNINGS = re.compile(
    r"""(?ix) ^ (?:(?:hi|hello|hey|hallo|bonjour|hola|ciao)\b[^,.!]{0,20}[,.!]\s*)? (?:
      how\ (?:do|does|can|could|should|would|to|is|are|long|much|many|often)
    | (?:what|where|when|why|who|which)\ (?:is|are|was|do|does|did|can|could|should|would|causes|happens)
    | (?:does|has|did|is)\ (?:anyone|anybody|someone|somebody)
    | (?:anyone|anybody)\ (?:know|knows|here|have|has)
    | (?:can|could)\ (?:anyone|anybody|someone|somebody)
    | is\ there\ (?:a|an|any)
    | (?:wie|wo|warum|wieso|wann|wer)\ (?:kann|können|muss|ist|sind|geht|macht|mache|finde|bekomme|soll|hat|weiß)
    | (?:weiß|weiss|kennt|hat|kann)\ (?:jemand|einer|wer)
    | (?:comment|pourquoi|où|quand)\ (?:est|sont|peut|puis|faire|faut|dois|doit|on|je)
    | est-ce\ que | quelqu['’]un\ (?:sait|connaît|peut)
    | (?:cómo|por\ qué|dónde|cuándo)\ (?:se|puedo|es|está|hago|debo|hay)
    | alguien\ (?:sabe|conoce|puede)
    | (?:come|perché|dove|quando)\ (?:si|posso|è|devo|faccio)
    | qualcuno\ (?:sa|conosce|può)
    | (?:hoe|waarom|waar|wanneer)\ (?:kan|moet|is|doe|krijg|vind)
    | (?:weet|kent|heeft)\ iemand
    ) (?!\w)"""
)


def looks_like_a_question(text: str) -> bool:
    """Whether an unaddressed message surely asks for something: careful rather than eager.

    One that begins with somebody's name (@ben …) is for them; one of a word or two is talk.
    """
    text = questions.typed(text)
    if not text or len(text) > questions.LONGEST or re.match(r"<?@", text):
        return False
    spoken = re.sub(r"```.*?```|`[^`]*`|:[\w+-]+:", " ", text, flags=re.DOTALL)
    spoken = " ".join(word for word in spoken.split() if "://" not in word)
    words = len(re.findall(r"\w+", spoken))
    dense = len(UNSPACED.findall(spoken))
    if words < FEWEST_WORDS and dense < 2 * FEWEST_WORDS:
        return False
    return spoken.startswith("¿") or spoken.rstrip("!… ").endswith(MARKS) or BEGINNINGS.match(spoken) is not None


async def switch(tx: Transaction, person: Person, place: Place, *, on: bool) -> str:
    """Let the bot listen in a channel, or not any more; the sentence that says so."""
    known = await tx.channel_at(place)
    if known is None:
        raise NotAllowed("Use that in the channel I should listen in: in a private conversation I hear you anyway.")
    channel = await tx.get(Channel, (place.platform, place.workspace, place.channel))
    if channel.community_id is None:
        raise NotAllowed("No community lives in this channel, so it has no moderators who could switch on listening.")
    if person.id not in await knowledge.moderators(tx, channel.community_id):
        raise NotAllowed("Only a moderator of this channel's community can switch listening on or off.")
    before, channel.listening = channel.listening, on
    if not on:
        return "I do not listen here any more." if before else "I do not listen here. Nothing has changed."
    return (
        "I listen here now. When a message looks like a question that has surely been answered before, I show its "
        "writer the answer, in private. I keep nothing else, and say nothing in the channel. Please tell the others. "
        "To end it: /community listen off"
    )


async def heard(tx: Transaction, person: Person, event: Heard) -> None:
    """A message to nobody in particular: looked at only where the bot may listen, and only if it asks something."""
    if event.place.thread or person.guest or not looks_like_a_question(event.text):
        return
    channel = await tx.channel_at(event.place)
    if channel is None or not channel.listening or channel.archived or await _muted(tx, person, event.place):
        return
    said = {"text": questions.typed(event.text), "ref": astuple(event.actor), "at": astuple(event.place)}
    await tx.later("overhear", event.id, knowing=said)


async def overhear(store: Store, index: ExpertiseIndex, event_id: str, *, at_least: float) -> None:
    """Offer a past answer in private if one surely fits. Where none does, nothing is kept."""
    async with store.reading() as tx:
        said = await tx.known_for("overhear", event_id)
        ref, place, text = PersonRef(*said["ref"]), Place(*said["at"]), said["text"]
        person = await tx.person_of(ref)
    if person is None:
        return
    sure = (1 + at_least) / 2  # half-way between what is shown to who asks, and certainty
    if await language.foreign(text, model=index.embedder.name):
        sure = max(sure, suggestions.SURE_THOUGH_FOREIGN)
    try:
        found = await knowledge.find(store, index, person, text, limit=suggestions.SUGGESTIONS, at_least=sure)
    except Exception:  # nobody asked for it, so nobody waits
        log.exception("search.failed", command="overhear")
        return
    if not found:
        return

    async def offer(tx: Transaction) -> None:
        channel = await tx.channel_at(place)
        first = await tx.first_time(f"overheard:{event_id}")
        if not first or channel is None or not channel.listening or await _muted(tx, person, place):
            return
        if not await knowledge.seen_by(tx, person, [match for _, match in found]):  # closed, or taken back, by now
            return
        question = await tx.add(
            Question(
                text=text,
                asked_at=hour(tx.now),
                overheard=True,
                aloud=True,
                sealed_asker=tx.seal.seal_json({"person": person.id, "ref": astuple(ref)}),
                sealed_origin=tx.seal.seal_json(astuple(place)),
            )
        )
        await suggestions.offer(tx, question, person, found)

    await store.run(offer)


async def _muted(tx: Transaction, person: Person, place: Place) -> bool:
    return await tx.session.get(Mute, (place.platform, place.workspace, place.channel, person.id)) is not None


async def mute(tx: Transaction, person: Person, event: Pressed) -> None:
    """No such offers to this person in this channel any more."""
    question = await questions.own(tx, person, event.value, "open", "suggested")
    place = _heard_in(tx, question)
    if not await _muted(tx, person, place):
        await tx.add(
            Mute(platform=place.platform, workspace=place.workspace, channel=place.channel, person_id=person.id)
        )
    question.state, question.closed_reason = "closed", "not wanted"
    await _settle(tx, question, muted=True)


async def unmute(tx: Transaction, person: Person, event: Pressed) -> None:
    """Offers are welcome again."""
    question = await questions.own(tx, person, event.value)
    place = _heard_in(tx, question)
    row = await tx.first(
        select(Mute).where(
            Mute.platform == place.platform, Mute.workspace == place.workspace, Mute.channel == place.channel,
            Mute.person_id == person.id,
        )
    )  # fmt: skip
    if row:
        await tx.session.delete(row)
    await _settle(tx, question, muted=False)


def _heard_in(tx: Transaction, question: Question) -> Place:
    if not question.overheard:
        raise Unknown
    return Place(*tx.seal.open_json(question.sealed_origin))


async def _settle(tx: Transaction, question: Question, *, muted: bool) -> None:
    channel = await tx.channel_at(_heard_in(tx, question))
    card = replies.muted(question.id, question.text, channel.name if channel else "", muted=muted)
    await tx.show(f"ask:{question.id}", card, to=questions.asker_of(tx, question)[1])
