"""The order that `needs` make: who is surely over before whom, and whether it goes in a circle."""

from __future__ import annotations

from typing import Any


def before(steps: list[Any]) -> dict[str, frozenset[str]]:
    """Step id → every step that is surely over when it starts."""
    needs = {
        step["id"]: [n for n in step.get("needs") or [] if isinstance(n, str)] for step in steps
    }
    found: dict[str, frozenset[str]] = {}

    def reach(name: str, trail: frozenset[str]) -> frozenset[str]:
        if name not in found:
            direct = [n for n in needs.get(name, ()) if n not in trail]
            found[name] = frozenset(direct).union(*(reach(n, trail | {name}) for n in direct))
        return found[name]

    return {name: reach(name, frozenset()) for name in needs}


def circle(steps: list[Any]) -> str | None:
    """A step that waits for itself, if there is one (Kahn's algorithm leaves it over)."""
    left = {step["id"]: set(step.get("needs") or []) for step in steps}
    while ready := [name for name, needs in left.items() if not needs]:
        for name in ready:
            del left[name]
        for needs in left.values():
            needs.difference_update(ready)
    return next(iter(left), None)
