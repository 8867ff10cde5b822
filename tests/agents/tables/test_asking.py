"""Over a tenant's documents: the wall, filters, streams, the task of a run, what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from agents.analysis_answers import answer as answer_task
from agents.answers import Question, answer_text, ask, stream
from agents.answers.tables import asks_for_tables, computed
from agents.answers.tables.keeping import Kept, kept
from agents.ingestion import Upload, ingest, receive
from agents.ingestion import remove as remove_document
from core.context import Ctx
from core.errors import InvalidInput
from core.events import AgentMessage
from core.ids import new_id
from core.ports import ChatModel, Embedder
from models import Models
from runtime import Runtime
from tests.agents.tables.sheets import BILLS, ORDERS, D, files
from tests.fakes.memory import platform
from workflows.tasks import Done, Work

TOTAL = "42,096.60 EUR"
ASKED = "What is the total amount of all orders?"


class NoModels:
    def embedder(self) -> Embedder | None:
        return None

    def chat(self, task: str, text: str = "") -> ChatModel | None:
        return None


@dataclass
class Desk:
    rt: Runtime
    ours: Ctx
    theirs: Ctx
    ids: dict[str, str]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    house = platform(tmp_path_factory.mktemp("tables"))
    rt = replace(house.rt, models=cast(Models, NoModels()))
    found = Desk(rt, house.tenant("ours"), house.tenant("theirs"), {})
    for name in ("orders.xlsx", "mitarbeiter.csv", "depenses.tsv"):
        found.ids[name] = put(rt, found.ours, name, files()[name])
    put(rt, found.theirs, "visitors.csv", files()["visitors.csv"])
    yield found
    rt.db.close()


def put(rt: Runtime, ctx: Ctx, name: str, data: bytes, tags: tuple[str, ...] = ()) -> str:
    upload = Upload(name, "application/octet-stream", data, tags=tags)
    got = receive(rt, ctx, [upload], lambda *_: None)[0]
    assert isinstance(ingest(work(rt, ctx, "ingest", {"document_id": got.document_id})), Done)
    return got.document_id


def work(rt: Runtime, ctx: Ctx, task: str, payload: dict[str, Any]) -> Work:
    return Work(rt, ctx, AgentMessage("analysis", "run", task, payload, 5, 0), "run", new_id())


def test_an_answer_names_the_file_the_sheet_and_the_cells(desk: Desk) -> None:
    assert sum(o.amount for o in ORDERS) == D("42096.60")
    body = ask(desk.rt, desk.ours, Question(ASKED)).to_json()
    assert (body["answered"], body["route"], body["model"]) == (True, "computed", None)
    assert TOTAL in body["answer"]
    cited = body["citations"][0]
    assert (cited["filename"], cited["sheet"], cited["cells"]) == (
        "orders.xlsx",
        "Orders",
        "H4:H33",
    )
    assert "SO-1001" in cited["quote"]
    assert all(s["supported"] and s["citations"] for s in body["sentences"])


def test_quotes_are_slices_of_their_page(desk: Desk) -> None:
    from agents.documents import text_of

    for question in (ASKED, "How many orders are open?", "Total amount per region"):
        for source in answer_text(desk.rt, desk.ours, question).citations:
            page = text_of(desk.rt, desk.ours, source.document_id).pages[source.page - 1]
            assert page.text[source.start : source.end] == source.quote


def test_another_tenants_tables_are_never_met(desk: Desk) -> None:
    question = "How many visitors were there in March 2026?"
    assert "1,777" in answer_text(desk.rt, desk.theirs, question).text
    assert computed(desk.rt, desk.ours, question) is None
    assert computed(desk.rt, desk.theirs, ASKED) is None


def test_filters_keep_other_documents_out(desk: Desk) -> None:
    sum_of = "What is the sum of all amounts in 2026?"
    bills = {"document_id": desk.ids["depenses.tsv"]}
    spent = sum((n for *_, n, unit in BILLS if unit == "EUR"), D(0))
    found = computed(desk.rt, desk.ours, sum_of, bills)
    assert found is not None
    assert f"{spent:,.2f} EUR" in found.text
    assert computed(desk.rt, desk.ours, ASKED, {"document_id": desk.ids["mitarbeiter.csv"]}) is None


def test_a_stream_sends_the_same_answer(desk: Desk) -> None:
    events = list(stream(desk.rt, desk.ours, Question(ASKED)))
    text = "".join(data["text"] for name, data in events if name == "token")
    assert TOTAL in text
    assert events[-1][1]["route"] == "computed"


def test_the_digest_of_a_run_shows_computed_answers(desk: Desk) -> None:
    done = answer_task(work(desk.rt, desk.ours, "answer", {"questions": [ASKED]}))
    assert done.output["facts"]["questions"][0]["route"] == "computed"
    assert done.output["facts"]["by_document"][0]["filename"] == "orders.xlsx"


def test_what_is_not_clear_is_said_and_nothing_is_computed(desk: Desk) -> None:
    body = ask(desk.rt, desk.ours, Question("What are the three largest orders?")).to_json()
    assert (body["answered"], body["route"]) == (False, "refused")
    assert "Quantity" in body["answer"]
    assert "Amount (EUR)" in body["answer"]


def test_a_removed_document_is_not_computed_over(desk: Desk) -> None:
    gone = put(desk.rt, desk.theirs, "harvest.csv", b"Field,Tons\nA,10\nB,32\nC,7\n")
    question = "What is the total of Tons?"
    assert "49" in answer_text(desk.rt, desk.theirs, question).text
    remove_document(desk.rt, desk.theirs, gone)
    assert computed(desk.rt, desk.theirs, question) is None


def test_a_bad_filter_is_refused_as_in_a_search(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        computed(desk.rt, desk.ours, ASKED, {"document_id": {"near": 1}})


def test_a_table_is_read_once(desk: Desk) -> None:
    computed(desk.rt, desk.ours, ASKED)
    held = kept(desk.rt.vault)
    document, content = desk.ids["orders.xlsx"], "other"
    assert held.bytes(desk.ours.tenant) > 0
    calls: list[int] = []

    def read() -> list[Any]:
        calls.append(1)
        return []

    held.get(desk.ours, document, content, read)
    held.get(desk.ours, document, content, read)
    held.get(desk.theirs, document, content, read)  # the same id of another tenant is another
    assert len(calls) == 2


def test_the_budget_is_kept_for_each_tenant_and_for_all() -> None:
    held = Kept(bytes_max=5_000, tenant_max=2_500)
    tenants = [Ctx(f"t{n}", "system") for n in range(4)]
    for ctx in tenants:
        for n in range(5):
            held.get(ctx, f"d{n}", "c", list)
            assert held.bytes(ctx.tenant) <= 2_500
    assert held.bytes() <= 5_000
    assert held.bytes(tenants[0].tenant) == 0


@pytest.mark.parametrize(
    ("question", "may_be"),
    [
        (ASKED, True),
        ("Wie viele Zeilen gibt es?", True),
        ("Hello there", False),
        ("sum " * 200, False),
    ],
)
def test_it_is_cheap_to_ask_whether_to_compute(question: str, may_be: bool) -> None:
    assert asks_for_tables(question) is may_be
