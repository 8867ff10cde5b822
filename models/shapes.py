"""Whether a value has the shape of a JSON Schema: the keywords that our own schemas use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def parse(text: str, schema: Mapping[str, Any]) -> Any:
    """The value in `text`. Raises `ValueError` with the place that does not fit."""
    value = json.loads(text, parse_constant=_refuse)
    if fault := mismatch(value, schema):
        raise ValueError(fault)
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def mismatch(value: Any, schema: Mapping[str, Any], where: str = "$") -> str | None:
    """What does not fit, or None. Knows type, enum, properties, required, items,
    additionalProperties and maxItems."""
    if not _is_of_type(value, schema.get("type")):
        return f"{where} is not of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is not one of {schema['enum']}"
    if isinstance(value, dict):
        return _object_mismatch(value, schema, where)
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            return f"{where} has more than {schema['maxItems']} items"
        faults = (
            mismatch(v, schema.get("items", {}), f"{where}[{i}]") for i, v in enumerate(value)
        )
        return next(filter(None, faults), None)
    return None


def _object_mismatch(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where}.{name} is missing"
    if schema.get("additionalProperties") is False and (extra := set(value) - set(properties)):
        return f"{where} has unknown names {sorted(extra)}"
    known = (name for name in properties if name in value)
    faults = (mismatch(value[name], properties[name], f"{where}.{name}") for name in known)
    return next(filter(None, faults), None)


def _is_of_type(value: Any, kind: str | list[str] | None) -> bool:
    if kind is None:
        return True
    if isinstance(kind, list):
        return any(_is_of_type(value, one) for one in kind)
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _KINDS[kind])
