"""Every sentence and card the bot says about a question: pure functions from rows to neutral messages.

Words typed by people appear only in `Quote`, or through `plain`; so nothing they typed can style, link or ping.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import humanize

from bot.ports import Button, Buttons, Context, Divider, Message, Part, Quote, Text

EXCERPT = 600
NOTHING_FITS = "I found no past answer that fits."
UNDER_YOUR_NAME = (
    "You asked without your name, and what you do in the channel itself stands there with it. I have not connected the "
    "two. Use the buttons here to accept an answer or to say what is missing; they do not name you."
)
BLIND = "My search is out of order just now, so I cannot look for past answers. People can help all the same:"
UNSURE = "nothing tells me where it belongs, so this is a guess. Choose another one under “Change …”"
FOREIGN = (
    "I search best in English, so I may have missed a past answer to that. Send it again in English and I look once "
    "more, or go straight to people:"
)


def plain(text: str) -> str:
    """Words of a person inside the bot's Markdown: every character that could mean something is escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~@:.&-])", r"\\\1", " ".join(text.split()))


def lines(text: str) -> str:
    """A person's words like `plain`, line by line as they were typed."""
    return "\n".join(filter(None, map(plain, text.splitlines())))


def excerpt(text: str, length: int = EXCERPT) -> str:
    """The beginning of a text, cut at a word, an open code block closed."""
    text = text.strip()
    if len(text) <= length:
        return text
    cut = text[:length].rsplit(None, 1)[0] + " …"
    return cut + "\n```" if cut.count("```") % 2 else cut


def whole(text: str, by: str = "") -> tuple[Quote, ...]:
    """All of a long text, in as many quotes as the platforms' limit of 3,000 characters asks for."""
    pieces = [text[at : at + 2800] for at in range(0, len(text), 2800)]
    return tuple(Quote(piece, by=by if number == 0 else "") for number, piece in enumerate(pieces))


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in words: "3 months ago"."""
    return humanize.naturaltime(then, when=now)


def day(moment: datetime) -> str:
    """A date that every reader reads the same: 24 Nov 2026."""
    return f"{moment.day} {moment:%b %Y}"


def counted(count: int, one: str, more: str = "") -> str:
    """A number of things: "1 entry", "2 entries"; more than one by an s where it is not said."""
    return f"{count:,} {one if count == 1 else more or f'{one}s'}"


def listed(names: Sequence[str]) -> str:
    """Names in a row: "Ana, Ben and Chiara"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


# --- what the cards are about: small views, so that replies know nothing of tables ------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A past answer as its reader sees it."""

    entry_id: int
    title: str
    answer: str
    author: str
    owner: str
    community: str
    created: datetime
    reviewed: datetime | None  # when a moderator last found it right
    accepted: bool = False  # published as its asker accepted it
    link: str = ""
    body: str = ""  # what the question says beyond its title
    helped: int = 0
    why: str = ""
    suggestion_id: int = 0
    outcome: str = "shown"
    shared: bool = False
    channel: str = ""  # where the asker may share it; empty for nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may know, and why we think so."""

    person_id: int
    name: str
    title: str
    why: str
    because: tuple[dict[str, Any], ...] = ()  # what `why` rests on, as it is kept: see `experts.in_words`


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as its readers see it. `asker` is None where the asker stays unknown."""

    id: int
    text: str
    asker: str | None
    community: str
    channel: str
    state: str
    link: str = ""
    also: tuple[str, ...] = ()  # the other channels it stands in: "#pumps on Teams"
    followers: int = 0
    accepted_by: str = ""

    @property
    def who(self) -> str:
        """The asker's name, or "A colleague"."""
        return plain(self.asker) if self.asker else "A colleague"


def source(past: Past, now: datetime) -> Context:
    place = f"[{plain(past.community)}]({past.link})" if past.link else plain(past.community)
    facts = [f"From {place}", ago(past.created, now)]
    if past.owner:
        facts.append(f"looked after by {plain(past.owner)}")
    if past.reviewed:
        facts.append(f"reviewed {day(past.reviewed)}")
    else:
        facts.append(f"accepted {day(past.created)}" if past.accepted else "**not reviewed yet**")
    if past.helped:
        facts.append(f"helped {counted(past.helped, 'colleague')}")
    return Context(" · ".join(facts))


