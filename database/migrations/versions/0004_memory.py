"""Memory: sessions, long-term memory, kept answers and replies, all sealed; a content version.

Messages were kept in the clear and without a session's row. A migration holds no tenant's key, so
what a conversation had as its last messages is forgotten once, here.
"""

import sqlalchemy as sa
from alembic import op

from database import walls
from database.tables import metadata

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEW = ("chat_sessions", "chat_messages", "memories", "kept_answers", "kept_replies")


def upgrade() -> None:
    """A database that 0001 made from today's tables has all of it already."""
    look = sa.inspect(op.get_bind())
    there = set(look.get_table_names())
    if "content" not in {column["name"] for column in look.get_columns("shelf_heads")}:
        op.add_column(
            "shelf_heads", sa.Column("content", sa.BigInteger, nullable=False, server_default="0")
        )
    if "chat_sessions" not in there:
        if "chat_messages" in there:
            op.drop_table("chat_messages")
        for name in _NEW:
            _add(name)


def _add(name: str) -> None:
    metadata.tables[name].create(op.get_bind())
    if op.get_bind().dialect.name == "postgresql":
        walls.wall(op.get_bind(), name)


def downgrade() -> None:
    """Back to a `chat_messages` of its own, empty."""
    for name in reversed(_NEW):
        op.drop_table(name)
    op.drop_column("shelf_heads", "content")
    op.create_table(
        "chat_messages",
        sa.Column("tenant_id", sa.String(64), sa.ForeignKey("tenants.id", ondelete="CASCADE")),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("data", sa.JSON),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", "seq"),
    )
    if op.get_bind().dialect.name == "postgresql":
        walls.wall(op.get_bind(), "chat_messages")
