"""Every table. A tenant's rows have the key `(tenant_id, id)` and point at each other by composite
keys, so that a reference across tenants cannot be stored even by a bug. Times are ms, UTC."""

from __future__ import annotations

from database.tables.base import metadata
from database.tables.budgets import model_reservations, model_usage
from database.tables.documents import documents, shelf_heads, vector_cache
from database.tables.effects import approvals, effects, events, run_logs
from database.tables.identity import api_keys, audit, idempotency, refresh_tokens, tenants, users
from database.tables.integrations import integration_items, integrations, triggers
from database.tables.memory import (
    chat_messages,
    chat_sessions,
    kept_answers,
    kept_replies,
    memories,
    searches,
)
from database.tables.platform import workers
from database.tables.reports import report_templates, reports
from database.tables.runs import checkpoints, definitions, jobs, journal, runs, steps, turns

# Tables without a tenant, each with the reason why.
SHARED = {
    "tenants": "the list of tenants itself",
    "workers": "processes serve all tenants",
}

__all__ = [
    "SHARED",
    "api_keys",
    "approvals",
    "audit",
    "chat_messages",
    "chat_sessions",
    "checkpoints",
    "definitions",
    "documents",
    "effects",
    "events",
    "idempotency",
    "integration_items",
    "integrations",
    "jobs",
    "journal",
    "kept_answers",
    "kept_replies",
    "memories",
    "metadata",
    "model_reservations",
    "model_usage",
    "refresh_tokens",
    "report_templates",
    "reports",
    "run_logs",
    "runs",
    "searches",
    "shelf_heads",
    "steps",
    "tenants",
    "triggers",
    "turns",
    "users",
    "vector_cache",
    "workers",
]  # fmt: skip
