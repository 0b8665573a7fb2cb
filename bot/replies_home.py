"""Every sentence and card about one's own things: the home view, the overview, the communities, help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.ports import Button, Buttons, Context, Divider, Fields, Message, Part, Quote, Text
from bot.replies import Asked, counted, day, excerpt, listed, plain, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Expertise:
    """An expertise profile: topics by how they are known, and until when its owner is away (on their own clock)."""

    declared: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()
    away_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A prompt that waits for its expert."""

    prompt_id: int
    asked: Asked
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """A community somebody belongs to."""

    name: str
    channel: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """All that stands on one person's home view. `made_at` is on their own clock."""

    asked: tuple[Asked, ...]
    waiting: tuple[Asking, ...]
    communities: tuple[Belonging, ...]
    expertise: Expertise
    everything: bool  # may search what all staff may see
    private: tuple[str, ...]  # the private channels whose talk they may search
    made_at: datetime


STATES = {"routed": "waiting for an answer", "answered": "answered: have a look", "accepted": "✓ answered"}


def home(view: Home) -> Message:
    """The home view."""
    parts: list[Part] = [Buttons((Button("Ask a question", "ask", style="primary"),))]
    parts += [Divider(), Text("**Waiting for your answer**")]
    for item in view.waiting:
        channel = f"[#{plain(item.asked.channel)}]({item.asked.link})" if item.asked.link else plain(item.asked.channel)
        value = str(item.prompt_id)
        parts += [
            Text(f"{item.asked.who} asks in {channel}"),
            Quote(excerpt(item.asked.text, 300)),
            Buttons(
                (
                    Button("Answer", "prompt_answer", value, "primary"),
                    Button("Pass", "prompt_pass", value),
                    Button("Not now", "prompt_later", value),
                )
            ),
        ]
    if not view.waiting:
        parts.append(Context("Nothing waits for you."))
    parts += [Divider(), Text("**My open questions**")]
    for asked in view.asked:
        parts += [Quote(excerpt(asked.text, 150)), Context(_state(asked))]
    if not view.asked:
        parts.append(Context("None that you asked under your name."))
    parts += [Divider(), Text("**My communities**")]
    roles = {"moderator": " · you moderate it"}
    rows = [f"{plain(item.name)} in #{plain(item.channel)}{roles.get(item.role, '')}" for item in view.communities]
    parts.append(Text("\n".join(f"- {row}" for row in rows)) if rows else Context("You are in none of them yet."))
    parts += [Divider(), *_expertise(view.expertise)]
    parts += [Divider(), Text("**What you may search**"), Text(_searchable(view))]
    parts.append(Context(f"As of {day(view.made_at)}, {view.made_at:%H:%M}"))
    return Message("Your questions, your communities and what waits for you.", tuple(parts))


def _state(asked: Asked) -> str:
    where = f" · [open the thread]({asked.link})" if asked.link else ""
    return STATES.get(asked.state, asked.state) + where


def _searchable(view: Home) -> str:
    channels = listed([f"#{plain(name)}" for name in view.private])
    if view.everything:
        more = f", and what was said in {channels}, where you are" if channels else ""
        return f"Everything that all staff may see{more}."
    return f"What was said in {channels}, where you are." if channels else "Nothing yet: you are in no channel I know."


def _expertise(known: Expertise) -> list[Part]:
    parts: list[Part] = [Text("**My expertise**")]
    for label, topics in (
        ("You say", known.declared), ("Imported", known.imported), ("From your answers", known.inferred)
    ):  # fmt: skip
        if topics:
            parts.append(Text(f"{label}: {', '.join(plain(topic) for topic in topics)}"))
    if len(parts) == 1:
        parts.append(Context("No topics yet. Add some, and questions about them come to you first."))
    if known.away_until:
        parts.append(Context(f"Away until {day(known.away_until)}, {known.away_until:%H:%M}"))
    parts.append(Buttons((Button("Edit my profile", "profile"),)))
    return parts


