"""Outside systems that documents come from, and what starts workflows by itself."""

import sqlalchemy as sa
from alembic import op

from database import walls
from database.tables import metadata

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NEW = ("integrations", "integration_items", "triggers")


def upgrade() -> None:
    """A database that 0001 made from today's tables has all of it already."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    for name in _NEW:
        if name not in there:
            metadata.tables[name].create(op.get_bind())
            if op.get_bind().dialect.name == "postgresql":
                walls.wall(op.get_bind(), name)


def downgrade() -> None:
    for name in reversed(_NEW):
        op.drop_table(name)
