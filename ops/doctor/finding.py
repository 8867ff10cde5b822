"""What a check says: how it stands, what was seen, what to type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: str  # ok | warn | fail
    detail: str
    todo: str = ""


def ok(check: str, detail: str) -> Finding:
    return Finding(check, "ok", detail)


def warn(check: str, detail: str, todo: str) -> Finding:
    return Finding(check, "warn", detail, todo)


def fail(check: str, detail: str, todo: str) -> Finding:
    return Finding(check, "fail", detail, todo)
