"""The examples are the same on every run and are what their lists say they are."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from examples.logs import entries
from examples.make import expected, files, invoices, main, write
from workflows import definitions

ROOT = Path(__file__).parent.parent.parent / "examples"
TENANTS = ("clearpay", "mediops")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("examples")
    write(outdir)
    return outdir


def test_two_runs_write_the_same_bytes(tree: Path) -> None:
    for tenant in TENANTS:
        again = dict(files(tenant))
        assert again == {name: (tree / tenant / name).read_bytes() for name in again}


def test_the_command_says_where_it_needs_to_write(tmp_path: Path) -> None:
    assert main([]) == 2
    assert main([str(tmp_path)]) == 0
    assert (tmp_path / "clearpay" / "invoices" / "ledger.xlsx").exists()


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenants_tree_has_every_kind_of_document(tree: Path, tenant: str) -> None:
    kinds = Counter(
        path.parent.name for path in (tree / tenant).rglob("*.md") if path.parent.name != "invoices"
    )
    assert kinds["kb"] >= 6
    assert kinds["resolutions"] >= 5
    assert kinds["sops"] >= 4
    codes = next((tree / tenant).glob("*_Error_Codes.txt")).read_text()
    assert codes.count("  Meaning: ") >= 25
    assert (tree / tenant / "meeting-notes.txt").stat().st_size > 1000
    assert len(json.loads((tree / tenant / "logs" / "microservice-logs.json").read_text())) >= 300


def test_every_logged_code_is_explained(tree: Path) -> None:
    for tenant in TENANTS:
        codes = next((tree / tenant).glob("*_Error_Codes.txt")).read_text()
        logged = {str(line["error_code"]) for line in entries(tenant) if "error_code" in line}
        assert {code for code in logged if f"{code}  " not in codes} == set()


def test_the_list_of_faults_names_files_that_exist() -> None:
    names = {name for name, _ in invoices()}
    faults = json.loads((ROOT / "expected.json").read_text())["exceptions"]
    assert (ROOT / "expected.json").read_text() == expected()
    assert {fault["filename"] for fault in faults} <= names
    assert len(names) >= 16


def test_formulas_carry_their_values_and_the_values_are_right(tree: Path) -> None:
    data = (tree / "clearpay" / "invoices" / "ledger.xlsx").read_bytes()
    values = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    assert values.sheetnames == ["Purchase Orders", "Payments"]
    for net, rate, gross in values["Purchase Orders"].iter_rows(
        min_row=2, max_row=values["Purchase Orders"].max_row - 1, min_col=5, max_col=7,
        values_only=True,
    ):  # fmt: skip
        assert _number(gross) == pytest.approx(
            round(_number(net) * (1 + _number(rate)), 2), abs=0.01
        )
    amounts = [row[7] for row in values["Payments"].iter_rows(min_row=2, values_only=True)]
    assert _number(amounts[-1]) == pytest.approx(sum(map(_number, amounts[:-1])))


def _number(value: Any) -> float:
    assert isinstance(value, int | float)
    return float(value)


@pytest.mark.parametrize("tenant", TENANTS)
def test_every_expected_fact_stands_in_a_named_document(tree: Path, tenant: str) -> None:
    asked = yaml.safe_load((ROOT / "questions" / f"{tenant}.yaml").read_text())
    answerable = [one for one in asked["questions"] if one.get("answerable", True)]
    assert len(answerable) >= 12
    assert len(asked["questions"]) - len(answerable) >= 4
    for one in answerable:
        texts = [(tree / tenant / name).read_text() for name in one["documents"]]
        if "log" not in one:
            missing = [f for f in one["facts"] if not any(f in text for text in texts)]
            assert (one["id"], missing) == (one["id"], [])


@pytest.mark.parametrize("tenant", TENANTS)
def test_expected_counts_are_those_of_the_log(tenant: str) -> None:
    asked = yaml.safe_load((ROOT / "questions" / f"{tenant}.yaml").read_text())
    for one in asked["questions"]:
        if wanted := one.get("log"):
            day = str(wanted.get("day", ""))
            found = [
                line for line in entries(tenant)
                if line.get("error_code") == wanted["error_code"]
                and str(line["timestamp"]).startswith(day)
            ]  # fmt: skip
            assert (one["id"], [str(len(found))]) == (one["id"], one["facts"])


@pytest.mark.parametrize("name", ["invoice-review", "support-digest"])
def test_a_definition_is_valid(name: str) -> None:
    definition = definitions.parse((ROOT / "workflows" / f"{name}.yaml").read_text())
    assert definition.name == name
    assert definition.steps[0].id == "read"


def test_goals_are_lines_of_words() -> None:
    lines = (ROOT / "goals.txt").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) >= 5
