"""Every role by every operation, against a table that is changed by hand only."""

from __future__ import annotations

import pytest

from core.context import ALL_SCOPES, ROLE_SCOPES
from gateway.guard import is_open
from tests.gateway.operations import operations
from tests.gateway.people import Town

ANYBODY: tuple[str, ...] = ()

# operation → the scopes of which one is needed
TABLE: dict[str, tuple[str, ...]] = {
    "auth_login": ANYBODY,
    "auth_refresh": ANYBODY,
    "auth_logout": ANYBODY,
    "auth_verify": ANYBODY,
    "auth_create_key": ("keys:write",),
    "auth_list_keys": ("keys:write",),
    "auth_show_key": ("keys:write",),
    "auth_revoke_key": ("keys:write",),
    "tenants_create": ("tenants:write",),
    "tenants_listing": ("tenants:read",),
    "tenants_show": ("tenants:read", "tenant:read"),
    "tenants_change": ("tenants:write", "tenant:write"),
    "tenants_delete": ("tenants:write",),
    "privacy_show": ("tenant:read",),
    "privacy_choose": ("tenant:write",),
    "usage_usage": ("tenant:read",),
    "integrations_kinds": ("integrations:read",),
    "integrations_create": ("integrations:write",),
    "integrations_listing": ("integrations:read",),
    "integrations_show": ("integrations:read",),
    "integrations_change": ("integrations:write",),
    "integrations_remove": ("integrations:write",),
    "integrations_test": ("integrations:write",),
    "integrations_pull": ("integrations:write",),
    "integrations_openapi": ("integrations:write",),
    "integrations_list_operations": ("integrations:read",),
    "integrations_call": ("workflows:execute",),
    "integrations_items": ("integrations:read",),
    "integrations_retry": ("integrations:write",),
    "web_scrape": ("integrations:write",),
    "triggers_create": ("integrations:write",),
    "triggers_listing": ("integrations:read",),
    "triggers_show": ("integrations:read",),
    "triggers_change": ("integrations:write",),
    "triggers_remove": ("integrations:write",),
    "triggers_fire": ANYBODY,  # its signature is its credential: told in test_triggers
    "users_create": ("users:write", "tenants:write"),
    "users_listing": ("users:read", "tenants:read"),
    "users_show": ("users:read", "tenants:read"),
    "users_change": ("users:write", "tenants:write"),
    "users_delete": ("users:write", "tenants:write"),
    "documents_upload": ("documents:write",),
    "documents_listing": ("documents:read",),
    "documents_show": ("documents:read",),
    "documents_delete": ("documents:write",),
    "documents_content": ("documents:read",),
    "documents_text": ("documents:read",),
    "documents_tables": ("documents:read",),
    "documents_fields": ("documents:read",),
    "documents_extract": ("documents:read",),
    "search_find": ("search:read",),
    "answers_answer": ("answers:read",),
    "sessions_listing": ("answers:read",),
    "sessions_show": ("answers:read",),
    "sessions_delete": ("answers:read",),
    "memory_everything": ("answers:read",),
    "memory_erase": ("answers:read",),
    "memory_preferences": ("answers:read",),
    "memory_prefer": ("answers:read",),
    "memory_forget_preferences": ("answers:read",),
    "memory_facts": ("answers:read",),
    "memory_save_facts": ("answers:read",),
    "memory_forget_facts": ("answers:read",),
    "memory_forget_fact": ("answers:read",),
    "memory_summary": ("answers:read",),
    "memory_edit_summary": ("answers:read",),
    "memory_forget_summary": ("answers:read",),
    "models_listing": ("models:use", "search:read"),
    "models_show": ("models:use", "search:read"),
    "models_chat": ("models:use",),
    "models_completions": ("models:use",),
    "models_embeddings": ("models:use",),
    "routing_route": ("models:use",),
    "workflows_execute": ("workflows:execute",),
    "replay_run": ("models:use",),
    "workflows_listing": ("workflows:read",),
    "workflows_status": ("workflows:read",),
    "workflows_logs": ("workflows:read",),
    "workflows_events": ("workflows:read",),
    "workflows_cancel": ("workflows:execute",),
    "workflows_retry": ("workflows:execute",),
    "workflows_why": ("workflows:read",),
    "definitions_listing": ("definitions:read",),
    "definitions_validate": ("definitions:read",),
    "definitions_show": ("definitions:read",),
    "definitions_save": ("definitions:write",),
    "approvals_listing": ("approvals:read",),
    "approvals_show": ("approvals:read",),
    "approvals_decide": ("approvals:decide",),
    "agents_show": ("agents:read",),
    "agents_trigger": ("agents:trigger",),
    "reports_create": ("reports:write",),
    "reports_listing": ("reports:read",),
    "reports_show": ("reports:read",),
    "reports_download": ("reports:read",),
    "templates_listing": ("templates:read",),
    "templates_show": ("templates:read",),
    "templates_save": ("templates:write",),
    "health_healthz": ANYBODY,
    "health_health": ANYBODY,
    "health_readyz": ANYBODY,
    "health_metrics": ANYBODY,  # an operator's key or this machine: told in test_edge
}
PEOPLE = {
    "viewer": "acme", "operator": "acme", "admin": "acme", "platform_admin": "platform",
}  # fmt: skip


def test_every_operation_stands_in_the_table_with_its_scopes(town: Town) -> None:
    assert {one.id: one.scopes for one in operations(town.app)} == TABLE


def test_every_scope_in_the_table_is_one_that_somebody_may_hold() -> None:
    assert {scope for scopes in TABLE.values() for scope in scopes} <= ALL_SCOPES


def test_without_a_credential_only_the_open_routes_answer(town: Town) -> None:
    for one in operations(town.app):
        answer = one.send(town, {})
        assert (answer.status_code == 401) == (
            not is_open(one.method, one.path)
        ) or one.id == "triggers_fire", one.id
        assert one.open == is_open(one.method, one.path)


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_does_what_the_table_says(town: Town, role: str) -> None:
    headers = town.as_role(PEOPLE[role], role)
    allowed: set[str] = set()
    refused: set[str] = set()
    for one in operations(town.app):
        if one.id in ("auth_logout", "health_metrics"):
            continue
        status = one.send(town, headers).status_code
        assert status != 401 or one.id == "triggers_fire", one.id
        assert status < 500, one.id
        (refused if status == 403 else allowed).add(one.id)
    held = ROLE_SCOPES[role]
    expected = {name for name, scopes in TABLE.items() if not scopes or held & set(scopes)}
    assert allowed == expected - {"auth_logout", "health_metrics"}
    assert refused == set(TABLE) - expected


@pytest.mark.parametrize("scope", sorted(ROLE_SCOPES["admin"]))
def test_a_key_with_one_scope_does_only_that(town: Town, scope: str) -> None:
    headers = town.key("acme", scope)
    for one in operations(town.app):
        if one.id in ("auth_logout", "health_metrics"):
            continue
        refused = one.send(town, headers).status_code == 403
        assert refused == (bool(one.scopes) and scope not in one.scopes), one.id


def test_the_platforms_admin_sees_no_tenants_content() -> None:
    content = {"documents", "search", "answers", "workflows", "reports", "approvals", "definitions"}
    assert not [s for s in ROLE_SCOPES["platform_admin"] if s.partition(":")[0] in content]
