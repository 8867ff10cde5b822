"""Reports and their templates."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Text, UniqueConstraint

from database.tables.base import json_column, ms, points_at, tenant_table

reports = tenant_table(
    "reports",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64), nullable=False),
    Column("template", String(64), nullable=False),
    Column("title", Text, nullable=False),
    json_column("files", nullable=False),  # format -> {name, bytes, sha256}
    json_column("sources", nullable=False),
    json_column("params", nullable=False),
    Column("created_by", String(80), nullable=False),
    ms("created_ms", nullable=False),
    UniqueConstraint("tenant_id", "run_id", "step_id"),
    points_at("runs", "run_id"),
    Index("ix_reports_created", "tenant_id", "created_ms", "id"),
)

report_templates = tenant_table(
    "report_templates",
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    json_column("body", nullable=False),
    Column("created_by", String(80), nullable=False),
    ms("created_ms", nullable=False),
    key=("name", "version"),
)
