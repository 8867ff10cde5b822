"""Every table. A tenant's rows have the key `(tenant_id, id)` and point at each other by composite
keys, so that a reference across tenants cannot be stored even by a bug. Times are ms, UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
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


def _id() -> Column[str]:
    return Column("id", String(64), nullable=False)


def _ms(name: str, *, nullable: bool = True, default: int | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable, default=default)


def _json(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=nullable)


def _points_at(table: str, column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE"
    )


def _tenant_table(name: str, *items: Any, key: tuple[str, ...] = ("id",)) -> Table:
    """A table of one tenant's rows; a test fails for any table that is not made here or listed in
    `SHARED`."""
    columns = [_id()] if "id" in key else []
    return Table(
        name,
        metadata,
        Column("tenant_id", String(64), ForeignKey("tenants.id", ondelete="CASCADE")),
        *columns,
        *items,
        PrimaryKeyConstraint("tenant_id", *key),
        info={"tenant": True},
    )


# --- identity ------------------------------------------------------------------------------------

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("tier", String(32), nullable=False),
    _json("config", nullable=False),
    Column("status", String(16), nullable=False),  # active | suspended | deleted
    Column("wrapped_key", LargeBinary),  # the tenant's key under the root key; gone = shredded
    _ms("created_ms", nullable=False),
)

users = _tenant_table(
    "users",
    Column("email", String(255), nullable=False),
    Column("name", String(255), nullable=False, default=""),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(32), nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("epoch", Integer, nullable=False, default=0),  # raised to revoke what was issued before
    Column("failed_logins", Integer, nullable=False, default=0),
    _ms("locked_until_ms"),
    _ms("created_ms", nullable=False),
    UniqueConstraint("tenant_id", "email"),
    Index("ix_users_email", "email"),
)

refresh_tokens = _tenant_table(
    "refresh_tokens",
    Column("user_id", String(64), nullable=False),
    Column("family", String(64), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    _ms("expires_ms", nullable=False),
    _ms("used_ms"),
    _ms("revoked_ms"),
    _ms("created_ms", nullable=False),
    _points_at("users", "user_id"),
    Index("ix_refresh_tokens_family", "tenant_id", "family"),
)

api_keys = _tenant_table(
    "api_keys",
    Column("name", String(255), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    _json("scopes", nullable=False),
    Column("created_by", String(80), nullable=False),
    _ms("expires_ms"),
    _ms("revoked_ms"),
    _ms("last_used_ms"),
    _ms("created_ms", nullable=False),
)

idempotency = _tenant_table(
    "idempotency",
    Column("key", String(255), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("route", String(255), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("status", Integer),  # null while the first request is still running
    _json("response"),
    _ms("created_ms", nullable=False),
    key=("actor", "key"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("tenant_id", String(64), nullable=False),
    _ms("at_ms", nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("request_id", String(80), nullable=False, default=""),
    _json("data"),
    Index("ix_audit_tenant_id_seq", "tenant_id", "seq"),
    info={"tenant": True},
)

# --- documents -----------------------------------------------------------------------------------

documents = _tenant_table(
    "documents",
    Column("filename", String(255), nullable=False),
    Column("format", String(16), nullable=False),
    Column("content_type", String(127), nullable=False),
    Column("document_type", String(32), nullable=False, default="other"),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),  # received|parsing|embedding|ready|failed
    _json("error"),
    _json("warnings", nullable=False),
    Column("pages", Integer),
    Column("chunks", Integer),
    Column("language", String(8)),
    _json("metadata", nullable=False),
    _json("tags", nullable=False),
    _json("fields"),
    Column("password", LargeBinary),  # sealed by the tenant's key; only until it was parsed
    Column("handler", String(80)),  # the step that reads it now; free again when the lease is over
    _ms("handler_lease_ms"),
    Column("parent_id", String(64)),
    Column("duplicate_of", String(64)),
    Column("created_by", String(80), nullable=False),
    _ms("created_ms", nullable=False),
    _ms("updated_ms", nullable=False),
    _points_at("documents", "parent_id"),
    Index("ix_documents_sha256", "tenant_id", "sha256"),
    Index("ix_documents_created", "tenant_id", "created_ms", "id"),
    Index("ix_documents_parent", "tenant_id", "parent_id"),
)

shelf_heads = _tenant_table(
    "shelf_heads",
    Column("version", BigInteger, nullable=False),
    _json("segments", nullable=False),
    _json("tombstones", nullable=False),
    _ms("compact_lease_ms"),
    _ms("updated_ms", nullable=False),
    key=(),
)

vector_cache = _tenant_table(
    "vector_cache",
    Column("key", String(64), nullable=False),  # sha256(model digest + text)
    Column("vector", LargeBinary, nullable=False),  # float32, little endian
    key=("key",),
)

chat_messages = _tenant_table(
    "chat_messages",
    Column("session_id", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    _json("data"),
    _ms("created_ms", nullable=False),
    key=("session_id", "seq"),
)

# --- runs ----------------------------------------------------------------------------------------

definitions = _tenant_table(
    "definitions",
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    _json("body", nullable=False),
    Column("created_by", String(80), nullable=False),
    _ms("created_ms", nullable=False),
    key=("name", "version"),
)

runs = _tenant_table(
    "runs",
    Column("workflow", String(64), nullable=False),
    Column("version", Integer),
    Column("definition_hash", String(64), nullable=False),
    _json("definition", nullable=False),  # its own copy: a run keeps what it started with
    Column("goal", Text),
    Column("status", String(20), nullable=False),
    Column("priority", Integer, nullable=False, default=5),
    _json("inputs", nullable=False),
    _json("documents", nullable=False),
    _json("metadata", nullable=False),
    Column("callback_url", Text),
    _json("outputs"),
    _json("error"),
    Column("parent_run_id", String(64)),
    Column("parent_step_id", String(64)),
    Column("item_index", Integer),
    _json("item"),
    Column("actor", String(80), nullable=False),
    _json("roles", nullable=False),
    _json("scopes", nullable=False),
    Column("request_id", String(80), nullable=False, default=""),
    Column("cancel_requested", Boolean, nullable=False, default=False),
    Column("step_count", Integer, nullable=False, default=0),
    _json("usage", nullable=False),
    _ms("deadline_ms", nullable=False),
    _ms("created_ms", nullable=False),
    _ms("started_ms"),
    _ms("completed_ms"),
    _points_at("runs", "parent_run_id"),
    Index("ix_runs_created", "tenant_id", "created_ms", "id"),
    Index("ix_runs_parent", "tenant_id", "parent_run_id"),
)

steps = _tenant_table(
    "steps",
    Column("run_id", String(64), nullable=False),
    Column("key", String(128), nullable=False),  # the step's id in the definition
    Column("agent", String(32), nullable=False),
    Column("task", String(64), nullable=False),
    # pending | running | waiting | waiting_approval | completed | failed | skipped | cancelled
    # | needs_review
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    _json("input"),
    _json("output"),
    _json("error"),
    _json("waiting_for"),
    _json("progress"),
    Column("open_items", Integer, nullable=False, default=0),  # children or effects not yet ended
    _ms("started_ms"),
    _ms("completed_ms"),
    _ms("created_ms", nullable=False),
    UniqueConstraint("tenant_id", "run_id", "key"),
    _points_at("runs", "run_id"),
)

jobs = _tenant_table(
    "jobs",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64)),
    Column("effect_id", String(64)),
    Column("kind", String(16), nullable=False),  # advance | step | effect
    Column("queue", String(32), nullable=False),  # the agent's name
    Column("status", String(16), nullable=False),  # ready | running | dead
    Column("priority", Integer, nullable=False, default=5),
    _ms("ready_ms", nullable=False),
    _ms("lease_until_ms"),
    Column("lease_owner", String(80)),
    Column("fence", BigInteger, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    _json("error"),
    _ms("created_ms", nullable=False),
    _points_at("runs", "run_id"),
    Index("ix_jobs_ready", "status", "queue", "tenant_id", "ready_ms"),
    Index("ix_jobs_run", "tenant_id", "run_id"),
)

turns = _tenant_table(
    "turns",
    Column("queue", String(32), nullable=False),
    Column("served", Float, nullable=False, default=0.0),  # virtual time: lowest goes next
    key=("queue",),
)

journal = _tenant_table(
    "journal",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    _json("value"),
    _ms("created_ms", nullable=False),
    _points_at("runs", "run_id"),
    key=("run_id", "step_id", "key"),
)

checkpoints = _tenant_table(
    "checkpoints",
    Column("run_id", String(64), nullable=False),
    Column("checkpoint_id", String(64), nullable=False),
    Column("parent_id", String(64)),
    Column("fence", BigInteger, nullable=False),
    _json("checkpoint", nullable=False),
    _json("metadata", nullable=False),
    _json("writes", nullable=False),
    _points_at("runs", "run_id"),
    key=("run_id", "checkpoint_id"),
)

effects = _tenant_table(
    "effects",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("key", String(64), nullable=False),  # HMAC(tenant, run, step, ordinal): same on retries
    Column("connector", String(32), nullable=False),
    Column("effect_class", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("summary", Text, nullable=False),
    _json("request", nullable=False),
    Column("request_hash", String(64), nullable=False),
    _json("sources", nullable=False),
    Column("cost_micro", BigInteger, nullable=False, default=0),
    # waiting_approval | reserved | sent | confirmed | unknown | refused | rejected | cancelled
    Column("status", String(20), nullable=False),
    _json("response"),
    _json("error"),
    Column("attempts", Integer, nullable=False, default=0),
    _ms("created_ms", nullable=False),
    _ms("sent_ms"),
    _ms("completed_ms"),
    UniqueConstraint("tenant_id", "run_id", "step_id", "ordinal"),
    _points_at("runs", "run_id"),
)

approvals = _tenant_table(
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
    _ms("expires_ms", nullable=False),
    _ms("created_ms", nullable=False),
    _ms("decided_ms"),
    _points_at("runs", "run_id"),
    Index("ix_approvals_status", "tenant_id", "status", "created_ms"),
)

# The outbox and the resumable event stream in one: the relay publishes what has no `published_ms`.
events = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("tenant_id", String(64), ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("run_id", String(64)),
    Column("type", String(64), nullable=False),
    _json("data", nullable=False),
    _ms("at_ms", nullable=False),
    _ms("published_ms"),
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
    _json("data"),
    _ms("at_ms", nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "run_id"], ["runs.tenant_id", "runs.id"], ondelete="CASCADE"
    ),
    Index("ix_run_logs_run", "tenant_id", "run_id", "seq"),
    info={"tenant": True},
)

# --- reports -------------------------------------------------------------------------------------

reports = _tenant_table(
    "reports",
    Column("run_id", String(64), nullable=False),
    Column("step_id", String(64), nullable=False),
    Column("template", String(64), nullable=False),
    Column("title", Text, nullable=False),
    _json("files", nullable=False),  # format -> {name, bytes, sha256}
    _json("sources", nullable=False),
    _json("params", nullable=False),
    Column("created_by", String(80), nullable=False),
    _ms("created_ms", nullable=False),
    UniqueConstraint("tenant_id", "run_id", "step_id"),
    _points_at("runs", "run_id"),
    Index("ix_reports_created", "tenant_id", "created_ms", "id"),
)

report_templates = _tenant_table(
    "report_templates",
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    _json("body", nullable=False),
    Column("created_by", String(80), nullable=False),
    _ms("created_ms", nullable=False),
    key=("name", "version"),
)

# --- the platform --------------------------------------------------------------------------------

workers = Table(
    "workers",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("role", String(16), nullable=False),
    _json("queues", nullable=False),
    Column("pid", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("running", Integer, nullable=False, default=0),
    _ms("started_ms", nullable=False),
    _ms("heartbeat_ms", nullable=False),
)

# Tables without a tenant, each with the reason why.
SHARED = {
    "tenants": "the list of tenants itself",
    "workers": "processes serve all tenants",
}
