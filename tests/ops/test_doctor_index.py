"""The doctor on indexes that another model made than WEFT_EMBEDDING names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents import shelf
from backends.build import open_runtime
from core.settings import Settings
from models import Models, weights
from ops.doctor.finding import Finding
from ops.doctor.tables import _vectors
from tests.engine import new_tenant
from vectorstore import Generation, Head, Segment, generations


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Weights as far as their size tells: nobody loads them here."""
    for file in weights.manifest():
        if file.kind == "embedding":
            with (tmp_path / file.name).open("wb") as made:
                made.truncate(file.bytes)
    return Settings(
        _env_file=None, data_dir=tmp_path / "data", models_dir=tmp_path, models_url="none:",
        log_level="error",
    )  # fmt: skip


def digest(settings: Settings, name: str) -> str:
    found = Models(settings).embedder(name)
    assert found is not None
    return found.digest


def told(settings: Settings, head: Head) -> dict[str, Finding]:
    """What is found where one tenant's index is `head`."""
    with open_runtime(settings) as rt:
        ctx = new_tenant(rt)
        shelf.move(rt, ctx, lambda now: replace(head, version=now.version), lambda tx: None)
        with rt.db.read(ctx) as tx:
            return {one.check: one for one in _vectors(tx, settings)}


def made_by(model: str) -> Head:
    return Head(0, (Segment("a", 3, 9, "b", model, 384),))


def test_an_index_of_the_chosen_model_is_well(settings: Settings) -> None:
    found = told(settings, made_by(digest(settings, "fp32")))
    assert {check: one.state for check, one in found.items()} == {"vectors": "ok"}


def test_an_index_that_goes_on_with_another_model_is_told(settings: Settings) -> None:
    found = told(settings, made_by(digest(settings, "int8")))
    assert found["vectors"].state == "ok"
    assert "WEFT_EMBEDDING is fp32; 1 indexes" in found["embedding"].detail
    assert "weft index rebuild" in found["embedding"].todo


def test_an_index_whose_model_is_gone_is_found_by_words_only(settings: Settings) -> None:
    found = told(settings, made_by("nobody has this one"))
    assert (found["vectors"].state, "embedding" in found) == ("warn", False)
    assert "3 passages" in found["vectors"].detail


def test_a_rebuilt_index_waits_to_be_swapped(settings: Settings) -> None:
    head = generations.begun(
        generations.recorded(made_by(digest(settings, "int8")), "int8", 1),
        Generation(digest(settings, "fp32"), "fp32"),
    )
    assert "embedding" not in told(settings, head)  # it is being made
    layer = replace(head.segments[0], vectors="c", digest=digest(settings, "fp32"))
    whole = replace(head, segments=(head.segments[0].beside(layer),))
    found = told(settings, whole)["embedding"]
    assert "wait to be compared" in found.detail
    assert "weft index compare" in found.todo
