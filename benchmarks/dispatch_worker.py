"""The other process of `dispatch`: `dispatch_worker.py FOLDER JOBS_URL`, until SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from agents.supervisor import Supervisor
from backends.build import open_runtime
from core.settings import Settings
from core.telemetry import configure_logs
from workflows.supervision import Agents
from workflows.tasks import Catalog, Done, TaskSpec, Work
from workflows.worker import Worker


def _clock(_work: Work) -> Done:
    return Done({"began_ns": time.time_ns()})


AGENTS = Agents(Catalog([TaskSpec("supervisor", "clock", _clock, "says when it began")]),
                Supervisor())  # fmt: skip


def settings(folder: str, jobs_url: str) -> Settings:
    """Both processes': the database is the environment's, else SQLite in `folder`."""
    return Settings(
        _env_file=None, data_dir=folder, models_dir=folder, models_url="none:",
        jobs_url=jobs_url, database_url=os.environ.get("WEFT_DATABASE_URL", ""),
    )  # fmt: skip


def main(folder: str, jobs_url: str) -> None:
    configure_logs("warning")  # standard output is the parent's
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with open_runtime(settings(folder, jobs_url)) as rt:
        worker = threading.Thread(target=Worker(rt, AGENTS, ("supervisor",)).run, args=(stop,))
        worker.start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not stop.wait(3600):
            pass
        worker.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
