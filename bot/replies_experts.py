"""Every sentence and card to those who are asked, and to those who answered or follow: in private."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import humanize

from bot.ports import Button, Buttons, Context, Divider, Message, Part, Quote, Text
from bot.replies import Asked, Past, day, excerpt, past_with_rest, plain, whole

UNFIT = "This past answer was shown to the asker, who says that it does not quite fit:"


def prompt(
    asked: Asked, prompt_id: int, *, why: str, named_by: str, similar: Sequence[Past], state: str, now: datetime
) -> Message:
    """The request to one expert. Passing is one tap and fine."""
    channel = f"[#{plain(asked.channel)}]({asked.link})" if asked.link else f"#{plain(asked.channel)}"
    parts: list[Part] = [
        Text(f"**{asked.who} asks in {channel}, and you may know**"),
        *whole(asked.text),
    ]
    if named_by:
        parts.append(Context(f"{plain(named_by)} says you know about this."))
    if why:
        parts.append(Context(f"Why you: {why}"))
    ending = {
        "answered": "✓ Thank you. Your answer is in the thread under your name.",
        "passed": "You passed. No hard feelings: I will ask somebody else.",
        "handed_over": "Thank you for naming a colleague. There is nothing more for you to do.",
        "later": "Later, then: I will come back on your next working morning.",
        "closed": "Settled in the meantime. There is nothing left for you to do.",
    }.get(state)
    if ending:
        parts.append(Context(ending))
    else:
        for item in similar:
            head = UNFIT if item.outcome == "not_quite" else "A similar past answer, in case it helps:"
            parts += [Divider(), Context(head)]
            parts += past_with_rest(replace(item, why=""), now, 240)
    if state in ("open", "later"):
        value = str(prompt_id)
        parts.append(
            Buttons(
                (
                    Button("Answer", "prompt_answer", value, "primary"),
                    Button("Pass", "prompt_pass", value),
                    Button("Someone else knows", "prompt_hand_over", value),
                    *((Button("Not now", "prompt_later", value),) if state == "open" else ()),
                )
            )
        )
        parts.append(Context("Or simply reply to this message. Passing costs nothing."))
    return Message(f"{asked.asker or 'A colleague'} asks: {excerpt(asked.text, 120)}", tuple(parts))


def your_answer_was_accepted(asked: Asked, entry_state: str, review: datetime | None, others: int) -> Message:
    """Thanks to the author, and what becomes of the answer."""
    kept = {
        "published": "It is now a knowledge entry under your name: whoever asks this next finds it at once.",
        "draft": "It is kept as a draft under your name until a moderator has looked it over.",
        "in_review": "A moderator reviews it before others find it.",
    }.get(entry_state, "")
    waiting = f" {others} more had the same question." if others else ""
    parts: list[Part] = [Text(f"**Your answer was accepted. Thank you.**{waiting}"), Quote(excerpt(asked.text, 200))]
    parts.append(Context(kept + (f" I will ask you to look at it again by {day(review)}." if review else "")))
    if asked.link:
        parts.append(Buttons((Button("Open the thread", "open", url=asked.link),)))
    return Message("Your answer was accepted.", tuple(parts))


def your_answer_helped(title: str, helped: int) -> Message:
    """Somebody's question was solved by a past answer: its author hears of it."""
    times = "for the first time" if helped == 1 else f"for the {humanize.ordinal(helped)} time"
    words = f"**Your answer just helped a colleague**, {times}."
    return Message("Your answer helped a colleague.", (Text(words), Quote(title)))


def question_solved(asked: Asked, author: str, text: str) -> Message:
    """To a follower: the question they have, too, is answered."""
    parts: list[Part] = [Text("**A question you follow was answered**"), Quote(excerpt(asked.text, 200))]
    parts += whole(text, author)
    if asked.link:
        parts.append(Buttons((Button("Open the thread", "open", url=asked.link),)))
    return Message("A question you follow was answered.", tuple(parts))


def follow_up(asked: Asked, text: str) -> Message:
    """To those who answered: the asker wrote in the thread."""
    parts: list[Part] = [
        Text(f"**{asked.who} wrote back** on a question you answered"),
        Quote(excerpt(asked.text, 200)),
    ]
    parts += whole(text)
    links = (Button("Open the thread", "open", url=asked.link),) if asked.link else ()
    parts.append(Buttons((Button("Answer", "answer", str(asked.id), "primary"), *links)))
    return Message("There is more to a question you answered.", tuple(parts))


def answer_or_question(text: str, question_id: int, prompts: Sequence[tuple[int, str]]) -> Message:
    """A message from somebody with an open prompt: an answer to it, or a question of their own?"""
    parts: list[Part] = [Quote(excerpt(text, 300)), Text("Is this your answer, or a question of your own?")]
    for prompt_id, asked in prompts[:3]:
        parts.append(Quote(excerpt(asked, 150)))
        parts.append(Buttons((Button("My answer to this", "as_answer", f"{question_id}.{prompt_id}", "primary"),)))
    parts.append(Buttons((Button("A question of my own", "as_question", str(question_id)),)))
    return Message("Is this an answer or a question?", tuple(parts))
