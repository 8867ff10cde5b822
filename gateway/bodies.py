"""A body that may be YAML or JSON, as text: the room that owns the format reads and judges it."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request

from core.errors import InvalidInput
from core.plain import check_plain, check_text

_BYTES_MAX = 512 * 2**10


async def _source(request: Request) -> str:
    data = await request.body()
    if not data or len(data) > _BYTES_MAX:
        raise InvalidInput(f"Send 1 to {_BYTES_MAX} bytes.", code="bad_body")
    try:
        text = check_text(data.decode())
        if request.headers.get("content-type", "").startswith("application/json"):
            check_plain(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The body cannot be read: {error}"[:200], code="bad_body") from error
    return text


Source: TypeAlias = Annotated[str, Depends(_source)]


def yaml_or_json(what: str) -> dict[str, Any]:
    """The request body for OpenAPI."""
    return {
        "requestBody": {
            "required": True,
            "description": what,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/yaml": {"schema": {"type": "string"}},
            },
        }
    }
