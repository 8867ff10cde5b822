"""The whole platform as a user starts it: time to ready, resident memory, many runs at once.

Memory is the proportional set size (PSS) of the process and all its children, from
/proc/PID/smaps_rollup, in MB of 10^6 bytes (macOS: resident set size).
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import at_least, at_most
from core.settings import Settings
from models import Models
from ops import process
from ops.client import Client
from ops.identity import command_key, ensure_tenant

CAP_BYTES = 10**9
RUNS = 50
ROOT = Path(__file__).parent.parent


def run() -> Iterator[dict[str, Any]]:
    with _platform({"WEFT_MODELS_URL": "none:"}) as (settings, client, started):
        yield at_most("start.ready", started, 3.0, "s")
        time.sleep(2)
        yield at_most("memory.idle", _pss(settings), 250, "MB")
        _upload(client, 100)
        yield at_most("memory.100_documents", _pss(settings), 450, "MB")
    with _platform({"WEFT_MODELS_URL": "embedded:"}) as (settings, client, _started):
        _upload(client, 10)
        body = {"model": "", "messages": [{"role": "user", "content": "Say hello."}]}
        body["model"] = client.call("GET", "/v1/models")["data"][0]["id"]
        client.call("POST", "/v1/chat/completions", json={**body, "max_tokens": 16})
        yield at_most("memory.with_chat_model", _pss(settings), 700, "MB")
    yield from _many_reviews()


def _many_reviews() -> Iterator[dict[str, Any]]:
    """50 invoice reviews of 10 documents each, at once, all processes together under 1 GB."""
    environment = {"WEFT_MODELS_URL": "none:", "WEFT_TENANT_RUNNING_MAX": "64"}
    with _platform(environment) as (settings, client, _started):
        documents = [client.upload(path) for path in _invoices(settings.data_dir)]
        begun = time.monotonic()
        body = {"workflow": "invoice-review", "documents": documents}
        ids = [
            client.call("POST", "/workflows/execute", json={**body, "metadata": {"n": n}})
            for n in range(RUNS)
        ]
        peak, done = 0.0, 0
        for accepted in ids:
            status = client.follow(accepted["workflow_id"], 600)
            done += status["status"] in ("completed", "waiting_approval")
            peak = max(peak, _pss(settings))
        seconds = time.monotonic() - begun
        yield at_least("reviews.finished", done, RUNS, "runs of 50")
        yield at_most("reviews.memory_peak", peak, CAP_BYTES / 10**6, "MB")
        yield at_most("reviews.seconds", seconds, 600, "s for 50 runs of 10 documents")


@contextmanager
def _platform(environment: dict[str, str]) -> Iterator[tuple[Settings, Client, float]]:
    folder = Path(tempfile.mkdtemp(prefix="weft-bench-"))
    port = _free_port()
    variables = {
        "WEFT_DATA_DIR": str(folder), "WEFT_PORT": str(port), **environment,
    }  # fmt: skip
    os.environ.update(variables)
    settings = Settings(_env_file=None).resolved()
    assert Models(settings).embedder() is not None, "type: make setup"
    try:
        ensure_tenant(settings, "bench", "Bench", "unlimited")
        begun = time.monotonic()
        url = process.start(settings).url
        started = time.monotonic() - begun
        key = command_key(settings, "bench")
        yield settings, Client(url, {"X-API-Key": key}), started
    finally:
        process.stop(settings)
        for name in variables:
            os.environ.pop(name)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _pss(settings: Settings) -> float:
    """All processes of the platform together, MB."""
    found = process.running(settings)
    assert found is not None
    parent = psutil.Process(found.pid)
    return sum(_memory(one) for one in (parent, *parent.children(recursive=True))) / 10**6


def _memory(one: psutil.Process) -> int:
    try:
        full = one.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    return int(getattr(full, "pss", 0) or full.rss)


def _upload(client: Client, count: int) -> None:
    """`count` different two-page PDFs, waited for until each is ready."""
    ids = []
    for number in range(count):
        files = {"file": (f"note-{number}.pdf", _pdf(number))}
        answer = client.call("POST", "/documents", files=files)
        ids.append(answer["items"][0]["document_id"])
    _until(lambda: all(_ready(client, one) for one in ids), 600)


def _ready(client: Client, document: str) -> bool:
    status = client.call("GET", f"/documents/{document}")["status"]
    assert status != "failed"
    return bool(status == "ready")


def _until(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "the platform did not finish in time"
        time.sleep(0.5)


def _pdf(number: int) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for page in range(2):
        text = canvas.beginText(60, 780)
        for line in range(45):
            place = number * 91 + page * 45 + line
            text.textLine(
                f"Note {number}, line {line}: pump {place} was checked at station {place % 17} "
                f"and runs at {place * 7 % 400} rpm."
            )
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _invoices(folder: Path) -> list[Path]:
    """Ten of the example's business papers, the ledger among them."""
    out = folder / "examples"
    subprocess.run(
        [sys.executable, "-m", "examples.make", str(out)], cwd=ROOT, check=True, timeout=60
    )
    paths = sorted((out / "clearpay" / "invoices").iterdir())
    ledger = [path for path in paths if path.name == "ledger.xlsx"]
    return [path for path in paths if path not in ledger][:9] + ledger
