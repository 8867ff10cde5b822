"""Whether a person waits for what is done here: who waits is told soon, who works may wait."""

from __future__ import annotations

from contextvars import ContextVar

person_waits: ContextVar[bool] = ContextVar("person_waits", default=False)
