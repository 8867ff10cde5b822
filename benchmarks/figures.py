"""A figure: what was measured, the goal, the peer beside it, and whether it holds."""

from __future__ import annotations

from typing import Any


def at_most(name: str, value: float, goal: float, unit: str, peer: str = "") -> dict[str, Any]:
    """A figure that should not be above `goal`."""
    return _figure(name, value, f"<= {goal}", unit, peer, value <= goal)


def at_least(name: str, value: float, goal: float, unit: str, peer: str = "") -> dict[str, Any]:
    """A figure that should not be below `goal`."""
    return _figure(name, value, f">= {goal}", unit, peer, value >= goal)


def _figure(
    name: str, value: float, goal: str, unit: str, peer: str, holds: bool
) -> dict[str, Any]:
    rounded = float(f"{value:.4g}")
    return {
        "id": name, "goal": goal, "value": rounded, "unit": unit, "peer": peer, "pass": holds
    }  # fmt: skip
