"""What the platform exports, and what rules, dashboards and runbooks ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry

ROOT = Path(__file__).parents[2]
RULES = ROOT / "prometheus" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
DASHBOARDS = ROOT / "grafana" / "dashboards"
_NAME = re.compile(r"\b(?:weft_[a-z0-9_]+|weft:[a-z0-9_:]+)")
_SAMPLES = {
    "counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",),
}  # fmt: skip


def exported(registry: CollectorRegistry) -> set[str]:
    """Every sample's name that Prometheus can come to see, also of metrics without a sample yet."""
    return {
        metric.name + suffix
        for metric in registry.collect()
        for suffix in _SAMPLES.get(metric.type, ("",))
    }


def rules() -> Iterator[dict[str, Any]]:
    for path in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """(dashboard, panel) of everything that is drawn."""
    for path in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            if panel["type"] != "row":
                yield path.stem, panel


def queries(kind: str) -> Iterator[tuple[str, str]]:
    """(dashboard/panel, expr) that goes to `prometheus` or `loki`."""
    for dashboard, panel in panels():
        for target in panel["targets"]:
            if target["datasource"]["type"] == kind:
                yield f"{dashboard}/{panel['title']}", target["expr"]


def names_in(text: str) -> set[str]:
    return set(_NAME.findall(text))
