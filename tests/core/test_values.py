"""Ids, times, errors, scopes, codec and logs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import codec
from core.clock import FakeClock, rfc3339
from core.context import ALL_SCOPES, ROLE_SCOPES, ROLES, Ctx, scopes_of
from core.documents import Attachment, Cell, Document, Page, Table
from core.errors import Forbidden, NotFound, Rejected, Unavailable, Unfinishable, WeftError
from core.ids import new_id


def test_ids_are_uuid7_and_sort_by_the_time_they_were_made() -> None:
    made = [new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {uuid.UUID(one).version for one in made} == {7}


def test_ids_of_many_threads_never_meet() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend([new_id() for _ in range(1000)]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(set(made)) == 8000


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_times_are_shown_in_utc_and_read_back(at_ms: int) -> None:
    shown = rfc3339(at_ms)
    assert shown.endswith("Z")
    assert round(datetime.fromisoformat(shown).timestamp() * 1000) == at_ms


def test_a_fake_clock_moves_only_when_told() -> None:
    clock = FakeClock(1000)
    assert clock.now_ms() == clock.now_ms() == 1000
    clock.advance(1.5)
    assert clock.now_ms() == 2500


def test_roles_hold_what_lower_roles_hold_and_the_operator_sees_no_content() -> None:
    assert ROLE_SCOPES["viewer"] < ROLE_SCOPES["operator"] < ROLE_SCOPES["admin"]
    # The operators' people and keys are their own; of a tenant's content they see nothing.
    own = {"keys:write", "users:read", "users:write"}
    assert ROLE_SCOPES["platform_admin"] & ROLE_SCOPES["admin"] <= own
    assert set(ROLE_SCOPES) == set(ROLES)
    assert scopes_of(ROLES) == ALL_SCOPES


def test_a_missing_scope_is_refused_by_its_name() -> None:
    ctx = Ctx("t", "user:1", frozenset({"viewer"}), scopes_of(["viewer"]))
    ctx.permit("documents:read")
    with pytest.raises(Forbidden, match="documents:write"):
        ctx.permit("documents:write")


def _leaves(kind: type[WeftError]) -> list[type[WeftError]]:
    return [kind, *(leaf for one in kind.__subclasses__() for leaf in _leaves(one))]


def test_every_error_has_a_stable_code_and_a_fitting_status() -> None:
    ours = [kind for kind in _leaves(WeftError) if kind.__module__ == "core.errors"]
    codes = [kind.code for kind in ours]
    assert len(set(codes)) == len(codes)
    for kind in ours:
        if issubclass(kind, Rejected | Unfinishable):
            assert 400 <= kind.status < 500
        if issubclass(kind, Unavailable):
            assert kind.status == 503
    error = NotFound("There is no such run.", code="run_not_found", limit=3)
    assert error.to_json() == {"code": "run_not_found", "detail": error.detail, "limit": 3}


def test_a_document_survives_its_json() -> None:
    table = Table(1, ((Cell("A", 0, 0), Cell("1,5", 0, 1, 1.5, "number", "B1")),))
    document = Document(
        "eml", (Page(1, "ä\nb", tables=(table,)),), attachments=(Attachment("f", "x/y", b"\xff\0"),)
    )
    assert codec.decode(Document, codec.encode(Document, document)) == document


def test_json_of_another_shape_is_refused() -> None:
    with pytest.raises(Unfinishable):
        codec.decode(Document, b'{"format": "pdf", "pages": [{"number": "one"}]}')


def test_every_log_line_is_json_also_of_other_libraries() -> None:
    code = (
        "import logging; from core.telemetry import configure_logs, log\n"
        "configure_logs('info'); logging.getLogger('other').warning('said %s', 'x')\n"
        "log('core', run_id='r').info('ours'); log('core').debug('not shown')\n"
        "try: 1/0\nexcept ZeroDivisionError: log('core').exception('broke')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["said x", "ours", "broke"]
    assert lines[1]["run_id"] == "r"
    assert "ZeroDivisionError" in lines[2]["exception"]
