"""Clients that upload small documents without a pause and write down what they are told."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.flows.platform import Platform, pause


@dataclass
class Uploaders:
    """`accepted`: document id → the bytes that were answered 202. `slowest`: seconds."""

    platform: Platform
    token: dict[str, str]
    name: str  # no two crowds send the same bytes: copies are read once
    accepted: dict[str, bytes] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    rude: list[str] = field(default_factory=list)
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    @contextmanager
    def at_work(self, crowd: int = 3, rest_seconds: float = 0.2) -> Iterator[None]:
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._work, args=(stop, rest_seconds)) for _ in range(crowd)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(120)

    def _work(self, stop: threading.Event, rest_seconds: float) -> None:
        with httpx.Client(
            base_url=self.platform.url, headers=self.token, timeout=90, trust_env=False
        ) as http:
            while not stop.is_set():
                self._upload(http)
                stop.wait(rest_seconds)

    def _upload(self, http: httpx.Client) -> None:
        with self._lock:
            self._count += 1
            number = self._count
        word = f"{self.name}{number:05d}"
        data = f"# Note {number}\n\nThe word of note {number} is {word}.\n".encode()
        started = time.monotonic()
        try:
            answer = http.post("/documents", files=[("file", (f"note-{number}.md", data))])
        except httpx.HTTPError as error:
            self._note("broken", f"{type(error).__name__}", started)
            return
        self._note(str(answer.status_code), answer.text, started)
        if answer.status_code == 202:
            with self._lock:
                self.accepted[answer.json()["items"][0]["document_id"]] = data
        elif answer.status_code != 503 or int(answer.headers.get("Retry-After", "0")) < 1:
            self.rude.append(f"{answer.status_code} {answer.text[:200]}")

    def _note(self, what: str, told: str, started: float) -> None:
        with self._lock:
            self.answers[what] += 1
            self.slowest = max(self.slowest, time.monotonic() - started)
            if what == "broken":
                self.rude.append(told)


def drained(platform: Platform, token: dict[str, str], ids: set[str], seconds: float) -> float:
    """Seconds until all of them are read. Raises when one failed or it took too long."""
    started = time.monotonic()
    left = set(ids)
    with httpx.Client(base_url=platform.url, headers=token, timeout=60, trust_env=False) as http:
        while left:
            for one in sorted(left):
                found = http.get(f"/documents/{one}").json()
                assert found["status"] != "failed", found["error"]
                if found["status"] != "ready":
                    break
                left.discard(one)
            took = time.monotonic() - started
            assert took < seconds, f"{len(left)} of {len(ids)} are not read after {took:.0f} s"
            if left:
                pause(0.2)
    return time.monotonic() - started
