"""Bad files against a running platform, with somebody of another tenant who goes on working."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.flows.person import Person
from tests.flows.platform import Platform
from tests.ingestion.bad import Case

END_SECONDS = 40.0
TRAP = ("127.0.0.1", 48719)  # where the files point at
_PLACES = ("/tmp", "/etc/cron.d", ".")


@dataclass
class Ended:
    """How a file ended: `code` is `ready`, or why not."""

    case: Case
    code: str
    seconds: float

    @property
    def wrong(self) -> str | None:
        if self.seconds > END_SECONDS:
            return f"{self.case.name}: {self.seconds:.0f} s"
        if self.code not in self.case.ends:
            return f"{self.case.name}: {self.code}, not one of {sorted(self.case.ends)}"
        return None


@dataclass
class Bystander:
    """Asks twice a second; `slowest` is in seconds."""

    who: Person
    slowest: float = 0.0
    asked: int = 0
    errors: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(30)

    def _work(self) -> None:
        while not self._over.wait(0.5):
            begun = time.monotonic()
            try:
                self.who.get("/documents")
                self.who.post("/search", json={"query": "honest line", "mode": "keyword"})
            except (AssertionError, httpx.HTTPError) as error:  # told at the end, by the test
                self.errors.append(repr(error))
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.asked += 1


@contextlib.contextmanager
def trapped() -> Iterator[list[str]]:
    """Who called where the files point at. Another run of the same test may listen there."""
    calls: list[str] = []
    with socket.socket() as trap:
        trap.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trap.bind(TRAP)
        except OSError:
            yield calls
            return
        trap.listen()
        trap.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    taken, whence = trap.accept()
                    taken.close()
                    calls.append(str(whence))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield calls
        finally:
            over.set()
            thread.join(5)


def sent(who: Person, case: Case) -> tuple[str, str, float]:
    """The document's id, or empty and the code of the refusal; and when it was sent."""
    begun = time.monotonic()
    data = case.make()
    begun = time.monotonic()
    answer = who.send((case.filename, data))
    if answer.status_code == 202:
        return answer.json()["items"][0]["document_id"], "", begun
    assert 400 <= answer.status_code < 500, answer.text
    return "", str(answer.json()["code"]), begun


def ended(who: Person, case: Case, given: tuple[str, str, float]) -> Ended:
    document, code, begun = given
    if document:
        try:
            found = who.read(document, END_SECONDS + 20)
        except AssertionError as error:
            return Ended(case, str(error), time.monotonic() - begun)
        code = "ready" if found["status"] == "ready" else str(found["error"]["code"])
    return Ended(case, code, time.monotonic() - begun)


def escaped() -> list[str]:
    return [str(one) for place in _PLACES for one in Path(place).glob("*weft-escaped*")]


def parent_bytes(platform: Platform) -> int:
    return max(int(psutil.Process(one.pid).memory_info().rss) for one in platform.running)
