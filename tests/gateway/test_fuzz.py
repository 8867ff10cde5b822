"""Generated requests over every operation: whatever comes in, nothing breaks."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from tests.gateway.people import Town

EXAMPLES = 12
# These would end what the others live on, or last as long as a run does.
SPARED = {"auth_logout", "tenants_delete", "tenants_change"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
_bounded = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip


def _fuzz(operation: Any, headers: dict[str, str]) -> int:
    """How many requests were sent."""
    sent = 0

    @_bounded
    @given(case=operation.as_strategy())
    def once(case: Any) -> None:
        nonlocal sent
        sent += 1
        answer = case.call(headers=headers)
        if answer.status_code == 503:  # no model is installed here, and it says so
            assert answer.headers["retry-after"]
            return
        case.validate_response(answer, checks=CHECKS, headers=headers)

    once()
    return sent


def test_no_generated_request_breaks_any_operation(town: Town) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", town.app)
    tried: dict[str, int] = {}
    broken: dict[str, str] = {}
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        name = operation.definition.raw["operationId"]
        if name not in SPARED:
            platform = name.startswith("tenants")
            headers = (
                town.as_role("platform", "platform_admin") if platform else (town.as_role("acme"))
            )
            try:
                tried[name] = _fuzz(operation, headers)
            except (AssertionError, FailureGroup) as error:
                broken[name] = str(error)
    assert broken == {}
    assert len(tried) >= 55
    assert sum(tried.values()) >= 3 * len(tried)
