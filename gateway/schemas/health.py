"""Health answers."""

from __future__ import annotations

from typing import Any

from gateway.schemas.base import Answer


class Alive(Answer):
    status: str


class Dependency(Answer):
    status: str
    latency_ms: float
    detail: dict[str, Any]


class Health(Answer):
    status: str
    dependencies: dict[str, Dependency]
