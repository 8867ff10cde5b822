"""The first schema.

Until the first release it is made straight from the tables; from then on each change is a file.
"""

from alembic import op

from database.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
