"""The tables. One class a noun of the glossary; no behaviour beyond what a row knows of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.moments import Moment
from bot.ports import BOARDS, Place

#: The space of what everybody in the organisation may see. Every other space is the name of a private channel.
ORG = "org"


class Base(DeclarativeBase):
    """All tables of the core."""

    type_annotation_map: ClassVar = {datetime: Moment, dict[str, Any]: JSON, list[Any]: JSON, str: Text}


# --- people and communities -----------------------------------------------------------------------------------------


class Person(Base):
    """One human, whatever platforms they use. Accounts are joined here by verified e-mail address."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(String(320), unique=True)
    title: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    location: Mapped[str] = mapped_column(default="")
    bio: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    guest: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    away_until: Mapped[datetime | None]
    quiet_until: Mapped[datetime | None]  # as a platform says: do not disturb, or a status that says away
    source_key: Mapped[str | None] = mapped_column(String(200), unique=True)  # a person known only from an import


class Account(Base):
    """A person as one platform names them."""

    __tablename__ = "accounts"

    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(128), primary_key=True)
    user: Mapped[str] = mapped_column(String(128), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    guest: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    home: Mapped[bool] = mapped_column(default=False)  # has opened the home view: it is kept up to date
    checked_at: Mapped[datetime | None]  # when the platform was last asked


class Skill(Base):
    """One topic of an expertise profile: declared by the person, imported, or inferred from answers."""

    __tablename__ = "skills"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(200), primary_key=True)
    source: Mapped[str] = mapped_column(String(16))  # declared | imported | inferred


class Community(Base):
    """A community of practice: a domain, its people, and rules for what becomes of an accepted answer."""

    __tablename__ = "communities"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str]
    domain: Mapped[str] = mapped_column(default="")
    guidelines: Mapped[str] = mapped_column(default="")
    review_months: Mapped[int] = mapped_column(default=12)
    rule: Mapped[str] = mapped_column(String(16), default="publish")  # publish | draft | review


class Membership(Base):
    """Who belongs to a community, and as what."""

    __tablename__ = "memberships"

    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), default="member")  # member | moderator


