"""What a tenant's model calls took, by day and task, and what those under way may take."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String

from database.tables.base import ms, tenant_table


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, default=0)


model_usage = tenant_table(
    "model_usage",
    Column("day", String(10), nullable=False),  # 2026-11-21, UTC
    Column("task", String(32), nullable=False),
    _count("calls"),
    _count("prompt_tokens"),
    _count("completion_tokens"),
    _count("cpu_ms"),
    _count("saved_calls"),  # answered from a cache instead
    _count("saved_tokens"),
    _count("saved_cpu_ms"),
    key=("day", "task"),
)

model_reservations = tenant_table(
    "model_reservations",
    Column("task", String(32), nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cpu_ms", BigInteger, nullable=False),
    ms("lapses_ms", nullable=False),  # by then its call has ended, or its process died
    Index("ix_model_reservations_lapses", "tenant_id", "lapses_ms"),
)
