"""`weft index`: what it prints, and what it says when there is nothing to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agents import shelf
from backends.build import open_runtime
from core.documents import Chunk
from core.settings import Settings
from gateway.provision import tenant_ctx
from ops.cli import weft
from tests.fakes.embedder import HashEmbedder
from vectorstore import About, Entry, Generation, generations

Command = Callable[..., Result]
OLD, NEW = HashEmbedder(8, "old"), HashEmbedder(8, "new")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def command(data: Path, tmp_path: Path) -> Iterator[Command]:
    """Runs `weft --data DATA ...` in this process, where no weights are installed."""
    before = Path.cwd()
    os.chdir(tmp_path)
    env = {"WEFT_MODELS_DIR": str(tmp_path / "no-weights"), "WEFT_MODELS_URL": "none:"}

    def run(*words: str) -> Result:
        return CliRunner().invoke(weft, ["--data", str(data), *words], env=env, prog_name="weft")

    assert run("tenants", "create", "acme").exit_code == 0
    yield run
    os.chdir(before)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def indexed(data: Path) -> None:
    """Four passages of acme by a model that is not installed, and none yet by another."""
    with open_runtime(Settings(_env_file=None, data_dir=data, models_url="none:")) as rt:
        ctx = tenant_ctx(rt, "acme")
        texts = [f"kettle {n}" for n in range(4)]
        entries = [
            Entry(Chunk(f"d:{n}", "d", n, text, 1, 0, 8), About("d", "d.txt"))
            for n, text in enumerate(texts)
        ]
        segment = rt.shelves.write(ctx, entries, OLD.embed(texts), OLD.digest)
        shelf.move(rt, ctx, lambda head: shelf.holding(head, segment), lambda tx: None)
        beside = Generation(NEW.digest, "int8", "beside")
        shelf.move(rt, ctx, lambda head: generations.begun(head, beside), lambda tx: None)


def test_status_tells_what_is_missing_and_what_to_type(command: Command, data: Path) -> None:
    indexed(data)
    status = told(command("index", "status", "--json"))
    assert (status["tenant"], status["passages"]) == ("acme", 4)
    shown = {one["state"]: (one["missing"], one["loadable"]) for one in status["generations"]}
    assert shown == {"serving": (0, False), "beside": (4, False)}
    human = command("index", "status")
    assert "4/4" in human.stdout
    assert "int8" in human.stdout
    assert "bring it back" in human.stderr


def test_of_all_tenants_a_list_is_told(command: Command) -> None:
    status = told(command("index", "status", "--all", "--json"))
    assert [(one["tenant"], one["generations"]) for one in status] == [("acme", [])]


def test_a_generation_whose_model_is_gone_is_dropped_and_not_swapped_in(
    command: Command, data: Path
) -> None:
    indexed(data)
    refused = command("index", "swap", "--force")
    assert refused.exit_code == 4
    assert "weft models pull" in refused.stderr
    assert told(command("index", "drop", "--json"))["model"] == "int8"
    again = command("index", "drop")
    assert (again.exit_code, again.stderr.count("\n")) == (4, 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("status", "--tenant", "nobody"), 4, "no such tenant"),
        (("swap", "--tenant", "acme", "--all"), 4, "--tenant or --all"),
        (("rebuild", "--model", "word2vec"), 4, "may be fp32"),
        (("rebuild",), 3, "weft models pull minilm-fp32"),
        (("swap",), 4, "weft index rebuild"),
        (("compare",), 4, "weft index rebuild"),
        (("rollback",), 4, "nothing to go back to"),
        (("compare", "--questions", "0"), 2, "questions"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(
    command: Command, words: tuple[str, ...], code: int, said: str
) -> None:
    result = command("index", *words)
    assert result.exit_code == code, result.output
    assert said in result.stderr


def test_two_tenants_are_told_apart(command: Command) -> None:
    command("tenants", "create", "other")
    assert "--tenant acme | other" in command("index", "swap").stderr
    swapped = told(command("index", "swap", "--all", "--json"))
    assert [one["skipped"]["code"] for one in swapped] == ["nothing_to_swap"] * 2
