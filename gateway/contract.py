"""The OpenAPI document that clients are generated from, with credentials, problems and scopes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gateway.guard import is_open
from gateway.house import Permit

VERSION = "0.1.0"
SUMMARY = "AI agents that read a tenant's documents, answer with proof, report and act."

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is a stable slug.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "limit": {},
        "supported_formats": {"type": "array", "items": {"type": "string"}},
    },
}
_CREDENTIALS = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_ANSWER = {
    "description": "Problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_REFUSED = {"$ref": "#/components/responses/Problem"}
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})


def operation_id(route: APIRoute) -> str:
    """`auth_create_key`: the file and the function."""
    return f"{route.endpoint.__module__.rpartition('.')[2]}_{route.name}"


class Contract:
    """`app.openapi`: made once, on the first question."""

    def __init__(self, app: FastAPI, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._routers = tuple(routers)
        self._made: dict[str, Any] | None = None

    def __call__(self) -> dict[str, Any]:
        if self._made is None:
            self._made = _document(self._app, self._routers)
        return self._made


def _document(app: FastAPI, routers: Iterable[APIRouter]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = _CREDENTIALS
    parts["responses"] = {"Problem": _ANSWER}
    parts.setdefault("schemas", {})["Problem"] = _PROBLEM
    for gone in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(gone, None)
    scopes = {
        (route.path_format, method.lower()): scopes_of_route(route)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    for path, item in document["paths"].items():
        for method in _METHODS & item.keys():
            _complete(path, method, item[method], scopes.get((path, method), ()))
    return document


def _complete(path: str, method: str, operation: dict[str, Any], scopes: tuple[str, ...]) -> None:
    operation["responses"].pop("422", None)
    operation["responses"] |= {"4XX": _REFUSED, "5XX": _REFUSED}
    if not is_open(method.upper(), path):
        operation["security"] = [{"bearer": []}, {"api_key": []}]
    if scopes:
        operation["x-scopes"] = list(scopes)


def scopes_of_route(route: APIRoute) -> tuple[str, ...]:
    """The scopes of which a caller needs one; empty: any signed-in caller, or an open route."""
    permits = [item.call for item in route.dependant.dependencies if isinstance(item.call, Permit)]
    return permits[0].scopes if permits else ()
