"""OpenTelemetry traces from a request to its effects, over OTLP/HTTP. Off, a span costs one look.

The doorbell carries nothing, so a run's row keeps the W3C `traceparent` of the request that asked
for it, and whoever works on the run goes on under that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from core.telemetry import metrics

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "server", "client", "producer", "consumer"]
QUEUE_SPANS = 2048  # more than these wait for no collector
BATCH_SPANS = 512
BATCH_SECONDS = 1.0
SEND_SECONDS = 5.0
CLOSE_SECONDS = 1.0
_LINKS_MAX = 64

_tracer: Tracer | None = None
_provider: TracerProvider | None = None


class Span:
    """What the work inside a span may say of itself; nothing of a document."""

    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan | None = None) -> None:
        self._span = span

    def set(self, name: str, value: str | int | float | bool | None) -> None:
        """An attribute by its semantic convention's name (dots and all)."""
        if self._span is not None and value is not None:
            self._span.set_attribute(name, value)

    def name(self, text: str) -> None:
        if self._span is not None:
            self._span.update_name(text)

    def fail(self, code: str) -> None:
        """`code`: a stable slug; an error's words may quote a document."""
        if self._span is not None:
            from opentelemetry.trace import Status, StatusCode

            self._span.set_attribute("error.type", code)
            self._span.set_status(Status(StatusCode.ERROR))


_OFF = Span()
_nothing: AbstractContextManager[Span] = nullcontext(_OFF)


def configure_traces(url: str, role: str, version: str, share: float = 1.0) -> None:
    """Sends to the collector at `url` (`/v1/traces` is added) until `close_traces`. `share` of the
    requests that come without a `traceparent` are traced; one that has one decides itself."""
    global _provider, _tracer
    if not url:
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    about = {
        "service.name": f"weft-{role}",
        "service.namespace": "weft",
        "service.version": version,
    }
    _provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(share)), resource=Resource(about),
        shutdown_on_exit=False,
    )  # fmt: skip
    _provider.add_span_processor(_sender(url))
    _tracer = _provider.get_tracer("weft", version)


def _sender(url: str) -> Any:
    import requests
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    lock, waiting = threading.Lock(), 0  # the SDK drops the oldest of a full queue, and is silent

    class Counting(OTLPSpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            nonlocal waiting
            with lock:
                waiting -= len(spans)
            result = super().export(spans)
            if result is not SpanExportResult.SUCCESS:
                metrics.spans_dropped.inc(len(spans))
            return result

    class Queue(BatchSpanProcessor):
        def on_end(self, span: Any) -> None:
            nonlocal waiting
            if span.context and span.context.trace_flags.sampled:
                with lock:
                    full = waiting >= QUEUE_SPANS
                    waiting += not full
                if full:
                    metrics.spans_dropped.inc()
            super().on_end(span)

    session = requests.Session()
    session.trust_env = False  # no proxy and no password file of whoever started us
    address = f"{url.rstrip('/')}/v1/traces"
    exporter = Counting(
        address, headers={}, timeout=SEND_SECONDS, compression=Compression.Gzip, session=session
    )
    return Queue(
        exporter, max_queue_size=QUEUE_SPANS, max_export_batch_size=BATCH_SPANS,
        schedule_delay_millis=BATCH_SECONDS * 1000, export_timeout_millis=SEND_SECONDS * 1000,
    )  # fmt: skip


def close_traces() -> None:
    """Sends what waits, for at most `CLOSE_SECONDS`; a collector that is away delays nobody."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        ending = threading.Thread(target=provider.shutdown, name="weft-traces", daemon=True)
        ending.start()
        ending.join(CLOSE_SECONDS)


def traced() -> bool:
    return _tracer is not None


def span(
    name: str,
    *,
    parent: str | None = None,
    kind: Kind = "internal",
    attributes: dict[str, Any] | None = None,
    links: Sequence[str] = (),
    current: bool = True,
) -> AbstractContextManager[Span]:
    """Around a piece of work. `parent` and `links` are `traceparent` texts; without a parent it
    belongs to the span around it. `current=False` inside generators: what is done between two
    pieces is not its child."""
    if _tracer is None:
        return _nothing
    return _span(_tracer, name, parent, kind, attributes, links, current)


@contextmanager
def _span(
    tracer: Tracer, name: str, parent: str | None, kind: Kind, attributes: dict[str, Any] | None,
    links: Sequence[str], current: bool,
) -> Iterator[Span]:  # fmt: skip
    from opentelemetry.trace import Link, SpanKind, use_span

    contexts = filter(None, map(_span_context, dict.fromkeys(links)))
    known = {k: v for k, v in (attributes or {}).items() if v is not None}
    one = tracer.start_span(
        name, _context(parent), SpanKind[kind.upper()], known,
        [Link(context) for context, _ in zip(contexts, range(_LINKS_MAX), strict=False)],
    )  # fmt: skip
    told = Span(one)
    around = (
        use_span(one, record_exception=False, set_status_on_exception=False)
        if current
        else nullcontext()
    )
    try:
        with around:
            yield told
    except Exception as error:
        told.fail(getattr(error, "slug", type(error).__name__))
        raise
    finally:
        one.end()


def current() -> str | None:
    """The `traceparent` of the span around the caller, for a row or a message; None without."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    flags = f"{int(context.trace_flags):02x}"
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags}"


def _context(parent: str | None) -> Any:
    """None: the current one."""
    if not parent:
        return None
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context

    found = _span_context(parent)
    return None if found is None else set_span_in_context(NonRecordingSpan(found))


def _span_context(text: str) -> Any:
    """Anything but a good `traceparent` is nothing (W3C Trace Context, 3.2.2)."""
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found = TraceContextTextMapPropagator().extract({"traceparent": text})
    context = get_current_span(found).get_span_context()
    return context if context.is_valid else None