def profile(known: Expertise) -> Message:
    """One's own expertise profile, with the way to change it."""
    return Message("Your expertise profile", tuple(_expertise(known)))


def profile_saved(topics: int, away: datetime | None) -> str:
    """What was kept."""
    if topics:
        words = f"Saved: {counted(topics, 'topic')}. Questions about them come to you first."
    else:
        words = "Saved: no topics. Questions come to you for what you have answered, if at all."
    return f"{words} I ask you nothing before {day(away)}, {away:%H:%M}." if away else words


def communities(
    items: Sequence[tuple[str, str, str, int]],
    *,
    may: Literal["found", "change", "nothing"] = "nothing",
    here: str = "",
) -> Message:
    """The communities a person may see: name, channel, domain, open questions; and what they `may` do about `here`."""
    parts: list[Part] = [Text("**Communities**")]
    for name, channel, domain, waiting in items:
        parts.append(Text(f"**{plain(name)}** in #{plain(channel)}\n{plain(domain)}"))
        parts.append(Context(counted(waiting, "open question") if waiting else "no open questions"))
    if not items:
        parts = [Text("There is no community you could see yet. One lives in a channel: go there and say /community.")]
    if may != "nothing":
        label = "Found a community in this channel" if may == "found" else "Change this channel's community"
        parts += [Divider(), Buttons((Button(label, "found", here),))]
    return Message("Communities", tuple(parts))


def founded(name: str, domain: str, by: str, also: Sequence[str] = ()) -> Message:
    """In its channel: a community lives here from now on; `also` names the channels that it shares questions with."""
    shared = f"What is asked in {listed([plain(name) for name in also])} stands here, too, and the other way round."
    parts: list[Part] = [
        Text(f"**{plain(name)} lives in this channel now**"),
        *((Text(plain(domain)),) if domain else ()),
        Context(
            f"{plain(by)} has founded it. Ask me in private, or mention me here: I look for past answers first, then "
            "bring your question to this channel and to the people who may know."
        ),
        *((Context(shared),) if also else ()),
    ]
    return Message(f"{name} lives in this channel now.", tuple(parts))


def overview(mine: Sequence[Asked], waiting: Sequence[Asked]) -> Message:
    """What waits for this person, and what they asked and where it stands."""
    parts: list[Part] = []
    if waiting:
        parts.append(Text("**Waiting for your answer** (the cards are above)"))
        parts += [Quote(excerpt(asked.text, 150), by=asked.asker or "") for asked in waiting]
    if mine:
        parts.append(Text("**Your questions**"))
    for asked in mine:
        parts += [Quote(excerpt(asked.text, 150)), Context(_state(asked))]
    if not parts:
        parts = [Text("Nothing waits for you, and you have asked nothing under your name yet. Just write it here.")]
    return Message("Where your questions stand", tuple(parts))


def no_such_command(name: str, text: str) -> Message:
    """A command nobody knows: the words are given back, and what there is."""
    words = f"I know no command /{name}." if name != "help" else "This is what I can do."
    given: tuple[Part, ...] = (Text("You wrote:"), *whole(text)) if text else ()
    return Message(words, (Text(plain(words)), *given, *help_text().parts))


def help_text() -> Message:
    """What one can do here."""
    return Message(
        "How to ask the experts.",
        (
            Text(
                "**Ask me anything about work, in your own words.** If somebody has answered it before, you see that "
                "answer at once, in private. If not, I show you which community and which experts I would ask; "
                "nothing is posted before you say so, and you can ask without your name."
            ),
            Fields(
                (
                    ("Ask", "write it here, or /ask"),
                    ("Search what is known", "/know pump cavitation"),
                    ("Find who knows", "/experts pump cavitation"),
                    ("Communities", "/community"),
                    ("Your questions", "write: mine"),
                    ("What you know", "write: profile"),
                )
            ),
        ),
    )
