"""Definitions: YAML or JSON in, a checked value out; every complaint names its line and field."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

from core.errors import InvalidInput
from workflows import checks
from workflows.tasks import Catalog

BYTES_MAX = 256 * 1024
UNDO = "~undo"


@dataclass(frozen=True, slots=True)
class Retry:
    """None: the platform's default."""

    attempts: int | None = None
    base_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step. With `for_each` it has `steps` of its own and neither agent nor task."""

    id: str
    agent: str
    task: str
    with_: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    when: str | None = None
    for_each: str | None = None
    as_: str = "item"
    on_error: str = "fail"
    retry: Retry = Retry()
    timeout_seconds: float | None = None
    compensate: Mapping[str, Any] | None = None
    body: Mapping[str, Any] = field(default_factory=dict)  # the nested steps' own definition

    @property
    def plain(self) -> bool:
        """Can be started without a decision."""
        return self.when is None and self.for_each is None


@dataclass(frozen=True)
class Definition:
    """`body` is the canonical mapping, `hash` its SHA-256; the rest is read from it."""

    name: str
    steps: tuple[Step, ...]
    body: Mapping[str, Any]
    hash: str

    @cached_property
    def by_id(self) -> Mapping[str, Step]:
        return {step.id: step for step in self.steps}

    def step(self, key: str) -> Step:
        """By id, or `<id>~undo` for its compensation."""
        if not key.endswith(UNDO):
            return self.by_id[key]
        undo = self.by_id[key.removesuffix(UNDO)].compensate or {}
        return Step(key, undo["agent"], undo["task"], undo.get("with") or {})

    @cached_property
    def after(self) -> Mapping[str, tuple[Step, ...]]:
        """Step id → the steps that need it."""
        return {
            one.id: tuple(other for other in self.steps if one.id in other.needs)
            for one in self.steps
        }

    @property
    def summary(self) -> str:
        return str(self.body.get("summary", ""))

    @property
    def inputs(self) -> Mapping[str, Mapping[str, Any]]:
        return self.body.get("inputs") or {}

    @property
    def outputs(self) -> Mapping[str, Any]:
        return self.body.get("outputs") or {}

    def __hash__(self) -> int:
        return hash(self.hash)


def parse(source: str | Mapping[str, Any], catalog: Catalog | None = None) -> Definition:
    """A checked definition from YAML or JSON text, or from a mapping.

    With `catalog` every agent and task must be registered. Raises `InvalidInput` (`bad_definition`)
    with `errors: [{line, field, detail}]`; lines only where the source is text.
    """
    body, lines = _read(source)
    problems = checks.problems(body, catalog)
    if problems:
        errors = [
            {"line": lines.line_of(problem.field), "field": problem.field, "detail": problem.detail}
            for problem in problems
        ]
        first = errors[0]
        where = f"line {first['line']}, " if first["line"] else ""
        raise InvalidInput(
            f"The definition is not valid: {where}{first['field']}: {first['detail']}",
            code="bad_definition",
            errors=errors,
        )
    return build(body)


def build(body: Mapping[str, Any]) -> Definition:
    """From a mapping that was checked before (a stored one, say)."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    steps = tuple(_step(body, item) for item in body["steps"])
    return Definition(str(body["name"]), steps, body, digest)


_known: dict[str, Definition] = {}


def stored(digest: str, body: Mapping[str, Any]) -> Definition:
    """A run's own copy; kept in memory by its hash, because runs share few definitions."""
    found = _known.get(digest)
    if found is None:
        if len(_known) > 512:
            _known.clear()
        found = _known[digest] = build(body)
    return found


def nested(parent: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The definition that each item of a `for_each` runs."""
    return {
        "name": f"{parent['name']}",
        "as": str(item.get("as", "item")),
        "inputs": dict(parent.get("inputs") or {}),
        "steps": list(item["steps"]),
    }


def _step(body: Mapping[str, Any], item: Mapping[str, Any]) -> Step:
    retry = item.get("retry") or {}
    each = item.get("for_each")
    return Step(
        id=item["id"],
        agent=item.get("agent", "supervisor"),
        task=item.get("task", "for_each"),
        with_=item.get("with") or {},
        needs=tuple(item.get("needs") or ()),
        when=checks.bare(item["when"]) if item.get("when") is not None else None,
        for_each=checks.bare(each) if isinstance(each, str) else None,
        as_=item.get("as", "item"),
        on_error=item.get("on_error", "fail"),
        retry=Retry(retry.get("attempts"), retry.get("base_seconds")),
        timeout_seconds=item.get("timeout_seconds"),
        compensate=item.get("compensate"),
        body=nested(body, item) if "steps" in item else {},
    )


# --- reading -------------------------------------------------------------------------------------


class _Lines:
    """Field path → line, from YAML's own node tree (JSON is YAML)."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._at: dict[str, int] = dict(_walk(root, "")) if root is not None else {}

    def line_of(self, path: str) -> int | None:
        while path:
            if path in self._at:
                return self._at[path]
            path = re.sub(r"(\.[^.\[\]]+|\[\d+\]|^[^.\[\]]+)$", "", path)
        return self._at.get("")


def _walk(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            yield from _walk(value, inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, f"{path}[{index}]")


def _read(source: str | Mapping[str, Any]) -> tuple[Mapping[str, Any], _Lines]:
    if not isinstance(source, str):
        _fit(json.dumps(source, default=str))
        return source, _Lines(None)
    _fit(source)
    try:
        root = yaml.compose(source, Loader=_Loader)
        body = yaml.load(source, Loader=_Loader)  # noqa: S506 (a SafeLoader without aliases)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        detail = str(getattr(error, "problem", None) or error).split("\n")[0][:200]
        if isinstance(error, RecursionError):
            detail = "it is nested too deep"
        raise InvalidInput(
            f"This is neither YAML nor JSON: {detail}" + (f" (line {line})" if line else ""),
            code="bad_definition",
            errors=[{"line": line, "field": "", "detail": detail}],
        ) from error
    if not isinstance(body, dict):
        raise InvalidInput(
            "A definition is a mapping with `name` and `steps`.",
            code="bad_definition",
            errors=[{"line": 1, "field": "", "detail": "not a mapping"}],
        )
    return body, _Lines(root)


def _fit(text: str) -> None:
    if len(text.encode()) > BYTES_MAX:
        detail = f"a definition may have {BYTES_MAX} bytes at most"
        raise InvalidInput(
            f"The definition is too long: {detail}.",
            code="bad_definition",
            errors=[{"line": None, "field": "", "detail": detail}],
        )


class _Loader(yaml.SafeLoader):
    """Safe YAML without anchors: an alias bomb grows exponentially. Dates stay text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases are not allowed", event.start_mark
            )
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
