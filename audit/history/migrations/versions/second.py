"""Which scans `--fail-on-new` refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Whether `--fail-on-new` refused a scan of the first version is not known: one that failed may have been."""
    op.add_column("runs", sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE runs SET refused = (exit_code = 1)")
