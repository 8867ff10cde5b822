"""A JSON Schema as the tree of values that it asks for: objects, lists and leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import InvalidInput

DEPTH_MAX = 6
LEAVES_MAX = 300
_PARTS_MAX = 4 * LEAVES_MAX  # before counting: references multiply what they name
_SCALARS = ("string", "number", "integer", "boolean", "date")
_UNION = ("anyOf", "oneOf", "allOf")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value. `hints` are its name, title and description, the surest first."""

    hints: tuple[str, ...]
    type: str  # string | number | integer | boolean
    nullable: bool
    format: str | None = None
    enum: tuple[Any, ...] = ()
    rules: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    hints: tuple[str, ...]
    parts: Mapping[str, Shape]
    required: frozenset[str]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    hints: tuple[str, ...]
    item: Shape
    least: int = 0
    most: int | None = None
    nullable: bool = False


Shape = Leaf | Record | Many


@dataclass(slots=True)
class _Whole:
    """The schema that references lead into. `left`: references multiply what they name, so its
    parts are counted while they are read."""

    schema: Mapping[str, Any]
    left: int = 2 * LEAVES_MAX


def shape_of(schema: Mapping[str, Any]) -> Record:
    """Knows type, properties, required, items, enum, const, format, `$ref` into the schema itself,
    and unions with null. Raises `InvalidInput` with the place that cannot be read."""
    shape = _shape(schema, _Whole(schema), ("document",), "schema", 0)
    if not isinstance(shape, Record):
        raise InvalidInput("`schema` is of type object, with `properties`.", field="schema")
    if not 0 < len(shape.parts) <= 100 or sum(1 for _ in _leaves(shape)) > LEAVES_MAX:
        raise InvalidInput(
            f"`schema` needs 1 to 100 `properties`, and {LEAVES_MAX} values at most.",
            field="schema",
        )
    return shape


def _leaves(shape: Shape) -> Iterator[Leaf]:
    if isinstance(shape, Leaf):
        yield shape
    elif isinstance(shape, Many):
        yield from _leaves(shape.item)
    else:
        for part in shape.parts.values():
            yield from _leaves(part)


def _shape(node: Any, whole: _Whole, names: tuple[str, ...], where: str, depth: int) -> Shape:
    if depth > DEPTH_MAX:
        raise InvalidInput(f"{where} is nested deeper than {DEPTH_MAX} levels.", field="schema")
    if not isinstance(node, Mapping):
        raise InvalidInput(f"{where} is not a JSON Schema.", field="schema")
    whole.left -= 1
    if whole.left < 0:
        raise InvalidInput(
            f"`schema` asks for more than {LEAVES_MAX} values, references counted each time.",
            field="schema",
        )
    node, nullable = _plain(node, whole, where, depth)
    _check(node, where)
    told = (node.get("title"), node.get("description"))
    hints = names + tuple(text for text in told if isinstance(text, str) and text.strip())
    kind = _kind(node, where)
    if kind == "object":
        return _record(node, whole, hints, where, depth, nullable)
    if kind == "array":
        item = _shape(
            node.get("items", {"type": "string"}), whole, names, f"{where}.items", depth + 1
        )
        return Many(hints, item, int(node.get("minItems", 0)), node.get("maxItems"), nullable)
    enum = tuple(node.get("enum", ())) or ((node["const"],) if "const" in node else ())
    shown = "date" if kind == "date" else node.get("format")
    rules = {key: node[key] for key in _RULES if key in node}
    nullable = nullable or None in enum
    enum = tuple(one for one in enum if one is not None)
    kind = "string" if kind == "date" else kind
    return Leaf(hints, kind, nullable, shown, enum, rules or None)


_KEYWORDS: Mapping[str, tuple[type, ...]] = {
    "minItems": (int,), "maxItems": (int,), "minLength": (int,), "maxLength": (int,),
    "minimum": (int, float), "maximum": (int, float), "exclusiveMinimum": (int, float),
    "exclusiveMaximum": (int, float), "pattern": (str,), "format": (str,), "enum": (list,),
    "required": (list,),
}  # fmt: skip


def _check(node: Mapping[str, Any], where: str) -> None:
    """Raises `InvalidInput` naming the keyword whose value is of a type that it cannot have."""
    for key, types in _KEYWORDS.items():
        value = node.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
            named = "a text" if str in types else "a list" if list in types else "a number"
            raise InvalidInput(f"{where}.{key} must be {named}.", field="schema")


