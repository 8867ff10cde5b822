"""Generations come and go in any order, and every passage is found by the one that serves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.context import Ctx
from core.ids import new_id
from core.vault import Vault
from tests.fakes.embedder import HashEmbedder
from tests.fakes.memory import DictStore
from tests.vectorstore.conftest import entry, tenant_key
from vectorstore import SEGMENT, Generation, Head, Query, Shelves, generations

MODELS = {one.digest: one for one in (HashEmbedder(256, n) for n in ("one", "two", "three"))}
DIGESTS = tuple(MODELS)
# No two of them have one vector: who comes first among equals is nobody's promise.
TEXTS = tuple({
    model.embed([text])[0].tobytes(): text
    for model in [MODELS[DIGESTS[0]]] for text in (f"word{n} said" for n in range(90))
}.values())  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3)),
        st.tuples(st.just("begin"), st.integers(0, 2)),
        st.tuples(st.just("fill"), st.integers(0, 5)),
        st.tuples(st.just("fill"), st.integers(0, 5)),
        st.tuples(st.sampled_from(("swap", "back", "drop", "merge", "free")), st.just(0)),
    ),
    min_size=2, max_size=16,
)  # fmt: skip
UNTIL = 10**9


class Library:
    """A shelf whose documents are always indexed by the model that serves."""

    def __init__(self) -> None:
        self.ctx, self.store = Ctx(new_id(), "system"), DictStore()
        self.shelves = Shelves(Vault(self.store, tenant_key), 2**20)
        self.head, self.texts, self.now = Head(), list[str](), 1

    def add(self, count: int) -> None:
        texts = list(TEXTS[len(self.texts) : len(self.texts) + count])
        entries = [entry(text, f"d{len(self.texts)}", n) for n, text in enumerate(texts)]
        model = MODELS[self.head.serving.digest if self.head.serving else DIGESTS[0]]
        segment = self.shelves.write(self.ctx, entries, model.embed(texts), model.digest)
        self.texts += texts
        head = replace(self.head, segments=(*self.head.segments, segment))
        self.head = generations.recorded(head, "named", self.now)

    def begin(self, number: int) -> None:
        known = {one.digest for one in self.head.generations}
        if self.head.segments and DIGESTS[number] not in known:
            if (old := self.head.generation("beside")) is not None:
                self.head = generations.dropped(self.head, old.digest, self.now)
            self.head = generations.begun(self.head, Generation(DIGESTS[number]))

    def fill(self, number: int) -> None:
        beside = self.head.generation("beside")
        if beside is None:
            return
        todo = [one for one in self.head.segments if beside.digest not in one.digests]
        if not todo:
            return
        segment = todo[number % len(todo)]
        told = [one.chunk.text for one in self.shelves.entries(self.ctx, segment)]
        vectors = MODELS[beside.digest].embed(told)
        layer = self.shelves.layered(self.ctx, segment, vectors, beside.digest).layers[-1]
        self.head = generations.layered(self.head, segment.id, layer, self.now)

    def swap(self, _: int) -> None:
        beside = self.head.generation("beside")
        if beside is not None and not self.head.missing(beside.digest):
            self.head = generations.swapped(self.head, beside, self.now, UNTIL)

    def back(self, _: int) -> None:
        self.head = generations.rolled_back(self.head, self.now)

    def drop(self, _: int) -> None:
        for one in self.head.generations:
            self.head = generations.dropped(self.head, one.digest, self.now)

    def merge(self, _: int) -> None:
        kinds = {(one.digest, one.digests) for one in self.head.segments}
        if len(kinds) != 1:
            return
        old = self.head.segments
        merged = self.shelves.merge(self.ctx, self.head, old)
        assert merged is not None
        gone = tuple(one.retired(self.now) for one in old if one.id != merged.id)
        self.head = replace(
            self.head, segments=(merged,), retired=(*self.head.retired, *gone)
        )  # fmt: skip

    def free(self, _: int) -> None:
        live = frozenset(name for one in self.head.segments for name in one.objects)
        for one in self.head.retired:
            self.shelves.drop(self.ctx, one, keep=live)
        self.head = replace(self.head, retired=())

    def lacking(self) -> int:
        """Passages that are not found first by the words that they say, in the serving model."""
        serving = self.head.serving
        assert serving is not None
        model, lost = MODELS[serving.digest], 0
        for text in self.texts:
            query = Query(text, model.embed([text])[0], model.digest, 1, "vector")
            hits = self.shelves.search(self.ctx, self.head, query)
            lost += [hit.chunk.text for hit in hits] != [text]
        return lost

    def objects(self) -> set[str]:
        return {key.rsplit("/", 1)[1] for key in self.store.objects if SEGMENT in key}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_is_done_every_passage_is_found_by_the_model_that_serves(
    steps: list[tuple[str, int]],
) -> None:
    library = Library()
    library.add(2)
    for name, number in steps:
        getattr(library, name)(number)
        head = library.head
        assert Head.from_json(head.version, *head.to_json()) == head
        assert len({one.state for one in head.generations}) == len(head.generations)
    kept = library.head.generation("kept")
    if kept is not None:
        assert all(one.digests >= {kept.digest} for one in library.head.segments if one.layers)
    assert library.lacking() == 0
    library.drop(0)
    library.free(0)
    assert library.lacking() == 0
    wanted = {name for one in library.head.segments for name in one.objects}
    assert wanted <= library.objects()


def test_a_layer_of_a_generation_that_nobody_wants_any_more_is_not_taken() -> None:
    library = Library()
    library.add(3)
    library.begin(1)
    (segment,) = library.head.segments
    vectors = MODELS[DIGESTS[1]].embed(library.texts)
    layer = library.shelves.layered(library.ctx, segment, vectors, DIGESTS[1]).layers[-1]
    dropped = generations.dropped(library.head, DIGESTS[1], 5)
    assert generations.layered(dropped, segment.id, layer, 6) == dropped
    assert generations.layered(library.head, "merged away", layer, 6) == library.head


def test_vectors_of_their_own_object_go_and_the_passages_stay() -> None:
    library = Library()
    library.add(3)
    library.begin(1)
    library.fill(0)
    before = library.objects()
    library.head = generations.dropped(library.head, DIGESTS[1], 5)
    assert generations.leaving(library.head, DIGESTS[1])
    library.free(0)
    assert len(before - library.objects()) == 1
    assert library.lacking() == 0


def test_the_sizes_of_what_a_search_reads_are_told() -> None:
    library = Library()
    library.add(3)
    library.begin(1)
    library.fill(0)
    (segment,) = library.head.segments
    front = segment.by(DIGESTS[1])
    assert front is not None
    assert front.size == segment.size + segment.layers[0].size
    back = front.by(DIGESTS[0])
    assert back is not None
    assert (back.vectors, back.digest, back.digests) == (
        segment.vectors, segment.digest, segment.digests,
    )  # fmt: skip
    assert 0 <= back.size - segment.size < 1024  # the head of a file
    assert segment.by("unknown") is None
