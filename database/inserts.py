"""INSERTs that leave alone what is there already; each database has its own words for it."""

from __future__ import annotations

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from database.engine import Tx


def if_absent(tx: Tx, table: Table) -> Insert:
    """`rowcount` says how many were not there yet."""
    make = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    # Without the option SQLAlchemy forgets the count of an INSERT on PostgreSQL.
    return make(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