class Channel(Base):
    """A platform channel the bot knows, and the community that lives in it, if any."""

    __tablename__ = "channels"

    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(128), primary_key=True)
    channel: Mapped[str] = mapped_column(String(128), primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    private: Mapped[bool] = mapped_column(default=True)  # until the platform says otherwise: default deny
    archived: Mapped[bool] = mapped_column(default=False)
    outsiders: Mapped[bool] = mapped_column(default=False)  # shared with another organisation
    listening: Mapped[bool] = mapped_column(default=False)  # offers help on what nobody addressed to the bot
    checked_at: Mapped[datetime | None]  # when the platform was last asked
    changes: Mapped[int] = mapped_column(default=0)  # rises with each event: an answer asked for before one is old
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"), index=True)

    @property
    def board(self) -> bool:
        """Whether it only shows what is posted: nobody answers there, and no question lives there."""
        return self.workspace == BOARDS

    @property
    def space(self) -> str:
        """Who may see what was said here: everybody, or this channel's members."""
        return self.members_space if self.private else ORG

    @property
    def members_space(self) -> str:
        """The space of this channel's members, whether or not it is private now."""
        return f"{self.platform}:{self.workspace}:{self.channel}"


class Mute(Base):
    """Somebody who wants no help they did not ask for in a channel where the bot listens."""

    __tablename__ = "mutes"

    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(128), primary_key=True)
    channel: Mapped[str] = mapped_column(String(128), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class SpaceMember(Base):
    """Who may see a private space."""

    __tablename__ = "space_members"

    space: Mapped[str] = mapped_column(String(300), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)


class AwaitedMember(Base):
    """An account in a private channel whose person is not introduced yet: they may see it as soon as they are."""

    __tablename__ = "awaited_members"

    space: Mapped[str] = mapped_column(String(300), primary_key=True)
    user: Mapped[str] = mapped_column(String(128), primary_key=True, index=True)


# --- a question and what becomes of it ------------------------------------------------------------------------------


class Question(Base):
    """A question. `sealed_asker` names the asker to the bot alone; `asker_id` is set only if they ask under their
    own name, so that whoever reads the table does not learn who asked anonymously (or who has not decided yet)."""

    __tablename__ = "questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), default="open", index=True)
    asked_at: Mapped[datetime]
    sealed_asker: Mapped[str]  # sealed: person id, and the account they asked from
    sealed_origin: Mapped[str]  # sealed: the place they asked in
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    anonymous: Mapped[bool] = mapped_column(default=False)
    aloud: Mapped[bool] = mapped_column(default=False)  # others have read it under the asker's name already
    overheard: Mapped[bool] = mapped_column(default=False)  # said in a channel where the bot listens, not to the bot
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"), index=True)
    community_why: Mapped[list[Any]] = mapped_column(default=list)  # why it goes there: see `placement.in_words`
    agreed: Mapped[str] = mapped_column(String(40), default="")  # keyed hash of the channel and who reads it
    plan: Mapped[list[Any]] = mapped_column(default=list)  # [{"person": id, "because": evidence, "asked": bool}]
    platform: Mapped[str | None] = mapped_column(String(16))
    workspace: Mapped[str | None] = mapped_column(String(128))
    channel: Mapped[str | None] = mapped_column(String(128))
    thread: Mapped[str | None] = mapped_column(String(128))
    link: Mapped[str] = mapped_column(default="")
    space: Mapped[str | None] = mapped_column(String(300))
    closed_reason: Mapped[str] = mapped_column(default="")

    __table_args__ = (Index("ix_questions_home", "platform", "workspace", "channel", "thread"),)

    @property
    def home(self) -> Place:
        """The thread that is this question's home."""
        return Place(self.platform or "", self.workspace or "", self.channel or "", self.thread)


class Mirror(Base):
    """A question in another channel of its community, on another platform: its card, and the thread below it."""

    __tablename__ = "mirrors"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"))
    platform: Mapped[str] = mapped_column(String(16))
    workspace: Mapped[str] = mapped_column(String(128))
    channel: Mapped[str] = mapped_column(String(128))
    thread: Mapped[str | None] = mapped_column(String(128))  # None: on its way
    link: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("question_id", "platform", "workspace"),
        Index("ix_mirrors_thread", "platform", "workspace", "channel", "thread"),
    )

    @property
    def place(self) -> Place:
        """The thread below the question's card."""
        return Place(self.platform, self.workspace, self.channel, self.thread)


class Suggestion(Base):
    """A past answer shown to the asker of a question, and what they said of it."""

    __tablename__ = "suggestions"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), index=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id"), index=True)
    rank: Mapped[int]
    score: Mapped[float]
    why: Mapped[str]
    outcome: Mapped[str] = mapped_column(String(16), default="shown")  # shown | solved | not_quite | near
    shared: Mapped[bool] = mapped_column(default=False)


class Follower(Base):
    """Somebody with the same question ("me too"): told when it is answered, and counted as demand."""

    __tablename__ = "followers"

    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class Prompt(Base):
    """The request to one expert to answer one question."""

    __tablename__ = "prompts"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), index=True)
    expert_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    #: open | answered | passed | handed_over | later | closed
    state: Mapped[str] = mapped_column(String(16), default="open")
    because: Mapped[list[Any]] = mapped_column(default=list)  # why they are asked: see `experts.in_words`
    named_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("question_id", "expert_id"),)


class Answer(Base):
    """An answer, given in a thread of its question or in a prompt."""

    __tablename__ = "answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    text: Mapped[str]
    origin: Mapped[str] = mapped_column(String(16))  # prompt | thread
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class AnswerPost(Base):
    """The message that an answer is in a thread of its question: as its author wrote it, or as the bot shows it."""

    __tablename__ = "answer_posts"

    answer_id: Mapped[int] = mapped_column(ForeignKey("answers.id"), primary_key=True)
    platform: Mapped[str] = mapped_column(String(16), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(128), primary_key=True)
    channel: Mapped[str] = mapped_column(String(128))
    thread: Mapped[str | None] = mapped_column(String(128))
    message_id: Mapped[str] = mapped_column(String(128))
    written: Mapped[bool]  # by its author

    __table_args__ = (Index("ix_answer_posts_message", "platform", "workspace", "channel", "message_id"),)

    @property
    def place(self) -> Place:
        """The thread it stands in."""
        return Place(self.platform, self.workspace, self.channel, self.thread)


