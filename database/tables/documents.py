"""Documents, search heads, kept vectors."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String

from database.tables.base import json_column, ms, points_at, tenant_table

documents = tenant_table(
    "documents",
    Column("filename", String(255), nullable=False),
    Column("format", String(16), nullable=False),
    Column("content_type", String(127), nullable=False),
    Column("document_type", String(32), nullable=False, default="other"),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),  # received|parsing|embedding|ready|failed
    json_column("error"),
    json_column("warnings", nullable=False),
    Column("pages", Integer),
    Column("chunks", Integer),
    Column("language", String(8)),
    json_column("metadata", nullable=False),
    json_column("tags", nullable=False),
    json_column("fields"),
    Column("password", LargeBinary),  # sealed by the tenant's key; only until it was parsed
    Column("handler", String(80)),  # the step that reads it now; free again when the lease is over
    ms("handler_lease_ms"),
    Column("parent_id", String(64)),
    Column("duplicate_of", String(64)),
    Column("created_by", String(80), nullable=False),
    ms("created_ms", nullable=False),
    ms("updated_ms", nullable=False),
    points_at("documents", "parent_id"),
    Index("ix_documents_sha256", "tenant_id", "sha256"),
    Index("ix_documents_created", "tenant_id", "created_ms", "id"),
    Index("ix_documents_parent", "tenant_id", "parent_id"),
)

shelf_heads = tenant_table(
    "shelf_heads",
    Column("version", BigInteger, nullable=False),
    # Moves too, but not when a merge leaves the content as it was: what an answer was made from.
    Column("content", BigInteger, nullable=False, server_default="0"),
    json_column("segments", nullable=False),
    json_column("tombstones", nullable=False),
    json_column("generations"),  # embedding models that it has vectors of; null: one, not recorded
    ms("compact_lease_ms"),
    ms("updated_ms", nullable=False),
    key=(),
)

vector_cache = tenant_table(
    "vector_cache",
    Column("key", String(64), nullable=False),  # sha256(model digest + text)
    Column("vector", LargeBinary, nullable=False),  # float32, little endian
    key=("key",),
)