def someone(candidate: Candidate) -> Text:
    """Who may know, and why."""
    title = f", {plain(candidate.title)}" if candidate.title else ""
    why = candidate.why[:1].upper() + candidate.why[1:]
    return Text(f"**{plain(candidate.name)}**{title}\n{why}".strip())


def past_parts(past: Past, now: datetime, *, length: int = EXCERPT) -> list[Part]:
    """A past answer on a card: its question, the answer, where from, and why this one."""
    parts: list[Part] = [
        Text(f"**{plain(past.title)}**"),
        Quote(excerpt(past.answer, length), by=past.author),
        source(past, now),
    ]
    return [*parts, Context(f"Why this: {past.why}")] if past.why else parts


def read_all(past: Past, length: int) -> tuple[Button, ...]:
    """The way to what `past_parts` cut off, if it did."""
    cut = len(past.answer.strip()) > length
    return (Button("Read all of it", "read", str(past.entry_id)),) if cut else ()


def past_with_rest(past: Past, now: datetime, length: int) -> list[Part]:
    """A past answer, and a button for the rest of it where it is longer."""
    more = read_all(past, length)
    return [*past_parts(past, now, length=length), *((Buttons(more),) if more else ())]


# --- to the asker, in private --------------------------------------------------------------------------------------


def looking(text: str, *, ready: bool) -> Message:
    """The first sign, at once: the bot has the question."""
    more = (
        "Looking for past answers …"
        if ready
        else (
            "I have just been started and am still loading what I know. Your question is safe; I look as soon as I can."
        )
    )
    return Message("I have your question.", (Quote(excerpt(text, 300)), Context(more)))


def suggestions(
    question_id: int, text: str, items: Sequence[Past], now: datetime, *, overheard_in: str = ""
) -> Message:
    """Past answers, best first, each with its source and one tap for what the asker thinks of it.

    `overheard_in`: the channel they said it in, without turning to the bot. They can ask not to be offered help there.
    """
    parts: list[Part] = [Quote(excerpt(text, 300)), Text("**This may have been answered before.** Only you see this.")]
    if overheard_in:
        parts.append(Context(f"You wrote this in #{plain(overheard_in)}, where I may offer help. Nothing was posted."))
    for number, item in enumerate(items):
        length = EXCERPT if number == 0 else 240
        parts += [Divider(), *past_parts(item, now, length=length)]
        value = str(item.suggestion_id)
        row = [
            Button("This solved it", "solved", value, "primary" if number == 0 else "plain"),
            Button("Not quite", "not_quite", value),
        ]
        if item.channel and not item.shared:
            row.append(Button(excerpt(f"Share in #{item.channel}", 70), "share", value))
        parts.append(Buttons((*row, *read_all(item, length))))
        if item.shared:
            parts.append(Context(f"Shared in #{plain(item.channel)}." if item.channel else "Shared with the channel."))
    label = "None of these: ask the experts" if items[1:] else "Ask the experts"
    last = [Button(label, "ask_experts", str(question_id))]
    if overheard_in:
        last.append(Button("Don't offer here again", "mute", str(question_id)))
    parts += [Divider(), Buttons(tuple(last))]
    return Message(f"{counted(len(items), 'past answer')} may help.", tuple(parts))


def muted(question_id: int, text: str, channel: str, *, muted: bool) -> Message:
    """Somebody wants no unasked help in a channel, or wants it again."""
    words = f"I will not offer you anything in #{plain(channel)} any more. Nobody else sees that."
    button = Button("Offer again", "unmute", str(question_id))
    if not muted:
        return Message("I offer help there again.", (Quote(excerpt(text, 300)), Context("I offer help there again.")))
    return Message("I will not offer there again.", (Quote(excerpt(text, 300)), Context(words), Buttons((button,))))


