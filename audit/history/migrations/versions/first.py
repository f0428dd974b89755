"""Runs and findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """The two tables of the first version."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("matrix", sa.Text, nullable=False),
        sa.Column("created", sa.String(20), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("exit_code", sa.Integer, nullable=False),
        sa.Column("severities", sa.Text, nullable=False),
        sa.Column("excepted", sa.Integer, nullable=False),
        sa.Column("not_evaluated", sa.Integer, nullable=False),
        sa.Column("tool", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("results", sa.LargeBinary, nullable=False),
    )
    op.create_index("runs_by_subject", "runs", ["subject", "created"])
    op.create_table(
        "findings",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.String(128), primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("first_seen", sa.String(20), nullable=False),
        sa.Column("last_seen", sa.String(20), nullable=False),
    )
