"""A change at an outside API: checked, shown whole, approved, sent once, in doubt after a death."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agents import calling
from agents.changing import intent_of, submission
from agents.registry import AGENTS
from connectors.api import Api
from connectors.egress import Egress
from core.breaker import Breaker
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput, NotFound
from database import dispatch, effects, integrations, runs
from database.effects import Effect
from ingestion import openapi
from runtime import Runtime
from tests.engine import Drain, new_tenant
from tests.fakes.api import FakeApi
from workflows import approvals, registry, sweeper
from workflows.submission import Submission, submit

KEY = "a-key-that-nobody-sees"
ORDER: dict[str, Any] = {
    "type": "object", "required": ["part", "count", "id"], "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "readOnly": True}, "part": {"type": "string", "maxLength": 20},
        "count": {"$ref": "#/components/schemas/Count"},
        "note": {"type": "string", "nullable": True},
    },
}  # fmt: skip


def document(url: str) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": ORDER}}}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    return {
        "openapi": "3.0.3", "info": {"title": "Shop"}, "servers": [{"url": url}],
        "components": {
            "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-K"}},
            "schemas": {"Count": {"type": "integer", "minimum": 1, "maximum": 2**63}},
        },
        "paths": {
            "/orders": {"post": {"operationId": "order", "summary": "Place an order",
                                 "requestBody": body,
                                 "parameters": [{"name": "X-K", "in": "header"}]}},
            "/orders/{id}": {
                "put": {"operationId": "replace", "requestBody": body, "parameters": [
                    number, {"name": "Idempotency-Key", "in": "header", "required": True}]},
                "delete": {"operationId": "cancel", "parameters": [
                    number, {"name": "why", "in": "query", "schema": {"enum": ["late", "wrong"]}}]},
            },
            "/form": {"post": {"operationId": "form", "requestBody": {"content": {
                "application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}},
            "/files": {"post": {"operationId": "file", "requestBody": {"content": {
                "multipart/form-data": {"schema": {"type": "object"}}}}}},
            "/plain": {"get": {"operationId": "list"}},
        },
    }  # fmt: skip


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi([]).running() as made:
        made.wanted = {"x-k": KEY}
        for path in ("/orders", "/orders/7", "/form"):
            made.files[path] = ("application/json", json.dumps({"id": "n1", "seen": KEY}).encode())
        yield made


@pytest.fixture
def rt(rt: Runtime, api: FakeApi, clock: FakeClock) -> Runtime:
    egress = Egress(api.place, seconds_max=5)
    mine = {**rt.connectors, "api": Api(egress, clock, Breaker(clock))}
    return replace(rt, net=egress, connectors=mine)


@pytest.fixture
def shop(rt: Runtime, tenant: Ctx, api: FakeApi) -> str:
    return set_up(rt, tenant, api)


def set_up(rt: Runtime, ctx: Ctx, api: FakeApi, **more: Any) -> str:
    found = openapi.read(document(api.url))
    with rt.db.transaction(ctx) as tx:
        return calling.create(
            rt, tx, ctx, found, name="shop", base_url=None, secrets={"api_key": KEY}, auth=None,
            **more,
        ).id  # fmt: skip


def change(rt: Runtime, ctx: Ctx, own: str, **values: Any) -> None:
    with rt.db.transaction(ctx) as tx:
        calling.change(rt, tx, ctx, own, values)


GOOD = {"part": "bolt", "count": 12, "note": None}


def asked(rt: Runtime, ctx: Ctx, own: str, drain: Drain, operation: str = "order",
          parameters: Any = None, body: Any = GOOD) -> str:  # fmt: skip
    """The run, once it waits."""
    run = submit(rt, ctx, submission(rt, ctx, own, operation, parameters or {}, body))
    drain(rt)
    return run.id


def approve(rt: Runtime, ctx: Ctx, decision: str = "approve") -> None:
    with rt.db.read(ctx) as tx:
        waiting = approvals.listing(tx, ctx).items
    for one in waiting:
        approvals.decide(rt, ctx, one.approval.id, decision)


def state(rt: Runtime, ctx: Ctx, run_id: str) -> tuple[str, Effect]:
    with rt.db.read(ctx) as tx:
        [effect] = effects.of_run(tx, ctx, run_id)
        return runs.get(tx, ctx, run_id).status, effect


def test_a_change_is_shown_whole_and_sent_once_after_a_yes(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    run_id = asked(rt, tenant, shop, drain)
    assert state(rt, tenant, run_id)[0] == "waiting_approval"
    assert api.asked == []
    with rt.db.read(tenant) as tx:
        [shown] = approvals.listing(tx, tenant).items
    assert shown.effect is not None
    assert shown.effect.request == {
        "integration_id": shop, "integration": "shop", "operation_id": "order", "method": "POST",
        "url": f"{api.url}/orders", "headers": {}, "content_type": "application/json",
        "body": GOOD, "idempotency_header": "",
    }  # fmt: skip
    assert shown.effect.target == f"POST {api.url}/orders"
    assert shown.approval.summary == "shop: POST /orders (Place an order)"
    approve(rt, tenant)
    drain(rt)
    [(method, path, headers)] = api.asked
    assert (method, path, headers["x-k"]) == ("POST", "/orders", KEY)
    assert json.loads(api.bodies[0]) == GOOD
    status, effect = state(rt, tenant, run_id)
    assert (status, effect.status) == ("completed", "confirmed")
    assert effect.response == {
        "status": 200, "content_type": "application/json", "text": None, "truncated": False,
        "data": {"id": "n1", "seen": "***"},
    }  # fmt: skip


def test_a_no_sends_nothing(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    run_id = asked(rt, tenant, shop, drain)
    approve(rt, tenant, "reject")
    drain(rt)
    assert state(rt, tenant, run_id)[1].status == "rejected"
    assert api.asked == []


def test_a_standing_yes_is_for_one_operation_of_one_place(
    rt: Runtime, api: FakeApi, drain: Drain
) -> None:
    rule = {"connector": "api", "target": f"DELETE {api.url}/orders/{{id}}"}
    ctx = new_tenant(rt, config={"pre_approved": [rule]})
    own = set_up(rt, ctx, api)
    asked(rt, ctx, own, drain, "cancel", {"id": "7", "why": "late"}, None)
    asked(rt, ctx, own, drain)
    assert [one[:2] for one in api.asked] == [("DELETE", "/orders/7?why=late")]


@pytest.mark.parametrize(("operation", "parameters", "body", "field"), [
    ("order", {}, None, "body"),
    ("order", {}, {**GOOD, "count": 0}, "body.count"),
    ("order", {}, {**GOOD, "count": "12"}, "body.count"),
    ("order", {}, {"part": "bolt"}, "body.count"),
    ("order", {}, {**GOOD, "more": 1}, "body"),
    ("order", {"colour": "red"}, GOOD, "parameters.colour"),
    ("order", {"X-K": "mine"}, GOOD, "parameters.X-K"),
    ("order", {}, {**GOOD, "note": f"the key is {KEY}"}, "parameters"),
    ("replace", {"id": 7, "Idempotency-Key": "mine"}, GOOD, "parameters.Idempotency-Key"),
    ("cancel", {}, None, "parameters.id"),
    ("cancel", {"id": "seven"}, None, "parameters.id"),
    ("cancel", {"id": 7, "why": "because"}, None, "parameters.why"),
    ("cancel", {"id": 7}, {"a": 1}, "body"),
    ("form", {}, {"a": {"b": 1}}, "body"),
    ("file", {}, {"a": "b"}, "operation_id"),
    ("list", {}, None, "operation_id"),
])  # fmt: skip
def test_what_does_not_fit_is_named_before_there_is_a_run(
    rt: Runtime, tenant: Ctx, shop: str, operation: str, parameters: Any, body: Any, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        submission(rt, tenant, shop, operation, parameters, body)
    assert caught.value.extra["field"] == field
    assert KEY not in caught.value.detail


def test_a_schema_that_somebody_set_by_hand_breaks_nothing(
    rt: Runtime, tenant: Ctx, shop: str
) -> None:
    with rt.db.read(tenant) as tx:
        config = json.loads(json.dumps(integrations.get(tx, tenant, shop).config))
    for accepts in ({"type": "file"}, {"enum": 5}, {"$ref": "#/no"}, {"minLength": "x"}):
        config["operations"][0]["body"]["accepts"] = {"properties": {"part": accepts}}
        change(rt, tenant, shop, config=config)
        with pytest.raises(InvalidInput) as caught:
            submission(rt, tenant, shop, "order", {}, {"part": "bolt"})
        assert caught.value.slug == "bad_operation"


def test_a_form_is_sent_as_one(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    asked(rt, tenant, shop, drain, "form", body={"b": [1, True], "a": "x&y"})
    approve(rt, tenant)
    drain(rt)
    assert api.bodies == [b"a=x%26y&b=1&b=true"]
    assert api.asked[0][2]["content-type"] == "application/x-www-form-urlencoded"


def test_an_integration_that_leads_elsewhere_by_now_gets_nothing(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    """What was approved is for that place, and the secret for where the integration is now."""
    run_id = asked(rt, tenant, shop, drain)
    with FakeApi([]).running() as other:
        place = Egress(f"{api.place},{other.place}")
        rt = replace(rt, net=place, connectors={"api": Api(place, rt.clock, Breaker(rt.clock))})
        with rt.db.read(tenant) as tx:
            config = dict(integrations.get(tx, tenant, shop).config)
        change(rt, tenant, shop, config={**config, "base_url": other.url})
        approve(rt, tenant)
        drain(rt)
        assert other.asked == api.asked == []
    assert (state(rt, tenant, run_id)[1].error or {})["code"] == "request_changed"


def test_an_integration_that_is_switched_off_gets_nothing(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    run_id = asked(rt, tenant, shop, drain)
    change(rt, tenant, shop, enabled=False)
    approve(rt, tenant)
    drain(rt)
    assert api.asked == []
    assert (state(rt, tenant, run_id)[1].error or {})["code"] == "integration_gone"
    with pytest.raises(InvalidInput):
        submission(rt, tenant, shop, "order", {}, GOOD)


def test_another_tenants_integration_is_not_there(rt: Runtime, shop: str) -> None:
    with pytest.raises(NotFound):
        intent_of(rt, new_tenant(rt), shop, "order", {}, GOOD)


def test_a_refusal_is_told_with_what_was_answered(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    run_id = asked(rt, tenant, shop, drain)
    api.script.append((409, {}))
    approve(rt, tenant)
    drain(rt)
    status, effect = state(rt, tenant, run_id)
    assert (status, effect.status) == ("failed", "refused")
    assert effect.error is not None
    assert (effect.error["status"], effect.error["answer"]) == (409, '{"error": "scripted"}')


def test_no_answer_leaves_doubt_and_is_not_tried_again(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain, clock: FakeClock
) -> None:
    run_id = asked(rt, tenant, shop, drain)
    approve(rt, tenant)
    api.script.append((0, {}))
    drain(rt)
    clock.advance(600)
    drain(rt)
    assert len(api.asked) == 1
    assert state(rt, tenant, run_id)[0] == "needs_review"


@pytest.mark.parametrize("by", ["document", "setting"])
def test_by_an_idempotency_key_it_is_tried_again_under_one_key(
    rt: Runtime, tenant: Ctx, api: FakeApi, drain: Drain, clock: FakeClock, by: str
) -> None:
    own = set_up(rt, tenant, api, idempotency_header="X-Once" if by == "setting" else "")
    operation, given, header = ("order", {}, "x-once") if by == "setting" else (
        "replace", {"id": 7}, "idempotency-key")  # fmt: skip
    run_id = asked(rt, tenant, own, drain, operation, given)
    approve(rt, tenant)
    api.script += [(0, {}), (500, {}), (429, {"retry-after": "3"})]
    for _ in range(4):
        drain(rt)
        clock.advance(300)
    status, effect = state(rt, tenant, run_id)
    assert (status, effect.effect_class) == ("completed", "keyed")
    assert [headers[header] for _, _, headers in api.asked] == [effect.key] * 4
    assert len(set(api.bodies)) == 1


@pytest.mark.parametrize(("operation", "given", "ends"), [
    ("order", {}, ("needs_review", 0)), ("replace", {"id": 7}, ("completed", 1)),
])  # fmt: skip
def test_a_worker_that_died_while_it_was_sent_is_followed_by_the_operations_class(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain, clock: FakeClock,
    operation: str, given: Any, ends: tuple[str, int],
) -> None:  # fmt: skip
    run_id = asked(rt, tenant, shop, drain, operation, given)
    approve(rt, tenant)
    with rt.db.transaction(PLATFORM) as tx:
        claim = dispatch.claim(tx, ["action"], "doomed", lease_ms=1000, running_max=8)
    with rt.db.transaction(tenant) as tx:
        effects.change(tx, tenant, claim.effect_id or "" if claim else "", status="sent")
    clock.advance(2)
    sweeper.sweep(rt, AGENTS)
    drain(rt)
    assert (state(rt, tenant, run_id)[0], len(api.asked)) == ends


def test_a_step_of_a_workflow_asks_with_its_evidence(
    rt: Runtime, tenant: Ctx, api: FakeApi, shop: str, drain: Drain
) -> None:
    source = {"document_id": "d", "filename": "offer.pdf", "page": 1, "start": 0, "end": 4,
              "quote": "bolt"}  # fmt: skip
    body = {"name": "buy", "inputs": {"shop": {"type": "string"}}, "steps": [
        {"id": "order", "agent": "action", "task": "call_api", "with": {
            "integration_id": "${inputs.shop}", "operation_id": "order", "body": GOOD,
            "sources": [source]}},
        {"id": "told", "agent": "supervisor", "task": "noop", "needs": ["order"],
         "with": {"number": "${steps.order.output.effects[0].response.data.id}"}},
    ]}  # fmt: skip
    registry.save(rt, tenant, "buy", body, AGENTS.catalog)
    run = submit(rt, tenant, Submission(workflow="buy", inputs={"shop": shop}))
    drain(rt)
    assert state(rt, tenant, run.id)[1].sources == [source]
    approve(rt, tenant)
    drain(rt)
    assert state(rt, tenant, run.id)[0] == "completed"
    assert len(api.asked) == 1
