"""A run keeps the trace of the request that asked for it; open runs are found without the rest."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("completed_ms IS NULL")


def upgrade() -> None:
    """A database that 0001 made from today's tables has both already."""
    look = sa.inspect(op.get_bind())
    if "traceparent" not in {column["name"] for column in look.get_columns("runs")}:
        op.add_column("runs", sa.Column("traceparent", sa.String(55)))
    if "ix_runs_open" not in {index["name"] for index in look.get_indexes("runs")}:
        op.create_index(
            "ix_runs_open", "runs", ["status", "deadline_ms"], sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_runs_open", "runs")
    op.drop_column("runs", "traceparent")
