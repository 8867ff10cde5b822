"""Outside systems that documents come from, what came, and what starts workflows by itself."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)

from database.tables.base import json_column, ms, points_at, tenant_table

integrations = tenant_table(
    "integrations",
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    json_column("config", nullable=False),
    Column("secrets", LargeBinary),  # sealed by the tenant's key: a JSON object
    json_column("secret_names", nullable=False),
    json_column("schedule"),  # {every_seconds} | {cron, zone}; null: pulled by hand only
    Column("on_gone", String(8), nullable=False),  # keep | remove
    json_column("tags", nullable=False),
    Column("enabled", Boolean, nullable=False),
    json_column("cursor", nullable=False),
    Column("status", String(16), nullable=False),  # new | ok | failing
    json_column("error"),
    Column("last_run_id", String(64)),
    Column("handler", String(80)),  # the step that pulls now; free again when the lease is over
    ms("handler_lease_ms"),
    ms("watch_lease_ms"),  # until when a process listens to it; 0: none does, null: none is to
    ms("due_ms"),
    ms("pulled_ms"),
    Column("created_by", String(80), nullable=False),
    ms("created_ms", nullable=False),
    ms("updated_ms", nullable=False),
    UniqueConstraint("tenant_id", "name"),
    Index("ix_integrations_due", "due_ms"),
    Index("ix_integrations_watch", "watch_lease_ms"),
)

integration_items = tenant_table(
    "integration_items",
    Column("integration_id", String(64), nullable=False),
    Column("item", String(64), nullable=False),  # sha256 of `key`
    Column("key", Text, nullable=False),
    Column("version", String(200), nullable=False),
    Column("identity", String(64)),  # of the content, so that the same mail is taken once
    Column("state", String(16), nullable=False),  # taken | duplicate | dead | gone | again
    Column("document_id", String(64)),
    Column("stale_id", String(64)),  # the document of the version before, to be removed
    json_column("error"),
    ms("seen_ms", nullable=False),
    points_at("integrations", "integration_id"),
    Index("ix_integration_items_identity", "tenant_id", "identity"),
    Index("ix_integration_items_state", "tenant_id", "integration_id", "state", "seen_ms"),
    key=("integration_id", "item"),
)

triggers = tenant_table(
    "triggers",
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # schedule | webhook | document
    json_column("config", nullable=False),
    Column("secret", LargeBinary),  # sealed by the tenant's key
    Column("workflow", String(80), nullable=False),
    json_column("inputs", nullable=False),
    json_column("scopes", nullable=False),  # what its runs may do: its maker's, less deciding
    Column("enabled", Boolean, nullable=False),
    ms("due_ms"),
    ms("fired_ms"),
    Column("fired", Integer, nullable=False, default=0),
    Column("last_run_id", String(64)),
    json_column("error"),
    Column("created_by", String(80), nullable=False),
    ms("created_ms", nullable=False),
    ms("updated_ms", nullable=False),
    UniqueConstraint("tenant_id", "name"),
    Index("ix_triggers_due", "due_ms"),
    Index("ix_triggers_kind", "tenant_id", "kind"),
)
