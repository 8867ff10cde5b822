"""Every error as `application/problem+json` (RFC 9457), with a stable `code` and the request id."""

from __future__ import annotations

import http
import json
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from core.errors import QuotaExceeded, Unauthenticated, WeftError
from gateway import openai
from gateway.exchange import exchange_of

_CODES = {
    400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 408: "too_slow", 413: "too_large", 415: "unsupported_content_type",
    422: "invalid_input", 431: "headers_too_large", 500: "internal_error", 503: "unavailable",
}  # fmt: skip
_QUOTA_SECONDS = 3600  # no time refills it: somebody deletes something or pays for more
_RESERVED = frozenset({"type", "title", "status", "detail", "code", "request_id"})


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    *,
    title: str | None = None,
    headers: dict[str, str] | None = None,
    path: str = "",
    **extra: Any,
) -> Response:
    """`extra` becomes members of the problem; the standard ones cannot be overwritten. Under `/v1`
    OpenAI's clients find their own object too."""
    if path.startswith("/v1/"):
        extra["error"] = openai.error(status, code, detail, extra.get("param"))
    body = {
        "type": f"urn:weft:problem:{code}",
        "title": title or http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **{key: value for key, value in extra.items() if key not in _RESERVED},
    }
    # ASCII escapes: a lone surrogate in what we quote must not break the answer.
    data = json.dumps(body, default=str).encode()
    return Response(data, status, headers, "application/problem+json")


def of_error(error: WeftError, request_id: str, path: str = "") -> Response:
    """401, 429 and 503 tell the client what to do next in their headers as well."""
    headers: dict[str, str] = dict(error.extra.get("headers", {}))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in (409, 429, 503):
        wait = error.extra.get("retry_after")
        if wait is not None or error.status != 409:
            usual = _QUOTA_SECONDS if isinstance(error, QuotaExceeded) else 1
            headers["Retry-After"] = str(max(1, round(float(wait or usual))))
    extra = {key: value for key, value in error.extra.items() if key != "headers"}
    return problem(
        error.status, error.slug, error.detail, request_id, title=error.title, headers=headers,
        path=path, **extra,
    )  # fmt: skip


async def _on_weft_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WeftError)
    return of_error(error, exchange_of(request.scope).request_id, request.url.path)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "error")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request)
    return problem(
        error.status_code, code, str(error.detail), exchange_of(request.scope).request_id,
        headers=headers, path=request.url.path, **getattr(error, "extra", {}),
    )  # fmt: skip


def _allowed(request: Request) -> str:
    """Of every route with this path: the router itself names those of the first one only."""
    methods: set[str] = set()
    for room in request.app.state.rooms:
        for route in room.routes:
            if route.matches(request.scope)[0] is not Match.NONE:
                methods |= route.methods or set()
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"loc": [str(part) for part in item["loc"]], "msg": item["msg"], "type": item["type"]}
        for item in error.errors()[:50]
    ]
    first = errors[0] if errors else {"loc": ["body"], "msg": "invalid", "type": ""}
    where = _named(first, error.body)
    detail = f"{'.'.join(where)}: {first['msg']}"
    return problem(
        422,
        "invalid_input",
        detail,
        exchange_of(request.scope).request_id,
        errors=errors,
        path=request.url.path,
        **_param(request, where),
    )


def _named(fault: dict[str, Any], body: Any) -> list[str]:
    """The field that is at fault, without the names that pydantic gives a union's branches."""
    head, *path = fault["loc"]
    if head != "body":
        return [head, *path]
    named, value = [head], body
    for part in path:
        if isinstance(value, dict) and part in value:
            named, value = [*named, part], value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            named, value = [*named, part], value[int(part)]
        elif part == path[-1] and fault["type"] == "missing":
            named.append(part)
    return named


def _param(request: Request, where: Sequence[str]) -> dict[str, Any]:
    return {"param": ".".join(where[1:])} if request.url.path.startswith("/v1/") else {}


def install(app: FastAPI) -> None:
    app.add_exception_handler(WeftError, _on_weft_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
