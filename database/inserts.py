"""INSERTs of what may be there already; each database has its own words for it."""

from __future__ import annotations

from sqlalchemy import Insert, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from database.engine import Tx


def if_absent(tx: Tx, table: Table) -> Insert:
    """`rowcount` says how many were not there yet."""
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    # Without the option SQLAlchemy forgets the count of an INSERT on PostgreSQL.
    return make(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def one_by_one(tx: Tx, name: str) -> None:
    """Transactions that say the same name go on one after another, so that the next one sees what
    this one wrote. SQLite has one writer at a time anyway."""
    if tx.dialect != "sqlite":
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
