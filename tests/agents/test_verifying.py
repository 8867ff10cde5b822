"""A sweep reads every part of every index, and what it finds is mended before somebody searches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents import shelf, verifying
from agents.verifying import Verified
from core.context import PLATFORM
from core.errors import Outage
from database import gauges
from tests.agents.test_ingestion import Desk
from tests.agents.test_repair import (
    KETTLE,
    MOON,
    asked,
    counted,
    degraded,
    lose,
    repaired,
    segment_of,
    spoil,
)
from tests.fakes.memory import platform
from vectorstore import SEGMENT, Generation, Segment


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(platform(tmp_path))
    yield made
    made.rt.db.close()


def waiting(desk: Desk) -> int:
    with desk.rt.db.read(PLATFORM) as tx:
        return gauges.damaged_indexes(tx)


def kept(desk: Desk) -> Segment:
    """A segment with vectors of a generation that is kept for a way back."""
    (segment,) = shelf.head_of(desk.rt, desk.ctx).segments
    vectors = np.eye(segment.count, 8, dtype=np.float32)
    more = desk.rt.shelves.layered(desk.ctx, segment, vectors, "old")
    assert segment.digest is not None
    known = (Generation(segment.digest), Generation("old", state="kept"))
    shelf.move(
        desk.rt, desk.ctx, lambda head: replace(head, segments=(more,), generations=known),
        lambda _tx: None,
    )  # fmt: skip
    return more


def test_damage_that_nobody_met_is_found_and_rebuilt(desk: Desk) -> None:
    kettle, moon = desk.put(KETTLE, "kettle.txt"), desk.put(MOON, "moon.txt")
    assert verifying.verify(desk.rt) == Verified(2, 0, 0)
    spoil(desk, SEGMENT, segment_of(desk, kettle))
    assert verifying.verify(desk.rt) == Verified(2, 1, 1)
    assert (waiting(desk), asked(desk)) == (1, 1)
    assert repaired(desk)["rebuilt"] == 1
    assert verifying.verify(desk.rt) == Verified(2, 0, 0)
    assert (waiting(desk), desk.found("kettle")[0], degraded(desk)) == (0, kettle, "")
    assert moon in desk.found("moon")


@pytest.mark.parametrize("how", [spoil, lose])
def test_vectors_that_no_search_reads_are_found_and_nothing_else_is_lost(
    desk: Desk, how: Callable[[Desk, str, str], object]
) -> None:
    own = desk.put(KETTLE, "kettle.txt")
    segment, before = kept(desk), counted("vectors")
    how(desk, SEGMENT, segment.layers[0].vectors)
    assert verifying.verify(desk.rt) == Verified(2, 1, 1)
    assert counted("vectors") - before == 1
    head = shelf.head_of(desk.rt, desk.ctx)
    (left,) = head.segments
    assert (left.id, left.vectors, left.layers) == (segment.id, segment.vectors, ())
    assert [one.id for one in head.retired] == [segment.layers[0].vectors]
    assert head.missing("old") == 1, "a rebuild makes them again"
    assert (desk.found("kettle"), degraded(desk), waiting(desk)) == ([own], "", 0)
    assert verifying.verify(desk.rt) == Verified(1, 0, 0)


def test_nothing_hot_leaves_memory_and_nothing_cold_comes(desk: Desk) -> None:
    desk.put(KETTLE, "kettle.txt")
    desk.rt.shelves.forget(desk.ctx)
    verifying.verify(desk.rt)
    assert desk.rt.shelves.cache.bytes == 0
    assert desk.found("kettle")
    hot = desk.rt.shelves.cache.bytes
    verifying.verify(desk.rt)
    assert desk.rt.shelves.cache.bytes == hot > 0


def test_a_store_that_is_away_is_not_damage(desk: Desk) -> None:
    desk.put(KETTLE, "kettle.txt")
    desk.house.store.away = True
    with pytest.raises(Outage):
        verifying.verify(desk.rt)
    assert (waiting(desk), asked(desk)) == (0, 0)
