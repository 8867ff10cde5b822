from __future__ import annotations

from typing import Any

import pytest

from core.context import Ctx
from core.errors import InvalidInput, NotFound
from runtime import Runtime
from tests.engine import Script, flow, new_tenant, step
from workflows import definitions, registry

CATALOG = Script().agents(supervisor=object()).catalog

GOOD = """\
name: review
inputs:
  email: {type: string, default: ""}
steps:
  - id: read
    for_each: ${documents}
    as: document
    on_error: continue
    steps:
      - {id: look, agent: analysis, task: think, with: {document_id: "${document}"}}
  - id: tell
    agent: action
    task: act
    needs: [read]
    when: len(steps.read.failed) == 0 and inputs.email != ''
    with: {to: "${inputs.email}"}
outputs:
  read: ${steps.read.output.count}
"""


def problem(source: str | dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(InvalidInput) as caught:
        definitions.parse(source, CATALOG)
    assert caught.value.slug == "bad_definition"
    found: dict[str, Any] = caught.value.extra["errors"][0]
    return found


def test_a_good_definition_is_read_whole() -> None:
    found = definitions.parse(GOOD, CATALOG)
    assert [one.id for one in found.steps] == ["read", "tell"]
    assert found.by_id["read"].body["as"] == "document"
    assert found.after["read"] == (found.by_id["tell"],)


def test_its_hash_does_not_depend_on_layout() -> None:
    again = definitions.parse(GOOD.replace("[read]", "\n      - read"), CATALOG)
    assert again.hash == definitions.parse(GOOD, CATALOG).hash


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "says"),
    [
        ("name: review", "name: Review!", 1, "name", "small letters"),
        ("task: act", "task: fly", 13, "steps[1].task", "it has: act"),
        ("agent: action", "agent: spy", 12, "steps[1].agent", "there is no agent"),
        ("needs: [read]", "needs: [reed]", 14, "steps[1].needs", "no step 'reed'"),
        ("needs: [read]", "nedes: [read]", 14, "steps[1].nedes", "unknown field"),
        (
            "len(steps.read.failed) == 0",
            "len(steps.read.failed) = 0",
            15,
            "steps[1].when",
            "Column",
        ),
        ('"${inputs.email}"', '"${inputs.mail}"', 16, "steps[1].with.to", "no input 'mail'"),
        ('"${inputs.email}"', '"${inputs.email"', 16, "steps[1].with.to", "never closed"),
        ("as: document", "as: steps", 7, "steps[0].as", "name for the item"),
        ("${steps.read.output.count}", "${steps.red.output}", 18, "outputs.read", "no step 'red'"),
        ("on_error: continue", "on_error: shrug", 8, "steps[0].on_error", "continue"),
    ],
)
def test_a_complaint_names_line_and_field(
    old: str, new: str, line: int, field: str, says: str
) -> None:
    found = problem(GOOD.replace(old, new, 1))
    assert (found["line"], found["field"]) == (line, field)
    assert says in found["detail"]


def test_a_circle_is_found() -> None:
    assert "circle" in problem(flow(step("a", "b"), step("b", "a")))["detail"]


def test_a_step_may_only_read_what_is_over_by_then() -> None:
    found = problem(flow(step("a"), step("b", with_={"x": "${steps.a.output}"})))
    assert "add it to `needs`" in found["detail"]


@pytest.mark.parametrize(
    "source",
    ["", "[]", "name: x", "steps: 3\nname: x", "{", "name: x\nsteps: []", "a: &a [*a]",
     "name: x\nsteps:\n  - 7", "name: x\nsteps: [{id: a, agent: supervisor}]", "\t", "\x00"],
)  # fmt: skip
def test_rubbish_is_refused_and_never_breaks(source: str) -> None:
    assert problem(source)["detail"]


def test_there_are_limits_on_size_and_steps() -> None:
    assert "bytes" in problem("name: x\n#" + "x" * 300_000)["detail"]
    assert "steps at most" in problem(flow(*(step(f"s{n}") for n in range(101))))["detail"]


def test_saving_the_same_gives_the_same_version(rt: Runtime, tenant: Ctx) -> None:
    first = registry.save(rt, tenant, "review", GOOD, CATALOG)
    assert registry.save(rt, tenant, "review", GOOD, CATALOG).version == first.version == 1
    second = registry.save(rt, tenant, "review", GOOD.replace("review", "review ", 1), CATALOG)
    assert second.version == 1
    changed = GOOD.replace('default: ""', 'default: "a@b.example"')
    assert registry.save(rt, tenant, "review", changed, CATALOG).version == 2
    with rt.db.read(tenant) as tx:
        assert registry.get(tx, tenant, "review@1").definition.hash == first.definition.hash
        assert registry.get(tx, tenant, "review").version == 2


def test_a_tenant_sees_its_own_definitions_and_the_builtin_ones(rt: Runtime, tenant: Ctx) -> None:
    registry.save(rt, tenant, "review", GOOD, CATALOG)
    other = new_tenant(rt)
    with rt.db.read(other) as tx:
        names = [one.definition.name for one in registry.listing(tx, other)]
        assert "ingest-document" in names
        assert "review" not in names
        with pytest.raises(NotFound):
            registry.get(tx, other, "review")
