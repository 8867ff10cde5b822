"""PostgreSQL's walls: roles, row level security, grants. SQLite has none."""

import sqlalchemy as sa
from alembic import op

from database import walls
from database.tables import metadata

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        walls.build(op.get_bind())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        there = set(sa.inspect(op.get_bind()).get_table_names())  # later ones are gone by now
        for table in metadata.sorted_tables:
            if table.name in there:
                walls.open_(op.get_bind(), table.name)
