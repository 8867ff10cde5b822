"""docker-compose.yml and the Caddyfile, judged by the real programs.

They are built from source in minutes, so they are built only for `CI_FULL=1`; what is already built
is used. Compose needs no engine to read, merge and check a file.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STACK = ROOT / "deploy" / "native" / "stack"

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]


def tool(name: str) -> Path:
    cache = Path(os.environ.get("WEFT_STACK_CACHE") or Path.home() / ".cache" / "weft" / "stack")
    if not os.environ.get("CI_FULL") and not list(cache.glob(f"{name}-*/{name}")):
        pytest.skip(
            f"{name} is built only for CI_FULL=1, or by: deploy/native/stack install {name}"
        )
    done = subprocess.run([STACK, "install", name], capture_output=True, text=True, timeout=1700)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone as a new user has it, as far as Compose looks at it."""
    for name in ("docker-compose.yml", "Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("deploy/compose", "prometheus", "loki", "grafana"):
        leave = shutil.ignore_patterns("secrets")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=leave)
    return tmp_path


def compose(project: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tool("docker-compose"), *arguments],
        cwd=project, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": str(project), **more},
    )  # fmt: skip


def secrets(project: Path, **words: str) -> None:
    subprocess.run(
        ["sh", "deploy/compose/secrets.sh"], cwd=project, check=True, timeout=30,
        stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], **words},
    )  # fmt: skip


def merged(project: Path, *arguments: str, **more: str) -> dict[str, Any]:
    done = compose(project, *arguments, "config", "--format", "json", **more)
    assert done.returncode == 0, done.stderr
    assert "variable is not set" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_secrets_it_says_what_to_type(project: Path) -> None:
    done = compose(project, "--profile", "small", "config", "--quiet")
    assert done.returncode != 0
    assert "Type first: sh deploy/compose/secrets.sh" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_after_the_secrets_a_bare_start_is_the_small_product(project: Path) -> None:
    secrets(project)
    names = set(merged(project)["services"])
    assert names == {"weft", "migrate", "postgres", "seaweedfs", "ollama"}


@pytest.mark.parametrize(
    "profiles", ["small", "full", "small,tls", "full,tls", "small,minio", "full,minio"]
)
def test_every_profile_is_valid_and_loses_nothing_when_merged(project: Path, profiles: str) -> None:
    secrets(project)
    whole = merged(project, COMPOSE_PROFILES=profiles)
    assert ("weft" in whole["services"]) == ("small" in profiles)
    assert ("caddy" in whole["services"]) == ("tls" in profiles)
    for name, one in whole["services"].items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["read_only"] is True, name
        assert int(one["mem_limit"]) > 0, name
        for secret in one.get("secrets", []):
            assert Path(whole["secrets"][secret["source"]]["file"]).is_file(), name


def test_a_profile_by_flag_replaces_the_one_of_the_env_file(project: Path) -> None:
    secrets(project)
    names = set(merged(project, "--profile", "full")["services"])
    assert {"gateway", "worker", "relay", "intake", "kafka", "redis"} <= names
    assert "weft" not in names


def test_other_settings_come_from_a_file_of_the_person(project: Path) -> None:
    secrets(project)
    (project / "deploy/compose/weft.env").write_text("WEFT_WORKER_THREADS=8\n")
    whole = merged(project)["services"]
    assert whole["weft"]["environment"]["WEFT_WORKER_THREADS"] == "8"
    assert "WEFT_WORKER_THREADS" not in whole["postgres"].get("environment", {})


# ---- TLS -----------------------------------------------------------------------------------------


class Upstream(BaseHTTPRequestHandler):
    """A gateway that says who is said to have asked."""

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def free_ports(count: int) -> list[int]:
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(sock.getsockname()[1]) for sock in socks]
    for sock in socks:
        sock.close()
    return ports


@pytest.fixture
def front(tmp_path: Path) -> Iterator[tuple[int, int, Path]]:
    """Caddy with our Caddyfile before a gateway of one answer: its ports and its authority."""
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=upstream.serve_forever, daemon=True)
    thread.start()
    tls, plain, health = free_ports(3)
    with (tmp_path / "log").open("wb") as said:
        caddy = subprocess.Popen(
            [tool("caddy"), "run", "--config", ROOT / "deploy/compose/Caddyfile"],
            stdout=subprocess.DEVNULL, stderr=said,
            env={
                "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"),
                "XDG_CONFIG_HOME": str(tmp_path / "config"), "HTTPS_PORT": str(tls),
                "HTTP_PORT": str(plain), "HEALTH_PORT": str(health),
                "UPSTREAM": f"127.0.0.1:{upstream.server_address[1]}",
            },
        )  # fmt: skip
    authority = tmp_path / "data/caddy/pki/authorities/local/root.crt"
    try:
        deadline = time.monotonic() + 30
        while not (_open(health) and _has_certificate(tls, authority)):
            assert caddy.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            threading.Event().wait(0.1)
        yield tls, health, authority
    finally:
        caddy.terminate()
        caddy.wait(timeout=30)
        upstream.shutdown()
        upstream.server_close()
        thread.join(timeout=10)


def _open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _has_certificate(port: int, authority: Path) -> bool:
    """It listens before its authority has signed for `localhost`."""
    if not (authority.exists() and _open(port)):
        return False
    told = ssl.create_default_context(cafile=str(authority))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            told.wrap_socket(raw, server_hostname="localhost").close()
    except OSError:
        return False
    return True


def ask(port: int, authority: Path, newest: ssl.TLSVersion) -> tuple[str, str]:
    """The protocol that was agreed on, and the whole answer."""
    told = ssl.create_default_context(cafile=str(authority))
    told.maximum_version = newest
    deadline = time.monotonic() + 20
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
        told.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        while chunk := sock.recv(65536):
            assert time.monotonic() < deadline
            answer += chunk
        return str(sock.version()), answer.decode()


def test_caddy_speaks_tls_1_3_and_nothing_older(front: tuple[int, int, Path]) -> None:
    tls, health, authority = front
    version, answer = ask(tls, authority, ssl.TLSVersion.TLSv1_3)
    assert version == "TLSv1.3"
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200")
    assert "strict-transport-security: max-age=31536000" in head.lower()
    assert "\r\nserver:" not in head.lower()
    assert json.loads(body)["x-forwarded-proto"] == "https"
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol version|alert"):
        ask(tls, authority, ssl.TLSVersion.TLSv1_2)
    with socket.create_connection(("127.0.0.1", health), timeout=5) as sock:
        sock.sendall(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 200 " in sock.recv(4096)
