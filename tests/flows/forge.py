"""Forks platforms: `python -m tests.flows.forge` takes orders as JSON lines on standard input.

`{start: ENV, log: FILE, only: ROLE}` → `{pid}`, `{wait: PID, seconds: S}` → `{status}`. All
modules are imported before the first fork, so that a start costs a fraction of a second; what then
runs is `ops.serve.serve`, like `weft serve`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
from typing import Any

WARM = (
    "agents.registry", "backends.build", "core.failpoints", "gateway.app", "ops.serve",
    "reports.pdf", "reports.xlsx", "uvicorn", "uvicorn.lifespan.on", "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto", "workflows.relay", "workflows.worker", "reportlab.platypus",
    "openpyxl", "alembic.command", "connectors.webhook", "connectors.email", "agents.graph",
    "database.migrate",
)  # fmt: skip


def main() -> None:
    for name in WARM:
        importlib.import_module(name)
    registry = importlib.import_module("agents.registry")
    registry.AGENTS.supervisor.warm()
    gc.freeze()
    tell(ready=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            tell(pid=start(order["start"], order["log"], order["only"]))
        else:
            tell(status=wait(order["wait"], order["seconds"]))


def tell(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def start(env: dict[str, str], log: str, only: str | None) -> int:
    child = os.fork()
    if child:
        _ended.pop(child, None)  # a number comes back some day
        return child
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(old, new)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(os.path.dirname(log))
        serve(env, only)
        code = 0
    finally:
        os._exit(code)


def serve(env: dict[str, str], only: str | None) -> None:
    from core import failpoints
    from core.settings import Settings
    from ops.serve import serve as platform

    failpoints.reset(env.get("WEFT_FAILPOINTS", ""))
    try:
        platform(Settings().resolved(), only)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise


_ended: dict[int, int] = {}  # asked for again by another thread


def wait(pid: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while pid not in _ended:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            _ended[pid] = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() >= deadline:
            return None
        threading.Event().wait(0.02)
    return _ended[pid]


if __name__ == "__main__":
    main()
