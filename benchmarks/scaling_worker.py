"""A process of `scaling`: `scaling_worker.py worker|relay`; its settings come as one line of JSON,
a second line says when to begin, SIGTERM ends it. It does what `weft serve --only` does, with two
tasks of its own."""

from __future__ import annotations

import json
import signal
import sys
import threading
from typing import Any

from agents.supervisor import Supervisor
from backends.build import open_runtime
from core.settings import Settings
from core.telemetry import configure_logs
from workflows.relay import run_relay
from workflows.supervision import Agents
from workflows.tasks import Catalog, Done, TaskSpec, Work
from workflows.worker import Worker

OUTSIDE_SECONDS = 0.02  # an outside system that answers; it costs this machine no CPU
QUEUES = ("supervisor", "ingestion", "analysis", "report", "action")


def _nothing(_work: Work) -> Done:
    return Done({})


def _outside(_work: Work) -> Done:
    threading.Event().wait(OUTSIDE_SECONDS)
    return Done({})


_TASKS = (TaskSpec("supervisor", "noop", _nothing, "does nothing"),
          TaskSpec("supervisor", "outside", _outside, "waits for somebody outside"))  # fmt: skip
_SUPERVISOR = Supervisor()
AGENTS = Agents(Catalog(_TASKS), _SUPERVISOR)


def flow(task: str) -> dict[str, Any]:
    """Four steps, one after the other."""
    return {
        "name": task,
        "steps": [
            {"id": f"s{n}", "agent": "supervisor", "task": task, "with": {"x": n},
             "needs": [f"s{n - 1}"] if n else []}
            for n in range(4)
        ],
    }  # fmt: skip


def main(role: str) -> None:
    configure_logs("warning")  # standard output is the parent's
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = Settings(_env_file=None, **json.loads(sys.stdin.readline()))
    with open_runtime(settings) as rt:
        if role == "worker":
            _SUPERVISOR.warm()
            thread = threading.Thread(target=Worker(rt, AGENTS, QUEUES).run, args=(stop,))
        else:
            thread = threading.Thread(target=run_relay, args=(rt, stop))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        thread.start()
        while not stop.wait(3600):
            pass
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
