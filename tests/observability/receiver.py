"""An OTLP/HTTP collector in this process: keeps the spans that it is sent."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_nothing = threading.Event()


@dataclass(frozen=True)
class Seen:
    service: str
    name: str
    kind: str  # internal | server | client | producer | consumer
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, Any]
    links: tuple[str, ...]


class Receiver:
    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self._spans: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.headers["content-encoding"] == "gzip"
                assert self.path == "/v1/traces"
                outer._take(gzip.decompress(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Receiver:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._server.server_close()

    def spans(self, trace: str | None = None) -> list[Seen]:
        return [span for span in list(self._spans) if trace in (None, span.trace)]

    def wait(self, found: Callable[[list[Seen]], bool], seconds: float = 15.0) -> list[Seen]:
        deadline = time.monotonic() + seconds
        while not found(self.spans()):
            assert time.monotonic() < deadline, sorted({span.name for span in self.spans()})
            _nothing.wait(0.05)
        return self.spans()

    def _take(self, body: bytes) -> None:
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _plain(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self._spans += [_seen(service, span) for span in scope.spans]


def _seen(service: str, span: Any) -> Seen:
    kinds = ("", "internal", "server", "client", "producer", "consumer")
    return Seen(
        service, span.name, kinds[span.kind], span.trace_id.hex(), span.span_id.hex(),
        span.parent_span_id.hex(), span.status.code == 2, _plain(span.attributes),
        tuple(link.trace_id.hex() for link in span.links),
    )  # fmt: skip


def _plain(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
