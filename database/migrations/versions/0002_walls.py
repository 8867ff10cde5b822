"""PostgreSQL's walls: roles, row level security, grants. SQLite has none."""

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
        for table in metadata.sorted_tables:
            walls.open_(op.get_bind(), table.name)
