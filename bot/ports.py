"""The chat port: the one small vocabulary the core and every chat platform share.

In come neutral events (`Heard`, `Pressed`, …); out go neutral messages (`Message`, `Form`). An adapter translates
both ways and verifies who spoke. No platform's own dictionary passes beyond `adapters/`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

#: The platform that is always there and knows people only from the others: the web chat.
EMBEDDED = "web"
#: The workspace of boards: places that a platform can post to, and where it hears nobody.
BOARDS = "webhook"

# --- who and where ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person as one platform names them. The same human has one `PersonRef` per platform and workspace."""

    platform: str
    workspace: str
    id: str


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, a direct conversation, or a thread in either."""

    platform: str
    workspace: str
    channel: str
    thread: str | None = None

    def in_thread(self, message_id: str) -> Place:
        """The thread that hangs from `message_id` in this place."""
        return replace(self, thread=message_id)

    @property
    def root(self) -> Place:
        """The channel itself, without the thread."""
        return replace(self, thread=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a platform tells about a person. `email` is present only where the platform has verified it."""

    ref: PersonRef
    name: str
    email: str | None = None
    title: str = ""
    time_zone: str = "UTC"
    guest: bool = False  # from outside the organisation: a guest, or a member of another one in a shared channel
    active: bool = True
    quiet_until: datetime | None = None  # do not disturb, or away, as their status says


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceInfo:
    """What a platform tells about a channel. `outsiders`: people of another organisation read it, too."""

    place: Place
    name: str
    private: bool
    direct: bool = False
    archived: bool = False
    outsiders: bool = False


def clean(text: str) -> str:
    """Text that every database takes: without NUL and without halves of characters."""
    return text.replace("\0", "").encode("utf8", "ignore").decode()


# --- what comes in ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something a person did. `id` is unique per platform delivery: an event acts once however often it arrives.

    It is kept and may be logged, so it says nothing about who acted.
    """

    id: str
    actor: PersonRef
    place: Place
    at: datetime

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an event needs an aware time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Event):
    """A message. `direct`: said to the bot in private. `addressed`: the bot was mentioned (and cut from `text`)."""

    message_id: str
    text: str
    direct: bool = False
    addressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded(Event):
    """A command such as `/experts solar pumps`: `name` without the slash, the rest as `text`.

    `trigger` lets the platform open a form in answer; it is short-lived (Slack: 3 seconds). `aloud`: others read it
    where it was given.
    """

    name: str
    text: str = ""
    trigger: str = ""
    aloud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(Event):
    """The author changed a message they had sent."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Event):
    """A message was removed."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed(Event):
    """A button. `value` is a row id: it carries no authority, permission is checked again on press."""

    action: str
    value: str
    message_id: str = ""
    trigger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Event):
    """A form sent back. `values` maps input names to text, to a tuple of chosen values, or to a yes/no."""

    form: str
    value: str
    values: Mapping[str, str | tuple[str, ...] | bool] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text or single choice; empty where the person left it empty."""
        value = self.values.get(name, "")
        return clean(value) if isinstance(value, str) else ""

    def chosen(self, name: str) -> tuple[str, ...]:
        """The values of a choice of several."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else (value,) if isinstance(value, str) and value else ()

    def yes(self, name: str) -> bool:
        """Whether a toggle is on."""
        return self.values.get(name) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacted(Event):
    """An emoji (its plain name, such as `white_check_mark`) put on a message, or taken away."""

    message_id: str
    emoji: str
    added: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed(Event):
    """Somebody chose one of the bot's actions on a message (Slack: message shortcut; Teams: action of a message).

    `action` is `ask` (bring this to experts), `save` (keep it as knowledge) or `accept` (this answers it); `text` and
    `author` are the message's, `author` None where no person wrote it. In `place.thread` is the thread it belongs to.
    """

    action: str
    message_id: str
    text: str
    author: PersonRef | None = None
    trigger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkShared(Event):
    """Somebody wrote a message with addresses of the bot's own pages in it."""

    message_id: str
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Event):
    """A person opened the bot's home view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChanged(Event):
    """A channel was renamed, archived, deleted, shared or made private: `place` and `members` are asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChanged(Event):
    """The actor's profile or account changed, or was switched off: `profile` is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined(Event):
    """A person came into a channel. `actor` is who joined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left(Event):
    """A person left a channel, by themselves or removed."""


