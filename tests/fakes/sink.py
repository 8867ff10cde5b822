"""Outside systems on loopback: an HTTP and a mail sink that count and answer by script.

In a test: `with HttpSink(file, ["500", "200"]) as sink: … sink.deliveries()`. As a process
that outlives kills: `python -m tests.fakes.sink PORT FILE [--smtp PORT] [--script 500,200]`.
Every delivery is one JSON line in FILE: `{kind, id, committed, answer, …}`; `committed` says that
the system took it, whatever it answered. The last answer of a script repeats.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import socket
import ssl
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from email import message_from_bytes
from email.policy import default as modern
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

# answer -> whether the delivery was taken before the answer went wrong
ANSWERS: dict[str, bool] = {
    "200": True, "204": True, "500-after-commit": True, "hang-after-commit": True,
    "reset-after-commit": True, "slow": True, "500": False, "503": False, "429": False,
    "410": False, "400": False, "408": False, "reset": False, "redirect": False, "bomb": True,
    "endless": True, "drip": True, "drip-header": True, "big-header": True, "short": True,
    "gzip": True,
}  # fmt: skip


class Lines:
    """A file of JSON lines that many threads append to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def append(self, record: dict[str, Any]) -> None:
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]


class Script:
    """Answers in turn; the last one repeats."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = list(answers) or ["200"]
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class HttpSink:
    """`location` is where `redirect` leads; `connections` counts accepted TCP connections."""

    def __init__(
        self, path: Path, answers: Sequence[str] = ("200",), port: int = 0, location: str = ""
    ) -> None:
        self.lines, self.script, self.location = Lines(path), Script(answers), location
        self.connections = 0
        self.stopped = threading.Event()
        sink = self

        class Handler(_Answers):
            owner = sink

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def get_request(self) -> tuple[Any, Any]:
                sink.connections += 1
                return super().get_request()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hung up is what many scripts want."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.place}/hook"

    def __enter__(self) -> HttpSink:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def deliveries(self) -> list[dict[str, Any]]:
        return self.lines.read()

    def committed(self) -> Counter[str]:
        """How often each webhook id was taken."""
        return Counter(d["id"] for d in self.deliveries() if d["committed"])


class _Answers(BaseHTTPRequestHandler):
    owner: HttpSink

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        self.close_connection = True
        if len(body) < length:
            return  # its sender died half-way: nobody takes half a request
        answer = self.owner.script.next()
        self.owner.lines.append({
            "kind": "http", "id": self.headers.get("webhook-id", ""), "path": self.path,
            "method": self.command, "committed": ANSWERS[answer], "answer": answer,
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "body": body.decode("utf-8", "replace"),
        })  # fmt: skip
        with contextlib.suppress(OSError):
            getattr(self, "_" + answer.replace("-", "_"), self._status)(answer)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read the lines, not the console."""

    def _status(self, answer: str) -> None:
        self.send_response(int(answer[:3]))
        if answer == "429":
            self.send_header("retry-after", "7")
        self.send_header("content-length", "2" if answer[:3] != "204" else "0")
        self.end_headers()
        self.wfile.write(b"ok" if answer[:3] != "204" else b"")

    def _hang_after_commit(self, answer: str) -> None:
        self.owner.stopped.wait(60)

    def _reset_after_commit(self, answer: str) -> None:
        self._reset(answer)

    def _reset(self, answer: str) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _slow(self, answer: str) -> None:
        self.owner.stopped.wait(0.5)
        self._status("200")

    def _redirect(self, answer: str) -> None:
        self.send_response(302)
        self.send_header("location", self.owner.location or self.path)
        self.send_header("content-length", "0")
        self.end_headers()

    def _gzip(self, answer: str) -> None:
        self._body(gzip.compress(b"packed answer"), "gzip")

    def _bomb(self, answer: str) -> None:
        self._body(bomb(), "gzip")

    def _body(self, body: bytes, coding: str) -> None:
        self.send_response(200)
        self.send_header("content-encoding", coding)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self, answer: str) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.owner.stopped.is_set():
            self.wfile.write(bytes(65_536))

    def _drip(self, answer: str) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000000")
        self.end_headers()
        self._drops(b"x")

    def _drip_header(self, answer: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        self._drops(b"y")

    def _drops(self, drop: bytes) -> None:
        while not self.owner.stopped.wait(0.05):
            self.wfile.write(drop)

    def _big_header(self, answer: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-big: " + b"a" * 1_000_000 + b"\r\n\r\n")

    def _short(self, answer: str) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")


@cache
def bomb() -> bytes:
    """100 MB of nothing, packed."""
    return gzip.compress(bytes(100_000_000))


# Mail ------------------------------------------------------------------------------------------

MAIL_ANSWERS: dict[str, bool] = {
    "250": True, "451": False, "554": False, "550-rcpt": False, "451-rcpt": False,
    "drop-after-data": True, "hang-after-data": True, "drop": False,
}  # fmt: skip


class _MailHandler:
    def __init__(self, lines: Lines, script: Script, stopped: threading.Event) -> None:
        self._lines, self._script, self._stopped = lines, script, stopped
        self._answer = "250"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if not envelope.rcpt_tos:
            self._answer = self._script.next()
        if self._answer.endswith("-rcpt"):
            self._keep(envelope, address)
            return f"{self._answer[:3]} no such mailbox"
        if self._answer == "drop":
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self._keep(envelope, "")
        if self._answer == "drop-after-data":
            server.transport.abort()
        elif self._answer == "hang-after-data":
            import asyncio

            while not self._stopped.is_set():
                await asyncio.sleep(0.02)
        return "250 OK" if MAIL_ANSWERS[self._answer] else f"{self._answer} not now"

    def _keep(self, envelope: Any, refused: str) -> None:
        raw = envelope.content or b""
        mail = message_from_bytes(raw, policy=modern)
        self._lines.append({
            "kind": "mail", "id": str(mail.get("message-id", "")), "answer": self._answer,
            "committed": MAIL_ANSWERS[self._answer], "from": envelope.mail_from,
            "to": list(envelope.rcpt_tos), "refused": refused,
            "subject": str(mail.get("subject", "")), "raw": raw.decode("utf-8", "replace"),
        })  # fmt: skip


class MailSink:
    """An SMTP server on loopback; `url` is a `WEFT_SMTP_URL`. With `tls` it offers STARTTLS, and
    with `login` it takes mail only from that user and password."""

    def __init__(
        self,
        path: Path,
        answers: Sequence[str] = ("250",),
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self._tls, self._login = tls, login
        self.lines, self.stopped = Lines(path), threading.Event()
        self._handler = _MailHandler(self.lines, Script(answers), self.stopped)
        self.port = port or _free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> MailSink:
        from aiosmtpd.controller import Controller

        controller = Controller(
            self._handler,
            hostname="127.0.0.1",
            port=self.port,
            tls_context=self._tls,
            auth_required=self._login is not None,
            authenticator=self._knows,
        )
        controller.start()
        self._stop = controller.stop
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._stop()

    def deliveries(self) -> list[dict[str, Any]]:
        return self.lines.read()

    def _knows(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        user, password = self._login or ("", "")
        right = (given.login, given.password) == (user.encode(), password.encode())
        return AuthResult(success=right, handled=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(arguments: Sequence[str]) -> None:
    """Serves until standard input ends or the process is ended; prints one line when ready."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.sink")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--smtp", type=int, default=0)
    parser.add_argument("--script", default="200")
    parser.add_argument("--mail-script", default="250")
    given = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        http = stack.enter_context(HttpSink(given.file, given.script.split(","), given.port))
        ready: dict[str, Any] = {"http": http.url}
        if given.smtp:
            answers = given.mail_script.split(",")
            ready["smtp"] = stack.enter_context(MailSink(given.file, answers, given.smtp)).url
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
