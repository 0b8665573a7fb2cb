"""The tables of the Slack adapter. All begin with `slack_`, so that they live beside the core's in one database.

Times are whole milliseconds (the inbox) or seconds since 1970, in UTC: compared in SQL, never shown.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

from adapters.inbox import inbox_table

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

#: What Slack sent, kept before it is acknowledged.
inbox = inbox_table("slack_inbox", metadata)

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
