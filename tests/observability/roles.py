"""A gateway, a worker and a relay as three processes on one folder, watched from outside."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.flows.platform import Platform, Process, command, free_port
from tests.observability.receiver import Receiver

ROLES = ("gateway", "worker", "relay")


@dataclass
class Roles:
    platform: Platform
    receiver: Receiver
    ports: dict[str, int]

    def log(self, role: str) -> Path:
        return self.platform.folder / f"{role}.log"

    def lines(self, role: str) -> list[dict[str, Any]]:
        """Each line that the role has written; every one of them is JSON."""
        return [json.loads(line) for line in self.log(role).read_text().splitlines()]

    def metrics(self, role: str) -> str:
        """What its own port says, without a key."""
        url = f"http://127.0.0.1:{self.ports[role]}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Roles]:
    """Bells do not cross processes here: every look is a sweep, as if each ring were lost."""
    with Receiver() as receiver:
        platform = Platform(folder, {
            "WEFT_SWEEP_SECONDS": "0.1", "WEFT_TRACES_URL": receiver.url,
            "WEFT_RETRY_BASE_SECONDS": "0.1", "WEFT_LOG_LEVEL": "debug", **settings,
        })  # fmt: skip
        platform.provision(acme="unlimited", other="unlimited")
        made = Roles(platform, receiver, {role: free_port() for role in ROLES})

        def spawn(env: dict[str, str], log: Path, only: str | None = None) -> Process:
            assert only is not None
            env = {**env, "WEFT_METRICS_PORT": str(made.ports[only])}
            return command(env, made.log(only), only)

        platform.roles, platform.spawn = ROLES, spawn
        platform.start()
        try:
            yield made
        finally:
            assert platform.stop() == 0
