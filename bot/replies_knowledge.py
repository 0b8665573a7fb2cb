"""Every sentence and card about what is known: searches, entries to review, entries somebody saved or linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.ports import Button, Buttons, Context, Divider, Message, Part, Quote, Text
from bot.replies import Candidate, Past, excerpt, past_parts, past_with_rest, plain, someone, source, whole


def found(text: str, items: Sequence[Past], now: datetime) -> Message:
    """The answer to a search."""
    if not items:
        return Message(
            "Nothing found.",
            (Text("I found nothing on that among what you may see. Ask it as a question, and I find you somebody."),),
        )
    parts: list[Part] = [Text(f"**{len(items)} found** for “{plain(excerpt(text, 80))}”. Only you see this.")]
    for item in items:
        parts += [Divider(), *past_with_rest(item, now, 400)]
    return Message(f"{len(items)} found.", tuple(parts))


def entry(past: Past, *, now: datetime) -> Message:
    """A knowledge entry, all of it."""
    parts: list[Part] = [Text(f"**{plain(past.title)}**")]
    parts += whole(past.body) if past.body else ()
    parts += [Text("**Answer**"), *whole(past.answer, past.author), source(past, now)]
    return Message(excerpt(past.title, 120), tuple(parts))


def entry_decided(title: str, by: str, *, published: bool) -> Message:
    """To the author: what became of the draft made of their answer."""
    words = (
        f"{plain(by)} has looked it over: your answer is knowledge now, and whoever asks this next finds it."
        if published
        else f"{plain(by)} has decided not to keep it as knowledge. Your answer stays in its thread as it is."
    )
    head = "Your answer was published." if published else "Your answer was not kept as knowledge."
    return Message(head, (Text(f"**{head}**"), Quote(excerpt(title, 200)), Context(words)))


def knowing(text: str, candidates: Sequence[Candidate]) -> Message:
    """Who knows about something."""
    if not candidates:
        words = "I know of nobody for that yet. Ask it as a question, and the right community sees it."
        return Message("Nobody found.", (Text(words),))
    parts: list[Part] = [Text(f"**Who knows about** “{plain(excerpt(text, 80))}”")]
    parts += [someone(c) for c in candidates]
    return Message(f"{len(candidates)} people may know.", tuple(parts))


def preview(past: Past, now: datetime, *, address: str) -> Message:
    """What a link to an entry leads to."""
    shown = replace(past, why="", link=address)
    return Message(f"Knowledge: {excerpt(past.title, 100)}", tuple(past_parts(shown, now, length=400)))


def by_title(title: str, *, address: str) -> Message:
    """An entry where not every reader may see what it says."""
    words = "Not everybody here may read this. Whoever may finds it at the link."
    open_it = Buttons((Button("Open the entry", "open", url=address),))
    return Message(f"Knowledge: {excerpt(title, 100)}", (Text(f"**{plain(title)}**"), Context(words), open_it))


def unopened(address: str) -> Message:
    """A link to an entry, where nobody says who will read what it leads to."""
    words = "Who may read it finds the answer there. With Weaver in Teams, it is shown right here."
    open_it = Buttons((Button("Open the entry", "open", url=address),))
    return Message("Knowledge in Weaver", (Text("**Knowledge in Weaver**"), Context(words), open_it))


STATES = {
    "published": "It is published: whoever asks this next finds it at once.",
    "draft": "It is a draft, and says so, until a moderator has looked it over.",
    "in_review": "A moderator reviews it before others find it.",
}


def saved(title: str, author: str, state: str, address: str) -> Message:
    """To who kept somebody's words as knowledge."""
    words = f"**Saved as knowledge** under {plain(author)}'s name. {STATES.get(state, '')}".strip()
    open_it = Buttons((Button("Open the entry", "open", url=address),))
    return Message("Saved as knowledge.", (Text(words), Quote(title), open_it))


def your_answer_was_saved(by: str, title: str, text: str, state: str, address: str) -> Message:
    """To the author of what somebody kept as knowledge."""
    return Message(
        f"{by} saved your answer as knowledge.",
        (
            Text(f"**{plain(by)} saved your answer as knowledge**, under your name. {STATES.get(state, '')}".strip()),
            Quote(title),
            *whole(text),
            Buttons((Button("Open the entry", "open", url=address),)),
        ),
    )


def saved_already(title: str, address: str) -> Message:
    """Somebody was faster."""
    words = "That message is kept already. Nothing was saved a second time."
    return Message(words, (Text(words), Quote(title), Buttons((Button("Open the entry", "open", url=address),))))


def to_review(entry_id: int, community: str, title: str, body: str, author: str, link: str) -> Message:
    """To moderators: an entry that wants a look."""
    parts: list[Part] = [Text(f"**New in {plain(community)}, to be reviewed**"), Quote(title), *whole(body, author)]
    value = str(entry_id)
    buttons = [
        Button("Publish", "publish", value, "primary"),
        Button("Edit …", "edit_entry", value),
        Button("Discard", "retire", value, "danger"),
    ]
    if link:
        buttons.append(Button("Open the thread", "open", url=link))
    return Message(f"An entry to review: {excerpt(title, 100)}", (*parts, Buttons(tuple(buttons))))


def reviewed(title: str, words: str) -> Message:
    """What a moderator decided, on the card they decided it on."""
    return Message(words, (Quote(title), Context(words)))
