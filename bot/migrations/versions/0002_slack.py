"""Slack: what it sent, and where the app is installed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of the Slack adapter."""
    op.create_table(
        "slack_inbox",
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slack_inbox")),
        sa.UniqueConstraint("key", name=op.f("uq_slack_inbox_key")),
    )
    op.create_index(
        "ix_slack_inbox_waiting",
        "slack_inbox",
        ["lane", "id"],
        unique=False,
        sqlite_where=sa.text("NOT handled"),
        postgresql_where=sa.text("NOT handled"),
    )
    op.create_table(
        "slack_installations",
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("bot_user", sa.String(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team", name=op.f("pk_slack_installations")),
    )
    op.create_table(
        "slack_oauth_states",
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_slack_oauth_states")),
    )
