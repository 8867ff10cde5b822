"""Rules, their tests and their runbooks speak of what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from ops.cli import weft
from ops.serve import ROLES
from runtime import Runtime
from runtime.scrape import registry_of
from tests.observability.shown import (
    ROOT,
    RULES,
    RUNBOOKS,
    alerts,
    exported,
    names_in,
    recorded,
    rules,
)

TESTS = sorted((ROOT / "prometheus" / "tests").glob("*.yml"))
THRESHOLDS = {
    "WeftLatencyHigh": "weft:http_request_seconds:p99_5m > 3",
    "WeftErrorsHigh": "weft:http_errors:ratio5m > 0.05",
    "WeftModelErrorsHigh": "weft:model_errors:ratio5m > 0.01",
}


def cases() -> Iterator[dict[str, Any]]:
    for path in TESTS:
        yield from yaml.safe_load(path.read_text())["tests"]


def fired() -> set[str]:
    """Alerts that some rule test sees fire; each test names all that do."""
    found: set[str] = set()
    for test in cases():
        for expected in test["promql_expr_test"]:
            for sample in expected["exp_samples"]:
                found |= set(re.findall(r'alertname="(\w+)"', sample["labels"]))
    return found


def fed(*needed: str) -> bool:
    """Whether a test in which nothing fires feeds one of these metrics."""
    quiet = [
        test
        for test in cases()
        if not any(expected["exp_samples"] for expected in test["promql_expr_test"])
    ]
    series = {names for test in quiet for one in test["input_series"]
              for names in re.findall(r"^\w+", one["series"])}  # fmt: skip
    return bool(series & set(needed))


def test_each_rule_asks_for_what_is_exported(rt: Runtime) -> None:
    known = exported(registry_of(rt, tables=True)) | recorded()
    unknown = {name for rule in rules() for name in names_in(rule["expr"])} - known
    assert unknown == set()


def test_each_alert_has_a_test_in_which_it_fires() -> None:
    assert fired() == set(alerts())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_each_alert_has_a_test_in_which_it_does_not_fire(name: str) -> None:
    by_record = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
    expr = alerts()[name]["expr"]
    for record in names_in(expr) & set(by_record):
        expr += by_record[record]
    assert fed(*re.findall(r"\b(?:weft_\w+|up)\b", expr))


@pytest.mark.parametrize("name", sorted(alerts()))
def test_each_alert_has_a_runbook_that_shows_its_expression(name: str) -> None:
    alert = alerts()[name]
    path = ROOT / alert["annotations"]["runbook_url"]
    assert path == RUNBOOKS / f"{name}.md"
    page = path.read_text()
    assert " ".join(alert["expr"].split()) in page
    assert f"holds for {alert['for']}" in page
    for part in ("## What it means", "## What to look at", "## What to do"):
        assert len(page.split(part)[1].split("##")[0].strip()) > 80
    assert f"[{name}]({name}.md)" in (RUNBOOKS / "README.md").read_text()


def test_no_runbook_is_of_an_alert_that_is_gone() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {"README", *alerts()}


def test_commands_and_queries_of_the_runbooks_exist(rt: Runtime) -> None:
    known = exported(registry_of(rt, tables=True)) | recorded()
    for path in RUNBOOKS.glob("*.md"):
        page = path.read_text()
        assert names_in(page) <= known, path.name
        for command in re.findall(r"`weft ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", page):
            assert _exists(command.split()), f"{path.name}: weft {command}"


def _exists(words: list[str]) -> bool:
    command: click.Command = weft
    with click.Context(weft) as context:
        for word in words:
            if not isinstance(command, click.Group):
                return True  # an argument
            found = command.get_command(context, word)
            if found is None:
                return False
            command = found
    return True


@pytest.mark.parametrize(("name", "expr"), THRESHOLDS.items())
def test_the_agreed_limits_are_alerts(name: str, expr: str) -> None:
    assert alerts()[name]["expr"] == expr
    assert alerts()[name]["labels"]["severity"] == "page"


promtool = shutil.which("promtool")


@pytest.mark.skipif(promtool is None, reason="promtool is not installed; make test-stack runs it")
def test_promtool_agrees() -> None:
    done = subprocess.run([str(promtool), "test", "rules", *TESTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(promtool is None, reason="promtool is not installed; make test-stack runs it")
def test_promtool_sees_a_limit_that_was_moved(tmp_path: Path) -> None:
    """The rule tests can fail."""
    for folder in ("rules", "tests"):
        shutil.copytree(RULES.parent / folder, tmp_path / folder)
    moved = tmp_path / "rules" / "alerts.yml"
    moved.write_text(moved.read_text().replace("ratio5m > 0.05", "ratio5m > 0.5"))
    tests = sorted((tmp_path / "tests").glob("*.yml"))
    done = subprocess.run([str(promtool), "test", "rules", *tests], capture_output=True)
    assert done.returncode == 1


def test_every_role_of_the_platform_is_scraped() -> None:
    jobs = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    found = [(job["job_name"], job["dns_sd_configs"][0]["names"]) for job in jobs]
    assert found == [(f"weft-{role}", [role]) for role in ROLES]
