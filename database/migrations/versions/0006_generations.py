"""Generations of an index: which embedding models it has vectors of, and which one serves."""

import sqlalchemy as sa
from alembic import op

from database import walls

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A database that 0001 made from today's tables has it already."""
    columns = {one["name"] for one in sa.inspect(op.get_bind()).get_columns("shelf_heads")}
    if "generations" not in columns:
        op.add_column("shelf_heads", sa.Column("generations", sa.JSON(none_as_null=True)))
    if op.get_bind().dialect.name == "postgresql":
        walls.wall(op.get_bind(), "shelf_heads")  # the platform's look has one more column


def downgrade() -> None:
    op.drop_column("shelf_heads", "generations")
