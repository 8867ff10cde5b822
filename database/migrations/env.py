"""Alembic's entry: runs on the engine that `database.migrate` hands over."""

from alembic import context
from sqlalchemy import Connection, Engine

from database.tables import metadata

engine: Engine = context.config.attributes["engine"]


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


with engine.connect() as connection:
    _migrate(connection)
    connection.commit()
