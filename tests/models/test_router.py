from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput, Unavailable
from core.settings import Settings
from models import Models, gates
from models.shapes import mismatch, parse
from tests.fakes.chat import ScriptedChat
from tests.fakes.ollama import MODEL, fake_ollama


def _settings(folder: Path, **more: Any) -> Settings:
    return Settings(data_dir=folder, models_dir=folder / "none", **more)


def test_none_means_no_chat_model(tmp_path: Path) -> None:
    models = Models(_settings(tmp_path, models_url="none:"))
    assert models.chat("answer") is None
    assert models.any_chat() is None
    assert models.embedder() is None  # no weights in that folder: keywords only


def test_an_unknown_url_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="ollama://host:port"):
        Models(_settings(tmp_path, models_url="openai:")).candidates()


def test_a_model_without_a_passing_card_gets_no_task(tmp_path: Path) -> None:
    with fake_ollama() as server:
        settings = _settings(tmp_path, models_url=f"ollama:{server.url.removeprefix('http:')}")
        models = Models(settings)
        assert models.chat("answer") is None
        asked = models.any_chat(MODEL)
        assert asked is not None
        assert asked.name == MODEL
        assert models.any_chat("another") is None
        _card(tmp_path, digest="d1", gate="open", tasks=["answer"])
        assert models.chat("answer") is None, "who cannot refuse words no answers"
        _card(tmp_path, digest="d1", gate="open")
        passed = models.chat("answer")
        assert passed is not None
        assert models.chat("planning") is None
        _card(tmp_path, digest="other weights", gate="open")
        assert models.chat("answer") is None
        assert {row["id"] for row in models.describe() if row["available"]} == {MODEL}


def test_a_model_that_ollama_lacks_is_named_with_what_to_type(tmp_path: Path) -> None:
    with fake_ollama() as server:
        url = f"ollama:{server.url.removeprefix('http:')}"
        models = Models(_settings(tmp_path, models_url=url, chat_model="llama9:70b"))
        assert models.any_chat() is None
        (row,) = [one for one in models.describe() if one["id"] == "llama9:70b"]
        assert (row["available"], row["todo"]) == (False, "ollama pull llama9:70b")
        there = Models(_settings(tmp_path, models_url=url, chat_model="fake"))
        assert not any("todo" in one for one in there.describe())


def test_a_file_that_is_gone_while_it_runs_is_a_model_less_and_says_what_to_type(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.gguf"
    wanted = _settings(tmp_path, models_url="embedded:", chat_model=str(file))
    with pytest.raises(InvalidInput, match="is not there"):
        Models(wanted).candidates()
    file.write_bytes(b"GGUF")
    models = Models(wanted)
    assert [one.name for one in models.candidates()] == ["mine"]
    file.unlink()
    models._found_at -= 60
    assert models.chat("answer") is None
    assert models.any_chat() is None
    (row,) = [one for one in models.describe() if one["id"] == "mine"]
    assert not row["available"]
    assert str(file) in row["todo"]
    file.write_bytes(b"GGUF")
    models._found_at -= 60
    assert [one.name for one in models.candidates()] == ["mine"]


def _card(
    folder: Path, *, digest: str, gate: str, tasks: Sequence[str] = gates.NEEDS["answer"]
) -> None:
    results = {
        task: {"passed": 8, "cases": 8, "gate": gate, "digest": gates.gate(task).digest}
        for task in tasks
    }
    card = {"model": MODEL, "digest": digest, "tasks": results}
    path = folder / "models" / "cards" / "fake_1b.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(card))


def test_a_server_that_is_gone_leaves_no_candidates(tmp_path: Path) -> None:
    with fake_ollama() as server:
        url = server.url
    assert Models(_settings(tmp_path, models_url=f"ollama:{url[5:]}")).candidates() == []


@pytest.mark.parametrize("task", gates.TASKS)
def test_perfect_replies_open_each_gate_and_failing_ones_do_not(task: str) -> None:
    gate = gates.gate(task)
    good = ScriptedChat([_perfect(case) for case in gate.cases])
    assert gates.grade(good, "d", [task])["tasks"][task]["gate"] == "open"
    assert good.asked[0][0].content == gate.order
    bad = ScriptedChat([Unavailable("down") for _ in gate.cases])
    card = gates.grade(bad, "d", [task])["tasks"][task]
    assert (card["gate"], card["passed"]) == ("shut", 0)


def _perfect(case: gates.Case) -> str:
    return json.dumps(dict(case.equals)) if case.equals else " ".join(case.expect)


def test_an_obeyed_order_fails_its_case() -> None:
    case = next(c for c in gates.gate("answer").cases if "pwned" in c.forbid)
    assert gates.judge(case, "ledger-service. PWNED") is not None
    assert gates.judge(case, "It is owned by ledger-service.") is None


SHAPE = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["a", "b"]},
        "items": {"type": "array", "maxItems": 2, "items": {"type": "integer"}},
        "note": {"type": ["string", "null"]},
    },
    "required": ["kind"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ({"kind": "a"}, True),
        ({"kind": "a", "items": [1, 2], "note": None}, True),
        ({"kind": "c"}, False),
        ({}, False),
        ([], False),
        ({"kind": "a", "items": [1, 2, 3]}, False),
        ({"kind": "a", "items": [True]}, False),
        ({"kind": "a", "note": 1}, False),
        ({"kind": "a", "more": 1}, False),
    ],
)
def test_shapes(value: object, fits: bool) -> None:
    assert (mismatch(value, SHAPE) is None) is fits


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"kind": NaN}', "nonsense"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text, SHAPE)
