"""Budgets of tokens and CPU seconds: what was used by day and task, and what is reserved."""

import sqlalchemy as sa
from alembic import op

from database import walls
from database.tables import metadata

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NEW = ("model_usage", "model_reservations")


def upgrade() -> None:
    """A database that 0001 made from today's tables has both already."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    for name in _NEW:
        if name not in there:
            metadata.tables[name].create(op.get_bind())
            if op.get_bind().dialect.name == "postgresql":
                walls.wall(op.get_bind(), name)


def downgrade() -> None:
    for name in reversed(_NEW):
        op.drop_table(name)
