"""Two generations asked the same questions."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from agents import comparing, own_questions, shelf, swapping
from agents.memory import searches, sessions
from agents.memory.durations import Durations
from core.clock import FakeClock
from core.context import Ctx
from core.documents import Chunk
from core.errors import Conflict
from core.ports import Vectors
from database import tenants
from models import Models
from runtime import Runtime
from tests.engine import drained
from tests.fakes.embedder import HashEmbedder
from tests.fakes.memory import Embedders
from vectorstore import About, Entry

FEW = [f"kettle{n} boils water for tea number{n} at noon" for n in range(40)]


class Deaf(HashEmbedder):
    """Every text is the same to it."""

    def _one(self, text: str) -> Vectors:
        return np.full(self.dimension, self.dimension**-0.5, np.float32)


@pytest.fixture
def rt(rt: Runtime, tenant: Ctx) -> Runtime:
    """An index of forty passages by `fp32`; `int8` is installed too, and hears nothing."""
    models = Embedders({"fp32": HashEmbedder(512, "good"), "int8": Deaf(64, "deaf")})
    rt = replace(rt, models=cast(Models, models))
    about = About("d1", "tea.txt")
    entries = [
        Entry(Chunk(f"d1:{n}", "d1", n, text, 1, 0, 9, context=f"Tea number{n}"), about)
        for n, text in enumerate(FEW)
    ]
    good = models.found["fp32"]
    vectors = good.embed([shelf.embedded_text(entry) for entry in entries])
    segment = rt.shelves.write(tenant, entries, vectors, good.digest)
    shelf.move(rt, tenant, lambda head: shelf.holding(head, segment), lambda tx: None)
    return rt


def beside(rt: Runtime, ctx: Ctx) -> None:
    swapping.rebuild(rt, ctx, "int8")
    drained(rt)


def test_the_better_model_finds_its_passages_again(rt: Runtime, tenant: Ctx) -> None:
    beside(rt, tenant)
    told = comparing.compare(rt, tenant, 20)
    assert (told["serving"]["model"], told["other"]["model"]) == ("fp32", "int8")
    assert (told["serving"]["missing"], told["other"]["missing"]) == (0, 0)
    vector = told["known"]["vector"]
    assert vector["serving"] == {"recall_at_10": 1.0, "mrr": 1.0}
    assert vector["other"]["recall_at_10"] < 0.7
    assert told["known"]["hybrid"]["other"]["recall_at_10"] > vector["other"]["recall_at_10"]
    assert told["own"]["headings"] == 20
    assert told["own"]["overlap_at_10"]["vector"] < 0.9
    assert told["other"]["search_ms_p50"] > 0


def test_what_people_asked_comes_before_headings(rt: Runtime, tenant: Ctx) -> None:
    for actor in ("user:a", "user:b"):
        own = replace(tenant, actor=actor)
        with rt.db.transaction(own) as tx:
            sessions.add_turn(
                rt,
                tx,
                own,
                "s",
                f"when does {actor} drink tea?",
                "At noon.",
                {},
                Durations(9000, 9000, 0),
            )
    beside(rt, tenant)
    own_told = comparing.compare(rt, tenant, 5)["own"]
    assert (own_told["asked"], own_told["headings"]) == (2, 3)


def test_what_people_searched_for_is_used_where_it_is_kept(
    rt: Runtime, tenant: Ctx, clock: FakeClock
) -> None:
    for n in range(3):
        searches.keep(rt, replace(tenant, actor=f"user:{n}"), "Which kettle boils water?")
    assert own_questions.asked(rt, tenant, 5) == []
    with rt.db.transaction(tenant) as tx:
        tenants.patch(tx, tenant, tenant.tenant, config={"searches_kept": 3})
    for n in range(5):
        clock.advance(1)
        searches.keep(rt, replace(tenant, actor="user:a"), f"Which kettle boils  water{n}?")
    searches.keep(rt, replace(tenant, actor="user:b"), "Which kettle boils water4?")
    searches.keep(rt, tenant, "kettle " * 100)
    # The same words of two people are one question.
    assert own_questions.asked(rt, tenant, 5) == [f"Which kettle boils water{n}?" for n in (4, 3)]
    beside(rt, tenant)
    own_told = comparing.compare(rt, tenant, 5)["own"]
    assert (own_told["asked"], own_told["headings"]) == (2, 3)


def test_a_generation_is_as_good_as_itself(rt: Runtime, tenant: Ctx) -> None:
    """The same vectors under another digest."""
    cast(Embedders, rt.models).found["int8"] = HashEmbedder(512, "twin")
    beside(rt, tenant)
    told = comparing.compare(rt, tenant, 30)
    assert told["own"]["overlap_at_10"] == {"vector": 1.0, "hybrid": 1.0}
    assert told["known"]["vector"]["serving"] == told["known"]["vector"]["other"]


def test_what_is_missing_is_told(rt: Runtime, tenant: Ctx) -> None:
    swapping.rebuild(rt, tenant, "int8")
    assert comparing.compare(rt, tenant, 3)["other"]["missing"] == len(FEW)


def test_nothing_to_compare_says_what_to_type(rt: Runtime, tenant: Ctx) -> None:
    with pytest.raises(Conflict, match="weft index rebuild"):
        comparing.compare(rt, tenant)
    beside(rt, tenant)
    cast(Embedders, rt.models).found.pop("int8")
    with pytest.raises(Conflict, match="is not here"):
        comparing.compare(rt, tenant)


def test_questions_are_never_made_of_removed_documents(rt: Runtime, tenant: Ctx) -> None:
    shelf.move(rt, tenant, lambda head: shelf.without(head, ["d1"]), lambda tx: None)
    head = shelf.head_of(rt, tenant)
    assert own_questions.sampled(rt, tenant, head, 10, random.Random(1)) == []


def test_a_row_for_people_has_a_column_for_each(rt: Runtime, tenant: Ctx) -> None:
    beside(rt, tenant)
    rows = comparing.rows(comparing.compare(rt, tenant, 3))
    assert rows[0] == ("model", "fp32", "int8")
    assert {len(row) for row in rows} == {3}
