"""What people searched for, where their tenant keeps it."""

import sqlalchemy as sa
from alembic import op

from database import walls
from database.tables import metadata

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database that 0001 made from today's tables has it already."""
    if "searches" not in sa.inspect(op.get_bind()).get_table_names():
        metadata.tables["searches"].create(op.get_bind())
        if op.get_bind().dialect.name == "postgresql":
            walls.wall(op.get_bind(), "searches")


def downgrade() -> None:
    op.drop_table("searches")
