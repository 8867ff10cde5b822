"""What an operation takes: its schemas cut down to what can be checked and shown, its body's kind.

References are filled in, so an operation is whole by itself. What leads too deep, back to itself or
over the budget becomes `{}`: anything, and the API itself checks it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from core.plain import INTEGER_MAX

_DEPTH_MAX = 8
_OF_OPERATION, _OF_DOCUMENT = 400, 20_000  # schemas
_ENUM_MAX, _TEXT_MAX = 100, 200
_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")
_BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_CHOICES = ("anyOf", "oneOf", "allOf")
JSON, FORM = "application/json", "application/x-www-form-urlencoded"

Resolve = Callable[[Any], Mapping[str, Any]]
Schema = dict[str, Any]


class Shapes:
    """Of one document; `resolve` follows a reference."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._left = _OF_DOCUMENT
        self._own = 0

    def begin(self) -> None:
        """Another operation."""
        self._own = _OF_OPERATION

    def of(self, schema: Any, depth: int = 0) -> Schema:
        self._own -= 1
        self._left -= 1
        if min(self._own, self._left) < 0 or depth > _DEPTH_MAX:
            return {}
        told = self._resolve(schema)
        made: Schema = {
            name: told[name] for name in _BOUNDS if name in told and _is_bound(told[name])
        }
        if kinds := _kinds(told):
            made["type"] = kinds[0] if len(kinds) == 1 else kinds
        if (values := _values(told)) is not None:
            made["enum"] = values
        for name in _CHOICES:
            if isinstance(told.get(name), list) and told[name]:
                made[name] = [self.of(one, depth + 1) for one in told[name][:20]]
        return made | self._parts(told, depth)

    def _parts(self, told: Mapping[str, Any], depth: int) -> Schema:
        made: Schema = {}
        properties = told.get("properties")
        if isinstance(properties, Mapping):
            named = {name: one for name, one in properties.items() if _is_text(name)}
            made["properties"] = {name: self.of(one, depth + 1) for name, one in named.items()}
            # What the API alone writes is not asked for (OpenAPI 3.0 §4.7.24).
            ours = {
                name for name, one in named.items() if self._resolve(one).get("readOnly") is True
            }
        else:
            ours = set()
        if isinstance(told.get("required"), list):
            made["required"] = [n for n in told["required"] if _is_text(n) and n not in ours]
        others = told.get("additionalProperties")
        if isinstance(others, bool):
            made["additionalProperties"] = others
        elif isinstance(others, Mapping):
            made["additionalProperties"] = self.of(others, depth + 1)
        if isinstance(told.get("items"), Mapping):
            made["items"] = self.of(told["items"], depth + 1)
        return made

    def body(self, told: Any) -> dict[str, Any] | None:
        """Of an operation of OpenAPI 3: `{content_type, required, accepts}`."""
        about = self._resolve(told) if isinstance(told, Mapping) else {}
        content = about.get("content")
        if not isinstance(content, Mapping) or not content:
            return None
        kinds = {str(name).partition(";")[0].strip().lower(): one for name, one in content.items()}
        json_like = (name for name in kinds if name.endswith("+json") or name == "*/*")
        kind = next((n for n in (JSON, *json_like, FORM) if n in kinds), next(iter(kinds)))
        media = kinds[kind]
        schema = media.get("schema") if isinstance(media, Mapping) else None
        return {
            "content_type": (JSON if kind == "*/*" else kind)[:100],
            "required": about.get("required") is True,
            "accepts": self.of(schema) if isinstance(schema, Mapping) else {},
        }

    def swagger_body(self, told: Any, consumes: Any) -> dict[str, Any] | None:
        """Of an operation of Swagger 2.0: the parameter in `body`, or those in `formData`."""
        listed = [self._resolve(one) for one in told] if isinstance(told, list) else []
        for one in listed:
            if one.get("in") == "body":
                return {"content_type": JSON, "required": one.get("required") is True,
                        "accepts": self.of(one.get("schema", {}))}  # fmt: skip
        fields = [
            one for one in listed if one.get("in") == "formData" and _is_text(one.get("name"))
        ]
        if not fields:
            return None
        needed = [one["name"] for one in fields if one.get("required") is True]
        files = any(one.get("type") == "file" for one in fields)
        plain = FORM in (consumes if isinstance(consumes, list) else [FORM]) and not files
        return {
            "content_type": FORM if plain else "multipart/form-data", "required": bool(needed),
            "accepts": {"type": "object", "required": needed,
                        "properties": {one["name"]: self.of(one) for one in fields}},
        }  # fmt: skip


def _kinds(told: Mapping[str, Any]) -> list[str]:
    given = told.get("type")
    kinds = [one for one in (given if isinstance(given, list) else [given]) if one in _KINDS]
    if kinds and told.get("nullable") is True and "null" not in kinds:
        kinds.append("null")
    return kinds


def _values(told: Mapping[str, Any]) -> list[Any] | None:
    given = [told["const"]] if "const" in told else told.get("enum")
    if not isinstance(given, list) or not 0 < len(given) <= _ENUM_MAX:
        return None
    if not all(one is None or isinstance(one, bool) or _is_text(one) or _is_bound(one)
               for one in given):  # fmt: skip
        return None
    return [*given, None] if told.get("nullable") is True and None not in given else given


def _is_bound(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) <= INTEGER_MAX


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= _TEXT_MAX
