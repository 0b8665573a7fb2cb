"""Every sentence and card about one's own things: the home view, the overview, the communities, help."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports import Context, Fields, Message, Part, Quote, Text
from bot.replies import Asked, excerpt, plain


def communities(items: Sequence[tuple[str, str, str, int]]) -> Message:
    """The communities a person may see: name, channel, domain, open questions."""
    parts: list[Part] = [Text("**Communities**")]
    for name, channel, domain, waiting in items:
        parts.append(Text(f"**{plain(name)}** in #{plain(channel)}\n{plain(domain)}"))
        parts.append(
            Context(f"{waiting} open question{'' if waiting == 1 else 's'}" if waiting else "no open questions")
        )
    return Message("Communities", tuple(parts) if items else (Text("There is no community you could see yet."),))


def overview(mine: Sequence[Asked], waiting: Sequence[Asked]) -> Message:
    """What waits for this person, and what they asked and where it stands."""
    parts: list[Part] = []
    if waiting:
        parts.append(Text("**Waiting for your answer** (the cards are above)"))
        parts += [Quote(excerpt(asked.text, 150), by=asked.asker or "") for asked in waiting]
    if mine:
        parts.append(Text("**Your questions**"))
    for asked in mine:
        state = {"routed": "waiting for an answer", "answered": "answered: have a look", "accepted": "✓ answered"}
        where = f" · [open the thread]({asked.link})" if asked.link else ""
        parts += [Quote(excerpt(asked.text, 150)), Context(state.get(asked.state, asked.state) + where)]
    if not parts:
        parts = [Text("Nothing waits for you, and you have asked nothing under your name yet. Just write it here.")]
    return Message("Where your questions stand", tuple(parts))


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
                    ("Ask", "write it here, or `/ask`"),
                    ("Search what is known", "`/know` pump cavitation"),
                    ("Find who knows", "`/experts` pump cavitation"),
                    ("Communities", "`/community`"),
                    ("Your questions", "`/mine`"),
                )
            ),
        ),
    )
