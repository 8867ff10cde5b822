"""Log files: whatever the shape, a row per record."""

from __future__ import annotations

import pytest

from agents.answers.logs import count
from core.documents import Document
from ingestion import Limits, logs

HOUSE = b"""2026-04-02T08:14:07Z ERROR payment-gateway ERR-2003 bank timeout after 3000 ms
2026-04-02T08:20:52Z ERROR payment-gateway ERR-2003 bank timeout after 2000 ms
2026-04-02T09:15:03Z WARN ledger-service queue depth 4810
"""
LINES = {
    "2026-01-05 10:15:30,123 [main] INFO  com.acme.App - Started in 3.2 seconds":
        ("2026-01-05T10:15:30.123", "INFO", "com.acme.App", "", "Started in 3.2 seconds"),
    "2026-01-05T10:15:30.123+01:00  INFO 12345 --- [  main] c.a.App  : Started":
        ("2026-01-05T10:15:30.123+01:00", "INFO", "c.a.App", "", "Started"),
    "2026-01-05 10:00:00,123 - app.db - ERROR - lost 10.0.0.5":
        ("2026-01-05T10:00:00.123", "ERROR", "app.db", "", "lost 10.0.0.5"),
    "<34>Oct 11 22:14:17 web1 su[7]: failed":
        ("Oct 11 22:14:17", "CRITICAL", "su", "", "failed"),
    "Oct  1 22:14:15 web1 sshd[1234]: Failed password":
        ("Oct 01 22:14:15", "", "sshd", "", "Failed password"),
    '<165>1 2026-10-11T22:14:15.003Z host app - ID47 [x@1 i="3"] An event':
        ("2026-10-11T22:14:15.003Z", "NOTICE", "app", "ID47", "An event"),
    "2026/01/05 10:00:00 [error] 123#0: *45 connect() failed (111: refused)":
        ("2026-01-05T10:00:00", "ERROR", "", "", "connect() failed (111: refused)"),
    "[Wed Oct 11 14:32:52.123456 2026] [core:error] [pid 3] File does not exist":
        ("2026-10-11T14:32:52", "ERROR", "core", "", "[pid 3] File does not exist"),
    'time=2026-01-05T10:00:01Z level=error msg="db gone" service=api code=DB-17':
        ("2026-01-05T10:00:01Z", "ERROR", "api", "DB-17", "db gone"),
    "I0105 10:00:00.123456       1 controller.go:114] Processing item":
        ("Jan 05 10:00:00", "INFO", "controller.go", "", "Processing item"),
    "[2026-01-05 10:00:00] production.ERROR: SQLSTATE[HY000] refused":
        ("2026-01-05T10:00:00", "ERROR", "", "HY000", "SQLSTATE[HY000] refused"),
    "ERROR 2026-01-05 10:00:00,123 views: Payment declined, code=E1200":
        ("2026-01-05T10:00:00.123", "ERROR", "views", "E1200", "Payment declined, code=E1200"),
    "2026-04-02 08:14:07 [ERROR] [payment] ERR-2003 bank timeout":
        ("2026-04-02T08:14:07", "ERROR", "payment", "ERR-2003", "ERR-2003 bank timeout"),
    "03-17 16:13:38.811  1702  2395 D WindowManager: printFreezing":
        ("03-17 16:13:38.811", "DEBUG", "WindowManager", "", "printFreezing"),
    "17/06/09 20:10:40 INFO spark.SecurityManager: Changing view acls":
        ("17/06/09 20:10:40", "INFO", "spark.SecurityManager", "", "Changing view acls"),
    "api.log.1 2017-05-16 00:00:00.008 25746 INFO nova.wsgi [req-1] GET":
        ("2017-05-16T00:00:00.008", "INFO", "nova.wsgi", "", "[req-1] GET"),
    "2016-09-28 04:30:31, Info                  CBS    Ending":
        ("2016-09-28T04:30:31", "INFO", "", "", "CBS Ending"),
    '10.1.1.2 - ann [10/Oct/2026:13:55:37 -0700] "POST /orders HTTP/1.1" 502 17':
        ("2026-10-10T13:55:37-07:00", "", "", "502", "POST /orders HTTP/1.1"),
}  # fmt: skip


def _rows(document: Document, page: int = 0) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row) for row in document.pages[page].tables[0].rows]


@pytest.mark.parametrize(("line", "told"), LINES.items())
def test_common_shapes_are_told_apart(line: str, told: tuple[str, ...]) -> None:
    document = logs.read(f"{line}\n{line}\n".encode(), Limits())
    assert _rows(document)[1][:5] == told
    assert document.document_type == "log"


def test_kinds_of_message_are_counted() -> None:
    document = logs.read(HOUSE, Limits())
    assert [row[5] for row in _rows(document)] == ["template", "T1", "T1", "T2"]
    kinds = _rows(document, 1)
    assert kinds[1] == (
        "T1", "ERR-2003 bank timeout after <n> ms", "ERROR", "payment-gateway", "2",
        "2026-04-02T08:14:07Z", "2026-04-02T08:20:52Z",
    )  # fmt: skip
    assert document.pages[0].tables[0].rows[1][0].kind == "date"


def test_questions_over_a_log_are_computed() -> None:
    document = logs.read(HOUSE, Limits())
    answer = count("How many errors did payment-gateway log?", [("d", "x", document)])
    assert answer is not None
    assert " 2 " in answer.text


def test_a_trace_belongs_to_its_record() -> None:
    data = (
        b"2026-01-05 10:00:00,123 - app.db - ERROR - connection lost\n"
        b'Traceback (most recent call last):\n  File "db.py", line 10, in connect\n'
        b"sqlalchemy.exc.OperationalError: could not connect\n"
        b"2026-01-05 10:00:05,001 - app.db - INFO - back\n"
        b"2026-01-05 10:00:06,001 - app.db - ERROR - failed\n"
        b"java.lang.IllegalStateException: x\n\tat a.b.C(C:1)\nCaused by: java.io.IOException\n"
    )
    rows = _rows(logs.read(data, Limits()))
    assert len(rows) == 4
    assert rows[1][3] == "OperationalError"
    assert rows[1][4].endswith("could not connect")
    assert rows[3][3] == "IllegalStateException"


def test_what_is_no_log_stays_text() -> None:
    document = logs.read(b"Captain's log.\n\nWe sailed on.\n", Limits())
    assert (document.format, document.document_type) == ("log", "other")
    assert "We sailed on." in document.pages[0].text


def test_lines_of_json_are_records() -> None:
    data = b'{"ts": "2026-01-01T00:00:00Z", "level": "info", "msg": "a"}\n' * 3
    document = logs.read(data, Limits())
    assert (document.format, document.document_type) == ("log", "log")
    assert len(_rows(document)) == 4


def test_a_long_log_is_cut_with_a_warning() -> None:
    document = logs.read(HOUSE * 50, Limits(cells=60))
    assert document.warnings == ("Only the first 10 of 150 records were read.",)
