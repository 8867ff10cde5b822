"""What is logged by mistake is not told: fields by their names, credentials by their looks."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from core.telemetry import scrub

SECRET = "Xq7_vB2kLm9wTz4"
LEAKS = {
    "a database's address": f"connection to postgresql+psycopg://weft:{SECRET}@db:5432/weft failed",
    "a password with an at sign": f"redis://:a@{SECRET}@10.0.0.1:6379/0 refused",
    "a store's address": f"cannot reach s3://KEY:{SECRET}@minio:9000/weft?tls=true",
    "a mail server's": f"smtp://mailer:{SECRET}@mail:587 does not answer",
    "a bearer token": f"sent Authorization: Bearer {SECRET}.abc-def",
    "basic credentials": f"header 'basic {SECRET}=='",
    "a setting in words": f"FATAL: password={SECRET} is wrong",
    "JSON": f'{{"api_key": "{SECRET}", "user": "x"}}',
    "a Python dictionary": f"{{'secret': '{SECRET}', 'user': 'x'}}",
    "a key of ours": f"the key wk_abcdefgh_{SECRET} was revoked",
    "a token of ours": f"jwt eyJhbGciOiJIUzI1NiJ9.{SECRET}.sig_nature is expired",
    "a cookie": f"Cookie: session={SECRET}; theme=dark",
}
PLAIN = (
    "GET /workflows/{workflow_id}/status", "see https://weft.example/docs for more",
    "the passwords page has 3 rows", "01a1feb2-7f99-7548-936a-69369acd5f8f",
    "invoice 2026-118: 4711.00 EUR", "token bucket empty",
)  # fmt: skip


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS)
def test_what_looks_like_a_credential_is_hidden(text: str) -> None:
    assert SECRET not in scrub(text)
    assert "***" in scrub(text)


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert scrub(text) == text


def test_lines_are_clean_whoever_writes_them_and_however() -> None:
    code = f"""
import logging
from core.telemetry import configure_logs, log
configure_logs("debug")
log("x").info("a", password="{SECRET}", api_key="{SECRET}", data={{"token": "{SECRET}"}})
log("x").warning("b", url="amqp://u:{SECRET}@h/", texts=["Bearer {SECRET}"])
log("x").info("c password={SECRET}")
logging.getLogger("lib").error("d %s", "postgresql://u:{SECRET}@h/db")
logging.getLogger("lib").debug("e headers {SECRET}")
try:
    raise OSError("cannot open redis://:{SECRET}@h:6379/0")
except OSError:
    log("x").exception("f")
    logging.getLogger("lib").exception("g")
log("x").debug("h", request_id="r")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"][0] for line in lines] == ["a", "b", "c", "d", "f", "g", "h"]
    assert lines[-1]["request_id"] == "r"
    assert "OSError" in lines[4]["exception"]


def test_other_libraries_never_write_below_info() -> None:
    before = logging.getLogger().level
    code = (
        "import logging; from core.telemetry import configure_logs; configure_logs('debug')\n"
        "assert logging.getLogger('httpcore').getEffectiveLevel() == logging.INFO"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    assert logging.getLogger().level == before
