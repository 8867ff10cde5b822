"""The HTTP contract does not change by accident.

After a wanted change: `python -m tests.house.test_openapi` writes the new snapshot.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from gateway.app import create_app
from tests.gateway.platform import opened

SNAPSHOT = Path(__file__).with_name("openapi.json")

# What shared clients rely on (docs: README); names are never changed or dropped.
FIXED = (
    "POST /auth/login", "POST /auth/refresh", "POST /auth/logout", "GET /auth/verify",
    "POST /auth/api-keys", "GET /auth/api-keys/{}", "DELETE /auth/api-keys/{}",
    "POST /tenants", "GET /tenants", "GET /tenants/{}", "PATCH /tenants/{}", "DELETE /tenants/{}",
    "POST /users", "GET /users", "PATCH /users/{}", "DELETE /users/{}",
    "POST /documents", "GET /documents", "GET /documents/{}", "DELETE /documents/{}",
    "GET /documents/{}/content", "GET /documents/{}/text", "GET /documents/{}/tables",
    "GET /documents/{}/fields", "POST /documents/{}/extract",
    "POST /search", "POST /ask", "POST /v1/chat", "POST /v1/chat/completions",
    "POST /v1/embeddings", "GET /v1/models",
    "POST /workflows/execute", "GET /workflows", "GET /workflows/{}/status",
    "GET /workflows/{}/logs", "GET /workflows/{}/events", "POST /workflows/{}/cancel",
    "POST /workflows/{}/retry", "GET /workflows/{}/why",
    "GET /workflow-definitions", "GET /workflow-definitions/{}", "PUT /workflow-definitions/{}",
    "POST /workflow-definitions/validate", "GET /approvals", "POST /approvals/{}",
    "GET /agents/status", "POST /agents/{}/trigger",
    "POST /reports", "GET /reports", "GET /reports/{}", "GET /reports/{}/download",
    "GET /report-templates/{}", "PUT /report-templates/{}",
    "GET /healthz", "GET /health", "GET /readyz", "GET /metrics",
)  # fmt: skip


def document() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as rt:
        made = create_app(rt).openapi()
    plain: dict[str, Any] = json.loads(json.dumps(made))
    return plain


def test_the_contract_is_the_one_in_the_snapshot() -> None:
    kept = json.loads(SNAPSHOT.read_text())
    assert document() == kept, "wanted? then: python -m tests.house.test_openapi"


def test_every_fixed_route_is_there() -> None:
    found = set()
    for path, item in document()["paths"].items():
        shape = "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
        found |= {f"{method.upper()} {shape}" for method in item}
    assert set(FIXED) <= found


def test_every_operation_that_creates_something_takes_an_idempotency_key() -> None:
    creating = {"201", "202"}
    for path, item in document()["paths"].items():
        post = item.get("post")
        if post is None or not creating & post["responses"].keys():
            continue
        names = {parameter["name"].lower() for parameter in post.get("parameters", ())}
        # A signed call carries the id that makes it one (`webhooks`).
        done_twice_is_done_once = path.endswith(("/cancel", "/retry", "/{trigger_id}"))
        assert "idempotency-key" in names or done_twice_is_done_once, path


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(document(), indent=1, sort_keys=True) + "\n")
