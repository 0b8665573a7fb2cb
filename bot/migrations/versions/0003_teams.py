"""Teams: what it sent, how conversations are reached, and what was posted under which delivery id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of the Teams adapter."""
    op.create_table(
        "teams_inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False, comment="keyed hash of the platform's id"),
        sa.Column(
            "lane", sa.String(length=64), nullable=False, comment="keyed hash of the channel: its rows keep their order"
        ),
        sa.Column("sealed", sa.Text(), nullable=False, comment="the payload; emptied when handled"),
        sa.Column(
            "day", sa.BigInteger(), nullable=False, comment="when it came, to the day: finer would tell who did what"
        ),
        sa.Column(
            "due_at", sa.BigInteger(), nullable=False, comment="milliseconds since 1970, UTC, as in claimed_until"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=60), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("handled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams_inbox")),
        sa.UniqueConstraint("key", name=op.f("uq_teams_inbox_key")),
    )
    op.create_index(
        "ix_teams_inbox_waiting",
        "teams_inbox",
        ["lane", "id"],
        sqlite_where=sa.text("NOT handled"),
        postgresql_where=sa.text("NOT handled"),
    )
    op.create_table(
        "teams_references",
        sa.Column(
            "mark",
            sa.String(length=64),
            nullable=False,
            comment="keyed hash of the tenant and the conversation or person",
        ),
        sa.Column("family", sa.String(length=64), nullable=False, comment="keyed hash of the team, for its channels"),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_teams_references")),
    )
    op.create_index(op.f("ix_teams_references_family"), "teams_references", ["family"])
    op.create_table(
        "teams_sent",
        sa.Column("delivery", sa.String(length=200), nullable=False),
        sa.Column("sealed_id", sa.Text(), nullable=False, comment="the activity's id"),
        sa.Column("day", sa.BigInteger(), nullable=False, comment="when, to the day"),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_teams_sent")),
    )
    op.create_index(op.f("ix_teams_sent_day"), "teams_sent", ["day"])
