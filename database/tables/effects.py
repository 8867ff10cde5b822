"""Outside effects, approvals, events and the lines of a run."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from database.tables.base import Serial, json_column, metadata, ms, points_at, tenant_table

effects = tenant_table(
    "effects",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("key", String(64), nullable=False),  # HMAC(tenant, run, step, ordinal): same on retries
    Column("connector", String(32), nullable=False),
    Column("effect_class", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("summary", Text, nullable=False),
    json_column("request", nullable=False),
    Column("request_hash", String(64), nullable=False),
    json_column("sources", nullable=False),
    Column("cost_micro", BigInteger, nullable=False, default=0),
    # waiting_approval | reserved | sent | confirmed | unknown | refused | rejected | cancelled
    Column("status", String(20), nullable=False),
    json_column("response"),
    json_column("error"),
    Column("attempts", Integer, nullable=False, default=0),
    ms("created_ms", nullable=False),
    ms("sent_ms"),
    ms("completed_ms"),
    UniqueConstraint("tenant_id", "run_id", "step_id", "ordinal"),
    points_at("runs", "run_id"),
)

approvals = tenant_table(
    "approvals",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64)),
    Column("effect_id", String(64)),  # null: the approval of a plan
    Column("kind", String(16), nullable=False),  # effect | plan
    Column("summary", Text, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("status", String(16), nullable=False),  # waiting | approved | rejected | expired
    Column("decided_by", String(80)),
    Column("comment", Text),
    ms("expires_ms", nullable=False),
    ms("created_ms", nullable=False),
    ms("decided_ms"),
    points_at("runs", "run_id"),
    Index("ix_approvals_status", "tenant_id", "status", "created_ms"),
    Index("ix_approvals_run", "tenant_id", "run_id"),
)

# The outbox and the resumable event stream in one: the relay publishes what has no `published_ms`.
events = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("tenant_id", String(64), ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", String(64)),
    Column("type", String(64), nullable=False),
    json_column("data", nullable=False),
    ms("at_ms", nullable=False),
    ms("published_ms"),
    Index("ix_events_run", "tenant_id", "run_id", "seq"),
    Index("ix_events_unpublished", "published_ms", "seq"),
    sqlite_autoincrement=True,
    info={"tenant": True},
)

run_logs = Table(
    "run_logs",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("tenant_id", String(64), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64)),
    Column("agent", String(32)),
    Column("level", String(16), nullable=False),
    Column("message", Text, nullable=False),
    json_column("data"),
    ms("at_ms", nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"
    ),
    Index("ix_run_logs_run", "tenant_id", "run_id", "seq"),
    info={"tenant": True},
)
