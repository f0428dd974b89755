"""What alembic runs to apply the steps on the connection that `store` hands over."""

from __future__ import annotations

from alembic import context

from audit.history.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
