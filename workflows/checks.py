"""What makes a definition valid, as a list of problems with the field each one is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from workflows import expressions, order
from workflows.tasks import Catalog

STEPS_MAX = 100
NAME = re.compile(r"^[a-z][a-z0-9-]{0,62}$")
ID = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
_TYPES = ("string", "integer", "number", "boolean", "list", "object")
_TOP = {"name", "version", "summary", "inputs", "steps", "outputs", "as"}
_STEP = {
    "id", "agent", "task", "with", "needs", "when", "for_each", "as", "on_error", "retry",
    "timeout_seconds", "compensate", "steps", "summary",
}  # fmt: skip
_ROOTS = frozenset({"inputs", "documents", "steps", "metadata", "run", "goal"})


@dataclass(frozen=True, slots=True)
class Problem:
    field: str  # "steps[2].with.email"
    detail: str


def bare(value: Any) -> str:
    """`${documents}` → `documents`; a `when` may be written with or without the braces."""
    text = str(value).strip()
    return text[2:-1] if text.startswith("${") and text.endswith("}") else text


def problems(body: Mapping[str, Any], catalog: Catalog | None) -> list[Problem]:
    """Everything wrong with it, in the order of the text; empty when it is fine."""
    return list(_top(body, catalog))


def _top(body: Mapping[str, Any], catalog: Catalog | None) -> Iterator[Problem]:
    for key in body:
        if key not in _TOP:
            yield Problem(str(key), f"unknown field; known: {', '.join(sorted(_TOP))}")
    if not isinstance(body.get("name"), str) or not NAME.match(body["name"]):
        yield Problem("name", "a name has small letters, digits and dashes, 63 at most")
    inputs = body.get("inputs") or {}
    yield from _inputs(inputs)
    steps = body.get("steps")
    if not isinstance(steps, list) or not steps:
        yield Problem("steps", "at least one step is needed")
        return
    if _count(steps) > STEPS_MAX:
        yield Problem("steps", f"{STEPS_MAX} steps at most")
        return
    names = frozenset(inputs) if isinstance(inputs, Mapping) else frozenset()
    yield from _Steps(catalog, names, _ROOTS | {str(body.get("as") or "inputs")}).check(steps)
    outputs = body.get("outputs") or {}
    if not isinstance(outputs, Mapping):
        yield Problem("outputs", "a mapping of name to value is needed")
        return
    ids = frozenset(s["id"] for s in steps if isinstance(s, Mapping) and "id" in s)
    yield from _texts("outputs", outputs, names, _ROOTS, ids, ids)


def _count(steps: list[Any]) -> int:
    nested = (s.get("steps") for s in steps if isinstance(s, Mapping))
    return len(steps) + sum(_count(inner) for inner in nested if isinstance(inner, list))


def _inputs(inputs: Any) -> Iterator[Problem]:
    if not isinstance(inputs, Mapping):
        yield Problem("inputs", "a mapping of name to {type, default, description} is needed")
        return
    for name, spec in inputs.items():
        at = f"inputs.{name}"
        if not ID.match(str(name)):
            yield Problem(at, "a name has letters, digits, _ and -")
        if not isinstance(spec, Mapping):
            yield Problem(at, "a mapping with `type` is needed")
        elif spec.get("type", "string") not in _TYPES:
            yield Problem(f"{at}.type", f"one of {', '.join(_TYPES)}")


class _Steps:
    """Checks one list of steps; nested lists are checked by another one that knows this one's."""

    def __init__(
        self,
        catalog: Catalog | None,
        inputs: frozenset[str],
        roots: frozenset[str],
        outer: frozenset[str] = frozenset(),  # ids of the steps around
        outer_seen: frozenset[str] = frozenset(),  # those of them that are surely over
        at: str = "steps",
    ) -> None:
        self._catalog = catalog
        self._inputs = inputs
        self._roots = roots
        self._outer = outer
        self._outer_seen = outer_seen
        self._at = at

    def check(self, steps: list[Any]) -> Iterator[Problem]:
        ids: list[str] = []
        for index, step in enumerate(steps):
            at = f"{self._at}[{index}]"
            if not isinstance(step, Mapping):
                yield Problem(at, "a mapping is needed")
                return
            name = step.get("id")
            if not isinstance(name, str) or not ID.match(name):
                yield Problem(f"{at}.id", "an id of letters, digits, _ and - is needed")
                return
            if name in ids or name in self._outer:
                yield Problem(f"{at}.id", f"{name!r} is there twice")
                return
            ids.append(name)
        yield from self._needs(steps, ids)
        before = order.before(steps)
        for index, step in enumerate(steps):
            yield from self._step(f"{self._at}[{index}]", step, frozenset(ids), before)

    def _needs(self, steps: list[Any], ids: list[str]) -> Iterator[Problem]:
        sound = True
        for index, step in enumerate(steps):
            needs = step.get("needs") or []
            at = f"{self._at}[{index}].needs"
            if not isinstance(needs, list):
                yield Problem(at, "a list of step ids is needed")
                sound = False
                continue
            for need in needs:
                if need not in ids:
                    yield Problem(at, f"there is no step {need!r}")
                    sound = False
        if sound and (circle := order.circle(steps)):
            at = f"{self._at}[{ids.index(circle)}].needs"
            yield Problem(at, f"{circle!r} waits for itself in a circle")

    def _step(
        self, at: str, step: Mapping[str, Any], ids: frozenset[str],
        before: Mapping[str, frozenset[str]],
    ) -> Iterator[Problem]:  # fmt: skip
        for key in step:
            if key not in _STEP:
                yield Problem(f"{at}.{key}", f"unknown field; known: {', '.join(sorted(_STEP))}")
        yield from _details(at, step)
        seen = before.get(step["id"], frozenset()) | self._outer_seen
        if step.get("when") is not None:
            yield from self._expression(f"{at}.when", bare(step["when"]), ids, seen)
        if "for_each" in step or "steps" in step:
            yield from self._each(at, step, ids, seen)
        else:
            yield from self._task(at, step)
            payload = step.get("with") or {}
            if not isinstance(payload, Mapping):
                yield Problem(f"{at}.with", "a mapping is needed")
            else:
                yield from _texts(
                    f"{at}.with", payload, self._inputs, self._roots, ids | self._outer, seen
                )

    def _each(
        self, at: str, step: Mapping[str, Any], ids: frozenset[str], seen: frozenset[str]
    ) -> Iterator[Problem]:
        if not isinstance(step.get("for_each"), str):
            yield Problem(f"{at}.for_each", "an expression that gives a list is needed")
            return
        yield from self._expression(f"{at}.for_each", bare(step["for_each"]), ids, seen)
        if "task" in step or "agent" in step:
            yield Problem(at, "a step with `for_each` has `steps`, and no agent or task of its own")
        inner = step.get("steps")
        name = step.get("as", "item")
        if not isinstance(name, str) or not ID.match(name) or name in _ROOTS:
            yield Problem(f"{at}.as", "a name for the item is needed")
            return
        if not isinstance(inner, list) or not inner:
            yield Problem(f"{at}.steps", "at least one step is needed")
            return
        if any(isinstance(one, Mapping) and "for_each" in one for one in inner):
            yield Problem(f"{at}.steps", "a `for_each` inside a `for_each` is not supported")
            return
        deeper = _Steps(
            self._catalog, self._inputs, self._roots | {name}, ids | self._outer, seen,
            f"{at}.steps",
        )  # fmt: skip
        yield from deeper.check(inner)

    def _task(self, at: str, step: Mapping[str, Any]) -> Iterator[Problem]:
        agent, task = step.get("agent"), step.get("task")
        if not isinstance(agent, str) or not isinstance(task, str):
            yield Problem(f"{at}.{'agent' if not isinstance(agent, str) else 'task'}", "is missing")
            return
        if self._catalog is None:
            return
        spec = self._catalog.find(agent, task)
        if spec is None:
            known = self._catalog.tasks_of(agent)
            if not known:
                agents = ", ".join(self._catalog.agents)
                yield Problem(f"{at}.agent", f"there is no agent {agent!r}; there are: {agents}")
            else:
                yield Problem(
                    f"{at}.task", f"{agent!r} has no task {task!r}; it has: {', '.join(known)}"
                )
            return
        given = step.get("with") or {}
        if not spec.params or not isinstance(given, Mapping):
            return
        for name in spec.params:
            if not name.endswith("?") and name not in given:
                yield Problem(f"{at}.with", f"{agent}.{task} needs {name!r}")
        for name in given:
            if name not in spec.params and f"{name}?" not in spec.params:
                yield Problem(f"{at}.with.{name}", f"{agent}.{task} does not take {name!r}")

    def _expression(
        self, at: str, text: str, ids: frozenset[str], seen: frozenset[str]
    ) -> Iterator[Problem]:
        yield from _names(at, text, self._inputs, self._roots, ids | self._outer, seen)


