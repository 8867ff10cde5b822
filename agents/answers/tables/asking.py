"""From a question to the tables that may answer it, and to the one answer that they agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.answers.values import Answer
from core.context import Ctx
from runtime import Runtime


def asks_for_tables(text: str) -> bool:
    """Whether the question may be one to compute at all: it is cheap to ask."""
    return False


def computed(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None = None
) -> Answer | None:
    """The computed answer; None when the question is another one and the usual way answers."""
    return None
