"""The relay: committed facts go to the bus, and queues with work are rung again."""

from __future__ import annotations

import threading

from core import telemetry
from core.errors import WeftError
from core.failpoints import fp
from database import dispatch
from runtime import Runtime
from workflows.turn import RELAY

BATCH = 500
PAUSE_SECONDS = 0.004


def relay_once(rt: Runtime) -> bool:
    """Publishes one batch; True when there was something. At least once: a crash between the bus
    and the mark publishes again."""
    with rt.db.read() as tx:
        batch = dispatch.unpublished(tx, BATCH)
        queues = dispatch.ready_queues(tx)
    for queue in queues:
        rt.jobs.ring(queue)
    if not batch:
        return False
    rt.bus.publish(batch)
    with fp("relay.publish"), rt.db.transaction(durable=False) as tx:
        dispatch.mark_published(tx, [event.seq for event in batch])
    return True


def run_relay(rt: Runtime, stop: threading.Event) -> None:
    """Until `stop`: at every ring, and every `sweep_seconds` anyway."""
    log = telemetry.log("workflows")

    def work() -> bool:
        try:
            # A short rest gathers the facts of many steps into one transaction.
            return relay_once(rt) and not stop.wait(PAUSE_SECONDS)
        except WeftError as error:
            log.warning("the relay waits", **error.to_json())
        except Exception:  # an edge: the relay goes on
            log.exception("the relay broke")
        stop.wait(1.0)
        return False

    rt.jobs.serve([RELAY], work, stop)
