"""A small S3 on a local port: enough for the client, with faults by script.

`fake.faults` is taken from the left, one per object request: an HTTP status such as `503`, or
`cut` (fewer bytes than promised), `other` (bytes that were never stored), `drip` (a byte now and
then), `hang` (no answer), `reset` (the connection ends), `garbage` (not HTTP).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "weft"
_NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class FakeS3:
    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}  # key -> (bytes, the metadata header)
        self.buckets: set[str] = set()
        self.faults: deque[str] = deque()
        self.asked: list[str] = []  # "METHOD key"
        self.skew_seconds = 0.0
        self.conditional = True
        self.over = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"s3://key:secret@{self.host}/{BUCKET}"

    def fault(self) -> str:
        with self._lock:
            return self.faults.popleft() if self.faults else ""

    def store(self, key: str, data: bytes, about: str, *, once: bool) -> bool:
        with self._lock:
            if once and self.conditional and key in self.objects:
                return False
            self.objects[key] = (data, about)
            return True

    @contextmanager
    def running(self) -> Iterator[FakeS3]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    fake: FakeS3
    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, format: str, *args: object) -> None: ...

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Date", formatdate(self._now(), usegmt=True))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _now(self) -> float:
        return time.time() + self.fake.skew_seconds

    def _error(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self._answer(status, body, {"Content-Type": "application/xml"})

    def _all(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if key:
            self.fake.asked.append(f"{self.command} {key}")
            if self._spoilt(fault := self.fake.fault(), key):
                self.close_connection = not fault.isdigit()
                return
        if bucket not in self.fake.buckets and (key or self.command != "PUT"):
            self._error(404, "NoSuchBucket")
        elif not key:
            self._bucket(bucket, {k: v[-1] for k, v in parse_qs(parts.query).items()})
        else:
            self._object(key, data)

    do_GET = do_PUT = do_HEAD = do_DELETE = _all

    def _spoilt(self, fault: str, key: str) -> bool:
        if fault.isdigit():
            self._error(int(fault), "SlowDown" if fault == "503" else "AccessDenied")
        elif fault in ("cut", "drip", "other"):
            self._half(fault, *self.fake.objects.get(key, (b"", "")))
        elif fault == "garbage":
            self.wfile.write(b"what?\r\n\r\n")
        elif fault == "hang":
            self.fake.over.wait(20)
        return fault != ""

    def _half(self, fault: str, data: bytes, about: str) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"')
        self.end_headers()
        if fault == "other":
            self.wfile.write(b"?" * len(data))
        elif fault == "cut":
            self.wfile.write(data[: len(data) // 2])
        else:
            for byte in data:
                if self.fake.over.wait(0.05):
                    return
                self.wfile.write(bytes([byte]))

    def _bucket(self, bucket: str, query: dict[str, str]) -> None:
        if self.command == "PUT":
            self.fake.buckets.add(bucket)
            self._answer(200)
        elif self.command == "HEAD":
            self._answer(200)
        elif "versioning" in urlsplit(self.path).query:
            self._answer(200, f"<VersioningConfiguration {_NS}/>".encode())
        else:
            keys = sorted(k for k in self.fake.objects if k.startswith(query.get("prefix", "")))
            found = "".join(
                f"<Contents><Key>{escape(k)}</Key><Size>0</Size></Contents>" for k in keys
            )
            about = f"<Name>{bucket}</Name><IsTruncated>false</IsTruncated>"
            body = f"<ListBucketResult {_NS}>{about}{found}</ListBucketResult>"
            self._answer(200, body.encode())

    def _object(self, key: str, data: bytes) -> None:
        if self.command == "PUT":
            about, once = self.headers.get("X-Amz-Meta-Weft", ""), "If-None-Match" in self.headers
            if self.fake.store(key, data, about, once=once):
                self._answer(200, b"", {"ETag": '"x"'})
            else:
                self._error(412, "PreconditionFailed")
        elif self.command == "DELETE":
            self.fake.objects.pop(key, None)
            self._answer(204)
        elif key not in self.fake.objects:
            self._error(404, "NoSuchKey")
        else:
            found, about = self.fake.objects[key]
            tag = hashlib.md5(found, usedforsecurity=False).hexdigest()
            more = {"X-Amz-Meta-Weft": about} if about else {}
            self._answer(200, found, {"ETag": f'"{tag}"', **more})
