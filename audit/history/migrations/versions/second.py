"""Which scans `--fail-on-new` refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Scans of the first version count as not refused: whether they were is not known."""
    op.add_column("runs", sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()))
