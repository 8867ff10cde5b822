"""One attempt of a step, seen from outside: its time, its line in the log, its span."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from core import telemetry
from core.errors import WeftError
from database.jobs import FenceLost
from workflows.held import Held

_log = telemetry.log("workflows")


@contextmanager
def watched(held: Held) -> Iterator[None]:
    """An error goes through; of its words only the code is told, they may quote a document. Of a
    bug in a task the traceback is told."""
    run, step, attempt = held.run, held.step, held.claim.attempts
    about = {
        "weft.run_id": run.id, "weft.tenant_id": held.ctx.tenant, "weft.step_id": held.step_id,
        "weft.agent": step.agent, "weft.task": step.task, "weft.attempt": attempt,
    }  # fmt: skip
    name = f"step {step.agent}.{step.task}"
    code, broke = None, False
    began = time.perf_counter()
    try:
        with telemetry.span(name, parent=run.traceparent, kind="consumer", attributes=about):
            yield
    except FenceLost:
        code = "fence_lost"
        raise
    except WeftError as error:
        code = error.slug
        raise
    except Exception as error:
        code, broke = type(error).__name__, True
        raise
    finally:
        seconds = time.perf_counter() - began
        telemetry.step_seconds.labels(step.agent).observe(seconds)
        _log.log(
            _LEVELS[code is None, broke], "step", run_id=run.id, tenant=held.ctx.tenant,
            request_id=run.request_id, step=step.id, agent=step.agent, task=step.task,
            attempt=attempt, ms=round(seconds * 1000, 2), code=code, exc_info=broke,
        )  # fmt: skip


_LEVELS = {(True, False): 20, (False, False): 30, (False, True): 40}
