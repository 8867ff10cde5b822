"""B1: ten times more than it can do. B3: one tenant asks a hundred times as much as another."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.flows.platform import ROOT, Forge, Platform
from tests.torture.figures import at_least, at_most, held, none
from tests.torture.load import UNSENT
from tests.torture.stage import people
from tests.torture.worlds import urls

pytestmark = [pytest.mark.figure, pytest.mark.timeout(900)]
SECONDS = float(os.environ.get("WEFT_TORTURE_SECONDS", "60"))
CAP_MB = 1024.0
MORE = {"WEFT_LOG_LEVEL": "warning", "WEFT_SWEEP_SECONDS": "0.2"}
AFTER_SECONDS = 10.0


@contextlib.contextmanager
def serving(
    folder: Path, found: dict[str, str], forge: Forge
) -> Iterator[tuple[Platform, list[str]]]:
    """Gateway, worker and relay in one process, and two tenants' keys."""
    platform = Platform(folder / "data", {**MORE, **found}, forge)
    keys = people(platform, ("loud", "quiet"))
    platform.start()
    try:
        yield platform, keys
    finally:
        platform.stop()


def offered(
    platform: Platform, seconds: float, *streams: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    spec = {"port": platform.port, "seconds": seconds, "streams": streams}
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.load"], input=json.dumps(spec), cwd=ROOT, text=True,
        capture_output=True, timeout=seconds + 120, check=True,
    )  # fmt: skip
    return {one["name"]: one for one in json.loads(done.stdout)}


class Memory:
    """The most that a process and its children hold, MB, looked at five times a second."""

    def __init__(self, pid: int) -> None:
        self.peak, self._pid, self._stop = 0.0, pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            parent = psutil.Process(self._pid)
            held = 0
            for one in (parent, *parent.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    held += one.memory_info().rss
            self.peak = max(self.peak, held / 2**20)


def test_ten_times_more_than_it_can_do_is_refused_in_good_order(
    world: str, servers_of: Callable[[], Any], forge: Forge, tmp_path: Path
) -> None:
    with serving(tmp_path, urls(world, servers_of, "b1"), forge) as (platform, keys):
        start = {"name": "start", "kind": "start", "key": keys[0]}
        offered(platform, 2, {**start, "at_once": 4})
        idle = offered(platform, 5, {**start, "rate": 5})["start"]
        peak = max(
            offered(platform, SECONDS / 4, {**start, "at_once": many})["start"]["per_second"]
            for many in (4, 16)
        )
        with Memory(platform.running[0].pid) as memory:
            most = offered(platform, SECONDS, {**start, "rate": 10 * peak})["start"]
        threading.Event().wait(AFTER_SECONDS)
        after = offered(platform, 5, {**start, "rate": 5})["start"]
    refused = most["offered"] - most["good"] - most["statuses"].get(UNSENT, 0)
    offer = f"offered {most['offered'] / SECONDS:.0f}/s over 400 connections for {SECONDS:g} s"
    said = f"peak {peak:.0f}/s, {offer}, {most['statuses']}"
    wrong = refused - most["statuses"].get("503", 0) - most["statuses"].get("429", 0)
    short = held([
        at_least(f"B1.{world}.goodput", 100 * most["per_second"] / peak, 80, "% of the peak", said),
        none(f"B1.{world}.rude", wrong + most["rude"], f"refusals of {refused}"),
        at_most(f"B1.{world}.memory", 100 * memory.peak / CAP_MB, 80, "% of 1 GiB",
                f"{memory.peak:.0f} MiB"),
        at_most(f"B1.{world}.accepted_p99", most["served_p99_ms"], 2 * max(idle["p99_ms"], 50),
                "ms from sent to answered", f"idle p99 {idle['p99_ms']:.1f} ms, floor 50 ms; with "
                f"the wait for one of the clients' 400 connections {most['p99_ms']:.0f} ms"),
        at_most(f"B1.{world}.after_p99", after["p99_ms"], 2 * max(idle["p99_ms"], 50), "ms",
                f"{AFTER_SECONDS:g} s later; {after['statuses']}"),
    ])  # fmt: skip
    assert not short


def test_a_loud_tenant_does_not_slow_its_neighbour_down(
    world: str, servers_of: Callable[[], Any], forge: Forge, tmp_path: Path
) -> None:
    with serving(tmp_path, urls(world, servers_of, "b3"), forge) as (platform, keys):
        runs = [_run(platform, key) for key in keys]
        quiet: list[dict[str, Any]] = [
            {"name": kind, "kind": kind, "key": keys[1], "rate": rate, "run": runs[1]}
            for kind, rate in (("read", 5), ("start", 2), ("whole", 1), ("search", 2))
        ]
        loud: list[dict[str, Any]] = [
            {"name": f"loud {kind}", "kind": kind, "key": keys[0], "rate": rate, "run": runs[0]}
            for kind, rate in (("read", 500), ("start", 200), ("search", 200))
        ]
        offered(platform, 2, *quiet)
        alone = offered(platform, SECONDS / 3, *quiet)
        beside = offered(platform, SECONDS / 2, *quiet, *loud)
    figures = []
    for one in ("read", "start", "whole", "search"):
        goal = 2 * alone[one]["p99_ms"] + 50
        said = f"alone p99 {alone[one]['p99_ms']:.1f} ms; p50 {beside[one]['p50_ms']:.1f} ms"
        figures.append(at_most(f"B3.{world}.{one}_p99", beside[one]["p99_ms"], goal, "ms", said))
    refused = sum(beside[one["name"]]["offered"] - beside[one["name"]]["good"] for one in quiet)
    told = ", ".join(f"{one['name']} {beside[one['name']]['statuses']}" for one in loud)
    figures.append(none(f"B3.{world}.refused", refused, "answers to the quiet one"))
    figures[-1]["peer"] = told
    assert not held(figures)


def _run(platform: Platform, key: str) -> str:
    """A workflow to read the status of."""
    from tests.torture.load import FLOW

    with httpx.Client(base_url=platform.url, headers={"X-API-Key": key}, trust_env=False) as http:
        answer = http.post("/workflows/execute", json={"definition": FLOW})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["workflow_id"])
