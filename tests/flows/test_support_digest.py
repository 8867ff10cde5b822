"""A support desk's story: two tenants ask their own papers; every answer can be looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from examples.make import files
from tests.flows.person import Person
from tests.flows.platform import ROOT, Platform

TENANTS = ("clearpay", "mediops")


@dataclass
class Desk:
    """A tenant's person with its papers read and its questions answered by `support-digest`."""

    who: Person
    asked: list[dict[str, Any]]
    documents: dict[str, str]  # path below the tenant's folder → id
    status: dict[str, Any]

    @property
    def answers(self) -> dict[str, dict[str, Any]]:
        """By question."""
        return {one["question"]: one for one in self.status["outputs"]["answers"]}


@pytest.fixture(scope="module")
def desks(platform: Platform) -> Iterator[dict[str, Desk]]:
    made = {slug: _desk(platform, slug) for slug in TENANTS}
    for desk in made.values():
        desk.status = desk.who.status(desk.status["workflow_id"], "completed")
    yield made
    for desk in made.values():
        desk.who.close()


def _desk(platform: Platform, slug: str) -> Desk:
    who = platform.person(slug)
    papers = [(name, data) for name, data in files(slug) if not name.startswith("invoices/")]
    ids = who.upload(*((name.rsplit("/", 1)[-1], data) for name, data in papers))
    documents = dict(zip((name for name, _ in papers), ids, strict=True))
    text = (ROOT / "examples" / "questions" / f"{slug}.yaml").read_text()
    asked = yaml.safe_load(text)["questions"]
    questions = [one["question"] for one in asked]
    run = who.execute(
        workflow="support-digest", documents=ids, inputs={"questions": questions},
        metadata={"desk": slug},
    )  # fmt: skip
    return Desk(who, asked, documents, {"workflow_id": run})


@pytest.mark.parametrize("slug", TENANTS)
def test_what_the_papers_say_is_answered_with_its_facts(desks: dict[str, Desk], slug: str) -> None:
    desk = desks[slug]
    wrong = []
    answerable = [one for one in desk.asked if one.get("answerable", True)]
    for one in answerable:
        answer = desk.answers[one["question"]]
        cited = {source["document_id"] for source in answer["citations"]}
        right = {desk.documents[name] for name in one["documents"]}
        text = answer["answer"].lower()
        if not (
            answer["answered"] and cited & right and all(f.lower() in text for f in one["facts"])
        ):
            wrong.append((one["id"], answer["answer"]))
    assert len(wrong) <= len(answerable) // 5, wrong


@pytest.mark.parametrize("slug", TENANTS)
def test_what_the_papers_do_not_say_is_refused(desks: dict[str, Desk], slug: str) -> None:
    refused = [one for one in desks[slug].asked if not one.get("answerable", True)]
    assert len(refused) >= 5
    for one in refused:
        answer = desks[slug].answers[one["question"]]
        assert not answer["answered"], (one["id"], answer["answer"])
        assert answer["citations"] == []


@pytest.mark.parametrize("slug", TENANTS)
def test_every_quote_stands_where_its_citation_says(desks: dict[str, Desk], slug: str) -> None:
    desk = desks[slug]
    pages: dict[str, dict[int, str]] = {}
    checked = 0
    for answer in desk.answers.values():
        for source in answer["citations"]:
            document = source["document_id"]
            assert document in desk.documents.values()
            if document not in pages:
                found = desk.who.get(f"/documents/{document}/text")["pages"]
                pages[document] = {page["page"]: page["text"] for page in found}
            text = pages[document][source["page"]]
            assert text[source["start"] : source["end"]] == source["quote"]
            checked += 1
    assert checked >= len([one for one in desk.answers.values() if one["answered"]]) > 0


@pytest.mark.parametrize("slug", TENANTS)
def test_the_digest_counts_what_it_answered_and_is_there_in_three_formats(
    desks: dict[str, Desk], slug: str
) -> None:
    desk = desks[slug]
    outputs = desk.status["outputs"]
    answered = sum(one["answered"] for one in desk.answers.values())
    assert (outputs["answered"], outputs["refused"]) == (answered, len(desk.asked) - answered)
    assert {one["format"] for one in desk.status["reports"]} == {"pdf", "xlsx", "csv"}
    for report in desk.status["reports"]:
        got = desk.who.ask("GET", report["url"])
        assert got.status_code == 200
        assert got.content.startswith({"pdf": b"%PDF", "xlsx": b"PK"}.get(report["format"], b""))


def test_a_question_over_http_is_answered_like_in_a_run(desks: dict[str, Desk]) -> None:
    desk = desks["clearpay"]
    question = "For how long is an idempotency key kept?"
    answer = desk.who.post("/ask", 200, json={"question": question}).json()
    assert answer["answered"]
    assert "72 hours" in answer["answer"]
    (source, *_) = answer["citations"]
    pages = desk.who.get(f"/documents/{source['document_id']}/text")["pages"]
    text = next(page["text"] for page in pages if page["page"] == source["page"])
    assert text[source["start"] : source["end"]] == source["quote"]
    nothing = desk.who.post("/ask", 200, json={"question": "Who is the mayor of Lisbon?"}).json()
    assert (nothing["answered"], nothing["citations"]) == (False, [])


def test_two_tenants_with_equal_questions_hear_of_their_own_papers_only(
    desks: dict[str, Desk],
) -> None:
    clearpay, mediops = desks["clearpay"], desks["mediops"]
    for question in ("What does the error code CP-1042 mean?", "How is CP-1042 fixed?"):
        assert clearpay.who.post("/ask", 200, json={"question": question}).json()["answered"]
        other = mediops.who.post("/ask", 200, json={"question": question}).json()
        assert (other["answered"], other["citations"]) == (False, [])
    for mode in ("keyword", "hybrid"):
        body = {"query": "CP-1042 duplicate transaction settlement", "k": 1000, "mode": mode}
        hits = mediops.who.post("/search", 200, json=body).json()["hits"]
        assert {hit["document_id"] for hit in hits} <= set(mediops.documents.values())


def test_another_tenants_papers_runs_and_reports_do_not_exist(desks: dict[str, Desk]) -> None:
    clearpay, mediops = desks["clearpay"], desks["mediops"]
    theirs = next(iter(clearpay.documents.values()))
    run, report = clearpay.status["workflow_id"], clearpay.status["reports"][0]["report_id"]
    for path in (
        f"/documents/{theirs}", f"/documents/{theirs}/text", f"/documents/{theirs}/content",
        f"/documents/{theirs}/fields", f"/workflows/{run}/status", f"/workflows/{run}/logs",
        f"/workflows/{run}/events", f"/workflows/{run}/why", f"/reports/{report}",
        f"/reports/{report}/download?format=pdf",
    ):  # fmt: skip
        answer = mediops.who.ask("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    body = {"workflow": "support-digest", "documents": [theirs]}
    assert mediops.who.ask("POST", "/workflows/execute", json=body).status_code == 404
    assert mediops.who.ask("DELETE", f"/documents/{theirs}").status_code == 404
    assert clearpay.who.get(f"/documents/{theirs}")["status"] == "ready"
    own = {one["document_id"] for one in mediops.who.listing("/documents")}
    assert own == set(mediops.documents.values())
    assert {one["metadata"].get("desk") for one in mediops.who.listing("/workflows")} <= {
        "mediops", None
    }  # fmt: skip
