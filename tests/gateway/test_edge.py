"""What gets in at all, what every answer carries, and what is said when something is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from gateway.guard import OPEN
from tests.gateway.people import Town
from tests.gateway.platform import opened

PROBLEM = {"type", "title", "status", "detail", "code", "request_id"}


def test_problems_have_one_shape(town: Town) -> None:
    admin = town.as_role("acme")
    answers = [
        town.http.get("/users"),
        town.http.get("/nowhere", headers=admin),
        town.http.put("/auth/verify", headers=admin),
        town.http.get("/tenants", headers=admin),
        town.http.get("/users/nobody", headers=admin),
        town.http.post("/users", json={}, headers=admin),
        town.http.post(
            "/users", content=b"{", headers={**admin, "Content-Type": "application/json"}
        ),
        town.http.post("/users", data={"a": "b"}, headers=admin),
        town.http.get("/users?limit=0", headers=admin),
        town.http.get("/users?cursor=!!", headers=admin),
    ]
    assert [a.status_code for a in answers] == [401, 404, 405, 403, 404, 422, 422, 415, 422, 422]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body.keys() >= PROBLEM
        assert body["status"] == answer.status_code
        assert body["request_id"] == answer.headers["x-request-id"]


def test_invalid_input_names_the_field(town: Town) -> None:
    body = {"email": "no address", "password": "long enough"}
    answer = town.http.post("/users", json=body, headers=town.as_role("acme")).json()
    assert answer["errors"][0]["loc"] == ["body", "email"]
    assert "long enough" not in json.dumps(answer)


def test_the_request_id_is_echoed_or_made(town: Town) -> None:
    assert town.http.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == (
        "abc-1"
    )
    for bad in ("", "a b", "x" * 81, "a\x7f", 'a"b'):
        made = town.http.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert made != bad
        assert len(made) == 36


def test_every_answer_carries_the_security_headers(town: Town) -> None:
    for path in ("/healthz", "/nowhere", "/docs", "/openapi.json"):
        headers = town.http.get(path, headers=town.as_role("acme")).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_a_body_over_the_cap_is_refused_before_it_is_read_and_before_the_credential(
    town: Town,
) -> None:
    most = town.rt.settings.body_bytes_max
    headers = {"Content-Type": "application/json"}
    declared = town.http.post("/users", content=b"x" * (most + 1), headers=headers)
    assert declared.status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(most // 65_536 + 2):
            yield b" " * 65_536

    admin = {**town.as_role("acme"), **headers}
    assert town.http.post("/users", content=chunks(), headers=admin).status_code == 413


def test_too_many_and_too_large_headers_are_refused(town: Town) -> None:
    many = [(f"X-{n}", "1") for n in range(120)]
    assert town.http.get("/healthz", headers=many).status_code == 431
    assert town.http.get("/healthz", headers={"X-Large": "a" * 40_000}).status_code == 431


@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"a@b.c","password":"\\ud800 is half a pair"}',
        b'{"email":"a@b.c","password":"nul \\u0000 inside it"}',
        b'{"email":"a@b.c","password":"long enough","role":NaN}',
        b'{"email":"a@b.c","password":"long enough","tenant_id":"other"}',
        b'{"email":"a@b.c","password":"long enough","tenant":"other"}',
        b'{"email":"a@b.c","password":"long enough","role":1e999}',
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"9" * 5_000,
    ],
)
def test_misshapen_json_is_refused_and_never_breaks(town: Town, body: bytes) -> None:
    headers = {**town.as_role("acme"), "Content-Type": "application/json"}
    assert town.http.post("/users", content=body, headers=headers).status_code in (400, 404, 422)


@pytest.mark.parametrize("path", ["/users/%00", "/users?cursor=%00", "/users/%ED%A0%80", "/%2e%2e"])
def test_odd_addresses_are_refused(town: Town, path: str) -> None:
    assert town.http.get(path, headers=town.as_role("acme")).status_code in (404, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "a/b;c"])
def test_json_routes_take_json_only(town: Town, kind: str) -> None:
    headers = {**town.as_role("acme"), "Content-Type": kind}
    answer = town.http.post("/users", content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["supported_types"] == ["application/json"]


def test_an_unexpected_error_shows_its_request_id_only(tmp_path: Path) -> None:
    with opened(tmp_path) as rt:
        app = create_app(rt)

        @app.get("/healthz/broken")
        async def broken() -> None:
            raise RuntimeError("a secret")

        town = Town(rt, app, TestClient(app, raise_server_exceptions=False))
        town.tenant("acme")
        answer = town.http.get("/healthz/broken", headers=town.as_role("acme", "viewer"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


def test_metrics_count_the_jobs_that_wait(town: Town) -> None:
    file = {"file": ("waits.txt", b"Nobody works here.")}
    town.http.post("/documents", files=file, headers=town.as_role("acme", "operator"))
    near = TestClient(create_app(town.rt), client=("127.0.0.1", 1))  # nobody has looked yet
    shown = near.get("/metrics").text
    assert 'weft_jobs_ready{queue="supervisor"}' in shown


def test_metrics_are_for_this_machine_and_for_an_operators_key(town: Town) -> None:
    near = TestClient(town.app, client=("127.0.0.1", 1))
    assert "weft_http_requests_total" in near.get("/metrics").text
    assert near.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    assert town.http.get("/metrics").status_code == 401
    assert town.http.get("/metrics", headers=town.as_role("acme")).status_code == 403
    assert (
        town.http.get("/metrics", headers=town.key("platform", "metrics:read")).status_code == 200
    )


def test_health_names_each_dependency_and_no_secret(town: Town) -> None:
    for path in ("/health", "/readyz"):
        answer = town.http.get(path)
        assert answer.status_code == 200
        found = answer.json()["dependencies"]
        assert {"database", "blobs", "limits", "models"} <= found.keys()
        assert all(one["latency_ms"] >= 0 for one in found.values())
        assert found["models"]["detail"] == {"embedding": [], "chat": []}
        assert {"walls", "pictures"} <= found["parsers"]["detail"].keys()
        assert str(town.rt.settings.data_dir) not in answer.text


def test_cross_origin_calls_need_the_operators_word(tmp_path: Path, town: Town) -> None:
    ask = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in town.http.options("/users", headers=ask).headers
    with opened(tmp_path, cors_origins="https://desk.example") as rt:
        http = TestClient(create_app(rt))
        allowed = http.options("/users", headers=ask)
        assert allowed.headers["access-control-allow-origin"] == "https://desk.example"
        other = http.options("/users", headers={**ask, "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("path", ["/docs", "/why"])
def test_a_page_loads_nothing_from_elsewhere_and_no_script_of_its_own(
    town: Town, path: str
) -> None:
    whole = town.http.get(path)
    assert "script-src 'self';" in whole.headers["content-security-policy"]
    assert "<script>" not in whole.text
    assert not re.search(r"<[^>]* on[a-z]+=", whole.text)
    page = whole.text + town.http.get(f"{path}/page.js").text
    assert "innerHTML" not in page
    assert "localStorage" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_open_routes_are_these_and_no_others() -> None:
    assert {
        "/", "/healthz", "/health", "/readyz", "/docs", "/docs/page.js", "/why",
        "/why/page.js", "/openapi.json", "/auth/login", "/auth/refresh",
    } == OPEN  # fmt: skip
