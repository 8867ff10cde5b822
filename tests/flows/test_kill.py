"""The whole platform dies by SIGKILL at a named boundary; started again it ends what it accepted.

A client that never got an answer asks again with the same key. By default some boundaries are
tried, with WEFT_TORTURE=1 all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from core.failpoints import NAMES
from examples.make import invoices
from tests.fakes.sink import HttpSink, MailSink
from tests.flows.person import Person
from tests.flows.platform import ROOT, Forge, Platform
from tests.flows.program import (
    FILES,
    Program,
    assert_sent_once,
    died_on_the_way,
    found_by,
    settle,
    texts_kept,
    until,
)

# One of each kind of thing that is made durable; the engine's own are tried in tests/crash.
USUAL = (
    "upload.commit:before:1", "upload.commit:after:1", "submit.commit:after:1",
    "journal.commit:after:2", "index.commit:before:1", "step.commit:before:4",
    "effect.call:after:1", "effect.commit:before:2",
)  # fmt: skip
LATER = {"claim.commit": 5, "step.start": 5, "step.commit": 5, "journal.commit": 2,
         "index.commit": 2, "effect.call": 2, "effect.sent": 2, "effect.commit": 2,
         "advance.commit": 3, "run.commit": 3, "relay.publish": 3}  # fmt: skip
# No message comes in without Kafka; its killings are in tests/stack/test_kafka_intake.py.
EVERY = tuple(
    f"{name}:{side}:{nth}"
    for name in NAMES
    if name != "intake.commit"
    for side in ("before", "after")
    for nth in sorted({1, LATER.get(name, 1)})
)
REST = pytest.mark.skip(reason=f"WEFT_TORTURE=1 tries all {len(EVERY)} places to die")
TORTURE = os.environ.get("WEFT_TORTURE") == "1"
RULES = dict.fromkeys((*USUAL, *EVERY)) if TORTURE else (*USUAL, pytest.param("all", marks=REST))
QUICK = {"WEFT_LEASE_SECONDS": "1", "WEFT_HEARTBEAT_SECONDS": "0.3", "WEFT_SWEEP_SECONDS": "0.2",
         "WEFT_RETRY_BASE_SECONDS": "0.1", "WEFT_WORKER_THREADS": "2"}  # fmt: skip
SCOPES = ["documents:read", "documents:write", "workflows:execute", "workflows:read",
          "reports:read", "approvals:read"]  # fmt: skip


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    made = Forge()
    yield made
    made.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, forge: Forge) -> tuple[Path, str]:
    """A data folder with the tenant `acme`, whose admin has agreed to every mail and webhook, and
    a program's key."""
    made = Platform(tmp_path_factory.mktemp("template"), QUICK, forge)
    made.provision(acme="unlimited")
    made.start()
    admin = made.person("acme")
    yes = [{"connector": name, "target": "*"} for name in ("email", "webhook")]
    tenant = admin.get("/auth/verify")["tenant_id"]
    answer = admin.ask("PATCH", f"/tenants/{tenant}", json={"config": {"pre_approved": yes}})
    assert answer.status_code == 200, answer.text
    key = admin.post("/auth/api-keys", json={"name": "program", "scopes": SCOPES}).json()["key"]
    admin.close()
    assert made.stop() == 0
    return made.folder, key


@pytest.mark.parametrize("rule", RULES)
def test_a_killed_platform_ends_what_it_accepted_and_repeats_nothing(
    rule: str, template: tuple[Path, str], forge: Forge, tmp_path: Path
) -> None:
    folder, (made, key) = tmp_path / "data", template
    shutil.copytree(made, folder)
    with HttpSink(tmp_path / "deliveries") as sink:
        platform = Platform(folder, {**QUICK, "WEFT_EGRESS_ALLOW": sink.place}, forge)
        program = Program(platform, key, sink.url)
        platform.start(f"{rule}=kill")
        died = died_on_the_way(platform, program)
        before = texts_kept(folder)
        platform.start()
        try:
            status = program.go()
            settle(platform)
            found = found_by(platform, program)
        finally:
            assert platform.stop() == 0
        assert died == -9, "the boundary was never passed"
        assert [one["kind"] for one in status["outputs"]["exceptions"]] == ["po_missing"]
        assert found == {"documents": len(FILES), "reviews": 1, "reports": 1, "waiting": 0}
        assert {name: texts_kept(folder)[name] for name in before} == before, "read twice"
        assert_sent_once(sink, folder)