_RULES = ("pattern", "minLength", "maxLength", "minimum", "maximum",
          "exclusiveMinimum", "exclusiveMaximum")  # fmt: skip


def _record(
    node: Mapping[str, Any], whole: _Whole, hints: tuple[str, ...], where: str,
    depth: int, nullable: bool,
) -> Record:  # fmt: skip
    properties = node.get("properties", {})
    if not isinstance(properties, Mapping) or not properties:
        raise InvalidInput(f"{where} needs `properties`.", field="schema")
    required = node.get("required", ())
    parts = {
        str(name): _shape(part, whole, (str(name),), f"{where}.{name}", depth + 1)
        for name, part in properties.items()
    }
    return Record(hints, parts, frozenset(map(str, required)) & parts.keys(), nullable)


def _plain(
    node: Mapping[str, Any], whole: _Whole, where: str, depth: int
) -> tuple[Mapping[str, Any], bool]:
    """Without references and unions; and whether null is allowed."""
    nullable = False
    for _ in range(DEPTH_MAX):
        if "$ref" in node:
            node = {
                **_at(node["$ref"], whole, where),
                **{k: v for k, v in node.items() if k != "$ref"},
            }
            continue
        union = next((key for key in _UNION if isinstance(node.get(key), list)), None)
        if union is None:
            break
        options = [one for one in node[union] if isinstance(one, Mapping)]
        nullable = nullable or any(one.get("type") == "null" for one in options)
        chosen = next((one for one in options if one.get("type") != "null"), {})
        node = {**{k: v for k, v in node.items() if k != union}, **chosen}
    else:
        raise InvalidInput(f"{where} refers to itself.", field="schema")
    kinds = node.get("type")
    if isinstance(kinds, list):
        nullable = nullable or "null" in kinds
        rest = [one for one in kinds if one != "null"]
        node = {**node, "type": rest[0] if rest else "string"}
    return node, nullable


def _at(pointer: Any, whole: _Whole, where: str) -> Mapping[str, Any]:
    found: Any = whole.schema
    if not isinstance(pointer, str) or not pointer.startswith("#/"):
        raise InvalidInput(f"{where}: only `$ref` into the same schema is read.", field="schema")
    for step in pointer[2:].split("/"):
        found = found.get(step) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise InvalidInput(f"{where}: `{pointer}` leads nowhere.", field="schema")
    return found


def _kind(node: Mapping[str, Any], where: str) -> str:
    kind = node.get("type")
    if kind is None:
        kind = "object" if "properties" in node else "array" if "items" in node else "string"
    if kind not in (*_SCALARS, "object", "array"):
        raise InvalidInput(f"{where} has the unknown type {kind!r}.", field="schema")
    return str(kind)


def breach(value: Any, leaf: Leaf) -> str | None:
    """Which rule of its schema a value breaks, in words; None where it fits."""
    rules = leaf.rules or {}
    if leaf.enum and value not in leaf.enum:
        return f"{value!r} is not one of the values allowed"
    if isinstance(value, str):
        pattern = rules.get("pattern")
        if isinstance(pattern, str) and not _matches(pattern, value):
            return f"{value!r} does not match the pattern"
        if not rules.get("minLength", 0) <= len(value) <= rules.get("maxLength", len(value)):
            return f"{value!r} is too short or too long"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = rules.get("minimum", value), rules.get("maximum", value)
        under = "exclusiveMinimum" in rules and value <= rules["exclusiveMinimum"]
        over = "exclusiveMaximum" in rules and value >= rules["exclusiveMaximum"]
        if not low <= value <= high or under or over:
            return f"{value} is out of range"
    return None


# Patterns come from the caller: without nested repetition they end quickly on short values.
_NESTED = re.compile(r"[+*}]\)?[+*{]|\([^()]*[+*|][^()]*\)[+*{]|\\[1-9]")


def _matches(pattern: str, value: str) -> bool:
    if len(pattern) > 200 or _NESTED.search(pattern):
        raise InvalidInput(
            "`pattern` is too long or repeats a repetition; write it simpler.", field="schema"
        )
    try:
        return re.search(pattern, value[:500]) is not None
    except re.error as error:
        raise InvalidInput(f"`pattern` cannot be read: {error}.", field="schema") from error


def named(shape: Shape, *hints: str) -> Shape:
    return replace(shape, hints=(*hints, *shape.hints))
