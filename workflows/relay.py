"""The relay: committed facts go to the bus, and queues with work are rung again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

from core import telemetry
from core.context import PLATFORM
from core.errors import WeftError
from core.events import Event
from core.failpoints import fp
from database import dispatch
from runtime import Runtime
from workflows.turn import RELAY

_log = telemetry.log("workflows")
BATCH = 500
RING_SECONDS = 0.25  # at least between two looks for queues whose rings were lost
# The more there was, the longer the rest that gathers the next batch: a lone run's end is heard
# of soon, and hundreds of runs a second share a transaction.
REST_SECONDS_EACH, REST_SECONDS = 0.0004, (0.003, 0.02)


def relay_once(rt: Runtime, *, ring: bool = True) -> int:
    """Publishes one batch and gives its size. At least once: a crash between the bus and the mark
    publishes again. `ring`: queues with work are rung too."""
    with rt.db.read(PLATFORM) as tx:
        batch = dispatch.unpublished(tx, BATCH)
        queues = dispatch.ready_queues(tx) if ring else []
    for queue in queues:
        rt.jobs.ring(queue)
    if not batch:
        return 0
    _publish(rt, batch)
    with fp("relay.publish"), rt.db.transaction(PLATFORM, durable=False) as tx:
        dispatch.mark_published(tx, [event.seq for event in batch])
    _told(batch)
    return len(batch)


def _publish(rt: Runtime, batch: Sequence[Event]) -> None:
    """A batch serves many traces: it is a span of its own that points to them."""
    traces = [event.traceparent for event in batch if event.traceparent]
    about = {"messaging.operation.type": "send", "messaging.batch.message_count": len(batch)}
    try:
        with telemetry.span("publish events", kind="producer", attributes=about, links=traces):
            rt.bus.publish(batch)
    except WeftError:
        telemetry.bus_errors.inc()
        raise
    telemetry.events_published.inc(len(batch))


def _told(batch: Sequence[Event]) -> None:
    """A line for each run, so that a run's way can be followed in the logs alone."""
    for (tenant, run_id), count in Counter((one.tenant, one.run_id) for one in batch).items():
        _log.info("published", run_id=run_id, tenant=tenant, events=count)


def run_relay(rt: Runtime, stop: threading.Event) -> None:
    """Until `stop`: at every ring, and every `sweep_seconds` anyway."""
    waits_for = ""  # an outage is one line, and its end another
    rung = 0.0

    def work() -> bool:
        nonlocal waits_for, rung
        # Lost rings are few, and each ring in vain costs a worker a look.
        due = time.monotonic() - rung >= min(rt.settings.sweep_seconds, RING_SECONDS)
        rung = time.monotonic() if due else rung
        try:
            found = relay_once(rt, ring=due)
            if waits_for and found:
                _log.info("the relay goes on")
                waits_for = ""
            least, most = REST_SECONDS
            rest = min(max(found * REST_SECONDS_EACH, least), most)
            return found > 0 and not stop.wait(rest)
        except WeftError as error:
            if waits_for != error.slug:
                _log.warning("the relay waits", **error.to_json())
            waits_for = error.slug
        except Exception:  # noqa: BLE001 (an edge: the relay goes on)
            _log.exception("the relay broke")
        stop.wait(1.0)
        return False

    rt.jobs.serve([RELAY], work, stop)
