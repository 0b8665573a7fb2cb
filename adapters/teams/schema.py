"""The tables of the Teams adapter. All begin with `teams_`, so that they live beside the core's in one database.

Conversations and accounts are kept sealed under keyed hashes: whoever has the database alone learns of nobody.
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

inbox = inbox_table("teams_inbox", metadata)

#: What is known of conversations and of people's accounts: enough to write to them first.
references = Table(
    "teams_references",
    metadata,
    Column("mark", String(64), primary_key=True, comment="keyed hash of the tenant and the conversation or person"),
    Column("family", String(64), nullable=False, index=True, comment="keyed hash of the team, for its channels"),
    Column("sealed", Text, nullable=False),
)

#: What was sent under which delivery id: Teams itself cannot be asked for that.
sent = Table(
    "teams_sent",
    metadata,
    Column("delivery", String(200), primary_key=True),
    Column("sealed_id", Text, nullable=False, comment="the activity's id"),
    Column("day", BigInteger, nullable=False, index=True, comment="when, to the day"),
)
