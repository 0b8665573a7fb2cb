"""The bridge: a question in several channels of its community, and the message that an answer is in each of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the two tables, and move what is known of the answers' messages into the second."""
    op.create_table(
        "mirrors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("workspace", sa.String(length=128), nullable=False),
        sa.Column("channel", sa.String(length=128), nullable=False),
        sa.Column("thread", sa.String(length=128), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["question_id"], ["questions.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("question_id", "platform", "workspace"),
    )
    op.create_index("ix_mirrors_thread", "mirrors", ["platform", "workspace", "channel", "thread"])
    op.create_table(
        "answer_posts",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(length=16), nullable=False),
        sa.Column("workspace", sa.String(length=128), nullable=False),
        sa.Column("channel", sa.String(length=128), nullable=False),
        sa.Column("thread", sa.String(length=128), nullable=True),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"]),
        sa.PrimaryKeyConstraint("answer_id", "platform", "workspace"),
    )
    op.create_index("ix_answer_posts_message", "answer_posts", ["platform", "workspace", "channel", "message_id"])
    op.execute(
        "INSERT INTO answer_posts (answer_id, platform, workspace, channel, thread, message_id, written)"
        " SELECT answers.id, platform, workspace, channel, thread, message_id, origin = 'thread'"
        " FROM answers JOIN questions ON questions.id = answers.question_id"
        " WHERE message_id IS NOT NULL AND channel IS NOT NULL"
    )
    op.drop_index("ix_answers_message_id", "answers")
    op.drop_column("answers", "message_id")
