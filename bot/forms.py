"""Every form the bot opens: pure functions from what is asked about to neutral forms."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports import Form, Input, Option
from bot.replies import Asked, Candidate, excerpt, lines, plain

ASKED, KEPT = 12_000, 10_000  # characters
ALOUD = "aloud"  # the value of a question's form: others have read the words under the asker's name already


def answer_form(name: str, value: str, asked: Asked, *, initial: str = "") -> Form:
    """Where an answer is written."""
    return Form(
        name=name,
        value=value,
        title="Answer",
        submit="Answer",
        intro=lines(excerpt(asked.text, 500)),
        inputs=(
            Input(
                name="answer",
                label="Your answer",
                kind="long_text",
                initial=initial,
                hint="It appears in the thread under your name. Two sentences are often enough.",
            ),
        ),
    )


def ask_form(text: str = "", *, author: str | None = None, aloud: bool = False) -> Form:
    """Where a question is asked; `text` are `author`'s words, brought to the experts by somebody (None: their own)."""
    intro = "I look for past answers first. Nothing is posted before you have seen where, and said so."
    if author is not None:
        whose = f"{plain(author)}'s" if author else "somebody's"
        intro = (
            f"These are {whose} words. Change them as you like: the question is asked as yours. I look for past "
            "answers first, and nothing is posted before you have seen where, and said so."
        )
    detail = Input(
        name="detail", label="More detail", kind="long_text", required=False, hint="What you tried; where it happens."
    )
    asked = Input(name="text", label="Your question", kind="long_text", initial=text[:ASKED], max_length=ASKED)
    inputs = (asked,) if author is not None else (asked, detail)
    value = ALOUD if aloud else ""
    return Form(name="ask", value=value, title="Ask the experts", submit="Ask", intro=intro, inputs=inputs)


def profile_form(topics: Sequence[str], away: str) -> Form:
    """What somebody knows, and until when they are away (`away`: an ISO time with its zone, or empty)."""
    known = "\n".join(topics)
    return Form(
        name="profile", value="", title="My profile", submit="Save",
        inputs=(
            Input(
                name="topics", label="Topics I know", kind="long_text", initial=known, required=False,
                max_length=max(3000, len(known)),
                hint="One on each line, or with commas between them. Questions about these come to you first.",
            ),
            Input(
                name="away", label="Away until", kind="datetime", initial=away, required=False,
                hint="I ask you nothing before then.",
            ),
        ),
    )  # fmt: skip


def save_form(value: str, *, title: str, text: str, author: str, communities: Sequence[Option], chosen: str) -> Form:
    """Where a message becomes knowledge. `value` is sealed: it says which message."""
    return Form(
        name="save", value=value, title="Save as knowledge", submit="Save",
        intro=f"It is kept under {plain(author)}'s name, for those who can read this channel.",
        inputs=(
            Input(
                name="title", label="The question it answers", kind="text", initial=title, max_length=300,
                hint="As somebody would ask it who needs this answer.",
            ),
            Input(name="text", label="Answer", kind="long_text", initial=text[:KEPT], max_length=KEPT),
            Input(
                name="community", label="Community", kind="choice", options=tuple(communities), initial=chosen,
                hint="Its moderators look the entry over.",
            ),
        ),
    )  # fmt: skip


def community_form(
    place: str,
    *,
    name: str,
    domain: str,
    rule: str,
    rules: Sequence[Option],
    others: Sequence[Option],
    changing: bool,
) -> Form:
    """Where a community is founded in a channel (`place`), or what it says of itself is changed."""
    which = Input(
        name="community", label="Which community?", kind="choice", options=tuple(others), initial="new",
        hint="One that you moderate can live in several channels. The rest of this form is for a new one.",
    )  # fmt: skip
    needed = not others
    return Form(
        name="found", value=place,
        title="Change the community" if changing else "Found a community",
        submit="Save" if changing else "Found it",
        intro="" if changing else "Questions that belong here are posted in this channel. You become its moderator.",
        inputs=(
            *((which,) if others else ()),
            Input(name="name", label="Name", kind="text", initial=name, max_length=80, required=needed),
            Input(
                name="domain", label="What is it about?", kind="long_text", initial=domain, max_length=2000,
                required=needed, hint="Its subjects, with commas. Questions find their way here by these words.",
            ),
            Input(
                name="rule", label="An accepted answer becomes knowledge. When?", kind="choice",
                options=tuple(rules), initial=rule,
            ),
        ),
    )  # fmt: skip


def hand_over_form(prompt_id: int, asked: Asked, likely: Sequence[Candidate], without: Sequence[str]) -> Form:
    """Who knows better: those `likely` to, or anybody but those `without` (ids on the platform)."""
    options = tuple(Option(str(c.person_id), c.name, c.title) for c in likely)
    hint = "I will ask them in private."
    known = Input(name="likely", label="Who may know", kind="choice", options=options, required=False, hint=hint)
    label = "Or somebody else" if options else "Who knows about this?"
    anybody = Input(
        name="person",
        label=label,
        kind="person",
        without=tuple(without),
        required=not options,
        hint="" if options else hint,
    )
    return Form(
        name="hand_over",
        value=str(prompt_id),
        title="Someone else knows",
        submit="Ask them",
        intro=lines(excerpt(asked.text, 300)),
        inputs=(known, anybody) if options else (anybody,),
    )


def missing_form(asked: Asked) -> Form:
    """What the answers so far leave open."""
    how = "" if asked.asker else " without your name"
    hint = f"I will post it in the thread{how} and tell those who answered."
    inputs = (Input(name="missing", label="What is missing?", kind="long_text", hint=hint),)
    return Form(name="missing", value=str(asked.id), title="Something is missing", submit="Say so", inputs=inputs)


def change_form(
    question_id: int,
    text: str,
    communities: Sequence[Option],
    chosen: str,
    candidates: Sequence[Candidate],
    picked: Sequence[str],
    limit: int,
) -> Form:
    """Change the question, the community or the experts before it is posted."""
    options = tuple(Option(str(c.person_id), c.name, c.title) for c in candidates)
    people = Input(
        name="experts",
        label="Whom shall I ask?",
        kind="choices",
        options=options,
        initial=tuple(picked),
        required=False,
    )
    someone = Input(name="also", label="And somebody I did not think of", kind="people", required=False)
    return Form(
        name="change",
        value=str(question_id),
        title="Before it is posted",
        submit="Update",
        inputs=(
            Input(name="text", label="Your question", kind="long_text", initial=text, max_length=limit),
            Input(name="community", label="Community", kind="choice", options=tuple(communities), initial=chosen),
            *((people,) if options else ()),
            someone,
        ),
    )


def entry_form(entry_id: int, title: str, text: str) -> Form:
    """Edit an entry's question and answer before it is published."""
    return Form(
        name="edit_entry", value=str(entry_id), title="Edit the entry", submit="Save and publish",
        inputs=(
            Input(name="title", label="Question", kind="text", initial=title, max_length=300),
            Input(name="text", label="Answer", kind="long_text", initial=text, max_length=10_000),
        ),
    )  # fmt: skip
