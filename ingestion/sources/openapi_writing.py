"""What a writing operation would send, whole but for the sign-in: what an approver reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from core.errors import InvalidInput
from ingestion.openapi_shapes import FORM, JSON
from ingestion.sources.openapi import (
    OURS,
    OpenapiConfig,
    OperationConfig,
    ParameterConfig,
    filled,
)

WRITING = ("POST", "PUT", "PATCH", "DELETE")
_KEY = "idempotency-key"


def request_of(
    config: OpenapiConfig, one: OperationConfig, parameters: Mapping[str, Any], body: Any
) -> dict[str, Any]:
    """`{method, url, headers, content_type, body, idempotency_header}`. Raises `InvalidInput`."""
    if one.method not in WRITING:
        raise InvalidInput(f"{one.method} is not called.", code="not_writing", field="operation_id")
    header = _idempotency_header(config, one)
    theirs = [each for each in one.parameters if not _is_ours(config, each, header)]
    for each in one.parameters:
        if each not in theirs and each.name in parameters:
            raise InvalidInput(
                f"{each.name!r} is Weft's to fill in.",
                code="unknown_parameter", field=f"parameters.{each.name}",
            )  # fmt: skip
    path, query, headers = filled(one.model_copy(update={"parameters": theirs}), parameters)
    if "{" in path:
        raise InvalidInput(
            f"The document does not say what stands in {path!r}.",
            code="bad_operation", field="operation_id",
        )  # fmt: skip
    url = f"{config.base_url.rstrip('/')}/{path.lstrip('/')}"
    if query:
        url += "?" + urlencode(query, doseq=True)
    kind = _content_type(one, body)
    return {
        "method": one.method, "url": url, "headers": headers, "content_type": kind, "body": body,
        "idempotency_header": header,
    }  # fmt: skip


def _idempotency_header(config: OpenapiConfig, one: OperationConfig) -> str:
    """By what the API knows a request that comes again; empty: by nothing."""
    told = [each.name for each in one.parameters
            if each.place == "header" and each.name.lower() == _KEY]  # fmt: skip
    return told[0] if told else config.idempotency_header


def _is_ours(config: OpenapiConfig, each: ParameterConfig, header: str) -> bool:
    name = each.name.lower()
    if each.place == "header":
        signs_in = config.auth.style == "header" and name == config.auth.name.lower()
        return name in OURS or signs_in or (bool(header) and name == header.lower())
    return each.place == config.auth.style == "query" and each.name == config.auth.name


def _content_type(one: OperationConfig, body: Any) -> str:
    """Empty without a body."""
    wanted = one.body
    if body is None:
        if wanted is not None and wanted.required:
            raise InvalidInput(
                f"{one.operation_id} needs a body.", code="missing_parameter", field="body"
            )
        return ""
    if wanted is None:
        raise InvalidInput(
            f"{one.operation_id} takes no body.", code="unknown_parameter", field="body"
        )
    kind = wanted.content_type
    if kind == FORM:
        _check_form(body)
    elif kind != JSON and not kind.endswith("+json"):
        raise InvalidInput(
            f"{one.operation_id} takes {kind}; Weft sends JSON and forms.",
            code="unsupported_body", field="operation_id",
        )  # fmt: skip
    return kind


def _check_form(body: Any) -> None:
    flat = isinstance(body, dict) and all(
        isinstance(part, str | int | float)
        for value in body.values() for part in (value if isinstance(value, list) else [value])
    )  # fmt: skip
    if not flat:
        raise InvalidInput(
            "A form is a mapping of texts, numbers, true, false, and lists of them.",
            code="bad_parameter", field="body",
        )  # fmt: skip
