"""Tenants, people, keys, stored answers, the audit trail."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from database.tables.base import Serial, json_column, metadata, ms, points_at, tenant_table

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("tier", String(32), nullable=False),
    json_column("config", nullable=False),
    Column("status", String(16), nullable=False),  # active | suspended | deleted
    Column("wrapped_key", LargeBinary),  # the tenant's key under the root key; gone = shredded
    ms("created_ms", nullable=False),
)

users = tenant_table(
    "users",
    Column("email", String(255), nullable=False),
    Column("name", String(255), nullable=False, default=""),
    Column("password_hash", String(255), nullable=False),
    Column("role", String(32), nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("epoch", Integer, nullable=False, default=0),  # raised to revoke what was issued before
    Column("failed_logins", Integer, nullable=False, default=0),
    ms("locked_until_ms"),
    ms("created_ms", nullable=False),
    UniqueConstraint("tenant_id", "email"),
    Index("ix_users_email", "email"),
)

refresh_tokens = tenant_table(
    "refresh_tokens",
    Column("user_id", String(64), nullable=False),
    Column("family", String(64), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    ms("expires_ms", nullable=False),
    ms("used_ms"),
    ms("revoked_ms"),
    ms("created_ms", nullable=False),
    points_at("users", "user_id"),
    Index("ix_refresh_tokens_family", "tenant_id", "family"),
)

api_keys = tenant_table(
    "api_keys",
    Column("name", String(255), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    json_column("scopes", nullable=False),
    Column("created_by", String(80), nullable=False),
    ms("expires_ms"),
    ms("revoked_ms"),
    ms("last_used_ms"),
    ms("created_ms", nullable=False),
)

idempotency = tenant_table(
    "idempotency",
    Column("key", String(255), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("route", String(255), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("status", Integer),  # null while the first request is still running
    json_column("response"),
    ms("created_ms", nullable=False),
    key=("actor", "key"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("tenant_id", String(64), nullable=False),
    ms("at_ms", nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(160), nullable=False),
    Column("request_id", String(80), nullable=False, default=""),
    json_column("data"),
    Index("ix_audit_tenant_id_seq", "tenant_id", "seq"),
    info={"tenant": True},
)
