"""Dashboards are what the code says, ask for what is exported, and can be read by a person."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from grafana import generate
from runtime import Runtime
from runtime.scrape import registry_of
from tests.observability.shown import (
    DASHBOARDS,
    ROOT,
    exported,
    names_in,
    panels,
    queries,
    recorded,
)

PROVISIONING = ROOT / "grafana" / "provisioning"
UNITS = {"short", "none", "s", "reqps", "ops", "percentunit", "bytes"}


def test_the_files_are_what_the_code_writes() -> None:
    written = {path.name: path.read_text() for path in DASHBOARDS.glob("*.json")}
    wanted = {
        f"{board.uid.removeprefix('weft-')}.json": generate.render(board)
        for board in generate.DASHBOARDS
    }
    assert written == wanted, "type: .venv/bin/python -m grafana.generate"
    assert set(wanted) == {f"{name}.json" for name in (
        "platform", "workflows", "tenants", "models", "slo",
    )}  # fmt: skip


def test_each_panel_asks_for_what_is_exported(rt: Runtime) -> None:
    known = exported(registry_of(rt, tables=True)) | recorded()
    unknown = {
        (place, name) for place, expr in queries("prometheus") for name in names_in(expr) - known
    }
    assert unknown == set()


def test_every_exported_metric_is_drawn_or_watched(rt: Runtime) -> None:
    """What nobody looks at need not be counted."""
    asked = {name for _, expr in queries("prometheus") for name in names_in(expr)}
    for path in (ROOT / "prometheus" / "rules").glob("*.yml"):
        asked |= names_in(path.read_text())
    stems = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in asked}
    shown = {metric.name for metric in registry_of(rt, tables=True).collect()}
    idle = {name for name in shown - stems if not name.startswith("weft_process_")}
    assert idle <= {"weft_build_info"}


@pytest.mark.parametrize("board", generate.DASHBOARDS, ids=lambda board: board.uid)
def test_a_person_can_read_it(board: generate.Dashboard) -> None:
    found = json.loads(generate.render(board))
    places = [one["gridPos"] for one in found["panels"]]
    taken = {(x, y) for p in places for x in range(p["x"], p["x"] + p["w"])
             for y in range(p["y"], p["y"] + p["h"])}  # fmt: skip
    assert sum(p["w"] * p["h"] for p in places) == len(taken), "panels lie on one another"
    assert max(p["x"] + p["w"] for p in places) <= 24
    assert len({one["id"] for one in found["panels"]}) == len(places)
    for one in found["panels"]:
        if one["type"] == "row":
            continue
        assert one["title"]
        assert one["description"], one["title"]
        defaults = one["fieldConfig"]["defaults"]
        assert defaults["unit"] in UNITS
        if one["type"] == "timeseries":
            legends = [target["legendFormat"] for target in one["targets"]]
            assert "__auto" not in legends, one["title"]
            assert len(set(legends)) == len(legends), one["title"]


def test_no_label_of_a_panel_is_a_tenants_text() -> None:
    legends = {label for _, panel in panels() for target in panel["targets"]
               for label in re.findall(r"{{(\w+)}}", target["legendFormat"])}  # fmt: skip
    assert legends <= {
        "status", "route", "limit", "dependency", "kind", "state", "operation", "job", "instance",
        "queue", "agent", "code", "connector", "format", "stage", "mode", "answered", "tenant",
        "model", "result", "direction", "alertname", "outcome", "part",
        "task", "complexity", "cache",  # of fixed lists: models.gates, models.router
    }  # fmt: skip


def test_panels_and_sources_have_the_same_names() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "weft.yml").read_text())
    known = {one["uid"]: one["type"] for one in sources["datasources"]}
    used = {
        (target["datasource"]["uid"], target["datasource"]["type"])
        for _, panel in panels()
        for target in panel["targets"]
    }
    assert used == set(known.items())
