from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from agents import report as agent
from agents.registry import AGENTS
from core.context import Ctx
from core.errors import Conflict, InvalidInput, NotFound, Unfinishable
from core.events import AgentMessage
from core.ids import new_id
from database import reports as report_rows
from database import templates as template_rows
from tests.fakes.memory import Platform, platform
from tests.reports.samples import invoice_facts
from workflows.submission import Submission, submit
from workflows.tasks import Done, ScratchDesk, Work

RUN = {"name": "r", "steps": [{"id": "report", "agent": "report", "task": "compose"}]}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Platform]:
    made = platform(tmp_path)
    yield made
    made.rt.db.close()


def _work(house: Platform, ctx: Ctx, payload: dict[str, Any], step_id: str = "") -> Work:
    run = submit(house.rt, ctx, Submission(definition=RUN))
    message = AgentMessage("report", run.id, "compose", payload, 5, 0)
    return Work(house.rt, ctx, message, run.id, step_id or new_id(), desk=ScratchDesk())


def _payload(**more: Any) -> dict[str, Any]:
    return {"template": "invoice-review", "facts": invoice_facts(), "formats": ["pdf", "csv"],
            "params": {"period": "Q3"}, **more}  # fmt: skip


def test_composing_stores_the_files_and_a_row_that_lists_them(house: Platform) -> None:
    ctx = house.tenant("clearpay")
    work = _work(house, ctx, _payload())
    done = agent.compose(work)
    assert isinstance(done, Done)
    assert done.output["formats"] == ["pdf", "csv"]
    assert done.output["title"] == "Invoice review"
    report_id = done.output["report_id"]
    data, filename, kind = agent.download(house.rt, ctx, report_id, "pdf")
    assert data.startswith(b"%PDF-")
    assert (filename.startswith("Invoice review 20"), kind) == (True, "application/pdf")
    with house.rt.db.read(ctx) as tx:
        row = report_rows.get(tx, ctx, report_id)
        assert [item.id for item in report_rows.by_run(tx, ctx, work.run_id)] == [report_id]
        assert [item.id for item in report_rows.listing(tx, ctx).items] == [report_id]
    assert row.sources is not None
    assert row.sources[0]["filename"] == "invoice-0000.pdf"
    assert row.files["pdf"]["bytes"] == len(data)
    with pytest.raises(NotFound, match="it has pdf, csv"):
        agent.download(house.rt, ctx, report_id, "xlsx")


def test_a_retry_makes_the_same_report(house: Platform) -> None:
    ctx = house.tenant("clearpay")
    work = _work(house, ctx, _payload())
    first = agent.compose(work).output
    before = agent.download(house.rt, ctx, first["report_id"], "pdf")
    house.rt.clock.advance(3600)  # type: ignore[attr-defined]
    assert agent.compose(work).output == first
    assert agent.download(house.rt, ctx, first["report_id"], "pdf") == before
    with house.rt.db.read(ctx) as tx:
        assert len(report_rows.listing(tx, ctx).items) == 1


def test_another_tenants_report_is_not_found(house: Platform) -> None:
    ctx, foreign = house.tenant("clearpay"), house.tenant("mediops")
    done = agent.compose(_work(house, ctx, _payload()))
    with pytest.raises(NotFound):
        agent.download(house.rt, foreign, done.output["report_id"], "pdf")
    with house.rt.db.read(foreign) as tx:
        assert report_rows.listing(tx, foreign).items == ()


def test_a_promised_id_cannot_be_taken_twice(house: Platform) -> None:
    ctx, promised = house.tenant("clearpay"), new_id()
    assert (
        agent.compose(_work(house, ctx, _payload(report_id=promised))).output["report_id"]
        == promised
    )
    kept = agent.download(house.rt, ctx, promised, "csv")
    with pytest.raises(Conflict):
        agent.compose(_work(house, ctx, _payload(report_id=promised, facts={})))
    assert agent.download(house.rt, ctx, promised, "csv") == kept


def test_facts_may_lie_in_the_vault(house: Platform) -> None:
    ctx, name = house.tenant("clearpay"), new_id()
    house.rt.vault.put(ctx, "facts", name, json.dumps(invoice_facts(2, 0)).encode())
    done = agent.compose(_work(house, ctx, _payload(facts={"ref": name}, formats=["xlsx"])))
    data, _, _ = agent.download(house.rt, ctx, done.output["report_id"], "xlsx")
    assert load_workbook(io.BytesIO(data))["Documents"].max_row == 3


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"formats": ["docx"]}, InvalidInput), ({"template": "no-such"}, NotFound),
        ({"facts": None}, Unfinishable), ({"facts": {"ref": "0" * 32}}, NotFound),
        ({"template": "invoice-review@x"}, InvalidInput),
    ],
)  # fmt: skip
def test_what_cannot_be_made_says_why(
    house: Platform, payload: dict[str, Any], error: type[Exception]
) -> None:
    ctx = house.tenant("clearpay")
    with pytest.raises(error):
        agent.compose(_work(house, ctx, _payload(**payload)))


def test_saved_templates_have_versions_and_belong_to_their_tenant(house: Platform) -> None:
    ctx, foreign = house.tenant("clearpay"), house.tenant("mediops")
    text = "name: mine\ntitle: {title}\nsections: [{{kind: text, title: A, text: B}}]\n"
    for title, version in (("One", 1), ("One", 1), ("Two", 2)):
        assert (
            agent.save_template(house.rt, ctx, "mine", text.format(title=title)).version == version
        )
    assert agent.find_template(house.rt, ctx, "mine").title == "Two"
    assert agent.find_template(house.rt, ctx, "mine@1").title == "One"
    with pytest.raises(NotFound):
        agent.find_template(house.rt, foreign, "mine")
    with pytest.raises(NotFound):
        agent.find_template(house.rt, ctx, "mine@3")
    with house.rt.db.read(ctx) as tx:
        assert [(t.name, t.version) for t in template_rows.listing(tx, ctx)] == [("mine", 2)]
    with pytest.raises(InvalidInput, match="calls itself"):
        agent.save_template(house.rt, ctx, "other", text.format(title="One"))


@pytest.mark.parametrize(
    ("template", "documents", "params"),
    [
        ("invoice-review", ["d" * 32], {}), ("table", [], {"rows": [{"a": 1}]}),
        ("support-digest", [], {"questions": ["Why?"]}),
        ("support-digest", ["d" * 32], {"questions": ["Why?"]}),
    ],
)  # fmt: skip
def test_a_request_is_a_run_of_tasks_that_there_are(
    house: Platform, template: str, documents: list[str], params: dict[str, Any]
) -> None:
    ctx = house.tenant("clearpay")
    asked = agent.submission(house.rt, ctx, template, documents, params, ["pdf"])
    assert submit(house.rt, ctx, asked, catalog=AGENTS.catalog).status == "pending"


def test_a_request_without_what_its_template_needs_is_refused(house: Platform) -> None:
    ctx = house.tenant("clearpay")
    for template in ("invoice-review", "support-digest", "table"):
        with pytest.raises(InvalidInput, match="needs"):
            agent.submission(house.rt, ctx, template, [], {}, ["pdf"])
