"""Every operation of the OpenAPI document, and a request for each that is as empty as can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI

from tests.gateway.people import Town

NOBODY = "01900000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Operation:
    """`schema` is the JSON body's, resolved one level; None without one."""

    id: str
    method: str
    path: str
    scopes: tuple[str, ...]
    open: bool
    parameters: tuple[Mapping[str, Any], ...]
    media: tuple[str, ...]
    schema: Mapping[str, Any] | None

    def send(
        self, town: Town, headers: Mapping[str, str], ids: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:  # fmt: skip
        """With `ids` for the path's parameters; unnamed ones are ids of nothing."""
        path = re.sub(r"\{(\w+)\}", lambda m: (ids or {}).get(m[1], default_of(m[1])), self.path)
        if self.media and not more.keys() & {"json", "content", "files"}:
            more = {**more, **self.nothing()}
        return town.http.request(self.method, path, headers=dict(headers), **more)

    def nothing(self) -> dict[str, Any]:
        """A body of the right kind that says nothing."""
        if self.media == ("multipart/form-data",):
            return {"files": {"nothing": ("", b"")}}
        return {"json": {}}


def default_of(parameter: str) -> str:
    return {"agent_type": "supervisor", "name": "no-such-name"}.get(parameter, NOBODY)


def operations(app: FastAPI) -> Iterator[Operation]:
    document = app.openapi()
    for path, item in document["paths"].items():
        for method, found in item.items():
            content = found.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            yield Operation(
                found["operationId"], method.upper(), path, tuple(found.get("x-scopes", ())),
                "security" not in found, tuple(found.get("parameters", ())), tuple(content),
                resolved(document, schema),
            )  # fmt: skip


def resolved(document: Mapping[str, Any], schema: Any) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def named_fields(document: Mapping[str, Any], schema: Any, depth: int = 0) -> Iterator[str]:
    """The names of all properties of a schema, at any depth."""
    schema = resolved(document, schema)
    if not isinstance(schema, dict) or depth > 8:
        return
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from named_fields(document, inner, depth + 1)
    for key in ("items", "additionalProperties"):
        yield from named_fields(document, schema.get(key), depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(key, ()):
            yield from named_fields(document, inner, depth + 1)
