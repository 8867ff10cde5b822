"""What belongs to no tenant."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from database.tables.base import json_column, metadata, ms

workers = Table(
    "workers",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("role", String(16), nullable=False),
    json_column("queues", nullable=False),
    Column("pid", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("running", Integer, nullable=False, default=0),
    ms("started_ms", nullable=False),
    ms("heartbeat_ms", nullable=False),
)