def solved(text: str, item: Past, now: datetime) -> Message:
    """The asker found what they needed."""
    return Message(
        "Solved by a past answer.",
        (Quote(excerpt(text, 300)), Text("**Solved.** I have told its author that it helped."), *past_parts(item, now)),
    )


def _unsure(near: Sequence[Past]) -> list[Part]:
    """Past answers too unsure to be suggested, by their titles: one tap shows each."""
    if not near:
        return []
    buttons = [Button(excerpt(f"Read: {item.title}", 72), "read", str(item.entry_id)) for item in near]
    return [Context("Close, but I am not sure that it fits:"), Buttons(tuple(buttons)), Divider()]


def preview(
    question_id: int,
    text: str,
    *,
    agreed: str,
    community: str,
    channel: str,
    readers: Literal["members", "everybody", "outsiders"],
    why: str,
    candidates: Sequence[Candidate],
    usually: str,
    lead: str,
    aloud: bool = False,
    near: Sequence[Past] = (),
    also: Sequence[str] = (),
) -> Message:
    """Where the question would go, to whom and why, before anything is posted; `also` names its other channels.

    `agreed` marks the channel and its readers: the button says what it agrees to, so that an old one posts nothing.
    """
    who = {"members": "its members", "outsiders": "everybody, **also from other organisations,**"}.get(readers, readers)
    where = f"I would post it in **#{plain(channel)}** ({plain(community)}), where {who} can read it."
    if also:
        where += f" It would stand in {listed([plain(name) for name in also])}, too."
    parts: list[Part] = [Quote(excerpt(text, 300)), *_unsure(near), Text(f"{lead}\n{where}")]
    if why:
        parts.append(Context(f"Why there: {why}"))
    parts.append(
        Text("I would also ask in private:" if candidates else "I found nobody to ask in private; its members see it.")
    )
    parts += [someone(c) for c in candidates]
    if usually:
        parts.append(Context(usually))
    if aloud:
        parts.append(Context("Others have read it under your name already, so it cannot be asked without."))
    value, here = str(question_id), f"{question_id}.{agreed}"
    if why == UNSURE:  # a guess is no place to post by the first button
        ask = (Button("Change …", "change", value, "primary"), Button("Ask under my name", "post", here))
    else:
        ask = (Button("Ask under my name", "post", here, "primary"), Button("Change …", "change", value))
    parts.append(
        Buttons(
            (
                *ask,
                *(() if aloud else (Button("Ask anonymously", "post_anonymously", here),)),
                Button("Never mind", "cancel", value),
            )
        )
    )
    return Message(f"Shall I ask in {channel}?", tuple(parts))


def posted(asked: Asked, experts: Sequence[str], *, waiting: bool) -> Message:
    """The question is out."""
    if asked.state == "accepted":
        by = f" by {plain(asked.accepted_by)}" if asked.accepted_by else ""
        told = f"✓ Answered in **#{plain(asked.channel)}**{by}."
    elif waiting:
        told = f"Posting in **#{plain(asked.channel)}** …"
    else:
        told = f"Posted in **#{plain(asked.channel)}**" + ("." if asked.asker else " without your name.")
        if experts:
            told += f" I have asked {listed([plain(name) for name in experts])}."
        told += " I will tell you here as soon as somebody answers."
    parts: list[Part] = [Quote(excerpt(asked.text, 300)), Text(told)]
    if asked.link:
        parts.append(Buttons((Button("Open the thread", "open", url=asked.link),)))
    return Message("Your question is posted.", tuple(parts))


def cancelled(text: str) -> Message:
    """The asker thought better of it."""
    return Message("Not posted.", (Quote(excerpt(text, 300)), Context("Not posted. Nobody else has seen it.")))


