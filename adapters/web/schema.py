"""The tables of the web chat. All begin with `web_`, so that they live beside the core's in one database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from bot.moments import Moment

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

#: SQLite counts rows by itself only in a column typed exactly INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")

#: One row. Whoever writes takes the next number first and so holds the row until the commit: numbers become visible
#: in their own order, and a reader who has seen 7 will never meet a late 6.
counter = Table(
    "web_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

users = Table(
    "web_users",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(320), index=True),
    Column("title", String(200), nullable=False, default=""),
    Column("time_zone", String(64), nullable=False, default="UTC"),
    Column("role", String(120), nullable=False, default="", comment="label in the demo's chooser, no authority"),
    Column("guest", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),
    Column("search", String(420), nullable=False, default="", comment="name and title without case and accents"),
    Column("position", Integer, nullable=False, default=0, comment="order in the demo's chooser"),
)

channels = Table(
    "web_channels",
    metadata,
    Column("id", String(140), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("topic", String(500), nullable=False, default=""),
    Column("private", Boolean, nullable=False, default=False),
    Column("dm_of", ForeignKey("web_users.id"), unique=True, comment="set: this person's talk with the bot"),
)

members = Table(
    "web_members",
    metadata,
    Column("channel", ForeignKey("web_channels.id"), primary_key=True),
    Column("person", ForeignKey("web_users.id"), primary_key=True, index=True),
    Column("present", Boolean, nullable=False, default=True, comment="false: has left"),
    Column("since", BigInteger, nullable=False, comment="revision of joining: nothing older is unread"),
)

messages = Table(
    "web_messages",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("channel", ForeignKey("web_channels.id"), nullable=False),
    Column("thread", ForeignKey("web_messages.id"), index=True, comment="the message this one answers"),
    Column("author", String(120), nullable=False, comment="a person's id, or @bot"),
    Column("body", Text, nullable=False, comment="a person's text; the bot's message as JSON; sealed if `sealed`"),
    Column("sealed", Boolean, nullable=False, default=False),
    Column("only_for", ForeignKey("web_users.id"), comment="set: shown to this person only"),
    Column("created", Moment, nullable=False),
    Column("edited", Moment),
    Column("deleted", Moment),
    Column("posted", BigInteger, nullable=False, comment="revision it first appeared in; 0 for seeded history"),
    Column("revision", BigInteger, nullable=False, index=True, comment="revision of its last change"),
    Column("delivery_id", String(200), unique=True),
    Column("client_key", String(200), unique=True),
    Column("handled_at", Moment, comment="when the bot's handling was committed"),
    Index("ix_web_messages_page", "channel", "thread", "created", "id"),
    Index("ix_web_messages_unread", "channel", "posted"),
    Index(
        "ix_web_messages_unhandled",
        "id",
        sqlite_where=text("handled_at IS NULL"),
        postgresql_where=text("handled_at IS NULL"),
    ),
)

reactions = Table(
    "web_reactions",
    metadata,
    Column("message", ForeignKey("web_messages.id"), primary_key=True),
    Column("person", ForeignKey("web_users.id"), primary_key=True),
    Column("emoji", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)

reads = Table(
    "web_reads",
    metadata,
    Column("channel", ForeignKey("web_channels.id"), primary_key=True),
    Column("person", ForeignKey("web_users.id"), primary_key=True),
    Column("upto", BigInteger, nullable=False, comment="everything posted up to this revision has been seen"),
)
