"""A small REST API on a local port: pages in every style, sign-in in every style, by script.

`api.script` is taken from the left, one per request: `(status, headers)`, or None for an honest
answer; the status 0 hangs up without one. `api.asked` keeps `(method, path with query, headers)`.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SIZE = 2  # of a page


class FakeApi:
    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.records = records
        self.files: dict[str, tuple[str, bytes]] = {}  # path -> (content type, bytes)
        self.documents: dict[str, bytes] = {}  # path -> what is answered as it is
        self.script: deque[tuple[int, Mapping[str, str]] | None] = deque()
        self.asked: list[tuple[str, str, Mapping[str, str]]] = []
        self.bodies: list[bytes] = []  # one for each
        self.wanted: Mapping[str, str] = {}  # headers without which the answer is 401
        self.wanted_query: Mapping[str, str] = {}
        self.tokens = self.connections = 0
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}"

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]

    @contextmanager
    def running(self) -> Iterator[FakeApi]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    api: FakeApi
    timeout = 10
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.api.connections += 1

    def log_message(self, format: str, *args: object) -> None: ...

    def _all(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.api.asked.append((self.command, self.path, headers))
        self.api.bodies.append(body)
        scripted = self.api.script.popleft() if self.api.script else None
        if scripted is not None and not scripted[0]:
            self.close_connection = True
        elif scripted is not None:
            self._answer(scripted[0], {"error": "scripted"}, scripted[1])
        elif parts.path == "/token":
            self.api.tokens += 1
            good = body.startswith(b"grant_type=client_credentials")
            self._answer(200 if good else 400, {"access_token": f"t{self.api.tokens}"})
        elif parts.path in self.api.documents:
            self._answer(200, self.api.documents[parts.path])
        elif any(headers.get(name) != value for name, value in self.api.wanted.items()) or any(
            query.get(name) != value for name, value in self.api.wanted_query.items()
        ):
            self._answer(401, {"error": "who are you?"})
        elif parts.path in self.api.files:
            kind, data = self.api.files[parts.path]
            self._answer(200, data, {"content-type": kind})
        else:
            self._records(parts.path, query)

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = do_PATCH = _all

    def _records(self, path: str, query: dict[str, str]) -> None:
        every = self.api.records
        if since := query.get("since"):
            every = [one for one in every if one["updated"] >= since]
        match path:
            case "/plain":
                self._answer(200, every)
            case "/page":
                begin = (int(query["page"]) - 1) * SIZE
                self._answer(200, {"data": {"items": every[begin : begin + SIZE]}})
            case "/offset":
                begin = int(query["offset"])
                self._answer(200, every[begin : begin + int(query.get("limit", SIZE))])
            case "/stuck":
                self._answer(200, {"items": every, "next": "same"})
            case "/cursor" | "/next" | "/link":
                begin = int(query.get("at", 0))
                after = begin + SIZE if begin + SIZE < len(every) else None
                self._linked(path, every[begin : begin + SIZE], after)
            case _:
                self._answer(404, {"error": "nothing"})

    def _linked(self, path: str, items: list[Any], after: int | None) -> None:
        if path == "/link":
            told = {"link": f'</link?at={after}>; rel="next", </link>; rel="first"'}
            self._answer(200, items, told if after is not None else {})
        elif path == "/next":
            where = f"/next?at={after}" if after is not None else None
            self._answer(200, {"items": items, "links": {"next": where}})
        else:
            self._answer(200, {"items": items, "next": after})

    def _answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response_only(status)
        told = {"content-type": "application/json", "content-length": str(len(data))}
        for name, value in {**told, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
