"""What a process counts, all with the prefix `weft_`. Labels are words of ours (a route, an agent,
a code, a model's name), never a tenant's text; what the tables say is read by `runtime.scrape`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

registry = CollectorRegistry()
ProcessCollector(namespace="weft", registry=registry)

# Seconds. 3 is a limit of the alerts, so it is one of the buckets'.
_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10)
_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30)
_LONG = (0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400)


def _counter(name: str, words: str, *labels: str) -> Counter:
    return Counter(name, words, labels, registry=registry)


def _histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, words, labels, buckets=buckets, registry=registry)


build = Gauge(
    "weft_build_info", "1, with the version and role", ["version", "role"], registry=registry
)

requests = _counter("weft_http_requests", "Requests answered", "method", "route", "status")
request_seconds = _histogram(
    "weft_http_request_seconds", "Request time", _REQUEST, "method", "route"
)

runs_submitted = _counter("weft_runs_submitted", "Runs accepted, child runs not counted")
runs = _counter("weft_runs", "Runs that ended", "status")
run_seconds = _histogram("weft_run_seconds", "Time from acceptance to end", _LONG, "status")
steps = _counter("weft_steps", "Steps that ended", "agent", "status")
step_seconds = _histogram("weft_step_seconds", "Time of one attempt", _LONG, "agent")
step_retries = _counter("weft_step_retries", "Attempts that will be repeated", "agent", "code")

effects = _counter("weft_effects", "Outside actions that ended", "connector", "status")
effect_seconds = _histogram(
    "weft_effect_seconds", "Time of one outside call", _REQUEST, "connector"
)

model_calls = _counter("weft_model_calls", "Calls of a chat model", "model", "result")
model_seconds = _histogram("weft_model_seconds", "Time of one chat call", _LONG, "model")
model_tokens = _counter("weft_model_tokens", "Tokens", "model", "direction")
model_routes = _counter("weft_model_routes", "Choices of a model", "task", "model", "complexity")
budget_refused = _counter("weft_budget_refused", "Model calls refused over a budget", "limit")
model_saved = _counter("weft_model_saved", "Model calls that a cache answered", "task")
breaker_open = Gauge(
    "weft_breaker_open", "1 while a model rests after failures", ["model"], registry=registry
)
embed_seconds = _histogram("weft_embed_seconds", "Time to embed one batch", (*_QUICK, 30))
embedded = _counter("weft_embedded_passages", "Passages embedded")

documents = _counter("weft_documents", "Documents read", "format", "status")
pages = _counter("weft_pages", "Pages read", "format")
ingestion_seconds = _histogram(
    "weft_ingestion_seconds", "Time of a document's stage", _LONG, "stage"
)
ingestion_failures = _counter("weft_ingestion_failures", "Documents that cannot be read", "code")

search_seconds = _histogram("weft_search_seconds", "Search time", _REQUEST, "mode")
segments_damaged = _counter(
    "weft_segments_damaged", "Search segments found damaged: their text or their vectors", "part"
)
for _part in ("text", "vectors"):
    segments_damaged.labels(_part)  # an increase is only seen from what was there before
segments_rebuilt = _counter(
    "weft_segments_rebuilt", "Damaged search segments made again from their documents"
)
answers = _counter("weft_answers", "Questions", "answered")
cache_uses = _counter("weft_cache_uses", "What was asked before", "cache", "result")
cache_saved_tokens = _counter("weft_cache_saved_tokens", "Tokens not spent again", "cache")
cache_saved_seconds = _counter("weft_cache_saved_seconds", "Time not spent again", "cache")
answer_seconds = _histogram("weft_answer_seconds", "Time to an answer", _LONG)

database_seconds = _histogram(
    "weft_database_transaction_seconds", "Time of a transaction", _QUICK, "kind"
)
database_errors = _counter("weft_database_errors", "Calls that the database did not answer")

messages = _counter("weft_messages", "Messages from Kafka: taken, again, later or dead", "outcome")
events_published = _counter("weft_events_published", "Facts given to the bus")
bus_errors = _counter("weft_bus_errors", "Batches that the bus did not take")
rings_lost = _counter("weft_rings_lost", "Rings that the broker did not take", "queue")

limiter_refused = _counter("weft_limiter_refused", "Refused over a tier's limit", "limit")
limiter_degraded = _counter(
    "weft_limiter_degraded", "Decided by this process alone: the limiter was away"
)

object_seconds = _histogram("weft_object_seconds", "Time of one object call", _REQUEST, "operation")
object_errors = _counter("weft_object_errors", "Object calls that failed", "operation")

spans_dropped = _counter("weft_spans_dropped", "Spans that reached no collector")

# Children are kept: finding one by its labels costs more than counting; labels are few.
_child = lru_cache(maxsize=4096)(lambda metric, *labels: metric.labels(*labels))


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    _child(requests, method, route, str(status)).inc()
    _child(request_seconds, method, route).observe(seconds)


@contextmanager
def timed(metric: Histogram, *labels: str) -> Iterator[None]:
    """Also when it raises."""
    began = time.perf_counter()
    try:
        yield
    finally:
        (_child(metric, *labels) if labels else metric).observe(time.perf_counter() - began)
