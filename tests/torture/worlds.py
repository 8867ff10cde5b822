"""The two worlds that every figure is measured in. Their six URLs are all the difference."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.stack.servers import Servers

WORLDS = tuple(os.environ.get("WEFT_TORTURE_WORLDS", "embedded,full").split(","))


def urls(world: str, servers: Callable[[], Servers], name: str) -> dict[str, str]:
    """`WEFT_<NAME>` → value; `name` keeps two platforms on the same servers apart."""
    if world == "embedded":
        return {}
    from tests.stack.urls import fresh

    return fresh(servers(), name)
