"""The opened platform: every adapter, chosen once by `backends.build.open_runtime`, then frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.clock import Clock
from core.net import Net
from core.ports import Connector, EventBus, JobQueue, Limiter
from core.settings import Settings
from core.vault import Vault
from database import Database
from database.keys import TenantKeys
from models import Models
from vectorstore import Shelves


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    clock: Clock
    db: Database
    root_key: bytes = field(repr=False)
    keys: TenantKeys
    vault: Vault
    jobs: JobQueue
    bus: EventBus
    limiter: Limiter
    models: Models
    shelves: Shelves
    connectors: Mapping[str, Connector]
    net: Net
    # Of servers that only carry: each raises `WeftError` when it does not answer.
    probes: Mapping[str, Callable[[], object]] = field(default_factory=dict)
