"""Whatever is sent: a clear 4xx that says what to change, and nothing half-stored behind it.

`Person.ask` fails on every 5xx.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption

from examples.make import invoices
from tests.flows.person import Person
from tests.flows.platform import Platform
from tests.ingestion import builders
from tests.ingestion.test_packed import aes_zip

NOBODY = "01900000-0000-7000-8000-000000000000"
MP3 = b"ID3\x04" + bytes(200)
YAML = {"Content-Type": "application/yaml"}


@pytest.fixture(scope="module")
def quiet(platform: Platform) -> Iterator[Person]:
    """Somebody of a tenant for which nothing ever runs."""
    who = platform.person("quiet")
    yield who
    who.close()


@pytest.fixture(scope="module")
def clerk(platform: Platform) -> Iterator[Person]:
    who = platform.person("acme")
    yield who
    who.close()


def _pdf(text: str, **options: Any) -> bytes:
    return builders.pdf(builders.lines(text), **options)


def _no_pages() -> bytes:
    import pypdfium2

    target = io.BytesIO()
    pypdfium2.PdfDocument.new().save(target)
    return target.getvalue()


@contextmanager
def _unchanged(platform: Platform, quiet: Person) -> Iterator[None]:
    """Neither rows nor objects nor scratch files come or go."""

    def kept() -> tuple[set[str], set[str], list[Path]]:
        documents = {one["document_id"] for one in quiet.listing("/documents")}
        tenant = quiet.get("/auth/verify")["tenant_id"]
        return documents, platform.objects(tenant), list(platform.folder.glob("scratch/*"))

    before = kept()
    yield
    assert kept() == before


@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("sound.mp3", MP3, 415, "unsupported_format"),
        (
            "base.mdb",
            b"\x00\x01\x00\x00Standard Jet DB\x00" + bytes(600),
            415,
            "unsupported_format",
        ),
        ("tool.exe", b"MZ" + bytes(200), 415, "unsupported_format"),
        ("archive.rar", b"Rar!\x1a\x07" + bytes(60), 415, "unsupported_format"),
        ("empty.pdf", b"", 422, "empty_file"),
        ("blank.txt", b"", 422, "empty_file"),
        ("note.pdf", b"Just a text in a file that says it is a PDF.\n", 422, "wrong_extension"),
        ("invoice.docx", _pdf("a PDF"), 422, "wrong_extension"),
        ("large.txt", b"x" * 1_000_001, 413, "too_large"),
        ("secret.pdf", lambda: _secret(), 422, "encrypted"),
        ("nothing.pdf", lambda: _no_pages(), 422, "no_pages"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_is_refused_with_nothing_kept(
    platform: Platform, quiet: Person, name: str, data: Any, status: int, code: str
) -> None:
    whole = data() if callable(data) else data
    with _unchanged(platform, quiet):
        answer = quiet.send((name, whole))
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert problem["detail"]
    assert problem["request_id"]
    if status == 415:
        assert {"pdf", "docx", "xlsx", "csv", "eml"} <= set(problem["supported_formats"])
    if status == 413:
        assert problem["limit"] == 1_000_000


def test_one_bad_file_among_good_ones_refuses_all_of_them(
    platform: Platform, quiet: Person
) -> None:
    with _unchanged(platform, quiet):
        answer = quiet.send(("good.txt", b"A good note.\n"), ("sound.mp3", MP3))
    assert answer.status_code == 415
    assert answer.json()["filename"] == "sound.mp3"


@pytest.mark.parametrize(
    ("name", "make", "code"),
    [
        ("cut.pdf", lambda: _pdf("A text that is cut off")[:400], "corrupted"),
        ("broken.docx", lambda: builders.zipped(word__document="<w:document"), "corrupted"),
    ],
)
def test_a_file_that_turns_out_unreadable_fails_with_its_reason(
    clerk: Person, name: str, make: Any, code: str
) -> None:
    (document,) = clerk.upload((name, make()))
    found = clerk.read(document)
    assert (found["status"], found["error"]["code"]) == ("failed", code)
    assert found["error"]["detail"]
    for part in ("text", "tables", "fields"):
        answer = clerk.ask("GET", f"/documents/{document}/{part}")
        assert answer.status_code in (409, 422), answer.text
    assert clerk.ask("DELETE", f"/documents/{document}").status_code == 204


def _secret() -> bytes:
    return _pdf("the secret text", encrypt=StandardEncryption("sesame", strength=128))


def test_an_encrypted_file_opens_with_its_password(clerk: Person) -> None:
    refused = clerk.send(("secret-a.pdf", _secret()), password="not it")
    assert (refused.status_code, refused.json()["code"]) == (422, "encrypted")
    assert "password" in refused.json()["detail"]
    (right,) = clerk.upload(("secret-b.pdf", _secret()), password="sesame")
    assert clerk.read(right)["status"] == "ready"
    assert clerk.get(f"/documents/{right}/text")["pages"][0]["text"].strip() == "the secret text"


def test_the_password_of_an_archive_opens_what_lies_in_it(clerk: Person) -> None:
    archive = aes_zip(_secret(), b"sesame", name=b"secret-c.pdf")
    (document,) = clerk.upload(("locked.zip", archive), password="sesame")
    assert clerk.read(document)["status"] == "ready"
    listed = clerk.get("/documents?limit=200")["items"]
    (inner,) = (one for one in listed if one["filename"] == "secret-c.pdf")
    assert inner["status"] == "ready"
    assert (
        "the secret text"
        in clerk.get(f"/documents/{inner['document_id']}/text")["pages"][0]["text"]
    )


def test_a_bomb_is_stopped_and_the_platform_goes_on(clerk: Person) -> None:
    bomb = builders.docx(builders.paragraph("A" * 1_000_000) * 215)
    assert len(bomb) < 1_000_000
    (document, note) = clerk.upload(("bomb.docx", bomb), ("after.txt", b"Still here.\n"))
    found = clerk.read(document)
    assert (found["status"], found["error"]["code"]) == ("failed", "limit_memory")
    assert clerk.read(note)["status"] == "ready"


def test_a_damaged_file_in_a_run_is_named_and_the_rest_goes_on(clerk: Person) -> None:
    papers = dict(invoices())
    chosen = ("scan-0007.pdf", "Brightwater invoice 2026-118.docx", "ledger.xlsx")
    documents = clerk.upload(*((name, papers[name]) for name in chosen))
    run = clerk.execute(workflow="invoice-review", documents=documents)
    status = clerk.status(run)
    assert status["status"] == "completed"
    kinds = {one["kind"]: one["filename"] for one in status["outputs"]["exceptions"]}
    assert kinds["unreadable_document"] == "scan-0007.pdf"
    assert kinds["po_missing"] == "Brightwater invoice 2026-118.docx"
    report = clerk.ask(
        "GET", f"/reports/{status['reports'][0]['report_id']}/download", params={"format": "csv"}
    )
    assert "scan-0007.pdf" in report.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 422, None),
        ("[]", 422, None),
        ("null", 422, None),
        ('{"workflow": 7}', 422, None),
        ('{"workflow": "no-such-workflow"}', 404, "not_found"),
        ('{"workflow": "invoice-review@77"}', 404, "not_found"),
        (f'{{"workflow": "invoice-review", "documents": ["{NOBODY}"]}}', 404, "not_found"),
        ('{"workflow": "invoice-review", "documents": ["../../etc/passwd"]}', 404, "not_found"),
        ('{"workflow": "invoice-review", "inputs": {"as_of": 7}}', 422, None),
        ('{"workflow": "invoice-review", "inputs": {"surprise": 1}}', 422, None),
        (
            '{"workflow": "invoice-review", "callback_url": "http://127.0.0.1:9/"}',
            422,
            "target_not_allowed",
        ),
        ('{"workflow": "invoice-review", "priority": 1e99}', 422, None),
    ],
)
def test_a_request_that_cannot_run_leaves_no_run(
    clerk: Person, body: str, status: int, code: str | None
) -> None:
    before = [one["workflow_id"] for one in clerk.listing("/workflows")]
    headers = {"Content-Type": "application/json"}
    answer = clerk.ask("POST", "/workflows/execute", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem["code"] == (code or problem["code"])
    assert problem["detail"]
    assert [one["workflow_id"] for one in clerk.listing("/workflows")] == before


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("name: bad\nsteps:\n  - id: a\n    agent: report\n    task: dance\n", 5, "task"),
        ("name: bad\nsteps:\n  - {id: a, agent: supervisor, task: noop, needs: [b]}\n", 3, "needs"),
        ("name: bad\nsteps:\n  - {id: a, agent: supervisor\n", None, None),
        ("name: bad\nsurprise: 1\nsteps:\n  - {id: a, agent: supervisor, task: noop}\n", 2,
         "surprise"),
    ],
    ids=["unknown task", "unknown need", "not YAML", "unknown field"],
)  # fmt: skip
def test_a_bad_definition_is_shown_line_and_field(
    clerk: Person, text: str, line: int | None, field: str | None
) -> None:
    answer = clerk.ask("PUT", "/workflow-definitions/bad", content=text, headers=YAML)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "bad_definition"), problem
    first = problem["errors"][0]
    assert first["detail"]
    if line is not None and field is not None:
        assert first["line"] == line
        assert field in str(first["field"])
    assert clerk.ask("GET", "/workflow-definitions/bad").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", "/documents", {"content": b"no form at all"}),
        ("POST", "/documents", {"data": {"tags": "[]"}, "files": [("note", ("a.txt", b"x"))]}),
        ("POST", "/documents", {"data": {"tags": "{"}, "files": [("file", ("a.txt", b"x"))]}),
        ("POST", "/search", {"json": {"query": "", "k": 0}}),
        ("POST", "/search", {"json": {"query": "a", "filters": {"a": {"like": "b"}}}}),
        ("POST", "/ask", {"json": {}}),
        ("GET", "/documents/not-an-id", {}),
        ("GET", "/documents?cursor=%00%ff", {}),
        ("GET", f"/reports/{NOBODY}/download?format=docx", {}),
        ("POST", f"/workflows/{NOBODY}/cancel", {}),
        ("POST", f"/approvals/{NOBODY}", {"json": {"decision": "perhaps"}}),
        ("POST", "/reports", {"json": {"template": "no-such-template"}}),
        ("PUT", "/report-templates/mine", {"content": "sections: [", "headers": YAML}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_refusal_is_a_problem_that_names_what_is_wrong(
    platform: Platform, quiet: Person, method: str, path: str, options: dict[str, Any]
) -> None:
    with _unchanged(platform, quiet):
        answer = quiet.ask(method, path, **options)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]
    assert answer.json()["detail"]
