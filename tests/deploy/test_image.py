"""The Dockerfile's promises, by reading it; `tests/stack/test_image.py` runs its steps."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Step, context, stages, steps

ROOT = Path(__file__).parents[2]
FILE = ROOT / "Dockerfile"
ROOMS = (
    "core", "database", "runtime", "ingestion", "vectorstore", "models", "reports", "connectors",
    "workflows", "agents", "backends", "gateway", "ops", "examples",
)  # fmt: skip


def last(word: str) -> Step:
    return [step for step in stages(FILE)[-1] if step.word == word][-1]


@pytest.mark.parametrize("name", ["Dockerfile", "deploy/compose/owned/Dockerfile"])
def test_the_linter_finds_nothing(name: str, tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    broken.write_text((ROOT / name).read_text() + "\nRUN cd /tmp\n")
    linter = Path(sys.executable).with_name("hadolint")
    codes = [
        subprocess.run([linter, path], capture_output=True, timeout=60).returncode
        for path in (ROOT / name, broken)
    ]
    assert codes == [0, 1]


def test_both_stages_stand_on_one_exact_python() -> None:
    bases = {step.text.split()[0] for step in steps(FILE) if step.word == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases.pop())


def test_the_process_is_nobody_and_the_first_so_that_it_hears_its_signals() -> None:
    assert last("USER").text == "10001:10001"
    assert last("ENTRYPOINT").text == '["weft"]'
    assert last("CMD").text == '["serve"]'
    assert last("STOPSIGNAL").text == "SIGTERM"
    assert last("HEALTHCHECK").text.endswith('CMD ["weft", "health"]')


def test_packages_are_installed_by_hash_before_any_source_is_copied() -> None:
    build = stages(FILE)[0]
    source = next(n for n, step in enumerate(build) if step.text == ". .")
    installs = [step.text for step in build[:source] if step.word == "RUN"]
    assert len(installs) == 1
    assert installs[0].count("--require-hashes") == 2
    assert "uv pip sync" in installs[0]
    assert not any("--require-hashes" in step.text for step in build[source:])


def test_the_image_carries_no_compiler() -> None:
    installed = [
        word
        for step in stages(FILE)[-1]
        if step.word == "RUN"
        for word in re.findall(r"apt-get install ([^&]+)", step.text)
    ]
    assert [text.split()[-1] for text in installed] == ["libgomp1"]


def test_weights_are_not_baked_in_unless_somebody_asks() -> None:
    assert next(step.text for step in steps(FILE) if step.word == "ARG") == "WEIGHTS=no"
    assert 'if [ "$WEIGHTS" = yes ]; then' in FILE.read_text()


def test_the_labels_say_what_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = last("LABEL").text
    for name in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in text
    assert f'licenses="{project["license"]}"' in text
    assert Step("ARG", f"VERSION={project['version']}") in stages(FILE)[-1]


def test_every_room_is_let_in_and_compiled() -> None:
    let_in = {path.parts[0] for path in context(ROOT)}
    assert let_in == {*ROOMS, "requirements", "pyproject.toml", "LICENSE"}
    compiled = re.search(r"compileall -q \.venv/lib ([a-z ]+) ", FILE.read_text())
    assert compiled is not None
    assert compiled[1].split() == list(ROOMS)


def test_nothing_of_a_person_gets_into_the_image(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    wanted = ["core/settings.py", "agents/prompts/a.txt", "requirements/default.txt", "LICENSE"]
    unwanted = [
        ".env", "core/.env", "deploy/compose/secrets/root_key", "root.key", "notes.txt",
        "core/__pycache__/settings.cpython-311.pyc", "requirements/dev.txt", "tests/core/test_x.py",
        "dashboard/package.json", "coreless/x.py",
    ]  # fmt: skip
    for name in wanted + unwanted:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert {str(path) for path in context(tmp_path)} == set(wanted)
