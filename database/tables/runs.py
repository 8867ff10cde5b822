"""Definitions, runs, steps, jobs, turns, journal, checkpoints."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)

from database.tables.base import json_column, ms, points_at, tenant_table

definitions = tenant_table(
    "definitions",
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    json_column("body", nullable=False),
    Column("created_by", String(80), nullable=False),
    ms("created_ms", nullable=False),
    key=("name", "version"),
)

runs = tenant_table(
    "runs",
    Column("workflow", String(64), nullable=False),
    Column("version", Integer),
    Column("definition_hash", String(64), nullable=False),
    json_column("definition", nullable=False),  # its own copy: a run keeps what it started with
    Column("goal", Text),
    Column("status", String(20), nullable=False),
    Column("priority", Integer, nullable=False, default=5),
    json_column("inputs", nullable=False),
    json_column("documents", nullable=False),
    json_column("metadata", nullable=False),
    Column("callback_url", Text),
    json_column("outputs"),
    json_column("error"),
    Column("parent_run_id", String(64)),
    Column("parent_step_id", String(64)),
    Column("item_index", Integer),
    json_column("item"),
    Column("actor", String(80), nullable=False),
    json_column("roles", nullable=False),
    json_column("scopes", nullable=False),
    Column("request_id", String(80), nullable=False, default=""),
    Column("traceparent", String(55)),  # W3C Trace Context of the request that asked for it
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("step_count", Integer, nullable=False, default=0),
    json_column("usage", nullable=False),
    ms("deadline_ms", nullable=False),
    ms("created_ms", nullable=False),
    ms("started_ms"),
    ms("completed_ms"),
    ms("forget_ms"),  # none: kept
    points_at("runs", "parent_run_id"),
    Index("ix_runs_created", "tenant_id", "created_ms", "id"),
    Index("ix_runs_parent", "tenant_id", "parent_run_id"),
    Index(
        "ix_runs_open",
        "status",
        "deadline_ms",
        sqlite_where=text("completed_ms IS NULL"),
        postgresql_where=text("completed_ms IS NULL"),
    ),
    Index(
        "ix_runs_forget",
        "forget_ms",
        sqlite_where=text("forget_ms IS NOT NULL"),
        postgresql_where=text("forget_ms IS NOT NULL"),
    ),
)

steps = tenant_table(
    "steps",
    Column("run_id", String(64), nullable=False),
    Column("key", String(128), nullable=False),  # the step's id in the definition
    Column("agent", String(32), nullable=False),
    Column("task", String(64), nullable=False),
    # pending | running | waiting | waiting_approval | completed | failed | skipped | cancelled
    # | needs_review
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    json_column("input"),
    json_column("output"),
    json_column("error"),
    json_column("waiting_for"),
    json_column("progress"),
    Column("open_items", Integer, nullable=False, default=0),  # children or effects not yet ended
    ms("started_ms"),
    ms("completed_ms"),
    ms("created_ms", nullable=False),
    UniqueConstraint("tenant_id", "run_id", "key"),
    points_at("runs", "run_id"),
)

jobs = tenant_table(
    "jobs",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64)),
    Column("effect_id", String(64)),
    Column("kind", String(16), nullable=False),  # advance | step | effect
    Column("queue", String(32), nullable=False),  # the agent's name
    Column("status", String(16), nullable=False),  # ready | running | dead
    Column("priority", Integer, nullable=False, default=5),
    ms("ready_ms", nullable=False),
    ms("lease_until_ms"),
    Column("lease_owner", String(80)),
    Column("fence", BigInteger, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    json_column("error"),
    ms("created_ms", nullable=False),
    points_at("runs", "run_id"),
    Index("ix_jobs_ready", "status", "queue", "tenant_id", "ready_ms"),
    Index("ix_jobs_run", "tenant_id", "run_id"),
)

turns = tenant_table(
    "turns",
    Column("queue", String(32), nullable=False),
    Column("served", Float, nullable=False, default=0.0),  # virtual time: lowest goes next
    key=("queue",),
)

journal = tenant_table(
    "journal",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    json_column("value"),
    ms("created_ms", nullable=False),
    points_at("runs", "run_id"),
    key=("run_id", "step_id", "key"),
)

checkpoints = tenant_table(
    "checkpoints",
    Column("run_id", String(64), nullable=False),
    Column("checkpoint_id", String(64), nullable=False),
    Column("parent_id", String(64)),
    Column("fence", BigInteger, nullable=False),
    json_column("checkpoint", nullable=False),
    json_column("metadata", nullable=False),
    json_column("writes", nullable=False),
    points_at("runs", "run_id"),
    key=("run_id", "checkpoint_id"),
)
