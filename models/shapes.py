"""Whether a value has the shape of a JSON Schema, and whether that can be checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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


def check(schema: Mapping[str, Any]) -> None:
    """Raises `ValueError` for a schema that could not be checked: an unknown type, a reference to
    elsewhere, or one that leads back to itself."""
    _check(schema, schema, ())


def _check(schema: Any, root: Mapping[str, Any], seen: tuple[str, ...]) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        raise ValueError("a schema is an object")
    if isinstance(ref := schema.get("$ref"), str):
        if ref in seen:
            raise ValueError(f"{ref} leads back to itself")
        _check(_referred(ref, root), root, (*seen, ref))
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in _KINDS:
            raise ValueError(f"there is no type {kind!r}")
    for inner in _inner(schema):
        _check(inner, root, seen)


def _inner(schema: Mapping[str, Any]) -> Iterator[Any]:
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise ValueError("`properties` is an object")
    if not isinstance(schema.get("required", []), list):
        raise ValueError("`required` is a list")
    yield from properties.values()
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield schema[name]
    for name in ("anyOf", "oneOf", "allOf"):
        listed = schema.get(name, [])
        if not isinstance(listed, list):
            raise ValueError(f"`{name}` is a list")
        yield from listed


def _referred(ref: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for name in ref.removeprefix("#/").split("/") if ref != "#" else []:
        if not ref.startswith("#/") or not isinstance(found, Mapping) or name not in found:
            raise ValueError(f"{ref} is not in the schema")
        found = found[name]
    return found


def mismatch(value: Any, schema: Mapping[str, Any], where: str = "$") -> str | None:
    """What does not fit, or None. Knows $ref into the schema, type, enum, const, anyOf, oneOf,
    allOf, properties, required, additionalProperties, items, bounds of numbers and lengths; the
    others (pattern, format, …) are the engine's grammar's."""
    return _mismatch(value, schema, where, schema)


def _mismatch(value: Any, schema: Any, where: str, root: Mapping[str, Any]) -> str | None:
    if isinstance(schema, bool):
        return None if schema else f"{where} must not be there"
    if "$ref" in schema:
        return _mismatch(value, _referred(schema["$ref"], root), where, root)
    if not _is_of_type(value, schema.get("type")):
        return f"{where} is not of type {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        return f"{where} is not {schema['const']!r}"
    return (
        _choice_mismatch(value, schema, where, root)
        or _bound_mismatch(value, schema, where)
        or _parts_mismatch(value, schema, where, root)
    )


def _choice_mismatch(
    value: Any, schema: Mapping[str, Any], where: str, root: Mapping[str, Any]
) -> str | None:
    for one in schema.get("allOf", ()):
        if fault := _mismatch(value, one, where, root):
            return fault
    for name, most in (("anyOf", None), ("oneOf", 1)):
        if name in schema:
            fitting = sum(_mismatch(value, one, where, root) is None for one in schema[name])
            if not fitting or (most is not None and fitting > most):
                return f"{where} fits {fitting} of the shapes it may have"
    return None


def _bound_mismatch(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    sized = isinstance(value, str | list)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = "Length" if isinstance(value, str) else "Items"
    if sized and not schema.get(f"min{kind}", 0) <= len(value) <= schema.get(
        f"max{kind}", len(value)
    ):
        return f"{where} has {len(value)} {'characters' if kind == 'Length' else 'items'}"
    if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return f"{where} is out of its bounds"
    return None


def _parts_mismatch(
    value: Any, schema: Mapping[str, Any], where: str, root: Mapping[str, Any]
) -> str | None:
    if isinstance(value, dict):
        return _object_mismatch(value, schema, where, root)
    if isinstance(value, list) and "items" in schema:
        faults = (_mismatch(v, schema["items"], f"{where}[{i}]", root) for i, v in enumerate(value))
        return next(filter(None, faults), None)
    return None


def _object_mismatch(
    value: dict[str, Any], schema: Mapping[str, Any], where: str, root: Mapping[str, Any]
) -> str | None:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where}.{name} is missing"
    others = schema.get("additionalProperties", True)
    extra = set(value) - set(properties)
    if others is False and extra:
        return f"{where} has unknown names {sorted(extra)}"
    shapes = {**dict.fromkeys(extra, others), **properties}
    faults = (
        _mismatch(item, shapes[name], f"{where}.{name}", root) for name, item in value.items()
    )
    return next(filter(None, faults), None)


def _is_of_type(value: Any, kind: str | list[str] | None) -> bool:
    if kind is None:
        return True
    if isinstance(kind, list):
        return any(_is_of_type(value, one) for one in kind)
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _KINDS[kind])
