"""An index gets another embedding model while it is used: made beside, swapped in, taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from agents import (
    compaction,
    expiring,
    index_status,
    ingestion,
    orphans,
    reindexing,
    shelf,
    swapping,
)
from agents.ingestion import Upload, receive, remove
from agents.memory import searches
from agents.registry import AGENTS
from agents.search import search
from core.clock import FakeClock
from core.context import Ctx
from core.errors import Conflict, InvalidInput, Outage, Unavailable
from core.events import AgentMessage
from database import runs
from models import Models
from runtime import Runtime
from tests.engine import Drain, drained
from tests.fakes.embedder import HashEmbedder
from tests.fakes.memory import Embedders
from vectorstore import SEGMENT, Generation
from workflows.tasks import Defer, Done, ScratchDesk, Work

OLD, NEW = HashEmbedder(512, "old").digest, HashEmbedder(768, "new").digest
LONG = "\n\n".join(
    f"# Matter {n}\n\nParagraph {n} tells of kettle{n} again" for n in range(24)
).encode()


class House:
    """A tenant whose index the model `old` made; `new` is installed beside it."""

    def __init__(self, rt: Runtime, ctx: Ctx) -> None:
        self.old, self.new = HashEmbedder(512, "old"), HashEmbedder(768, "new")
        self.models = Embedders({"fp32": self.old, "int8": self.new})
        self.rt, self.ctx = replace(rt, models=cast(Models, self.models)), ctx

    def choose(self, name: str) -> None:
        """Another WEFT_EMBEDDING, and a restart."""
        self.models.chosen = name
        chosen = self.rt.settings.model_copy(update={"embedding": name})
        self.rt = replace(self.rt, settings=chosen)

    def put(self, name: str, data: bytes = LONG) -> str:
        received = receive(self.rt, self.ctx, [Upload(name, "text/plain", data)])[0]
        self.read(received.document_id)
        return received.document_id

    def read(self, document_id: str) -> None:
        assert isinstance(ingestion.ingest(self.work(document_id=document_id)), Done)

    def work(self, **payload: Any) -> Work:
        message = AgentMessage("ingestion", "run", "task", payload, 5, 0)
        return Work(self.rt, self.ctx, message, "run", "step-1")

    def states(self) -> dict[str, tuple[str, int]]:
        """Model → its state and the passages that lack its vectors."""
        told = index_status.status(self.rt, self.ctx)["generations"]
        return {one["model"]: (one["state"], one["missing"]) for one in told}

    def found(self, text: str) -> list[str]:
        """Names of the files found by meaning alone."""
        hits = search(self.rt, self.ctx, text, mode="vector")
        assert hits.degraded is None
        return list(dict.fromkeys(hit.filename for hit in hits.hits))

    def objects(self) -> set[str]:
        return set(self.rt.vault.names(self.ctx, SEGMENT))

    def named(self) -> set[str]:
        """Objects that the head names."""
        head = shelf.head_of(self.rt, self.ctx)
        return {name for one in (*head.segments, *head.retired) for name in one.objects}

    def freed(self, clock: FakeClock) -> None:
        """Everything that runs have to do, and the grace of what they retire."""
        for _ in range(3):
            drained(self.rt)
            clock.advance(11)
        drained(self.rt)
        compaction.tidy(self.rt, self.ctx)


@pytest.fixture
def house(rt: Runtime, tenant: Ctx, drain: Drain) -> House:
    made = House(rt, tenant)
    made.put("kettles.md")
    made.put("pots.md", b"A pot is not a kettle and potatoes boil in pots")
    drain(made.rt)
    return made


def test_a_new_model_is_made_beside_swapped_in_and_taken_back(
    house: House, drain: Drain, clock: FakeClock
) -> None:
    begun = swapping.rebuild(house.rt, house.ctx, "int8")
    assert begun["state"] == "started"
    assert swapping.rebuild(house.rt, house.ctx, "int8") == {**begun, "state": "running"}
    passages = shelf.head_of(house.rt, house.ctx).count
    assert house.states() == {"fp32": ("serving", 0), "int8": ("beside", passages)}
    drain(house.rt)
    assert house.new.texts == passages
    assert house.states() == {"fp32": ("serving", 0), "int8": ("beside", 0)}
    before = house.new.texts
    assert house.found("kettle7")[0] == "kettles.md"
    assert house.new.texts == before  # the old one still answers

    swapped = swapping.swap(house.rt, house.ctx)
    assert (swapped["before"], swapped["model"], swapped["missing"]) == ("fp32", "int8", 0)
    before = house.old.texts
    assert house.found("potatoes")[0] == "pots.md"
    assert house.old.texts == before

    assert swapping.rollback(house.rt, house.ctx)["model"] == "fp32"
    assert house.states() == {"fp32": ("serving", 0), "int8": ("beside", 0)}
    assert house.found("kettle7")[0] == "kettles.md"
    assert swapping.rebuild(house.rt, house.ctx, "int8")["state"] == "complete"


def test_what_comes_and_goes_during_a_rebuild_is_in_both_generations(
    house: House, drain: Drain
) -> None:
    document_id = house.put("gone.md", b"This one will be gone soon.")
    swapping.rebuild(house.rt, house.ctx, "int8")
    once: list[str] = []

    def meanwhile() -> None:
        if not once:
            once.append("")
            remove(house.rt, house.ctx, document_id)
            once.append(house.put("late.md", LONG.replace(b"kettle", b"teapot")))
            house.put("short.md", b"Spoons stir.")
            compaction.compact(house.rt, house.ctx, force=True)

    house.new.before = meanwhile
    drain(house.rt)
    assert house.states() == {"fp32": ("serving", 0), "int8": ("beside", 0)}
    for turn in (swapping.swap, swapping.rollback):
        assert house.found("teapot3")[0] == "late.md"
        assert house.found("spoons stir")[0] == "short.md"
        assert "gone.md" not in house.found("gone soon")
        turn(house.rt, house.ctx)
    assert house.states() == {"fp32": ("serving", 0), "int8": ("beside", 0)}


def test_a_document_whose_reading_began_before_the_rebuild_is_seen_to(
    house: House, drain: Drain
) -> None:
    received = receive(house.rt, house.ctx, [Upload("a.md", "text/plain", b"Spoons stir.")])[0]

    def meanwhile() -> None:
        house.old.before = lambda: None
        swapping.rebuild(house.rt, house.ctx, "int8")
        drained(house.rt)  # its run is over before the document is on the shelf

    house.old.before = meanwhile
    house.read(received.document_id)
    assert house.states()["int8"][1] == 1
    drain(house.rt)
    assert house.states()["int8"] == ("beside", 0)


def test_a_rebuild_that_stops_half_way_goes_on_where_it_was(house: House) -> None:
    house.put("more.md", LONG.replace(b"kettle", b"teapot"))
    swapping.rebuild(house.rt, house.ctx, "int8")
    work, desk = house.work(model="int8", digest=NEW), ScratchDesk()
    house.new.before = lambda: setattr(desk, "stop", house.new.texts > 0)
    assert isinstance(reindexing.rebuild(replace(work, desk=desk)), Defer)
    half = house.new.texts
    total = shelf.head_of(house.rt, house.ctx).count
    assert 0 < half < total
    assert reindexing.rebuild(work) == Done({"embedded": total - desk.at[0]})
    assert house.new.texts == total
    assert house.states()["int8"] == ("beside", 0)


def test_dropped_vectors_leave_the_store_and_nothing_else_does(
    house: House, drain: Drain, clock: FakeClock
) -> None:
    before = house.objects()
    swapping.rebuild(house.rt, house.ctx, "int8")
    drain(house.rt)
    assert house.objects() > before
    clock.advance(house.rt.settings.run_seconds_max + 3700)
    assert orphans.sweep(house.rt) == 0  # it waits to be swapped
    assert swapping.drop(house.rt, house.ctx) == {"model": "int8", "state": "beside"}
    assert house.states() == {"fp32": ("serving", 0)}
    house.freed(clock)
    assert house.objects() == house.named()
    assert shelf.head_of(house.rt, house.ctx).retired == ()
    assert house.found("kettle7")[0] == "kettles.md"
    before_texts = house.new.texts
    swapping.rebuild(house.rt, house.ctx, "int8")
    drain(house.rt)
    assert house.new.texts > before_texts  # nothing of it had been kept
    assert house.states()["int8"] == ("beside", 0)


def test_what_was_swapped_out_goes_when_its_grace_is_over(
    house: House, drain: Drain, clock: FakeClock
) -> None:
    swapping.rebuild(house.rt, house.ctx, "int8")
    drain(house.rt)
    swapping.swap(house.rt, house.ctx, keep_seconds=100)
    house.put("soon.md", b"Spoons stir.")
    assert house.states() == {"fp32": ("kept", 0), "int8": ("serving", 0)}
    clock.advance(101)
    house.put("later.md", b"Forks do not.")
    assert house.states() == {"int8": ("serving", 0)}
    house.freed(clock)
    assert shelf.head_of(house.rt, house.ctx).retired == ()
    assert house.objects() == house.named()
    with pytest.raises(Conflict, match="nothing to go back to"):
        swapping.rollback(house.rt, house.ctx)
    assert house.found("spoons stir")[0] == "soon.md"
    assert house.found("potatoes")[0] == "pots.md"


def test_a_sweep_gives_up_what_nobody_took_back(
    house: House, drain: Drain, clock: FakeClock
) -> None:
    swapping.rebuild(house.rt, house.ctx, "int8")
    drain(house.rt)
    swapping.swap(house.rt, house.ctx, keep_seconds=100)
    orphans.sweep(house.rt)
    assert house.states()["fp32"] == ("kept", 0)
    clock.advance(101)
    orphans.sweep(house.rt)
    assert house.states() == {"int8": ("serving", 0)}


def test_another_setting_changes_no_index_until_somebody_swaps(house: House, drain: Drain) -> None:
    house.choose("int8")
    rt = house.rt
    house.put("new.md", b"Spoons stir.")
    assert house.found("spoons stir")[0] == "new.md"
    assert house.found("kettle7")[0] == "kettles.md"
    assert house.new.texts == 0
    todo = index_status.status(rt, house.ctx)["todo"]
    assert todo is not None
    assert "WEFT_EMBEDDING is int8" in todo
    assert "weft index rebuild" in todo
    swapping.rebuild(rt, house.ctx)
    drain(rt)
    swapping.swap(rt, house.ctx)
    assert index_status.status(rt, house.ctx)["todo"] is None


def test_where_the_old_model_is_gone_words_answer_until_the_new_one_has_read_everything(
    house: House, drain: Drain
) -> None:
    del house.models.found["fp32"]
    house.choose("int8")
    found = search(house.rt, house.ctx, "potatoes")
    assert found.hits[0].filename == "pots.md"
    assert found.degraded is not None
    assert "no vectors yet" in found.degraded
    drain(house.rt)
    assert house.found("potatoes")[0] == "pots.md"
    assert house.states()["int8"] == ("serving", 0)
    house.models.found["fp32"] = house.old  # it came back
    assert swapping.rollback(house.rt, house.ctx)["missing"] == 0
    assert house.found("potatoes")[0] == "pots.md"


def test_a_model_that_is_away_is_waited_for_and_replaces_nothing(house: House) -> None:
    def away() -> None:
        raise Outage("Ollama does not answer.")

    house.old.before = away
    found = search(house.rt, house.ctx, "potatoes")
    assert found.hits[0].filename == "pots.md"
    assert found.degraded is not None
    assert "does not answer" in found.degraded
    with house.rt.db.read(house.ctx) as tx:
        assert runs.listing(tx, house.ctx, workflow="reindex").items == ()


def test_an_incomplete_generation_is_swapped_in_by_force_only(house: House, drain: Drain) -> None:
    swapping.rebuild(house.rt, house.ctx, "int8")
    with pytest.raises(Conflict, match="weft index rebuild") as refused:
        swapping.swap(house.rt, house.ctx)
    assert refused.value.slug == "index_incomplete"
    assert swapping.swap(house.rt, house.ctx, force=True)["missing"] > 0
    found = search(house.rt, house.ctx, "potatoes")
    assert found.hits[0].filename == "pots.md"
    assert found.degraded is not None
    drain(house.rt)
    assert house.found("potatoes")[0] == "pots.md"
    assert house.states() == {"fp32": ("kept", 0), "int8": ("serving", 0)}


def test_what_cannot_be_done_says_what_to_type(house: House, drain: Drain, rt: Runtime) -> None:
    def slug(action: Any, *given: Any, **named: Any) -> str:
        with pytest.raises((Conflict, Unavailable, InvalidInput)) as refused:
            action(house.rt, house.ctx, *given, **named)
        return refused.value.slug

    assert slug(swapping.swap) == "nothing_to_swap"
    assert slug(swapping.rollback) == "nothing_to_roll_back"
    assert slug(swapping.drop) == "nothing_to_drop"
    assert slug(swapping.rebuild) == "index_current"
    assert slug(swapping.rebuild, "word2vec") == "invalid_input"
    assert slug(swapping.rebuild, "sentence-transformers") == "model_missing"
    swapping.rebuild(house.rt, house.ctx, "int8")
    drain(house.rt)
    house.models.found["sentence-transformers"] = HashEmbedder(16, "third")
    assert slug(swapping.rebuild, "sentence-transformers") == "index_beside"
    gone = house.models.found.pop("int8")
    assert slug(swapping.swap) == "model_missing"
    house.models.found["int8"] = gone
    swapping.swap(house.rt, house.ctx)
    assert slug(swapping.rebuild, "fp32") == "index_kept"


def test_nothing_is_rebuilt_where_nothing_is_indexed(rt: Runtime, tenant: Ctx) -> None:
    with pytest.raises(Conflict, match="Nothing is indexed"):
        swapping.rebuild(House(rt, tenant).rt, tenant, "int8")


def test_a_rebuild_whose_model_is_gone_fails_and_says_so(house: House, drain: Drain) -> None:
    begun = swapping.rebuild(house.rt, house.ctx, "int8")
    del house.models.found["int8"]
    drain(house.rt)
    with house.rt.db.read(house.ctx) as tx:
        run = runs.get(tx, house.ctx, begun["run_id"])
    assert run.status == "failed"
    assert "weft index drop" in str(run.error)
    assert house.found("potatoes")[0] == "pots.md"
    assert swapping.drop(house.rt, house.ctx)["state"] == "beside"


def test_dropping_cancels_the_run(house: House, drain: Drain) -> None:
    begun = swapping.rebuild(house.rt, house.ctx, "int8")
    swapping.drop(house.rt, house.ctx)
    drain(house.rt)
    with house.rt.db.read(house.ctx) as tx:
        assert runs.get(tx, house.ctx, begun["run_id"]).status == "cancelled"
    assert house.new.texts == 0
    assert house.states() == {"fp32": ("serving", 0)}


def test_the_first_generation_is_written_down_by_its_name(house: House) -> None:
    (only,) = shelf.head_of(house.rt, house.ctx).generations
    assert replace(only, since_ms=0) == Generation(OLD, "fp32", "serving")


def test_what_is_kept_goes_by_itself_when_its_days_are_over(
    house: House, drain: Drain, clock: FakeClock
) -> None:
    swapping.rebuild(house.rt, house.ctx, "int8")
    drain(house.rt)
    swapping.swap(house.rt, house.ctx, keep_seconds=3600)
    clock.advance(3599)
    assert expiring.tidy(house.rt) == 0
    assert house.states() == {"fp32": ("kept", 0), "int8": ("serving", 0)}
    clock.advance(1)
    assert expiring.tidy(house.rt) == 1
    assert house.states() == {"int8": ("serving", 0)}
    house.freed(clock)
    assert house.objects() == house.named()
    assert expiring.tidy(house.rt) == 0


def test_every_worker_gives_up_what_is_over() -> None:
    assert expiring.tidy in AGENTS.chores
    assert searches.tidy in AGENTS.chores
