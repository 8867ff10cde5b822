"""Messages in on a real broker: repeated, shuffled, poisoned, crashed, put off."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agents import arriving
from agents.registry import AGENTS
from backends import kafka_dead_letters
from backends.build import open_runtime
from backends.kafka_topics import Cluster, lag
from core.context import Ctx
from core.messages import ATTEMPT, CODE, KEY, Later, Message, Taken, Verdict
from core.settings import Settings
from database import documents
from runtime import Runtime
from tests.engine import drained, new_tenant, step
from tests.fakes.topics import envelope, signed
from tests.poison import poisons
from tests.stack.kafka_side import TORTURE, address, everything, put, settled, taking, until
from tests.stack.servers import Servers
from tests.torture.figures import at_most, held
from workflows import registry, views
from workflows.intake import is_ready, receive

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

MESSAGES = 1_000 if TORTURE else 200
ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(servers: Servers) -> str:
    return address(servers)


@pytest.fixture
def cluster(url: str) -> Cluster:
    return Cluster.at(url)


@pytest.fixture
def rt(settings: Settings, url: str) -> Iterator[Runtime]:
    """On the system's clock, which is the broker's too."""
    with open_runtime(settings.model_copy(update={"bus_url": url})) as opened:
        yield opened


@pytest.fixture
def ctx(rt: Runtime) -> Ctx:
    return new_tenant(rt)


def door(rt: Runtime, cluster: Cluster) -> Any:
    return taking(cluster, partial(receive, rt, AGENTS.catalog), partial(is_ready, rt))


def runs_of(rt: Runtime, ctx: Ctx) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = views.listing(rt, ctx, limit=200, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def state(rt: Runtime, ctx: Ctx) -> str:
    """What is the same however the messages came: everything but ids and times."""
    found = [(one.status, one.priority, dict(one.metadata)) for one in runs_of(rt, ctx)]
    return hashlib.sha256(json.dumps(sorted(found, key=json.dumps)).encode()).hexdigest()


def test_a9_repeated_and_shuffled_gives_the_same_state(rt: Runtime, cluster: Cluster) -> None:
    once, often, rng = new_tenant(rt), new_tenant(rt), random.Random(9)
    bodies = [envelope(metadata={"n": n}, priority=1 + n % 10) for n in range(MESSAGES)]
    for body in bodies:
        assert isinstance(receive(rt, AGENTS.catalog, signed(rt, once, body)), Taken)
    messages = [signed(rt, often, body, key=b"%d" % n) for n, body in enumerate(bodies)]
    deliveries = [one for one in messages for _ in range(rng.randint(1, 5))]
    for at in range(0, len(deliveries), 100):
        window = deliveries[at : at + 100]
        rng.shuffle(window)
        deliveries[at : at + 100] = window
    put(cluster, deliveries)
    with door(rt, cluster), door(rt, cluster):
        until(lambda: settled(cluster), 300)
    drained_all(rt)
    wrong = abs(len(runs_of(rt, often)) - MESSAGES) + int(state(rt, often) != state(rt, once))
    assert held([
        at_most("A9.kafka.wrong", wrong, 0, "runs",
                f"{MESSAGES} messages, {len(deliveries)} deliveries"),
    ]) == []  # fmt: skip


def drained_all(rt: Runtime) -> None:
    while drained(rt):
        pass


def test_a10_poison_is_buried_and_the_rest_goes_on(rt: Runtime, cluster: Cluster, ctx: Ctx) -> None:
    bad = poisons(rt, ctx, new_tenant(rt))
    good = [signed(rt, ctx, key=b"%d" % n) for n in range(50)]
    mixed = [one for pair in zip([m for m, _ in bad], good, strict=True) for one in pair]
    with door(rt, cluster):
        until(lambda: settled(cluster))
        put(cluster, mixed)
        began = time.monotonic()
        until(lambda: settled(cluster))
        seconds = time.monotonic() - began
    letters = kafka_dead_letters.letters(cluster)
    reasons = Counter(one.text(CODE) for one in letters)
    attempts = max(one.number(ATTEMPT, 0) for one in letters)
    short = held([
        at_most("A10.kafka.unburied", 50 - len(letters), 0, "of 50"),
        at_most("A10.kafka.attempts", attempts, 5, "attempts"),
        at_most("A10.kafka.lag", seconds, 10, "s until lag 0"),
    ])  # fmt: skip
    assert reasons == Counter(code for _, code in bad)
    assert len(runs_of(rt, ctx)) == 50
    assert short == []


def test_a_letter_whose_cause_is_gone_is_driven_again(
    rt: Runtime, cluster: Cluster, ctx: Ctx
) -> None:
    """And keeps its id, so that a second redrive changes nothing."""
    later = envelope(definition=None, workflow="later")
    sent = [signed(rt, ctx, later, message_id="the-one"), signed(rt, ctx, b"{")]
    with door(rt, cluster):
        put(cluster, sent)
        letters = until(lambda: both(kafka_dead_letters.letters(cluster)))
        registry.save(rt, ctx, "later", {"name": "later", "steps": [step("a")]}, AGENTS.catalog)
        (mine,) = [one for one in letters if one.text("webhook-id") == "the-one"]
        kafka_dead_letters.redrive(cluster, [mine])
        until(lambda: runs_of(rt, ctx))
        kafka_dead_letters.redrive(cluster, [mine])
        until(lambda: settled(cluster))
    assert [run.request_id for run in runs_of(rt, ctx)] == ["the-one"]
    (left,) = kafka_dead_letters.letters(cluster)
    assert left.text(CODE) == "bad_json"
    kafka_dead_letters.drop(cluster, [left])
    assert kafka_dead_letters.letters(cluster) == []


def both(letters: list[Message]) -> list[Message]:
    return letters if len(letters) == 2 else []


def test_f6_a_forged_tenant_is_refused(rt: Runtime, cluster: Cluster, ctx: Ctx) -> None:
    victim = new_tenant(rt, "victim")
    with door(rt, cluster):
        put(cluster, [signed(rt, ctx, tenant="victim").marked(**{ATTEMPT: "1", KEY: "mine"})])
        (letter,) = until(lambda: kafka_dead_letters.letters(cluster))
    assert letter.text(CODE) == "bad_signature"
    assert letter.headers[KEY] == b"k"
    assert runs_of(rt, victim) == runs_of(rt, ctx) == []


def test_passing_trouble_waits_its_turn_and_is_tried_again(cluster: Cluster) -> None:
    """Messages behind it go on meanwhile; one that never gets better is buried."""
    seen: list[tuple[str, int]] = []

    def take(message: Message) -> Verdict:
        name, attempt = message.text("webhook-id"), message.number(ATTEMPT, 1)
        seen.append((name, attempt))
        return Later("busy", "") if name == "slow" and attempt < 2 else Taken("run")

    messages = [Message(b"k", b"{}", {"webhook-id": name}) for name in (b"slow", b"a", b"b")]
    with taking(cluster, take):
        put(cluster, messages)
        until(lambda: ("slow", 2) in seen)
        until(lambda: settled(cluster))
    assert seen == [("slow", 1), ("a", 1), ("b", 1), ("slow", 2)]
    assert len(everything(cluster, cluster.retry)) == 1


def test_while_the_platform_is_not_ready_no_attempt_is_used_up(cluster: Cluster) -> None:
    ready = threading.Event()
    seen: list[int] = []

    def take(message: Message) -> Verdict:
        seen.append(message.number(ATTEMPT, 1))
        return Taken("run") if ready.is_set() else Later("database_unavailable", "")

    with taking(cluster, take, ready.is_set):
        put(cluster, [Message(b"k", b"{}", {"webhook-id": b"m"})])
        until(lambda: len(seen) > 2)
        assert sum(lag(cluster).values()) == 1
        ready.set()
        until(lambda: settled(cluster))
    assert set(seen) == {1}
    assert everything(cluster, cluster.retry) == []


def test_a_bug_of_ours_stops_nobody(cluster: Cluster) -> None:
    seen: list[str] = []

    def take(message: Message) -> Verdict:
        name = message.text("webhook-id")
        if name == "bad":
            raise ZeroDivisionError
        seen.append(name)
        return Taken("run")

    names = (b"bad", b"a", b"b")
    with taking(cluster, take):
        put(cluster, [Message(b"k", b"{}", {"webhook-id": name}) for name in names])
        until(lambda: seen == ["a", "b"])


@pytest.mark.parametrize("side", ["before", "after"])
def test_an_intake_that_dies_at_its_mark_repeats_and_changes_nothing(
    rt: Runtime, cluster: Cluster, ctx: Ctx, side: str
) -> None:
    put(cluster, [signed(rt, ctx, key=b"%d" % n) for n in range(30)])
    assert killed_intake(rt, f"intake.commit:{side}:1=kill") == -9
    taken = len(runs_of(rt, ctx))
    assert taken > 0
    with door(rt, cluster):
        until(lambda: settled(cluster) and len(runs_of(rt, ctx)) == 30)
    drained_all(rt)
    assert Counter(run.status for run in runs_of(rt, ctx)) == {"completed": 30}
    assert kafka_dead_letters.letters(cluster) == []


def test_documents_by_message_survive_a_kill_in_the_middle(
    rt: Runtime, cluster: Cluster, ctx: Ctx
) -> None:
    """Thirty documents, ten twins of them and ten that come again; every process dies by a kill:
    before and after the commit of a document, and before that of an offset."""
    texts = [f"Delivery note {n}: {n + 3} pallets." for n in range(30)]
    sent = [signed(rt, ctx, note(text), key=b"%d" % n) for n, text in enumerate(texts)]
    twins = [signed(rt, ctx, note(text), key=b"t%d" % n) for n, text in enumerate(texts[:10])]
    put(cluster, [*sent, *twins, *sent[10:20], signed(rt, ctx, note("", "a.exe"))])
    for mark in ("upload.commit:before:4", "upload.commit:after:5", "intake.commit:before:1"):
        assert killed_intake(rt, f"{mark}=kill") == -9
    assert 0 < len(documents_of(rt, ctx)) < 30
    with taking(cluster, partial(arriving.receive, rt), partial(is_ready, rt)):
        until(lambda: settled(cluster))
    drained_all(rt)
    found = documents_of(rt, ctx)
    assert Counter(row.status for row in found) == {"ready": 30}
    assert len({row.sha256 for row in found}) == 30
    assert Counter(run.status for run in runs_of(rt, ctx)) == {"completed": 30}
    assert [one.text(CODE) for one in kafka_dead_letters.letters(cluster)] == ["empty_file"]


def note(text: str, filename: str = "note.txt") -> dict[str, Any]:
    data = {"filename": filename, "text": text}
    return {"version": 1, "type": "document.ingest", "data": data}


def documents_of(rt: Runtime, ctx: Ctx) -> list[Any]:
    with rt.db.read(ctx) as tx:
        return list(documents.listing(tx, ctx, limit=200).items)


def killed_intake(rt: Runtime, failpoints: str) -> int:
    """A process of the role alone, until it dies; gives how."""
    command = [sys.executable, "-m", "ops", "serve", "--only", "intake"]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("WEFT_")}
    env = {
        **kept, "PYTHONPATH": str(ROOT), "WEFT_DATA_DIR": str(rt.settings.data_dir),
        "WEFT_BUS_URL": rt.settings.bus_url, "WEFT_MODELS_URL": "none:",
        "WEFT_FAILPOINTS": failpoints,
    }  # fmt: skip
    cwd = rt.settings.data_dir
    return subprocess.run(command, env=env, cwd=cwd, timeout=120, check=False).returncode


def test_the_command_shows_and_drives_letters(
    rt: Runtime, cluster: Cluster, ctx: Ctx, url: str
) -> None:
    from click.testing import CliRunner

    from ops.cli import weft

    with door(rt, cluster):
        put(cluster, [signed(rt, ctx, b"{\x1b[31m", message_id="m")])
        until(lambda: kafka_dead_letters.letters(cluster))

    def command(*words: str) -> Any:
        given = ["--data", str(rt.settings.data_dir), "dead-letters", *words, "--json"]
        done = CliRunner(env={"WEFT_BUS_URL": url}).invoke(weft, given)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    (row,) = command("list", "--kafka")
    assert (row["message"], row["reason"], row["attempts"]) == ("m", "bad_json", 1)
    shown = command("show", row["id"])
    assert (shown["value"], shown["detail"][:7]) == ("{\\x1b[31m", "This is")
    assert command("redrive", "--kafka", row["id"]) == {row["id"]: "goes in again"}
    assert command("list", "--kafka") == []
    with door(rt, cluster):
        (row,) = until(lambda: command("list", "--kafka"))
    assert command("drop", row["id"]) == {row["id"]: "dropped"}
