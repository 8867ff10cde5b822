"""Lines on their way to Loki, without Loki."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import yaml

from loki import ship
from tests.observability.shown import ROOT

STEP = json.dumps({
    "event": "step", "level": "info", "run_id": "r", "request_id": "q", "tenant": "t", "ms": 3,
    "timestamp": "2026-11-21T15:26:52.000123Z",
})  # fmt: skip


def test_labels_are_few_and_ids_are_metadata() -> None:
    made = ship.body([STEP, "no JSON at all", '["a list"]'], role="worker")
    (stream,) = made["streams"]
    assert stream["stream"] == {"service": "weft", "role": "worker", "level": "info"}
    stamp, line, ids = stream["values"][0]
    assert (stamp, line) == ("1795274812000123000", STEP)
    assert ids == {"run_id": "r", "request_id": "q", "tenant": "t"}
    assert [value[2] for value in stream["values"][1:]] == [{}, {}]


def test_it_ships_the_same_shape_as_alloy() -> None:
    alloy = (ROOT / "deploy" / "compose" / "alloy.alloy").read_text()
    for name in ship.JOINED_BY:
        assert f'{name} = ""' in alloy.split("structured_metadata")[1]
    assert 'tenant_id = "weft"' in alloy
    assert 'service = "weft"' in alloy


def test_lokis_settings_keep_organisations_and_metadata() -> None:
    settings = yaml.safe_load((ROOT / "loki" / "loki.yml").read_text())
    assert settings["auth_enabled"] is True
    assert settings["limits_config"]["allow_structured_metadata"] is True
    assert settings["schema_config"]["configs"][0]["schema"] == "v13"


def test_a_pipe_is_shipped_in_batches() -> None:
    got: list[tuple[str | None, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((self.headers["x-scope-orgid"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "loki.ship", f"http://127.0.0.1:{server.server_port}", "relay"],
            input="\n".join([STEP] * 1200) + "\n", text=True, cwd=ROOT, timeout=60,
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert done.returncode == 0
    lines = [value for _, body in got for one in body["streams"] for value in one["values"]]
    assert len(lines) == 1200
    assert {organisation for organisation, _ in got} == {"weft"}
