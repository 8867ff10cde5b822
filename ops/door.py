"""Uvicorn's side of overload: a request that would be refused gets no task and meets no layer."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.edge import request_id_of
from gateway.overload import Gate, credential_in
from gateway.shed import HEAD, body_for


def door(gate: Gate) -> type[HttpToolsProtocol]:
    """The protocol for `gate`'s server; all that it does not refuse is uvicorn's business."""

    class Door(HttpToolsProtocol):
        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            scope = cycle.scope
            line = gate.line(scope["method"], scope["path"])
            if line is None or not line.pressed or self.pipeline or not cycle.keep_alive:
                super()._start_asgi_task(cycle, app)
                return
            headers = scope["headers"]
            if not line.refuses(gate.tenant(credential_in(headers))) or any(
                name == b"origin" for name, _ in headers
            ):
                super()._start_asgi_task(cycle, app)
                return
            pause = gate.refuse()
            self._answer(cycle, request_id_of(dict(headers)).encode())
            if pause > 0.005 and not self.transport.is_closing():
                self._rest(pause)

        def _answer(self, cycle: Any, request_id: bytes) -> None:
            more = b"".join(b"%s: %s\r\n" % pair for pair in cycle.default_headers)
            body = body_for(request_id)
            self.transport.write(
                b"%s%s%sx-request-id: %s\r\ncontent-length: %d\r\n\r\n%s"
                % (STATUS_LINE[503], more, HEAD, request_id, len(body),
                   b"" if cycle.scope["method"] == "HEAD" else body)
            )  # fmt: skip
            cycle.response_started = cycle.response_complete = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()
            cycle.on_response()

        def _rest(self, seconds: float) -> None:
            """What this client asks next is read a little later: the more are refused, the longer
            each of them takes, and no event loop is kept busy by refusals alone."""
            self.flow.pause_reading()
            self.loop.call_later(seconds, self._hear)

        def _hear(self) -> None:
            if not self.transport.is_closing():
                self.flow.resume_reading()

    return Door
