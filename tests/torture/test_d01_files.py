"""D1 and D2: every bad file through the upload route, one after another, on a platform that others
use meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows import siege
from tests.flows.person import Person
from tests.flows.platform import Platform
from tests.ingestion.bad import CASES
from tests.ingestion.bad.papers import honest
from tests.torture.figures import at_most, held, none

GROWTH_MIB = 300


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path / "d01", {"WEFT_SWEEP_SECONDS": "0.2"})
    made.provision(hostile="unlimited", neighbour="unlimited")
    made.start()
    yield made
    if made.running:
        made.kill()


@pytest.mark.figure
@pytest.mark.timeout(1_800)
def test_bad_files_cost_a_child_and_a_clear_word(hostile: Platform) -> None:
    platform = hostile
    attacker, bystander = platform.person("hostile"), siege.Bystander(platform.person("neighbour"))
    _warm(attacker)
    before = siege.parent_bytes(platform)
    pids = [one.pid for one in platform.running]
    ends = []
    with siege.trapped() as calls, bystander.working():
        for case in CASES:
            given = siege.sent(attacker, case)
            ends.append(siege.ended(attacker, case, given))
            for part in ("text", "tables", "fields") if ends[-1].code == "ready" else ():
                attacker.get(f"/documents/{given[0]}/{part}")
            sys.stderr.write(f"{case.name:28} {ends[-1].code:20} {ends[-1].seconds:6.1f} s\n")
    growth = siege.parent_bytes(platform) - before
    alive = [one.pid for one in platform.running if one.poll() is None]
    (control,) = attacker.upload(("honest.pdf", honest()))
    well = attacker.read(control)["status"]
    assert platform.stop() == 0
    wrong = [one.wrong for one in ends if one.wrong]
    told = f"of {len(CASES)} files"
    short = held([
        none("D1.files_that_end_wrong", len(wrong), told),
        none("D1.outgoing_calls", len(calls), told),
        none("D1.escaped_files", len(siege.escaped()), told),
        at_most("D2.slowest_file", max(one.seconds for one in ends), siege.END_SECONDS, "s"),
        at_most("D2.neighbours_slowest_request", bystander.slowest, 2.0, "s"),
        at_most("D2.growth_of_the_platform", growth / 2**20, GROWTH_MIB, "MiB"),
    ])  # fmt: skip
    assert short == []
    assert wrong == []
    assert (calls, siege.escaped(), alive, well) == ([], [], pids, "ready")
    assert bystander.errors == []


def _warm(who: Person) -> None:
    """What the first reading loads for good is not growth."""
    (document,) = who.upload(("warm.pdf", honest()), ("warm.txt", b"x\n"))[:1]
    assert who.read(document)["status"] == "ready"
