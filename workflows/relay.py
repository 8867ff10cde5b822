"""The relay: committed facts go to the bus, and queues with work are rung again."""

from __future__ import annotations

import threading

from core import telemetry
from core.context import PLATFORM
from core.errors import WeftError
from core.failpoints import fp
from database import dispatch
from runtime import Runtime
from workflows.turn import RELAY

BATCH = 500
# The more there was, the longer the rest that gathers the next batch: a lone run's end is heard
# of soon, and hundreds of runs a second share a transaction.
REST_SECONDS_EACH, REST_SECONDS = 0.0004, (0.003, 0.02)


def relay_once(rt: Runtime) -> int:
    """Publishes one batch and gives its size. At least once: a crash between the bus and the mark
    publishes again."""
    with rt.db.read(PLATFORM) as tx:
        batch = dispatch.unpublished(tx, BATCH)
        queues = dispatch.ready_queues(tx)
    for queue in queues:
        rt.jobs.ring(queue)
    if not batch:
        return 0
    rt.bus.publish(batch)
    with fp("relay.publish"), rt.db.transaction(PLATFORM, durable=False) as tx:
        dispatch.mark_published(tx, [event.seq for event in batch])
    return len(batch)


def run_relay(rt: Runtime, stop: threading.Event) -> None:
    """Until `stop`: at every ring, and every `sweep_seconds` anyway."""
    log = telemetry.log("workflows")

    def work() -> bool:
        try:
            found = relay_once(rt)
            least, most = REST_SECONDS
            rest = min(max(found * REST_SECONDS_EACH, least), most)
            return found > 0 and not stop.wait(rest)
        except WeftError as error:
            log.warning("the relay waits", **error.to_json())
        except Exception:  # an edge: the relay goes on
            log.exception("the relay broke")
        stop.wait(1.0)
        return False

    rt.jobs.serve([RELAY], work, stop)
