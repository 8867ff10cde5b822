"""When an ended run may be forgotten."""

import sqlalchemy as sa
from alembic import op

from database import walls
from database.tables import metadata

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXES = {"runs": "ix_runs_forget", "approvals": "ix_approvals_run"}


def upgrade() -> None:
    """A database that 0001 made from today's tables has it already. Runs that ended before are
    kept: nobody said how long."""
    there = sa.inspect(op.get_bind())
    if "forget_ms" in {column["name"] for column in there.get_columns("runs")}:
        return
    op.add_column("runs", sa.Column("forget_ms", sa.BigInteger()))
    for table, index in _INDEXES.items():
        next(one for one in metadata.tables[table].indexes if one.name == index).create(
            op.get_bind()
        )
    if op.get_bind().dialect.name == "postgresql":
        walls.wall(op.get_bind(), "runs")


def downgrade() -> None:
    for table, index in _INDEXES.items():
        op.drop_index(index, table)
    op.drop_column("runs", "forget_ms")
