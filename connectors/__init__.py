"""Outside systems behind one egress module.

Every connector says how it may be repeated (`effect_class`), refuses bad requests before they are
sent, and tells "surely not done" from "in doubt". Values in, values out; no database.
"""

from __future__ import annotations

from core.clock import Clock, SystemClock
from core.net import Net
from core.ports import Connector
from core.settings import Settings


def way_out(settings: Settings) -> Net:
    """For whoever fetches: the same rules as for what is sent."""
    from connectors.egress import Egress

    return Egress(settings.egress_allow)


def connectors(settings: Settings, clock: Clock | None = None) -> dict[str, Connector]:
    """By name: `api`, `email` and `webhook`. Opens nothing until something is sent."""
    from connectors.api import Api
    from connectors.egress import Egress
    from connectors.email import Email
    from connectors.webhook import Webhook
    from core.breaker import Breaker

    clock = clock or SystemClock()
    breaker = Breaker(clock)
    return {
        "api": Api(Egress(settings.egress_allow), clock, breaker),
        "email": Email(settings, clock, breaker),
        "webhook": Webhook(Egress(settings.egress_allow), clock, breaker),
    }