# --- knowledge ------------------------------------------------------------------------------------------------------


class Entry(Base):
    """A knowledge entry: a question worth keeping with its answers, owned, dated and due for review."""

    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(String(16), index=True)  # draft | in_review | published | retired
    space: Mapped[str] = mapped_column(String(300), default=ORG)
    #: The members' space of the channel it came from, whether or not that is private: made so later, it takes it along.
    origin: Mapped[str | None] = mapped_column(String(300), index=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"), index=True)
    question_id: Mapped[int | None] = mapped_column(ForeignKey("questions.id"), unique=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    asker_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    link: Mapped[str] = mapped_column(default="")
    source_key: Mapped[str | None] = mapped_column(String(300), unique=True)  # an imported entry's own name
    created_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]  # when a moderator last found it right
    review_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class EntryAnswer(Base):
    """One contribution to an entry, credited to its author."""

    __tablename__ = "entry_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("answers.id"), unique=True)
    text: Mapped[str]
    accepted: Mapped[bool] = mapped_column(default=True)
    endorsements: Mapped[int] = mapped_column(default=0)  # as counted elsewhere, for imported ones
    created_at: Mapped[datetime]


class EntryVersion(Base):
    """What an entry said before, who changed it, when and why."""

    __tablename__ = "entry_versions"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    content: Mapped[dict[str, Any]]


class Endorsement(Base):
    """ "This helped", said once per reader. `reader` is a keyed hash, so that askers stay unknown."""

    __tablename__ = "endorsements"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entries.id"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


# --- what must survive a crash --------------------------------------------------------------------------------------


class SeenEvent(Base):
    """A platform event that has had its effect: the same one again does nothing."""

    __tablename__ = "seen_events"

    id: Mapped[str] = mapped_column(String(300), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Card(Base):
    """A message as it should be on the platform now. Delivery sends it, or brings the sent one up to date.

    `key` says what the card is about ("prompt:7"), so a use case may show it again, changed, and people see one card.
    `sealed_to` names its place (and person) to the bot alone.
    """

    __tablename__ = "cards"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # the delivery id
    key: Mapped[str] = mapped_column(String(200), unique=True)
    sealed_to: Mapped[str]
    content: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    sent_version: Mapped[int] = mapped_column(default=0)
    attempted: Mapped[bool] = mapped_column(default=False)  # handed to the platform, outcome not yet known
    withdrawn: Mapped[bool] = mapped_column(default=False)
    sent_as: Mapped[str | None] = mapped_column(String(64), index=True)  # keyed hash of its channel and message id
    sealed_message_id: Mapped[str | None]  # sealed: the platform's message id, which would lead to the recipient

    @property
    def kind(self) -> str:
        """The first word of its key."""
        return self.key.partition(":")[0]

    @property
    def row(self) -> int:
        """The id of the row it is about, where its kind has one in its key."""
        return int(self.key.split(":")[1].partition("#")[0])


class Work(Base):
    """Something to do, now or later, that must not be forgotten. One row per (kind, subject).

    Of one `lane` (a channel) only the oldest is done at a time. A row is claimed for a while, done, and deleted.
    """

    __tablename__ = "work"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200))
    lane: Mapped[str | None] = mapped_column(String(64), index=True)
    sealed: Mapped[str] = mapped_column(default="")  # sealed: what the work needs to know beyond its subject
    due_at: Mapped[datetime] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(default=1)  # rises when asked for again while it is being done
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime | None]
    failed: Mapped[bool] = mapped_column(default=False)  # given up; `weaver doctor` shows it
    error: Mapped[str] = mapped_column(default="")

    __table_args__ = (UniqueConstraint("kind", "subject"),)


class Lane(Base):
    """When the next message may go to a channel: how several replicas keep one pace."""

    __tablename__ = "lanes"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_at: Mapped[datetime]


class ImportMark(Base):
    """How far an import came, so that a killed one resumes."""

    __tablename__ = "import_marks"

    source: Mapped[str] = mapped_column(String(300), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
