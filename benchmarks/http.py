"""An authenticated read beside plain FastAPI + PyJWT + SQLite, in the same run, taking turns.

One server process at a time is loaded, pinned to core 0, by a client of keep-alive connections
pinned to core 1 (`wrk` where it is installed, else sockets in a child process).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jwt
import psutil

from benchmarks.figures import at_least, at_most
from benchmarks.http_peer import SECRET

CONNECTIONS = 16
SECONDS = float(os.environ.get("WEFT_BENCH_SECONDS", "2"))
TURNS = 3
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Target:
    pid: int
    port: int
    path: str
    header: str  # one line


@dataclass(frozen=True)
class Measured:
    """Requests per second of clock and of the server's CPU; the 99th percentile in ms."""

    rate: float
    p99: float
    per_cpu: float = 0.0


def run() -> Iterator[dict[str, Any]]:
    folder = Path(tempfile.mkdtemp(prefix="weft-http-"))
    try:
        with _peer(folder) as peer, _weft(folder) as (status, verify):
            rounds = [
                {name: _load(target) for name, target in targets}
                for targets in [(("peer", peer), ("status", status), ("verify", verify))] * TURNS
            ]
        yield from _figures(rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figures(rounds: list[dict[str, Measured]]) -> Iterator[dict[str, Any]]:
    def middle(name: str, what: str) -> float:
        return float(statistics.median(getattr(one[name], what) for one in rounds))

    said = f"FastAPI + PyJWT + SQLite: {middle('peer', 'rate'):.0f}/s"
    tail = f"FastAPI + PyJWT + SQLite: p99 {middle('peer', 'p99'):.2f} ms"
    cpu = f"FastAPI + PyJWT + SQLite: {middle('peer', 'per_cpu'):.0f} per CPU second"
    for name in ("status", "verify"):
        saved = middle(name, "per_cpu") / middle("peer", "per_cpu")
        yield at_least(f"http.{name}.cpu", saved, 1.0, "x the peer's requests per CPU second", cpu)
        times = middle(name, "rate") / middle("peer", "rate")
        yield at_least(f"http.{name}", times, 1.0, "x the peer's requests per second", said)
        yield at_most(f"http.{name}.p99", middle(name, "p99"), middle("peer", "p99"), "ms", tail)


@contextmanager
def _peer(folder: Path) -> Iterator[Target]:
    database, port = folder / "peer.db", _free_port()
    db = sqlite3.connect(database)
    db.execute("pragma journal_mode=wal")
    db.execute("create table runs(tenant text, id integer, status text, payload text, "
               "primary key (tenant, id))")  # fmt: skip
    rows = (("acme", n, "done", "x" * 200) for n in range(10_000))
    db.executemany("insert into runs values(?,?,?,?)", rows)
    db.commit()
    db.close()
    claims = {"tenant": "acme", "n": 77, "exp": int(time.time()) + 9_999}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    command = [sys.executable, "-m", "benchmarks.http_peer", str(port), str(database)]
    with _serving(command, port) as pid:
        yield Target(pid, port, "/read", f"Authorization: Bearer {token}")


@contextmanager
def _weft(folder: Path) -> Iterator[tuple[Target, Target]]:
    """Our gateway with a finished run of four steps in it, read by a signed-in person."""
    port = _free_port()
    environment = {
        **os.environ, "WEFT_DATA_DIR": str(folder / "data"), "WEFT_PORT": str(port),
        "WEFT_MODELS_URL": "none:", "WEFT_LOG_LEVEL": "info",
    }  # fmt: skip
    person = {"email": "bench@bench.example", "password": "bench bench bench"}
    for command in (
        ["tenants", "create", "bench", "--tier", "unlimited"],
        ["users", "create", "--tenant", "bench", "--email", person["email"], "--password",
         person["password"], "--role", "operator"],
    ):  # fmt: skip
        subprocess.run(
            [sys.executable, "-m", "ops", *command], check=True, env=environment, cwd=ROOT,
            stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
    with _serving([sys.executable, "-m", "ops", "serve"], port, environment, "/readyz") as pid:
        base = f"http://127.0.0.1:{port}"
        token = _call(f"{base}/auth/login", person)["access_token"]
        header = f"Authorization: Bearer {token}"
        steps = [{"id": f"s{n}", "agent": "supervisor", "task": "noop",
                  "needs": [f"s{n - 1}"] if n else []} for n in range(4)]  # fmt: skip
        body = {"definition": {"name": "bench", "steps": steps}}
        run_id = _call(f"{base}/workflows/execute", body, header)["workflow_id"]
        path = f"/workflows/{run_id}/status"
        deadline = time.monotonic() + 30
        while _call(base + path, None, header)["status"] != "completed":
            assert time.monotonic() < deadline
        yield Target(pid, port, path, header), Target(pid, port, "/auth/verify", header)


def _call(url: str, body: Any = None, header: str = "") -> Any:
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if header:
        request.add_header(*header.split(": ", 1))
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@contextmanager
def _serving(
    command: list[str], port: int, environment: dict[str, str] | None = None, ready: str = "/"
) -> Iterator[int]:
    server = subprocess.Popen(
        [*_pin(0), *command], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until_ready(f"http://127.0.0.1:{port}{ready}")
        yield server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


def _until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
        else:
            return


def _pin(core: int) -> list[str]:
    several = (os.cpu_count() or 1) > 1
    return ["taskset", "-c", str(core)] if several and shutil.which("taskset") else []


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _load(target: Target) -> Measured:
    server = psutil.Process(target.pid)
    before, began = server.cpu_times(), time.monotonic()
    found = _clocked(target)
    after, spent = server.cpu_times(), time.monotonic() - began
    used = after.user + after.system - before.user - before.system
    return replace(found, per_cpu=found.rate / used * min(spent, SECONDS + 0.3))


def _clocked(target: Target) -> Measured:
    if shutil.which("wrk"):
        return _wrk(target)
    command = [
        sys.executable,
        "-m",
        "benchmarks.http",
        str(target.port),
        target.path,
        target.header,
    ]
    done = subprocess.run(
        [*_pin(1), *command], check=True, cwd=ROOT, capture_output=True, timeout=120
    )
    return Measured(**json.loads(done.stdout))


def _wrk(target: Target) -> Measured:
    url = f"http://127.0.0.1:{target.port}{target.path}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS:.0f}s", "--latency", "-H",
               target.header, url]  # fmt: skip
    done = subprocess.run(
        [*_pin(1), *command], check=True, capture_output=True, text=True, timeout=120
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    assert rate, done.stdout
    assert tail, done.stdout
    return Measured(float(rate[1]), float(tail[1]) * {"us": 0.001, "ms": 1, "s": 1000}[tail[2]])


# --- the client of sockets, in a process of its own ----------------------------------------------


class _Connection(asyncio.Protocol):
    """Asks again as soon as an answer is whole."""

    def __init__(self, request: bytes, times: list[float]) -> None:
        self._request, self._times = request, times
        self._buffer = b""
        self._asked = 0.0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert head.startswith(b"HTTP/1.1 200"), head
        assert length, head
        if len(body) >= int(length[1]):
            self._times.append(time.perf_counter() - self._asked)
            self._buffer = b""
            self._ask()


async def _ask_for(seconds: float, port: int, path: str, header: str) -> Measured:
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n{header}\r\n\r\n".encode()
    times: list[float] = []
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(request, times), "127.0.0.1", port)
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(0.3)
    times.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    spent = time.perf_counter() - began
    taken = sorted(times)
    for transport, _ in made:
        transport.abort()
    return Measured(len(taken) / spent, taken[int(len(taken) * 0.99)] * 1000)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        found = asyncio.run(_ask_for(SECONDS, int(sys.argv[1]), sys.argv[2], sys.argv[3]))
        print(json.dumps({"rate": found.rate, "p99": found.p99}))