@pytest.mark.parametrize(("end", "status"), [(Platform.kill, -9), (Platform.stop, 0)])
def test_a_review_goes_on_where_its_platform_was_ended(
    end: Callable[[Platform], int],
    status: int,
    template: tuple[Path, str],
    forge: Forge,
    tmp_path: Path,
) -> None:
    shutil.copytree(template[0], tmp_path / "data")
    platform = Platform(tmp_path / "data", QUICK, forge)
    # Every reader rests after some documents, so that the end comes in the middle.
    platform.start(",".join(f"journal.commit:after:{n}=sleep:2" for n in range(5, 13)))
    who = Person(platform.url, {"X-API-Key": template[1]})
    documents = who.upload(*invoices())
    run = who.execute(workflow="invoice-review", documents=documents)
    path = platform.folder
    assert until(lambda: len(texts_kept(path)) >= 5, 60), "nothing is read"
    assert end(platform) == status
    before = texts_kept(path)
    assert len(before) < len(documents), "it was not in the middle"
    platform.start()
    try:
        found = who.status(run, "completed")
    finally:
        assert platform.stop() == 0
        who.close()
    wanted = json.loads((ROOT / "examples" / "expected.json").read_text())["exceptions"]
    kinds = sorted(one["kind"] for one in found["outputs"]["exceptions"])
    assert kinds == sorted(one["kind"] for one in wanted)
    after = texts_kept(path)
    assert {name: after[name] for name in before} == before, "read twice"
    assert len(list(path.glob("blobs/t/*/report/*"))) == 3, "one report in three formats"


@pytest.mark.skipif(not TORTURE, reason="WEFT_TORTURE=1 tries deaths at random moments")
@pytest.mark.parametrize("seed", range(8))
def test_deaths_in_a_row_at_any_moment_cost_time_only(
    seed: int, template: tuple[Path, str], forge: Forge, tmp_path: Path
) -> None:
    """Fewer than the attempts that a step has: a step that kills five times is the dead letter."""
    moment = random.Random(seed)
    shutil.copytree(template[0], tmp_path / "data")
    with HttpSink(tmp_path / "deliveries") as sink:
        more = {**QUICK, "WEFT_EGRESS_ALLOW": sink.place}
        platform = Platform(tmp_path / "data", more, forge)
        program = Program(platform, template[1], sink.url)
        for _ in range(4):
            platform.start()
            killer = threading.Timer(moment.uniform(0.01, 0.9), _strike, (platform,))
            killer.start()
            with contextlib.suppress(httpx.TransportError):
                program.go()
            killer.join()
            assert platform.dead() == -9
        platform.start()
        try:
            program.go()
            settle(platform)
            found = found_by(platform, program)
        finally:
            assert platform.stop() == 0
        assert found == {"documents": len(FILES), "reviews": 1, "reports": 1, "waiting": 0}
        assert_sent_once(sink, platform.folder)


def _strike(platform: Platform) -> None:
    for one in platform.running:
        os.kill(one.pid, signal.SIGKILL)


# Mail by SMTP cannot be looked up: from the mark "being sent" to the answer nobody can know.
MAILS = {
    "effect.sent:before:1": ("completed", 1), "effect.call:after:1": ("needs_review", 1),
    "effect.sent:after:1": ("needs_review", 0), "effect.call:before:1": ("needs_review", 0),
    "effect.commit:before:1": ("needs_review", 1), "effect.commit:after:1": ("completed", 1),
}  # fmt: skip


@pytest.mark.parametrize("rule", MAILS if TORTURE else list(MAILS)[:2])
def test_a_mail_that_may_have_gone_out_is_not_sent_again_but_looked_at(
    rule: str, template: tuple[Path, str], forge: Forge, tmp_path: Path
) -> None:
    shutil.copytree(template[0], tmp_path / "data")
    with MailSink(tmp_path / "mails") as sink:
        platform = Platform(tmp_path / "data", {**QUICK, "WEFT_SMTP_URL": sink.url}, forge)
        program = Program(platform, template[1], None)
        platform.start(f"{rule}=kill")
        assert died_on_the_way(platform, program) == -9
        platform.start()
        try:
            status = program.go()
        finally:
            assert platform.stop() == 0
    assert (status["status"], len(sink.deliveries())) == MAILS[rule]
    assert status["reports"]
    if status["status"] == "needs_review":
        assert status["error"]["code"] == "in_doubt"
