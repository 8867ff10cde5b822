from __future__ import annotations

from tests.gateway.conftest import runtime, town

__all__ = ["runtime", "town"]