def _details(at: str, step: Mapping[str, Any]) -> Iterator[Problem]:
    if step.get("on_error", "fail") not in ("fail", "continue"):
        yield Problem(f"{at}.on_error", "`fail` or `continue`")
    seconds = step.get("timeout_seconds")
    if seconds is not None and not _positive(seconds):
        yield Problem(f"{at}.timeout_seconds", "a number of seconds above 0 is needed")
    retry = step.get("retry") or {}
    if not isinstance(retry, Mapping) or set(retry) - {"attempts", "base_seconds"}:
        yield Problem(f"{at}.retry", "a mapping with `attempts` and `base_seconds` is needed")
        return
    attempts = retry.get("attempts", 1)
    if not isinstance(attempts, int) or isinstance(attempts, bool) or not 1 <= attempts <= 20:
        yield Problem(f"{at}.retry.attempts", "a whole number from 1 to 20 is needed")
    if not _positive(retry.get("base_seconds", 1)):
        yield Problem(f"{at}.retry.base_seconds", "a number of seconds above 0 is needed")
    undo = step.get("compensate")
    if undo is not None and not (isinstance(undo, Mapping) and {"agent", "task"} <= set(undo)):
        yield Problem(f"{at}.compensate", "a mapping with `agent`, `task` and `with` is needed")


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _texts(
    at: str, value: Any, inputs: frozenset[str], roots: frozenset[str], ids: frozenset[str],
    seen: frozenset[str],
) -> Iterator[Problem]:  # fmt: skip
    if isinstance(value, str):
        for text in expressions.placeholders(value):
            yield from _names(at, text, inputs, roots, ids, seen)
        if len(list(expressions.placeholders(value))) != value.count("${"):
            yield Problem(at, "`${` is never closed")
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(f"{at}.{key}", part, inputs, roots, ids, seen)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(f"{at}[{index}]", part, inputs, roots, ids, seen)


def _names(
    at: str, text: str, inputs: frozenset[str], roots: frozenset[str], ids: frozenset[str],
    seen: frozenset[str],
) -> Iterator[Problem]:  # fmt: skip
    try:
        node = expressions.parse(text)
    except InvalidInput as error:
        yield Problem(at, error.detail)
        return
    for path in expressions.paths(node):
        root, *rest = path
        if root not in roots:
            yield Problem(at, f"{root!r} is not known here; there are: {', '.join(sorted(roots))}")
        elif root == "inputs" and rest and rest[0] not in inputs:
            yield Problem(at, f"there is no input {rest[0]!r}")
        elif root == "steps" and (not rest or rest[0] not in ids):
            yield Problem(at, f"there is no step {rest[0] if rest else ''!r}")
        elif root == "steps" and rest[0] not in seen:
            yield Problem(at, f"step {rest[0]!r} may not be done by then: add it to `needs`")
