"""The tables of the Slack adapter. All begin with `slack_`, so that they live beside the core's in one database.

Times are whole milliseconds (the inbox) or seconds since 1970, in UTC: compared in SQL, never shown.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

#: SQLite counts rows by itself only in a column typed exactly INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")
_unhandled = text("NOT handled")

#: What Slack sent, kept before it is acknowledged. A handled row keeps its key (a repeat of it does nothing) for two
#: days, and nothing of what was in it.
inbox = Table(
    "slack_inbox",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", String(64), nullable=False, unique=True, comment="keyed hash of Slack's id, or of the payload"),
    Column("lane", String(64), nullable=False, comment="keyed hash of the channel: its rows keep their order"),
    Column("sealed", Text, nullable=False, comment="the payload; emptied when handled"),
    Column("day", BigInteger, nullable=False, comment="when it came, to the day: finer would tell who did what"),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("claimed_by", String(60), nullable=False, default=""),
    Column("claimed_until", BigInteger, nullable=False, default=0),
    Column("handled", Boolean, nullable=False, default=False),
    Index("ix_slack_inbox_waiting", "lane", "id", sqlite_where=_unhandled, postgresql_where=_unhandled),
)

installations = Table(
    "slack_installations",
    metadata,
    Column("team", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("bot_user", String(32), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("sealed_token", Text, nullable=False),
    Column("installed_at", BigInteger, nullable=False),
)

oauth_states = Table(
    "slack_oauth_states",
    metadata,
    Column("mark", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
)
