"""One run through three processes: its lines, its trace, its numbers; and forty planted secrets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.engine import flow, step
from tests.fakes.sink import HttpSink
from tests.flows.person import Person
from tests.flows.program import until
from tests.observability.receiver import Seen
from tests.observability.roles import ROLES, Roles, started

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def planted() -> list[str]:
    """Forty secrets that somebody hands over, in every place where one can be."""
    return [f"Planted{number:02}x{secrets.token_hex(8)}" for number in range(40)]


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpSink]:
    with HttpSink(tmp_path_factory.mktemp("sink") / "deliveries") as made:
        yield made


@pytest.fixture(scope="module")
def roles(
    tmp_path_factory: pytest.TempPathFactory, planted: list[str], sink: HttpSink
) -> Iterator[Roles]:
    root_key = secrets.token_hex(32)
    planted.append(root_key)
    with started(
        tmp_path_factory.mktemp("roles"), WEFT_ROOT_KEY=root_key, WEFT_EGRESS_ALLOW=sink.place,
        WEFT_SMTP_URL=f"smtp://mailer:{planted[0]}@127.0.0.1:9",
    ) as made:  # fmt: skip
        yield made


@pytest.fixture(scope="module")
def run(roles: Roles, sink: HttpSink) -> str:
    """A finished run that told an outside system of its end."""
    who = roles.platform.person("acme")
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "req-of-the-run"}
    body = {
        "definition": flow(step("a"), step("b", "a")), "callback_url": f"{sink.url}/done",
    }  # fmt: skip
    made = who.post("/workflows/execute", 202, json=body, headers=headers).json()["workflow_id"]
    assert who.status(made)["status"] == "completed"
    who.close()

    def told() -> bool:
        lines = [line for role in ROLES for line in roles.lines(role)]
        return any(line["event"] == "effect" and line["run_id"] == made for line in lines)

    assert until(told, 20)
    return str(made)


def test_a_runs_lines_are_found_by_its_id_in_every_process(roles: Roles, run: str) -> None:
    def published() -> bool:
        return any(line.get("run_id") == run for line in roles.lines("relay"))

    assert until(published, 10)
    found = {
        role: {line["event"] for line in roles.lines(role) if line.get("run_id") == run}
        for role in ROLES
    }
    assert "request" in found["gateway"]
    assert {"step", "run ended", "effect"} <= found["worker"]
    assert found["relay"] == {"published"}
    for role in ROLES:
        for line in roles.lines(role):
            if line.get("run_id") == run:
                assert re.fullmatch("[0-9a-f-]{36}", line["tenant"])
            if line.get("run_id") == run and line["event"] in ("step", "run ended", "effect"):
                assert line["request_id"] == "req-of-the-run"


def test_one_trace_goes_through_all_processes(roles: Roles, run: str) -> None:
    def whole(spans: list[Seen]) -> bool:
        names = {span.name for span in spans if span.trace == TRACE}
        linked = any(TRACE in span.links for span in spans if span.name == "publish events")
        return linked and {"POST /workflows/execute", "workflow.submit", "workflow.advance",
                           "step supervisor.noop", "effect webhook"} <= names  # fmt: skip

    roles.receiver.wait(whole)
    spans = {span.name: span for span in roles.receiver.spans(TRACE)}
    asked, submitted = spans["POST /workflows/execute"], spans["workflow.submit"]
    assert asked.parent == "00f067aa0ba902b7"
    assert submitted.parent == asked.id
    assert (asked.service, submitted.service) == ("weft-gateway", "weft-gateway")
    for name in ("workflow.advance", "step supervisor.noop", "effect webhook"):
        assert (spans[name].service, spans[name].parent) == ("weft-worker", submitted.id)
        assert spans[name].attributes["weft.run_id"] == run
        assert spans[name].attributes["weft.tenant_id"]


def test_each_process_has_a_port_for_its_numbers(roles: Roles, run: str) -> None:
    gateway, worker, relay = (roles.metrics(role) for role in ROLES)
    assert 'weft_build_info{role="worker",version=' in worker
    assert 'weft_steps_total{agent="supervisor",status="completed"} ' in worker
    assert 'weft_effects_total{connector="webhook",status="confirmed"} ' in worker
    assert re.search(r"weft_events_published_total [1-9]", relay)
    assert 'weft_queue_listeners{queue="supervisor"} 1.0' in gateway
    assert 'weft_dependency_up{dependency="database"} 1.0' in gateway
    assert "weft_runs_stuck 0.0" in gateway
    assert "weft_queue_listeners" not in worker, "one process that looks is enough"
    for text in (gateway, worker, relay):
        assert "weft_process_resident_memory_bytes" in text
        assert "weft_disk_free_bytes" in text


def test_forty_planted_secrets_are_in_no_line_no_number_and_no_span(
    roles: Roles, run: str, planted: list[str]
) -> None:
    tokens = hand_over(roles, planted[1:])
    roles.receiver.wait(lambda spans: any("/auth/login" in span.name for span in spans))
    until(lambda: "mailer" in roles.log("worker").read_text(), 2)
    told = b"".join(roles.receiver.raw)
    for role in ROLES:
        told += roles.log(role).read_bytes() + roles.metrics(role).encode()
    assert b"request" in told
    leaked = [secret for secret in (*planted, *tokens) if secret.encode() in told]
    assert leaked == []


def hand_over(roles: Roles, given: list[str]) -> list[str]:
    """Speaks every secret into some field, right and wrong; gives the platform's own ones."""
    left = iter(given)
    admin = roles.platform.person("acme")
    own = [admin.http.headers["Authorization"].removeprefix("Bearer ")]
    key = {"name": "k", "scopes": ["documents:read"]}
    own.append(str(admin.post("/auth/api-keys", 201, json=key).json()["key"]))
    with httpx.Client(base_url=roles.platform.url, trust_env=False) as http:
        for name in ("Authorization", "X-API-Key", "Cookie", "Proxy-Authorization", "X-Secret"):
            http.get("/documents", headers={name: f"Bearer {next(left)}"})
            http.get("/documents", headers={name: next(left)})
        for path in ("/documents", "/search", "/nowhere", "/auth/verify", "/metrics"):
            http.get(path, params={"token": next(left)})
            http.get(f"{path}/{next(left)}")
        for _ in range(3):
            body = {"email": "admin@acme.example", "password": next(left), "tenant": "acme"}
            http.post("/auth/login", json=body)
        http.post("/auth/refresh", json={"refresh_token": next(left)})
        http.post("/auth/login", content=f'{{"password": "{next(left)}", broken')
        http.get("/healthz", headers={"traceparent": next(left), "baggage": f"k={next(left)}",
                                      "x-request-id": f"!{next(left)}"})  # fmt: skip
    admin.send(("locked.pdf", b"%PDF-1.4 broken"), password=next(left))
    config = {"webhook_secret": f"whsec_{next(left)}"}
    admin.ask("PATCH", "/tenants/me", json={"config": config})
    for place in ("inputs", "metadata"):
        given_away: dict[str, Any] = {"definition": flow(step("a"))}
        given_away[place] = {"api_key": next(left)}
        admin.ask("POST", "/workflows/execute", json=given_away)
    _failing(admin, next(left))
    for secret in left:
        admin.ask("POST", "/workflows/execute", json={"goal": f"The password is {secret}"})
    admin.close()
    return own


def _failing(admin: Person, secret: str) -> None:
    """A step that fails with the secret in its request, and a callback that is refused."""
    broken = flow(step("a", task="analysis.extract", document_id=secret))
    body = {"definition": broken, "callback_url": f"https://u:{secret}@erp.invalid/?t={secret}"}
    admin.ask("POST", "/workflows/execute", json=body)
    admin.ask("POST", "/search", json={"query": secret, "mode": secret})
