"""The same work on the embedded default and on the full stack gives the same, to the last word."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.make import files, invoices
from tests.flows.outside import texts_of
from tests.flows.person import Person
from tests.flows.platform import ROOT, Platform
from tests.stack.servers import Servers
from tests.stack.urls import fresh

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
# What must differ: ids, what is hashed of them, and when it was done.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{16}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z)?")


def _plain(text: str) -> str:
    return _TIME.sub("TIME", _ID.sub("ID", text))


@pytest.fixture(scope="module")
def found(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """World → what came out."""
    embedded = Platform(tmp_path_factory.mktemp("embedded"))
    full = Platform(
        tmp_path_factory.mktemp("full"), fresh(servers, "parity"),
        roles=("gateway", "worker", "worker", "relay"),
    )  # fmt: skip
    return {"embedded": _works(embedded), "full": _works(full)}


def _works(platform: Platform) -> dict[str, Any]:
    platform.provision(clearpay="unlimited")
    platform.start()
    try:
        who = platform.person("clearpay")
        made = {"review": _review(who), "digest": _digest(who)}
        who.close()
        return made
    finally:
        assert platform.stop() == 0


def _review(who: Person) -> dict[str, Any]:
    inputs = {"as_of": "2026-11-21"}
    return _run(who, "invoice-review", who.upload(*invoices()), inputs)


def _digest(who: Person) -> dict[str, Any]:
    papers = [(n, data) for n, data in files("clearpay") if not n.startswith("invoices/")]
    text = (ROOT / "examples" / "questions" / "clearpay.yaml").read_text()
    questions = [one["question"] for one in yaml.safe_load(text)["questions"]]
    documents = who.upload(*((name.rsplit("/", 1)[-1], data) for name, data in papers))
    return _run(who, "support-digest", documents, {"questions": questions})


def _run(
    who: Person, workflow: str, documents: list[str], inputs: dict[str, Any]
) -> dict[str, Any]:
    run = who.execute(workflow=workflow, documents=documents, inputs=inputs)
    status = who.status(run, "completed", seconds=240)
    (report,) = {one["report_id"] for one in status["reports"]}
    steps = [(one["step_id"], one["agent"], one["status"]) for one in status["steps"]]
    return {
        "outputs": _plain(json.dumps(status["outputs"], sort_keys=True)), "steps": steps,
        **{form: _plain(text) for form, text in texts_of(who, report).items()},
    }  # fmt: skip


@pytest.mark.parametrize("what", ["outputs", "steps", "pdf", "xlsx", "csv"])
@pytest.mark.parametrize("workflow", ["review", "digest"])
def test_six_urls_are_all_the_difference(
    found: dict[str, dict[str, Any]], workflow: str, what: str
) -> None:
    embedded, full = found["embedded"][workflow][what], found["full"][workflow][what]
    assert embedded
    assert embedded == full


def test_the_work_was_not_trivial(found: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    wanted = json.loads((ROOT / "examples" / "expected.json").read_text())["exceptions"]
    outputs = json.loads(found["full"]["review"]["outputs"])
    assert outputs["exception_count"] == len(wanted)
