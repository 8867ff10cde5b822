"""What the gateway stands on, asked all at once and never waited for longer than `ASK_SECONDS`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import ingestion
from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import WeftError
from database import tenants
from gateway.schemas.health import Dependency
from runtime import Runtime

ASK_SECONDS = 2.0
NEEDED = ("database", "blobs")
_NOBODY = Ctx("00000000-0000-0000-0000-000000000000", "system")

Check = Callable[[], Mapping[str, Any]]


class Dependencies:
    """Each check has a thread while it is asked. One that hangs is not asked again before it ends,
    so that a server which is silent for an hour holds one thread and one connection."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._asked: dict[str, _Question] = {}

    def ask(self) -> dict[str, Dependency]:
        """At most `ASK_SECONDS`; what has not answered by then is `down`."""
        until = time.monotonic() + ASK_SECONDS
        with self._lock:
            asked = {name: self._question(name, check) for name, check in self._checks.items()}
        return {name: one.answer(until) for name, one in asked.items()}

    def _question(self, name: str, check: Check) -> _Question:
        known = self._asked.get(name)
        if known is None or known.over.is_set():
            known = self._asked[name] = _Question(name, check)
        return known


class _Question:
    """One asking of one check, in a thread of its own."""

    def __init__(self, name: str, check: Check) -> None:
        self.over = threading.Event()
        self._name, self._check = name, check
        self._began = time.perf_counter()
        self._found = self._down("no_answer")
        threading.Thread(target=self._run, name=f"weft-health-{name}", daemon=True).start()

    def answer(self, until: float) -> Dependency:
        if self.over.wait(max(0.0, until - time.monotonic())):
            return self._found
        return self._down("no_answer")

    def _run(self) -> None:
        """It may fail in any way it likes; what is shown names no host and no secret."""
        try:
            detail = dict(self._check())
            self._found = Dependency(status="ok", latency_ms=self._ms(), detail=detail)
        except WeftError as error:
            self._found = self._down(error.slug)
        except OSError as error:
            self._found = self._down(type(error).__name__)
        except Exception as error:  # noqa: BLE001 (an edge: the thread ends here)
            telemetry.log("gateway").exception("a check broke", dependency=self._name)
            self._found = self._down(type(error).__name__)
        finally:
            self.over.set()

    def _down(self, code: str) -> Dependency:
        return Dependency(status="down", latency_ms=self._ms(), detail={"code": code})

    def _ms(self) -> float:
        return round((time.perf_counter() - self._began) * 1000, 2)


def checks_of(rt: Runtime) -> dict[str, Check]:
    """The stores, the models, the parsers, and what the runtime has probes for."""
    return {
        "database": lambda: _database(rt), "blobs": lambda: _blobs(rt),
        "limits": lambda: _limits(rt), "models": lambda: _models(rt),
        "parsers": lambda: {
            "walls": ingestion.achieved_level(), "pictures": ingestion.picture_walls(),
        },
        **{name: _probed(probe) for name, probe in rt.probes.items()},
    }  # fmt: skip


def _probed(probe: Callable[[], object]) -> Check:
    def check() -> Mapping[str, Any]:
        probe()
        return {}

    return check


def _database(rt: Runtime) -> dict[str, Any]:
    with rt.db.read(PLATFORM) as tx:
        tenants.by_slug(tx, tenants.PLATFORM_SLUG)
    return {"engine": "sqlite" if rt.db.is_sqlite else "postgresql"}


def _blobs(rt: Runtime) -> dict[str, Any]:
    next(iter(rt.vault.names(_NOBODY, "health")), None)
    return {}


def _limits(rt: Runtime) -> dict[str, Any]:
    rt.limiter.hit("health", 1_000_000, 1)
    return {}


def _models(rt: Runtime) -> dict[str, Any]:
    """What is in use; without an embedder keywords find, without a chat model rules and quotes
    answer."""
    active = [one for one in rt.models.describe() if one.get("active")]
    return {
        kind: [one["id"] for one in active if one["kind"] == kind] for kind in ("embedding", "chat")
    }
