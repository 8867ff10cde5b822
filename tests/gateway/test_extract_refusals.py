"""What `POST /documents/{id}/extract` answers to requests that nothing can be extracted by."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.people import Town

_UNKNOWN = "0192f0a0-0000-7000-8000-000000000000"


def _of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _deep(levels: int) -> str:
    return '{"type":"object","properties":{"a":' * levels + "{}" + "}}" * levels


_BAD: tuple[tuple[str, str, int], ...] = (
    ("neither", "{}", 422),
    ("both", json.dumps({"fields": ["total"], "schema": _of(a={})}), 422),
    ("no names", json.dumps({"fields": []}), 422),
    ("too many names", json.dumps({"fields": [f"f{n}" for n in range(101)]}), 422),
    ("no schema", json.dumps({"schema": []}), 422),
    ("empty schema", json.dumps({"schema": {}}), 422),
    ("unknown type", json.dumps({"schema": _of(a={"type": "money"})}), 422),
    ("keyword of a wrong type", json.dumps({"schema": _of(a={"enum": 5})}), 422),
    ("reference to itself", json.dumps({"schema": {
        "$defs": {"A": {"$ref": "#/$defs/A"}}, **_of(a={"$ref": "#/$defs/A"})}}), 422),
    ("reference elsewhere", json.dumps({"schema": _of(a={"$ref": "https://x.example/"})}), 422),
    ("larger than 64 KiB", json.dumps({"schema": _of(a={"description": "x" * 70_000})}), 422),
    ("nested too deep", f'{{"schema":{_deep(200)}}}', 422),
    ("nested past reason", f'{{"schema":{_deep(1_500)}}}', 400),
    ("cut off", '{"fields": ["tot', 422),
    ("missing document", json.dumps({"fields": ["total"]}), 404),
    ("missing document, by schema", json.dumps({"schema": _of(total={"type": "number"})}), 404),
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"), [(b, s) for _, b, s in _BAD], ids=[n for n, *_ in _BAD]
)
def test_the_problem_says_what_is_wrong(town: Town, body: str, status: int) -> None:
    headers = {**town.as_role("acme", "operator"), "Content-Type": "application/json"}
    answer = town.http.post(f"/documents/{_UNKNOWN}/extract", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["code"]
    assert problem["detail"]
    assert problem["request_id"]
