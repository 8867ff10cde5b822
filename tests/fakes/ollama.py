"""A loopback server that speaks as Ollama does, and fails in twelve ways when it is told to."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULTS = (
    "hang", "trickle", "http_500", "http_429", "reset", "empty", "garbage", "broken_json",
    "truncated_json", "wrong_schema", "huge", "loop",
)  # fmt: skip
MODEL = "fake:1b"


@dataclass
class FakeOllama:
    """`reply` is what it says; `fault` makes every chat fail; `chats` counts the requests."""

    url: str = ""
    reply: str = "All is well."
    fault: str | None = None
    digest: str = "d1"
    chats: int = 0
    capabilities: tuple[str, ...] = ("completion",)
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()  # the tools that it calls: name, arguments
    replies: list[str] = field(default_factory=list)  # said before `reply`, one after another
    asked: list[dict[str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def fake_ollama(port: int = 0) -> Iterator[FakeOllama]:
    """On any free port, or where another one was."""
    fake = FakeOllama()

    class Handler(_Handler):
        state = fake

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # the end of a reply is the end of the connection
    state: FakeOllama

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        details = {"family": "llama", "format": "gguf"}
        model = {"model": MODEL, "name": MODEL, "size": 10**9, "digest": self.state.digest,
                 "details": details}  # fmt: skip
        self._send(200, json.dumps({"models": [model]}).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        if asked.get("model") != MODEL:
            self._send(
                404, json.dumps({"error": f"model '{asked.get('model')}' not found"}).encode()
            )
            return
        if self.path == "/api/show":
            shown = {"capabilities": self.state.capabilities, "model_info": {}}
            self._send(200, json.dumps(shown).encode())
            return
        self.state.chats += 1
        self.state.asked.append(asked)
        try:
            if self.path == "/api/embed" and self.state.fault is None:
                vectors = [_vector(text) for text in asked["input"]]
                read = sum(len(text.split()) for text in asked["input"])
                told = {"model": MODEL, "embeddings": vectors, "prompt_eval_count": read}
                self._send(200, json.dumps(told).encode())
            else:
                self._chat()
        except OSError:  # the client left, as it should
            return

    def _chat(self) -> None:
        say = self.state.replies.pop(0) if self.state.replies else self.state.reply
        match self.state.fault:
            case None if self.state.calls:
                self._send(200, _called(self.state.calls) + _done())
            case None:
                self._send(200, _line(say) + _done())
            case "hang":
                self.state.released.wait(30)
            case "trickle":
                self._trickle(_line(say))
            case "http_500":
                self._send(500, b'{"error":"out of memory"}')
            case "http_429":
                self._send(429, b'{"error":"too many requests"}')
            case "reset":
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
                )
                self.connection.close()
            case "empty":
                self._send(200, _done())
            case "garbage":
                self._send(200, b"\xff\xfe<html>not json</html>\n")
            case "broken_json":
                self._send(200, _line('{"answer": ') + _done())
            case "truncated_json":
                self._send(200, _line('{"answer": "it is cut he') + _done("length"))
            case "wrong_schema":
                self._send(200, _line('{"other": 1}') + _done())
            case "huge":
                self._send(200, _line("0123456789abcdef" * 655_360) + _done())
            case "loop":
                self._loop()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-ndjson")
        self.end_headers()
        self.wfile.write(body)

    def _trickle(self, body: bytes) -> None:
        self._send(200, b"")
        for byte in body:
            self.wfile.write(bytes((byte,)))
            self.wfile.flush()
            if self.state.released.wait(1.0):
                return

    def _loop(self) -> None:
        self._send(200, b"")
        while not self.state.released.is_set():
            self.wfile.write(_line("again and again "))


def _vector(text: str) -> list[float]:
    """Not of unit length: Weft does that."""
    return [float(byte + 1) for byte in hashlib.sha256(text.encode()).digest()[:8]]


def _line(text: str) -> bytes:
    return json.dumps(_part(text, done=False)).encode() + b"\n"


def _called(calls: tuple[tuple[str, dict[str, Any]], ...]) -> bytes:
    part = _part("", done=False)
    part["message"]["tool_calls"] = [
        {"function": {"name": name, "arguments": arguments}} for name, arguments in calls
    ]
    return json.dumps(part).encode() + b"\n"


def _done(reason: str = "stop") -> bytes:
    counts = {"prompt_eval_count": 12, "eval_count": 5, "done_reason": reason}
    return json.dumps({**_part("", done=True), **counts}).encode() + b"\n"


def _part(text: str, *, done: bool) -> dict[str, Any]:
    return {"model": MODEL, "message": {"role": "assistant", "content": text}, "done": done}