def answered(asked: Asked, answer_id: int, author: str, text: str, *, accepted: bool, withdrawn: bool) -> Message:
    """To the asker: somebody answered."""
    parts: list[Part] = [Text(f"**{plain(author)} answered your question**"), Quote(excerpt(asked.text, 200))]
    if withdrawn:
        return Message(f"{author} took an answer back.", (*parts, Context("The answer was taken back by its author.")))
    parts += whole(text, author)
    if accepted:
        parts.append(Context("✓ You accepted this answer. Others may add to it; you can accept those, too."))
    open_thread = (Button("Open the thread", "open", url=asked.link),) if asked.link else ()
    first = () if accepted else (Button("This answers it", "accept", str(answer_id), "primary"),)
    missing = (Button("Something is missing", "missing", str(asked.id)),)
    parts.append(Buttons((*first, *missing, *open_thread)))
    return Message(f"{author} answered your question.", tuple(parts))


# --- in the community's channel --------------------------------------------------------------------------------------


def question(asked: Asked) -> Message:
    """The question in its channel; the thread below it is its home."""
    state = {"routed": "Open: reply in the thread", "answered": "Answered, not accepted yet"}.get(asked.state, "")
    if asked.state == "accepted":
        state = f"✓ Answered by {plain(asked.accepted_by)}" if asked.accepted_by else "✓ Answered"
    if asked.state == "closed":
        state = "Closed"
    facts = [state]
    if asked.followers:
        facts.append(f"{asked.followers} more {'has' if asked.followers == 1 else 'have'} the same question")
    value = str(asked.id)
    over = asked.state in ("accepted", "closed")
    more = Button("Answer", "answer", value, "plain" if over else "primary")
    buttons = Buttons((more, Button("Me too", "me_too", value)))
    summary = f"{asked.asker or 'A colleague'} asks: {excerpt(asked.text, 120)}"
    head = Text(f"**{asked.who} asks**")
    also = f"Also in {listed([plain(name) for name in asked.also])}. Replies are shown in "
    also += "all of them." if asked.also[1:] else "both."
    elsewhere = (Context(also),) if asked.also else ()
    return Message(summary, (head, *whole(asked.text), Context(" · ".join(facts)), *elsewhere, buttons))


def on_board(asked: Asked) -> Message:
    """The question where it can be read and nothing else: with the way to where it is answered."""
    go = Button(excerpt(f"Answer in #{asked.channel}", 70), "open", url=asked.link, style="primary")
    head = Text(f"**{asked.who} asks {plain(asked.community)}**")
    summary = f"{asked.asker or 'A colleague'} asks: {excerpt(asked.text, 120)}"
    return Message(summary, (head, *whole(asked.text), Context("See there how it stands, too."), Buttons((go,))))


def answer(asked: Asked, answer_id: int, author: str, text: str, *, accepted: bool) -> Message:
    """An answer given in private, in the thread, credited to its author."""
    parts: list[Part] = [Text(f"**{plain(author)} answers**"), *whole(text)]
    if accepted:
        parts.append(Context("✓ Accepted answer"))
    else:
        parts.append(Buttons((Button("This answers it", "accept", str(answer_id)),)))
    return Message(f"{author} answers: {excerpt(text, 120)}", tuple(parts))


def adds(asked: Asked, text: str) -> Message:
    """What the asker wrote in the question's thread elsewhere."""
    return Message(f"{asked.asker} adds: {excerpt(text, 120)}", (Text(f"**{asked.who} adds**"), *whole(text)))


def missing(asked: Asked, text: str) -> Message:
    """What the asker still needs, in the thread."""
    return Message("Something is still missing.", (Text(f"**{asked.who} still needs to know**"), *whole(text)))


def shared(by: str, item: Past, now: datetime) -> Message:
    """A past answer that somebody shared with a channel."""
    head = Text(f"**{plain(by)}** found this past answer useful:")
    return Message(f"{by} shared a past answer.", (head, *past_with_rest(item, now, 1500)))


# --- anything else ---------------------------------------------------------------------------------------------------


def settled(text: str, words: str) -> Message:
    """A card that has done its work."""
    return Message(words, (Quote(excerpt(text, 300)), Context(words)))


def note(words: str) -> Message:
    """One plain sentence."""
    return Message(words, (Text(plain(words)),))


def given_back(words: str, text: str) -> Message:
    """One plain sentence, and what the person typed, so that it is not lost."""
    return Message(words, (Text(plain(words)), *whole(text)))
