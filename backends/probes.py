"""Whether the servers that only carry (bells, limits, facts) answer, for who asks about health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from core.settings import Settings

Probe = Callable[[], object]


def probes(settings: Settings) -> Mapping[str, Probe]:
    """`jobs`, `limits` and `bus`, each where its URL names a server. A probe raises `WeftError`
    where there is no answer; one may wait for seconds."""
    found: dict[str, Probe] = {}
    if urlsplit(settings.jobs_url).scheme.startswith("celery+"):
        found["jobs"] = _redis(settings.jobs_url.removeprefix("celery+"), "WEFT_JOBS_URL")
    if urlsplit(settings.limits_url).scheme.startswith("redis"):
        found["limits"] = _redis(settings.limits_url, "WEFT_LIMITS_URL")
    if urlsplit(settings.bus_url).scheme.startswith("kafka"):
        found["bus"] = _kafka(settings.bus_url)
    return found


def _redis(url: str, setting: str) -> Probe:
    from backends.redis_client import roundtrip_ms

    return partial(roundtrip_ms, url, setting)


def _kafka(url: str) -> Probe:
    from backends.kafka_cluster import Cluster, roundtrip_ms

    return partial(roundtrip_ms, Cluster.at(url))
