"""How a table of a tenant's rows is made: key `(tenant_id, id)`, references by composite keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# BIGINT on PostgreSQL; SQLite only counts up by itself in a column declared INTEGER.
Serial = BigInteger().with_variant(Integer, "sqlite")


def id_column() -> Column[str]:
    return Column("id", String(64), nullable=False)


def ms(name: str, *, nullable: bool = True, default: int | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable, default=default)


def json_column(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def points_at(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE"
    )


def tenant_table(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of one tenant's rows; a test fails for any table that is not made here or listed in
    `SHARED`."""
    columns = [id_column()] if "id" in key else []
    return Table(
        name,
        metadata,
        Column("tenant_id", String(64), ForeignKey("tenants.id", ondelete="CASCADE")),
        *columns,
        *items,
        PrimaryKeyConstraint("tenant_id", *key),
        info={"tenant": True},
    )
