"""The real Prometheus, on the repository's own configuration, looking at a platform of a test."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.flows.platform import free_port, pause
from tests.observability.shown import ROOT


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series that it finds now. A query that it does not understand fails the test."""
        found = self._ask("/api/v1/query", query=expr)
        assert found["resultType"] in ("vector", "scalar"), expr
        result: list[dict[str, Any]] = found["result"] if found["resultType"] == "vector" else []
        return result

    def up(self) -> dict[str, str]:
        """job → what its last scrape says."""
        targets = self._ask("/api/v1/targets")["activeTargets"]
        return {one["labels"]["job"]: f"{one['health']} {one['lastError']}" for one in targets}

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._ask("/api/v1/rules")["groups"] for rule in group["rules"]]

    def _ask(self, path: str, **params: str) -> Any:
        asked = f"{self.url}{path}?{urllib.parse.urlencode(params)}"
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{params}: {error.read().decode()}")


def configuration(folder: Path, targets: dict[str, int]) -> Path:
    """prometheus/local.yml with other addresses and a quicker clock: job → port."""
    given = yaml.safe_load((ROOT / "prometheus" / "local.yml").read_text())
    given["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    given["rule_files"] = [str(ROOT / "prometheus" / name) for name in given["rule_files"]]
    given["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in targets.items()
    ]
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(given))
    return path


@contextmanager
def watched(folder: Path, targets: dict[str, int]) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("There is no prometheus. Type: deploy/native/stack up prometheus", False)
    at = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("ab") as log:
        one = subprocess.Popen(
            [program, f"--config.file={configuration(folder, targets)}",
             f"--storage.tsdb.path={folder / 'prometheus'}", f"--web.listen-address={at}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        found = Prometheus(f"http://{at}")
        _until_ready(found.url)
        yield found
    finally:
        one.terminate()
        one.wait(20)


def _until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, "Prometheus does not get ready"
            pause(0.1)
