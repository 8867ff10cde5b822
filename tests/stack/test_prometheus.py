"""The real Prometheus: it takes our files, scrapes a platform, and answers every panel and rule."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from examples.make import invoices
from tests.engine import flow, step
from tests.fakes.ollama import MODEL, fake_ollama
from tests.fakes.sink import HttpSink
from tests.flows.platform import pause
from tests.flows.program import until
from tests.observability.roles import ROLES, Roles, started
from tests.observability.shown import ROOT, queries, rules
from tests.observability.watching import Prometheus, watched

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

# What stays empty while nothing is wrong, all work is done, and no Kafka is there.
QUIET = {
    "platform/Errors by route", "platform/Refused", "platform/Messages in",
    "workflows/Attempts repeated", "workflows/Documents that cannot be read",
    "models/Batch time", "slo/Alerts that fire", "platform/What went missing",
    "workflows/Damaged parts of indexes", "models/Refused over a budget",
    "tenants/Busiest tenants: jobs",
    "tenants/Busiest tenants: running jobs",
    "tenants/Busiest tenants: ready jobs", "tenants/Busiest tenants: dead letters",
}  # fmt: skip


def test_promtool_takes_our_files() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.fail("There is no promtool. Type: deploy/native/stack up prometheus", False)
    here = ROOT / "prometheus"
    for kind, paths in (
        (("check", "config"), [here / "prometheus.yml", here / "local.yml"]),
        (("check", "rules"), sorted((here / "rules").glob("*.yml"))),
        (("test", "rules"), sorted((here / "tests").glob("*.yml"))),
    ):
        done = subprocess.run([promtool, *kind, *paths], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpSink]:
    with HttpSink(tmp_path_factory.mktemp("sink") / "deliveries") as made:
        yield made


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory, sink: HttpSink) -> Iterator[Roles]:
    with (
        fake_ollama() as ollama,
        started(
            tmp_path_factory.mktemp("roles"), WEFT_EGRESS_ALLOW=sink.place,
            WEFT_MODELS_URL=f"ollama://{ollama.url.removeprefix('http://')}",
        ) as made,
    ):  # fmt: skip
        work(made, sink)
        yield made


@pytest.fixture(scope="module")
def prometheus(
    roles: Roles, sink: HttpSink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    ports = {f"weft-{role}": roles.ports[role] for role in ROLES}
    with watched(tmp_path_factory.mktemp("prometheus"), ports) as made:
        assert until(lambda: set(made.up().values()) == {"up "} and len(made.up()) == 3, 20), (
            made.up()
        )
        pause(2)  # a rate needs two looks with work in between
        work(roles, sink)
        pause(3)
        yield made


def work(roles: Roles, sink: HttpSink) -> None:
    """Something of everything that a tenant does."""
    who = roles.platform.person("acme")
    files = [(name, data) for name, data in invoices() if name.endswith((".docx", ".xlsx"))][:2]
    documents = who.upload(*[(name, data + b"") for name, data in files])
    for document in documents:
        who.read(document)
    run = who.execute(
        workflow="invoice-review", documents=documents,
        inputs={"as_of": "2026-11-21", "notify_email": "ap@acme.example"},
    )  # fmt: skip
    if who.status(run, "completed", "waiting_approval", "failed")["status"] == "waiting_approval":
        for one in who.approvals(run):
            who.decide(one["id"], "approve")
        who.status(run)
    definition = flow(step("a"), step("b", "a"))
    who.status(who.execute(definition=definition, callback_url=f"{sink.url}/done"))
    who.post("/ask", 200, json={"question": "What is the total of the invoice?"})
    who.post("/search", 200, json={"query": "invoice total"})
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "Say yes."}]}
    for more in ({}, {"temperature": 0}, {"temperature": 0}):
        answer = who.ask("POST", "/v1/chat/completions", json={**chat, **more})
        assert answer.status_code == 200, answer.text
    who.post("/route", 200, json={"text": "Say yes."})
    who.close()


def asked(expr: str) -> str:
    return expr.replace("$__rate_interval", "1m").replace("$__auto", "1m")


def test_prometheus_finds_no_fault_with_a_rule(prometheus: Prometheus) -> None:
    found = prometheus.rules()
    assert {rule["name"] for rule in found} == {
        rule.get("alert") or rule["record"] for rule in rules()
    }
    assert until(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), 15), [
        (rule["name"], rule.get("lastError")) for rule in prometheus.rules()
    ]
    for rule in rules():
        prometheus.query(rule["expr"])


def test_nothing_fires_while_nothing_is_wrong(prometheus: Prometheus) -> None:
    states = {rule["name"]: rule["state"] for rule in prometheus.rules() if "state" in rule}
    assert {name for name, state in states.items() if state == "firing"} == set()


def test_every_panel_is_answered_and_shows_what_was_done(prometheus: Prometheus) -> None:
    empty = set()
    for place, expr in queries("prometheus"):
        if not prometheus.query(asked(expr)):
            empty.add(place)
    assert sorted(empty - QUIET) == []
