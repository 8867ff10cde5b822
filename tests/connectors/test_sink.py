"""The sink as a process of its own: its count outlives everybody else."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from connectors.egress import Egress
from tests.fakes.sink import HttpSink

ROOT = Path(__file__).parent.parent.parent


def test_the_sink_process_counts_by_id_across_restarts(tmp_path: Path) -> None:
    lines, port = tmp_path / "sink.jsonl", 0
    for script, wanted in (("500-after-commit", 500), ("200", 200)):
        command = [sys.executable, "-m", "tests.fakes.sink", str(port), str(lines)]
        with subprocess.Popen(
            [*command, "--script", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["http"]
            place = url.split("/")[2]
            port = int(place.partition(":")[2])
            reply = Egress(place).request("POST", url, headers={"webhook-id": "e1"}, content=b"{}")
            process.kill()
        assert reply.status == wanted
    taken = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [(one["id"], one["committed"]) for one in taken] == [("e1", True), ("e1", True)]


def test_half_a_request_is_no_delivery(tmp_path: Path) -> None:
    with HttpSink(tmp_path / "deliveries") as sink:
        with socket.create_connection(("127.0.0.1", sink.port), timeout=5) as cut:
            cut.sendall(b"POST /hook HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf")
            cut.shutdown(socket.SHUT_WR)
            assert cut.recv(100) == b""
        assert sink.deliveries() == []
