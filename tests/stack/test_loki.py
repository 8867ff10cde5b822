"""The real Loki (CI_FULL=1: it builds for five minutes): one run's lines from three processes."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from loki import ship
from tests.engine import flow, step
from tests.flows.program import until
from tests.observability.roles import ROLES, Roles, started
from tests.observability.shown import queries
from tests.stack.servers import Servers

pytestmark = [
    pytest.mark.stack, pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("CI_FULL") != "1", reason="Loki builds for five minutes: CI_FULL=1"
    ),
]  # fmt: skip


class Loki:
    def __init__(self, url: str) -> None:
        self.url = url

    def lines(self, query: str, organisation: str = "weft") -> list[dict[str, Any]]:
        found = self.ask(query, organisation)
        return [json.loads(line) for one in found["result"] for _, line in one["values"]]

    def ask(self, query: str, organisation: str = "weft") -> Any:
        """A query that it does not understand fails the test."""
        end = time.time_ns()
        params = {"query": query, "start": end - 3600 * 10**9, "end": end, "limit": 1000,
                  "step": "60"}  # fmt: skip
        asked = f"{self.url}/loki/api/v1/query_range?{urllib.parse.urlencode(params)}"
        request = urllib.request.Request(asked, headers={"X-Scope-OrgID": organisation})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{query}: {error.read().decode()}")


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    with started(tmp_path_factory.mktemp("roles")) as made:
        yield made


@pytest.fixture(scope="module")
def run(roles: Roles) -> str:
    who = roles.platform.person("acme")
    made = who.execute(definition=flow(step("a"), step("b", "a")))
    assert who.status(made)["status"] == "completed"
    who.close()
    assert until(lambda: made in roles.log("relay").read_text(), 20)
    return made


@pytest.fixture(scope="module")
def loki(servers: Servers, roles: Roles, run: str) -> Loki:
    servers.up("loki")
    made = Loki(f"http://127.0.0.1:{servers.port('loki')}")
    for role in ROLES:
        ship.push(made.url, roles.log(role).read_text().splitlines(), role)
    return made


def test_one_id_finds_a_runs_lines_of_every_process(loki: Loki, run: str) -> None:
    assert until(lambda: len(loki.lines(f'{{service="weft"}} | run_id="{run}"')) >= 4, 20)
    for role, event in (("gateway", "request"), ("worker", "step"), ("relay", "published")):
        found = loki.lines(f'{{service="weft", role="{role}"}} | run_id="{run}"')
        assert event in {line["event"] for line in found}
        assert {line["run_id"] for line in found} == {run}


def test_another_organisation_sees_nothing(loki: Loki, run: str) -> None:
    assert loki.lines(f'{{service="weft"}} | run_id="{run}"', "another") == []


def test_every_panel_is_answered(loki: Loki, run: str) -> None:
    asked = list(queries("loki"))
    assert len(asked) >= 5
    for place, expr in asked:
        found = loki.ask(expr.replace("$__auto", "1h").replace("$run_id", run))
        if place in ("workflows/Lines of the run", "tenants/Requests by tenant"):
            assert found["result"], place
