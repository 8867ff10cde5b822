"""A hundred documents of every family at once, beside as many one at a time, on a started platform.

Memory is the resident set from /proc, in MiB: of the platform's own process at rest before and
after and at its greatest while they come, and of each child at its greatest (VmHWM).
`WEFT_BENCH_DOCUMENTS` makes it fewer.
"""

from __future__ import annotations

import io
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import at_least, at_most
from benchmarks.platform import _pdf, _platform
from ops import process
from ops.client import Client
from tests.ingestion import builders, scans

DOCUMENTS = int(os.environ.get("WEFT_BENCH_DOCUMENTS", "100"))
_READY_SECONDS = 900.0
_GROWTH_MIB = 64.0  # an index grows with what is in it; what a parser has seen must not stay
_nothing = threading.Event()


def run() -> Iterator[dict[str, Any]]:
    with _platform({"WEFT_MODELS_URL": "none:"}) as (settings, client, _started):
        found = process.running(settings)
        assert found is not None
        parent = psutil.Process(found.pid)
        _one_at_a_time(client, range(len(_FAMILIES)))  # what is loaded once is loaded
        seconds = _one_at_a_time(client, range(100, 100 + DOCUMENTS))
        _nothing.wait(2)
        before = _mib(parent.pid, "VmRSS")
        with _Watch(parent).watching() as watch:
            together = _together(client, range(1_000, 1_000 + DOCUMENTS))
        _nothing.wait(2)
        after = _mib(parent.pid, "VmRSS")
    apart = sum(seconds.values())
    told = ", ".join(f"{name} {took:.1f} s" for name, took in seconds.items())
    yield at_least("mixed.throughput", apart / together, 0.9, "x one at a time", told)
    yield at_most(
        "mixed.parent_growth", after - before, _GROWTH_MIB, "MiB",
        f"{before:.0f} MiB before, {watch.parent:.0f} MiB at its greatest",
    )  # fmt: skip
    name, peak = max(watch.children.values(), key=lambda one: one[1], default=("none", 0.0))
    yield at_most(
        "mixed.child_peak", peak, 512, "MiB", f"of {len(watch.children)} children seen; {name}"
    )


@dataclass
class _Watch:
    """The greatest memory of a process and of all that it starts."""

    process: psutil.Process
    parent: float = 0.0
    children: dict[int, tuple[str, float]] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[_Watch]:
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                self.parent = max(self.parent, _mib(self.process.pid, "VmRSS"))
                for one in self.process.children(recursive=True):
                    peak = _mib(one.pid, "VmHWM")
                    if peak > self.children.get(one.pid, ("", 0.0))[1]:
                        self.children[one.pid] = (_role(one), peak)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()


def _role(one: psutil.Process) -> str:
    """The kind of its fork server, the last word of that one's command."""
    try:
        return (one.cmdline() or [""])[-1]
    except psutil.Error:
        return ""


def _mib(pid: int, field: str) -> float:
    """0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)


def _one_at_a_time(client: Client, numbers: range) -> dict[str, float]:
    """Seconds by family, each from the upload until the document is ready."""
    seconds: dict[str, float] = {}
    for number in numbers:
        name, data = _file(number)
        begun = time.perf_counter()
        _wait(client, [_sent(client, name, data)])
        family = name.rpartition(".")[2]
        seconds[family] = seconds.get(family, 0.0) + time.perf_counter() - begun
    return seconds


def _together(client: Client, numbers: range) -> float:
    """Seconds from the first upload until the last document is ready."""
    files = [_file(number) for number in numbers]
    random.Random(6).shuffle(files)
    begun = time.perf_counter()
    _wait(client, [_sent(client, name, data) for name, data in files])
    return time.perf_counter() - begun


def _sent(client: Client, name: str, data: bytes) -> str:
    answer = client.call("POST", "/documents", files={"file": (name, data)})
    return str(answer["items"][0]["document_id"])


def _wait(client: Client, documents: list[str]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    for one in documents:
        while (status := client.call("GET", f"/documents/{one}")["status"]) != "ready":
            assert status != "failed", one
            assert time.monotonic() < deadline, "the platform did not finish in time"
            _nothing.wait(0.02)


def _file(number: int) -> tuple[str, bytes]:
    """Of every family in turn; no two are alike."""
    form, make = _FAMILIES[number % len(_FAMILIES)]
    return f"paper-{number}.{form}", make(number)


def _text(number: int) -> str:
    return "\n".join(
        f"Note {number}, line {line}: pump {number * 91 + line} runs at {line * 7 % 400} rpm."
        for line in range(40)
    )


def _workbook(number: int) -> bytes:
    def fill(book: Any) -> None:
        book.active.append(["Pump", "Station", "Speed", "Checked"])
        for row in range(150):
            book.active.append([f"P-{number}-{row}", row % 17, row * 1.5, row % 2 == 0])

    return builders.xlsx(fill)


def _letter(number: int) -> bytes:
    return builders.docx("".join(map(builders.paragraph, _text(number).splitlines())))


def _mail(number: int, *attached: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = f"p{number}@a.example", "b@b.example"
    message["Subject"], message["Message-ID"] = f"Pumps {number}", f"<{number}@a.example>"
    message.set_content(_text(number))
    for name, data in attached:
        message.add_attachment(data, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes()


def _archive(number: int) -> bytes:
    return builders.archive({f"note-{n}.txt": f"{n}\n{_text(number)}" for n in range(3)})


def _scan(number: int) -> bytes:
    target = io.BytesIO()
    scans.printed(f"Pump {number} was checked", *scans.ENGLISH, dpi=200).crop(
        (0, 100, 1654, 500)
    ).save(target, "PNG")
    return target.getvalue()


_FAMILIES: tuple[tuple[str, Callable[[int], bytes]], ...] = (
    ("pdf", _pdf), ("xlsx", _workbook), ("docx", _letter), ("png", _scan), ("eml", _mail),
    ("txt", lambda number: _text(number).encode()),
    ("html", lambda number: f"<!doctype html><p>{_text(number)}".encode()),
    ("csv", lambda number: "\n".join(f"{number},{n},{n * 7}" for n in range(200)).encode()),
    ("zip", _archive), ("eml", lambda number: _mail(number, ("note.pdf", _pdf(number)))),
)  # fmt: skip