# --- what goes out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the bot in the port's small Markdown: **bold**, *italic*, `code`, [link](https://…), lists, newlines.

    Text typed by people never goes in here unescaped: it goes into `Quote`, or through `bot.replies.plain`.
    """

    markdown: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a person, shown as they meant them: **bold**, *italic*, `code`, lists, and links beside their address.

    Every renderer escapes them: nothing in them pings, or becomes anything else."""

    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """Short labelled facts, shown side by side where there is room."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Context:
    """A small grey line: where from, how old, whose. Same Markdown as `Text`."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Button:
    """`action` and row id on press, or a `url` to open. At most 75 characters of label (Slack's limit)."""

    label: str
    action: str
    value: str = ""
    style: Literal["plain", "primary", "danger"] = "plain"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """One row of buttons, at most five."""

    items: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by address, with the words that stand for it."""

    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class Divider:
    """A thin line between two things of one kind."""


Part = Text | Quote | Fields | Context | Buttons | Image | Divider
_PARTS: dict[str, type[Part]] = {
    kind.__name__: kind for kind in (Text, Quote, Fields, Context, Buttons, Image, Divider)
}


@dataclass(frozen=True, slots=True)
class Message:
    """What the bot says. `summary` is one plain sentence: the notification, and what a screen reader hears first."""

    summary: str
    parts: tuple[Part, ...]

    def as_json(self) -> dict[str, Any]:
        """A JSON value that `from_json` turns back into an equal message."""
        return {"summary": self.summary, "parts": [{"is": type(part).__name__, **asdict(part)} for part in self.parts]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Message:
        """The message that `as_json` made this of."""
        return cls(value["summary"], tuple(_part(dict(part)) for part in value["parts"]))


def _part(value: dict[str, Any]) -> Part:
    kind = _PARTS[value.pop("is")]
    if kind is Buttons:
        return Buttons(tuple(Button(**button) for button in value["items"]))
    if kind is Fields:
        return Fields(tuple((label, text) for label, text in value["items"]))
    return kind(**value)


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: what is stored, what is shown, and a few grey words."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One labelled question of a form. `kind` says what it takes; `initial` is a text, a tuple of values, or a bool.

    `choice` and `choices` use `options`; `person` and `people` give back platform user ids. Those of `without` are not
    offered where the platform can leave somebody out; the core says so of the others.
    """

    name: str
    label: str
    kind: Literal["text", "long_text", "choice", "choices", "person", "people", "datetime", "toggle"]
    hint: str = ""
    initial: str | tuple[str, ...] | bool = ""
    options: tuple[Option, ...] = ()
    without: tuple[str, ...] = ()
    required: bool = True
    max_length: int = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A dialog. `name` and `value` (a row id) come back in `Submitted`. `intro` is Markdown, as in `Text`."""

    name: str
    value: str
    title: str
    submit: str
    inputs: tuple[Input, ...]
    intro: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertable:
    """What somebody may put into a message they are writing: `message` is what all its readers will see.

    `title` and `hint` are plain words for the list to choose from, which only the writer sees.
    """

    title: str
    hint: str
    message: Message


# --- the platform -------------------------------------------------------------------------------------------------


class DeliveryError(Exception):
    """A platform did not take a message. `retry_after` seconds says when to try again; None says never."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class FormError(Exception):
    """A submitted form cannot be taken as it is. `errors` maps input names to a sentence shown on that input.

    Raised by the core while it handles `Submitted`; the adapter shows it in the still open form, so that nothing
    the person typed is lost.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a platform can do, where platforms differ."""

    private_in_channel: bool  # may show a message to one person in a channel; else it goes by DM
    seconds_between_posts: float = 0.0  # the pace the platform asks for in one channel
    forms: bool = True
    reactions: bool = True
    update: bool = True
    home: bool = False  # has a page of the bot for each person: `show_home`
    people: bool = True  # people can be met there; False where there are only boards


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at for `weaver doctor`: whether it is well, and a sentence that says what to do if not."""

    about: str
    ok: bool
    says: str


class ChatPlatform(Protocol):
    """What the core asks of a chat platform. All calls raise `DeliveryError` where the platform does not take them."""

    name: str
    capabilities: Capabilities

    async def send(self, place: Place, message: Message, *, delivery_id: str) -> str:
        """Post, and return the platform's message id. The same `delivery_id` twice must not post twice where the
        platform can tell; where it cannot, `find` is asked first."""
        ...

    async def update(self, place: Place, message_id: str, message: Message) -> None:
        """Replace the content of a message sent earlier. Quietly does nothing if it is gone."""
        ...

    async def withdraw(self, place: Place, message_id: str) -> None:
        """Remove a message sent earlier. Quietly does nothing if it is gone."""
        ...

    async def whisper(self, place: Place, person: PersonRef, message: Message, *, delivery_id: str) -> str:
        """Show `message` in `place` to one person only. Called only with `capabilities.private_in_channel`."""
        ...

    async def find(self, place: Place, *, delivery_id: str) -> str | None:
        """The id of the message sent earlier under `delivery_id`, if it arrived: asked after a crash."""
        ...

    async def direct(self, person: PersonRef) -> Place:
        """The private conversation of the bot with `person`, opened if need be."""
        ...

    async def open_form(self, trigger: str, form: Form) -> None:
        """Show `form` to the person whose command or press gave `trigger`."""
        ...

    async def show_home(self, person: PersonRef, message: Message) -> None:
        """Make `message` this person's home view of the bot. Called only with `capabilities.home`."""
        ...

    async def unfurl(self, place: Place, message_id: str, previews: Mapping[str, Message]) -> None:
        """Show previews below a person's message, by the address in it. Quietly does nothing where there are none."""
        ...

    async def profile(self, person: PersonRef) -> Profile:
        """Who this is. Raises `LookupError` for an unknown person."""
        ...

    async def lookup(self, workspace: str, email: str) -> Profile | None:
        """Who has this address in this workspace; None for nobody, or where the platform cannot be asked that."""
        ...

    async def place(self, place: Place) -> PlaceInfo:
        """What this channel is. Raises `LookupError` for an unknown one."""
        ...

    async def members(self, place: Place) -> list[PersonRef]:
        """Who is in this channel: for private ones, who may see what is said there."""
        ...

    async def permalink(self, place: Place, message_id: str) -> str:
        """An address that opens this message for those who may see it."""
        ...


#: What an adapter calls for each event. It returns when the effect is committed, so that the platform may be told.
EventHandler = Callable[[Event], Awaitable[None]]


class Composer(Protocol):
    """What an adapter asks of the core while somebody writes a message to others, in `place`.

    Both answer at once, or raise `BotError` with a sentence for the writer.
    """

    async def search(self, writer: PersonRef, place: Place, text: str) -> Sequence[Insertable]:
        """What the writer may insert about `text`, best first; never nothing."""
        ...

    async def preview(self, writer: PersonRef | None, place: Place, url: str) -> Message | None:
        """What an address in the message leads to, if that may be shown to its readers. `writer` is None where the
        platform does not say who it is."""
        ...


class Clock(Protocol):
    """The time, injected, so that tests can move it."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)
