"""Files in over HTTP: whole or not at all, by content and not by name, never a path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from agents.documents import PARSED
from core.codec import encode
from core.documents import Cell, Document, Page, Table
from core.tiers import TIERS
from database import documents
from gateway.app import create_app
from gateway.downloads import attachment
from gateway.schemas.documents import DocumentTables
from gateway.uploads import FIELD_BYTES_MAX
from tests.gateway.people import Town
from tests.gateway.platform import opened

TEXT = b"A note of a few words.\n"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A gateway that takes files of 100 kB at most."""
    with opened(tmp_path_factory.mktemp("desk"), upload_bytes_max=100_000) as rt:
        app = create_app(rt)
        town = Town(rt, app, TestClient(app, raise_server_exceptions=False))
        town.tenant("acme")
        yield town


def _send(town: Town, files: Any, headers: Any = None, **data: Any) -> Any:
    given = headers or town.as_role("acme")
    return town.http.post("/documents", files=files, data=data, headers=given)


def _kept(town: Town) -> int:
    with town.rt.db.read(town.ctx("acme")) as tx:
        return sum(documents.counts(tx, town.ctx("acme")).values())


def _scratch(town: Town) -> list[Path]:
    folder = town.rt.settings.data_dir / "scratch"
    return list(folder.iterdir()) if folder.exists() else []


def test_several_files_with_metadata_and_tags(desk: Town) -> None:
    files = [("file", (f"note{n}.txt", TEXT + bytes([65 + n]))) for n in range(3)]
    answer = _send(desk, files, metadata=json.dumps({"case": 7}), tags=json.dumps(["a", "b"]))
    assert answer.status_code == 202
    items = answer.json()["items"]
    assert [item["filename"] for item in items] == ["note0.txt", "note1.txt", "note2.txt"]
    shown = desk.http.get(
        f"/documents/{items[0]['document_id']}", headers=desk.as_role("acme")
    ).json()
    assert (shown["metadata"], shown["tags"], shown["status"]) == (
        {"case": 7},
        ["a", "b"],
        "received",
    )
    assert _scratch(desk) == []


def test_the_same_bytes_again_are_a_duplicate(desk: Town) -> None:
    first = _send(desk, {"file": ("twin.txt", b"the very same words")}).json()["items"][0]
    second = _send(desk, {"file": ("other.txt", b"the very same words")}).json()["items"][0]
    assert second["duplicate_of"] == first["document_id"]


def test_an_idempotency_key_holds_for_uploads_whatever_their_boundary(desk: Town) -> None:
    headers = {**desk.as_role("acme"), "Idempotency-Key": "upload"}
    first = _send(desk, {"file": ("once.txt", b"only once")}, headers)
    again = _send(desk, {"file": ("once.txt", b"only once")}, headers)
    other = _send(desk, {"file": ("once.txt", b"not the same")}, headers)
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("files", "data", "status"),
    [
        ({"file": ("a.exe", b"MZ\x90\x00" + b"\0" * 60)}, {}, 415),
        ({"file": ("a.rar", b"Rar!\x1a\x07" + b"\0" * 60)}, {}, 415),
        ({"file": ("a.pdf", TEXT)}, {}, 422),
        ({"file": ("a.txt", b"")}, {}, 422),
        ({"file": ("a.txt", b"x" * 100_001)}, {}, 413),
        ({"file": ("a.txt", TEXT)}, {"metadata": "[1]"}, 422),
        ({"file": ("a.txt", TEXT)}, {"metadata": "{"}, 422),
        ({"file": ("a.txt", TEXT)}, {"tags": "{}"}, 422),
        ({"file": ("a.txt", TEXT)}, {"tags": "[1]"}, 422),
        ({"file": ("a.txt", TEXT)}, {"metadata": '{"a":"\\ud800"}'}, 422),
        ({"file": ("a.txt", TEXT)}, {"metadata": '{"a":' * 200 + "1" + "}" * 200}, 422),
        ({"file": ("a.txt", TEXT)}, {"tenant_id": "other"}, 422),
        ({"file": ("a.txt", TEXT)}, {"path": "/etc/passwd"}, 422),
        ({"file": ("a.txt", TEXT)}, {"tags": "[" + '"x",' * FIELD_BYTES_MAX + '"x"]'}, 413),
        ({"picture": ("a.txt", TEXT)}, {}, 422),
        ({"x": (None, "no file at all")}, {}, 422),
        ({"file": (None, "a file without a name is a field")}, {}, 422),
        ([("file", ("a.txt", TEXT)), ("file", ("b.exe", b"MZ\x90\x00"))], {}, 415),
        ([("file", (f"{n}.txt", TEXT)) for n in range(201)], {}, 422),
    ],
)
def test_a_bad_upload_is_refused_and_nothing_of_it_stays(
    desk: Town, files: Any, data: dict[str, str], status: int
) -> None:
    before = _kept(desk)
    answer = _send(desk, files, **data)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert _kept(desk) == before
    assert _scratch(desk) == []


def test_an_unsupported_format_is_answered_with_the_supported_ones(desk: Town) -> None:
    problem = _send(desk, {"file": ("a.exe", b"MZ\x90\x00" + b"\0" * 60)}).json()
    assert problem["code"] == "unsupported_format"
    assert {"pdf", "docx", "xlsx", "eml"} <= set(problem["supported_formats"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ncut',
        b"--b\r\n\r\nno header\r\n--b--\r\n",
        b"not multipart at all",
        b"--b\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n\r\n--b--\r\n",
        b"--b\r\n" + b"A: b\r\n" * 5_000 + b"\r\n\r\n--b--\r\n",
        b"--b--\r\n",
    ],
)
def test_a_broken_form_is_refused(desk: Town, body: bytes) -> None:
    headers = {**desk.as_role("acme"), "Content-Type": "multipart/form-data; boundary=b"}
    assert desk.http.post("/documents", content=body, headers=headers).status_code == 422
    assert _scratch(desk) == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/json", "text/plain"])
def test_the_content_type_decides_the_parser(desk: Town, kind: str) -> None:
    """A JSON body that looks like a parsed upload must not make the server read a path."""
    body = json.dumps({"file": {"filepath": "/etc/passwd", "originalFilename": "a.txt"}}).encode()
    headers = {**desk.as_role("acme"), "Content-Type": kind}
    assert desk.http.post("/documents", content=body, headers=headers).status_code in (415, 422)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\win.txt", "/etc/passwd", "a\x01b.txt", "ä ö.txt", "日本語.txt",
     "x" * 400 + ".txt", "CON.txt", "a\u202etxt.exe.txt", '"quoted".txt', "a;b.txt", " .txt"],
)  # fmt: skip
def test_a_name_is_only_shown_and_never_a_path(desk: Town, name: str) -> None:
    sent = _send(desk, {"file": (name, f"body of {name!r}".encode())})
    if sent.status_code == 422 and not name.isprintable():
        return
    assert sent.status_code == 202, sent.text
    item = sent.json()["items"][0]
    assert not {"/", "\\"} & set(item["filename"])
    answer = desk.http.get(
        f"/documents/{item['document_id']}/content", headers=desk.as_role("acme")
    )
    assert answer.content == f"body of {name!r}".encode()
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_download_names_the_file_twice() -> None:
    header = attachment(b"x", 'Größe "1".pdf', "application/pdf").headers["content-disposition"]
    assert header == (
        "attachment; filename=\"Groe 1.pdf\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.pdf"
    )


def test_a_declared_type_is_never_handed_to_a_browser_as_markup(desk: Town) -> None:
    sent = _send(desk, {"file": ("a.txt", b"<script>alert(1)</script>", "text/html")})
    path = f"/documents/{sent.json()['items'][0]['document_id']}/content"
    answer = desk.http.get(path, headers=desk.as_role("acme"))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    odd = attachment(b"x", "a.txt", "text/html\r\nX-Evil: 1")
    assert odd.headers["content-type"] == "application/octet-stream"


def test_a_full_tier_takes_no_more(desk: Town) -> None:
    desk.tenant("small", "free")
    most = TIERS["free"].documents or 0
    assert most > 200
    headers = desk.as_role("small")
    for at in range(0, most, 100):
        files = [("file", (f"{n}.txt", f"small note {n}".encode())) for n in range(at, at + 100)]
        assert _send(desk, files, headers).status_code == 202
    refused = _send(desk, {"file": ("more.txt", b"one more")}, headers)
    assert (refused.status_code, refused.json()["limit"]) == (429, "documents")


def test_a_long_table_arrives_whole_and_in_the_shape_of_the_contract(desk: Town) -> None:
    row = _send(desk, {"file": ("long.csv", b"a,b\n1,2\n")}).json()["items"][0]["document_id"]
    cells = [Cell("1", at, col, 1, "number") for at in range(2_500) for col in range(2)]
    long = Table(1, tuple(zip(cells[::2], cells[1::2], strict=True)), title="Long")
    page = Page(1, "1 | 1", tables=(long, Table(1, ())))
    desk.rt.vault.put(desk.ctx("acme"), PARSED, row, encode(Document, Document("csv", (page,))))
    answer = desk.http.get(f"/documents/{row}/tables", headers=desk.as_role("acme"))
    told = DocumentTables.model_validate_json(answer.text)
    assert [len(one.rows) for one in told.tables] == [2_500, 0]
    assert told.tables[0].title == "Long"
    assert {len(one) for one in told.tables[0].rows} == {2}
    assert told.tables[0].rows[2_499][1].value == 1


def test_what_was_not_read_yet_says_so(desk: Town) -> None:
    item = _send(desk, {"file": ("later.txt", b"read me later")}).json()["items"][0]
    for part in ("text", "tables", "fields"):
        path = f"/documents/{item['document_id']}/{part}"
        answer = desk.http.get(path, headers=desk.as_role("acme"))
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
