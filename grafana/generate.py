"""Writes `grafana/dashboards/*.json`: `python -m grafana.generate`. Equal code, equal files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROMETHEUS = {"type": "prometheus", "uid": "weft-prometheus"}
LOKI = {"type": "loki", "uid": "weft-loki"}
_LOGS = '{service="weft"}'
_ROUTES = 'route!~"/healthz|/health|/readyz|/metrics|/workflows/{workflow_id}/events"'

# Limits as lines and colours: (value, colour), lowest first.
Steps = Sequence[tuple[float | None, str]]
_GOOD_BELOW_3: Steps = ((None, "green"), (1, "yellow"), (3, "red"))


@dataclass(frozen=True)
class Panel:
    """`queries`: (expr, legend). `unit` is Grafana's name of it."""

    title: str
    says: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    steps: Steps = ()
    stack: bool = False
    least: float | None = 0
    decimals: int | None = None


@dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    says: str
    rows: Sequence[tuple[str, Sequence[Panel]]] = field(default_factory=tuple)


def rate(name: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({name}{{{where}}}[$__rate_interval]))"


def quantile(share: float, name: str, by: str = "", where: str = "") -> str:
    names = f"le, {by}" if by else "le"
    inner = rate(f"{name}_bucket", names, where)
    return f"histogram_quantile({share}, {inner})"


def by_tenant(where: str) -> str:
    """Log lines a second; a tenant's number is in the log and in no label of a metric."""
    return f"sum by (tenant) (rate({_LOGS} | json | {where} [$__auto]))"


def stat(title: str, says: str, expr: str, **more: Any) -> Panel:
    return Panel(title, says, [(expr, "")], kind="stat", width=more.pop("width", 4), **more)


def spread(title: str, says: str, name: str, where: str = "", **more: Any) -> Panel:
    """p50, p95 and p99 of a histogram in seconds."""
    shares = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    queries = [(quantile(share, name, where=where), legend) for share, legend in shares]
    return Panel(title, says, queries, unit="s", **more)


PLATFORM = Dashboard(
    "weft-platform", "Weft / Platform", "Requests, processes and what they stand on.",
    (
        ("At a glance", (
            stat("Requests", "Answered a second, without probes and streams",
                 "weft:http_requests:rate5m", unit="reqps"),
            stat("Errors", "Share of 5xx in 5 minutes; 5 % is the limit",
                 "weft:http_errors:ratio5m", unit="percentunit", decimals=2,
                 steps=((None, "green"), (0.01, "yellow"), (0.05, "red"))),
            stat("p99", "99 of 100 requests are quicker; 3 s is the limit",
                 "weft:http_request_seconds:p99_5m", unit="s", steps=_GOOD_BELOW_3),
            stat("Workers", "Processes with a heartbeat in the last 30 s",
                 'max(weft_workers{state="living"})',
                 steps=((None, "red"), (1, "green"))),
            stat("Dead letters", "Jobs that gave up; `weft dead-letters list`",
                 "sum(max by (queue) (weft_jobs_dead))",
                 steps=((None, "green"), (1, "red"))),
            stat("Free disk", "Least of all processes' data folders",
                 "min(weft_disk_free_bytes)", unit="bytes",
                 steps=((None, "red"), (1073741824, "yellow"), (5368709120, "green"))),
        )),
        ("Requests", (
            Panel("Requests by status", "Answers a second",
                  [(rate("weft_http_requests_total", "status", _ROUTES), "{{status}}")],
                  unit="reqps", stack=True),
            spread("Request time", "Without probes and streams; 3 s is the limit",
                   "weft_http_request_seconds", _ROUTES, steps=_GOOD_BELOW_3),
            Panel("p99 by route", "The five slowest",
                  [("topk(5, " + quantile(0.99, "weft_http_request_seconds", "route", _ROUTES)
                    + ")", "{{route}}")], unit="s"),
            Panel("Errors by route", "Answers 5xx a second",
                  [(rate("weft_http_requests_total", "route, status", 'status=~"5..|0"'),
                    "{{status}} {{route}}")], unit="reqps"),
            Panel("Refused", "Over a tier's limit, a second",
                  [(rate("weft_limiter_refused_total", "limit"), "{{limit}}")], unit="reqps"),
            spread("Answers to questions", "`/ask` and the analysis agent, model and all",
                   "weft_answer_seconds"),
        )),
        ("What it stands on", (
            Panel("Dependencies", "1: it answers. The worst of all gateways",
                  [("min by (dependency) (weft_dependency_up)", "{{dependency}}")],
                  kind="state-timeline", steps=((None, "red"), (1, "green"))),
            Panel("Database transactions", "p99 by kind, waiting for a connection included",
                  [(quantile(0.99, "weft_database_transaction_seconds", "kind"), "{{kind}}")],
                  unit="s"),
            Panel("Database connections", "Of all processes together",
                  [("sum by (state) (weft_database_pool_connections)", "{{state}}")], stack=True),
            Panel("Object calls", "p99 by operation",
                  [(quantile(0.99, "weft_object_seconds", "operation"), "{{operation}}")],
                  unit="s"),
            Panel("Events", "Given to the bus a second, and how many wait",
                  [("sum(rate(weft_events_published_total[$__rate_interval]))", "published/s"),
                   ("max(weft_events_unpublished)", "waiting")]),
            Panel("Messages in", "From Kafka's `weft.ingest`, a second, by what became of them",
                  [(rate("weft_messages_total", "outcome"), "{{outcome}}")], unit="ops"),
            Panel("Spans dropped", "A second: the trace collector was away",
                  [("sum(rate(weft_spans_dropped_total[$__rate_interval]))", "dropped")],
                  unit="ops"),
            Panel("What went missing", "A second: rings, batches, calls that failed",
                  [("sum(rate(weft_rings_lost_total[$__rate_interval]))", "rings lost"),
                   ("sum(rate(weft_bus_errors_total[$__rate_interval]))", "bus errors"),
                   ("sum(rate(weft_database_errors_total[$__rate_interval]))", "database errors"),
                   ("sum(rate(weft_object_errors_total[$__rate_interval]))", "object errors"),
                   ("sum(rate(weft_limiter_degraded_total[$__rate_interval]))",
                    "limits counted alone")]),
        )),
        ("Processes", (
            Panel("Memory", "Resident, by process",
                  [("weft_process_resident_memory_bytes", "{{job}} {{instance}}")], unit="bytes"),
            Panel("Processor", "Cores in use, by process",
                  [("rate(weft_process_cpu_seconds_total[$__rate_interval])",
                    "{{job}} {{instance}}")], unit="none"),
            Panel("Open files", "By process",
                  [("weft_process_open_fds", "{{job}} {{instance}}")]),
        )),
        ("Log", (
            Panel("Errors and warnings", "All processes",
                  [(f'{_LOGS} | level=~"error|warning"', "")], kind="logs", width=24),
        )),
    ),
)  # fmt: skip

WORKFLOWS = Dashboard(
    "weft-workflows", "Weft / Workflows", "Runs, queues, steps, effects, documents.",
    (
        ("At a glance", (
            stat("Open runs", "Accepted and not ended",
                 "sum(max by (status) (weft_runs_open)) or vector(0)"),
            stat("Stuck runs", "Open, and nothing would ever move them",
                 "max(weft_runs_stuck)", steps=((None, "green"), (1, "red"))),
            stat("Ready jobs", "Could run now", "sum(weft:jobs_ready:max)"),
            stat("Oldest job", "How long it has been ready",
                 "max(weft:jobs_oldest_age_seconds:max)", unit="s",
                 steps=((None, "green"), (10, "yellow"), (60, "red"))),
            stat("Waiting for a person", "Actions without a yes or a no",
                 "max(weft_approvals_waiting)"),
            stat("Oldest request", "How long it waits; a day is the limit",
                 "max(weft_approvals_oldest_age_seconds)", unit="s",
                 steps=((None, "green"), (43200, "yellow"), (86400, "red"))),
        )),
        ("Runs", (
            Panel("Accepted and ended", "A second",
                  [("sum(rate(weft_runs_submitted_total[$__rate_interval]))", "accepted"),
                   (rate("weft_runs_total", "status"), "{{status}}")], unit="ops"),
            spread("Time to the end", "From acceptance, people's time included",
                   "weft_run_seconds"),
            Panel("Open runs by status", "Now",
                  [("max by (status) (weft_runs_open)", "{{status}}")], stack=True),
        )),
        ("Queues", (
            Panel("Ready jobs by queue", "Could run now",
                  [("weft:jobs_ready:max", "{{queue}}")], stack=True),
            Panel("Oldest job by queue", "How long it has been ready",
                  [("weft:jobs_oldest_age_seconds:max", "{{queue}}")], unit="s"),
            Panel("Listeners", "Living workers that serve the queue",
                  [("max by (queue) (weft_queue_listeners)", "{{queue}}")]),
            Panel("Running jobs", "In a worker's hands",
                  [("max by (queue) (weft_jobs_running)", "{{queue}}")], stack=True),
            Panel("Later and dead", "Waiting for their time, and dead letters",
                  [("sum(max by (queue) (weft_jobs_later))", "later"),
                   ("sum(max by (queue) (weft_jobs_dead))", "dead")]),
            Panel("Age of events", "The oldest that the relay has not published",
                  [("max(weft_events_unpublished_age_seconds)", "oldest")], unit="s"),
        )),
        ("Steps and effects", (
            Panel("Steps", "Ended a second",
                  [(rate("weft_steps_total", "agent, status"), "{{agent}} {{status}}")],
                  unit="ops"),
            Panel("Step time by agent", "p95 of one attempt",
                  [(quantile(0.95, "weft_step_seconds", "agent"), "{{agent}}")], unit="s"),
            Panel("Attempts repeated", "A second, by reason",
                  [(rate("weft_step_retries_total", "agent, code"), "{{agent}} {{code}}")],
                  unit="ops"),
            Panel("Effects", "Ended a second",
                  [(rate("weft_effects_total", "connector, status"),
                    "{{connector}} {{status}}")], unit="ops"),
            Panel("Effect time", "p95 of one outside call",
                  [(quantile(0.95, "weft_effect_seconds", "connector"), "{{connector}}")],
                  unit="s"),
            Panel("Waiting for a person", "Actions without a yes or a no",
                  [("max(weft_approvals_waiting)", "waiting")]),
        )),
        ("Documents", (
            Panel("Documents read", "A second, by format",
                  [(rate("weft_documents_total", "format, status"), "{{format}} {{status}}")],
                  unit="ops"),
            Panel("Pages", "A second, by format",
                  [(rate("weft_pages_total", "format"), "{{format}}")], unit="ops"),
            Panel("Time by stage", "p95 of a document",
                  [(quantile(0.95, "weft_ingestion_seconds", "stage"), "{{stage}}")], unit="s"),
            Panel("Documents that cannot be read", "A second, by reason",
                  [(rate("weft_ingestion_failures_total", "code"), "{{code}}")], unit="ops"),
            Panel("Search time", "p95 by mode",
                  [(quantile(0.95, "weft_search_seconds", "mode"), "{{mode}}")], unit="s"),
            Panel("Damaged parts of indexes", "Found in an hour, and rebuilt from documents",
                  [('sum by (part) (increase(weft_segments_damaged_total[1h]))', "{{part}} found"),
                   ("sum(increase(weft_segments_rebuilt_total[1h]))", "rebuilt"),
                   ("max(weft_index_damaged_tenants)", "tenants that wait")]),
            Panel("Questions", "A second, answered from the documents or not",
                  [(rate("weft_answers_total", "answered"), "answered: {{answered}}")],
                  unit="ops"),
        )),
        ("Log of one run", (
            Panel("Lines of the run", "Type its id into `run_id` above: gateway, worker, relay",
                  [(f'{_LOGS} | run_id="$run_id"', "")], kind="logs", width=24),
        )),
    ),
)  # fmt: skip

TENANTS = Dashboard(
    "weft-tenants", "Weft / Tenants",
    "Who loads the platform, by opaque id; nothing of what they do.",
    (
        ("At a glance", (
            stat("Tenants", "Active", 'max(weft_tenants{status="active"})'),
            stat("Suspended", "By the operator",
                 'max(weft_tenants{status="suspended"}) or vector(0)'),
            stat("With work now", "Tenants with a job; counted up to 20",
                 'count(sum by (tenant) (weft_tenant_jobs{tenant!="other"})) or vector(0)'),
            stat("Refused", "Requests a second over a limit",
                 "sum(rate(weft_limiter_refused_total[$__rate_interval])) or vector(0)",
                 unit="reqps"),
        )),
        ("Load", (
            Panel("Busiest tenants: jobs", "The twenty with most jobs; the rest is `other`",
                  [("topk(20, sum by (tenant) (max by (tenant, state) (weft_tenant_jobs)))",
                    "{{tenant}}")], width=12, stack=True),
            Panel("Busiest tenants: ready jobs", "What waits for a worker",
                  [('max by (tenant) (weft_tenant_jobs{state="ready"})', "{{tenant}}")],
                  width=12, stack=True),
            Panel("Busiest tenants: running jobs", "What workers do for each; shares are fair",
                  [('max by (tenant) (weft_tenant_jobs{state="running"})', "{{tenant}}")],
                  width=12, stack=True),
            Panel("Busiest tenants: dead letters", "Jobs that gave up",
                  [('max by (tenant) (weft_tenant_jobs{state="dead"})', "{{tenant}}")], width=12),
        )),
        ("From the log", (
            Panel("Requests by tenant", "A second",
                  [(by_tenant('event="request" | tenant!=""'), "{{tenant}}")], unit="reqps",
                  width=12),
            Panel("Errors by tenant", "Answers 5xx a second",
                  [(by_tenant('event="request" | status>=500'), "{{tenant}}")], unit="reqps",
                  width=12),
            Panel("Runs ended by tenant", "A second",
                  [(by_tenant('event="run ended"'), "{{tenant}}")], unit="ops", width=12),
            Panel("Slow requests", "Over a second, with their request and run",
                  [(f'{_LOGS} | json | event="request" | ms > 1000', "")], kind="logs", width=12),
        )),
    ),
)  # fmt: skip

MODELS = Dashboard(
    "weft-models", "Weft / Models", "Chat models and embedding: calls, errors, time, tokens.",
    (
        ("At a glance", (
            stat("Calls", "Of chat models, a second",
                 "sum(rate(weft_model_calls_total[$__rate_interval])) or vector(0)", unit="ops"),
            stat("Errors", "Worst model, 5 minutes; 1 % is the limit",
                 "max(weft:model_errors:ratio5m)", unit="percentunit", decimals=2,
                 steps=((None, "green"), (0.005, "yellow"), (0.01, "red"))),
            stat("Resting", "Models left alone after five failures",
                 "sum(max by (model) (weft_breaker_open)) or vector(0)",
                 steps=((None, "green"), (1, "red"))),
            stat("Passages embedded", "A second",
                 "sum(rate(weft_embedded_passages_total[$__rate_interval])) or vector(0)",
                 unit="ops"),
        )),
        ("Chat", (
            Panel("Chosen", "A second: which model for which task, by how hard it is",
                  [(rate("weft_model_routes_total", "task, model, complexity"),
                    "{{task}} {{complexity}}: {{model}}")], unit="ops"),
            Panel("Answered by a cache", "Calls spared a second, by task",
                  [(rate("weft_model_saved_total", "task"), "{{task}}")], unit="ops"),
            Panel("Asked before", "Looks into the caches a second",
                  [(rate("weft_cache_uses_total", "cache, result"), "{{cache}} {{result}}")],
                  unit="ops"),
            Panel("Spared by caches: tokens", "In an hour",
                  [("sum by (cache) (increase(weft_cache_saved_tokens_total[1h]))", "{{cache}}")]),
            Panel("Spared by caches: time", "Seconds in an hour",
                  [("sum by (cache) (increase(weft_cache_saved_seconds_total[1h]))",
                    "{{cache}}")], unit="s"),
            Panel("Refused over a budget", "A second, by limit; raise: `weft tenants budget`",
                  [(rate("weft_budget_refused_total", "limit"), "{{limit}}")], unit="ops"),
            Panel("Calls by result", "A second",
                  [(rate("weft_model_calls_total", "model, result"), "{{model}} {{result}}")],
                  unit="ops"),
            Panel("Error share", "By model; 1 % is the limit",
                  [("weft:model_errors:ratio5m", "{{model}}")], unit="percentunit",
                  steps=((None, "green"), (0.01, "red"))),
            Panel("Call time", "p95 by model",
                  [(quantile(0.95, "weft_model_seconds", "model"), "{{model}}")], unit="s"),
            Panel("Tokens", "A second",
                  [(rate("weft_model_tokens_total", "model, direction"),
                    "{{model}} {{direction}}")], unit="none"),
            Panel("Breaker", "1: the model rests",
                  [("max by (model) (weft_breaker_open)", "{{model}}")], kind="state-timeline",
                  steps=((None, "green"), (1, "red"))),
        )),
        ("Embedding", (
            spread("Batch time", "To embed one batch", "weft_embed_seconds"),
            Panel("Passages", "Embedded a second",
                  [("sum(rate(weft_embedded_passages_total[$__rate_interval]))", "passages")],
                  unit="ops"),
        )),
    ),
)  # fmt: skip


def _burn(kind: str, goal: float) -> Panel:
    """1: the budget lasts a month. 6 is a ticket, 14.4 wakes somebody."""
    queries = [
        (f"weft:http_{kind}:ratio{window} / {goal:g}", window) for window in ("5m", "1h", "6h")
    ]
    return Panel(
        "Burn rate", "1: the budget lasts a month; 6: a ticket; 14.4: somebody is woken", queries,
        width=12, steps=((None, "green"), (6, "yellow"), (14.4, "red")),
    )  # fmt: skip


SLO = Dashboard(
    "weft-slo", "Weft / SLO", "The month's goals: 99.5 % without an error, 99 % under 3 s.",
    (
        ("99.5 % of requests without a 5xx", (
            stat("Last 6 hours", "Share without an error", "1 - weft:http_errors:ratio6h",
                 unit="percentunit", decimals=3, least=None, width=6,
                 steps=((None, "red"), (0.995, "green"))),
            stat("Last hour", "Share without an error", "1 - weft:http_errors:ratio1h",
                 unit="percentunit", decimals=3, least=None, width=6,
                 steps=((None, "red"), (0.995, "green"))),
            _burn("errors", 0.005),
        )),
        ("99 % of requests under 3 seconds", (
            stat("Last 6 hours", "Share under 3 s", "1 - weft:http_slow:ratio6h",
                 unit="percentunit", decimals=3, least=None, width=6,
                 steps=((None, "red"), (0.99, "green"))),
            stat("Last hour", "Share under 3 s", "1 - weft:http_slow:ratio1h",
                 unit="percentunit", decimals=3, least=None, width=6,
                 steps=((None, "red"), (0.99, "green"))),
            _burn("slow", 0.01),
        )),
        ("Limits", (
            Panel("p99 of requests", "3 s is the limit",
                  [("weft:http_request_seconds:p99_5m", "p99")], unit="s", steps=_GOOD_BELOW_3),
            Panel("Errors", "5 % is the limit", [("weft:http_errors:ratio5m", "5xx")],
                  unit="percentunit", steps=((None, "green"), (0.05, "red"))),
            Panel("Model errors", "1 % is the limit", [("weft:model_errors:ratio5m", "{{model}}")],
                  unit="percentunit", steps=((None, "green"), (0.01, "red"))),
            Panel("Runs that failed", "Share of those that ended in 30 minutes",
                  [("weft:runs_failed:ratio30m", "failed")], unit="percentunit"),
            Panel("Documents that cannot be read", "Share of those of 30 minutes",
                  [("weft:documents_failed:ratio30m", "failed")], unit="percentunit"),
            Panel("Alerts that fire", "Each has a page in docs/runbooks",
                  [('count by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}")]),
        )),
    ),
)  # fmt: skip

DASHBOARDS = (PLATFORM, WORKFLOWS, TENANTS, MODELS, SLO)


def render(board: Dashboard) -> str:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in board.rows:
        panels.append(_row(len(panels) + 1, title, top))
        left, top, height = 0, top + 1, 0
        for one in row:
            if left + one.width > 24:
                left, top = 0, top + height
            height = 4 if one.kind == "stat" else 8
            panels.append(_panel(len(panels) + 1, one, left, top, height))
            left += one.width
        top += height
    return json.dumps(_board(board, panels), indent=2) + "\n"


def _board(board: Dashboard, panels: list[dict[str, Any]]) -> dict[str, Any]:
    text = board.uid == "weft-workflows"
    variable = {"name": "run_id", "label": "run_id", "type": "textbox", "query": ""}
    return {
        "uid": board.uid, "title": board.title, "description": board.says, "tags": ["weft"],
        "schemaVersion": 39, "editable": True, "graphTooltip": 1, "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"}, "timezone": "browser",
        "links": [{"type": "dashboards", "tags": ["weft"], "title": "Weft", "asDropdown": False,
                   "keepTime": True}],
        "templating": {"list": [variable] if text else []}, "panels": panels,
    }  # fmt: skip


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": 24, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place}


def _panel(number: int, one: Panel, left: int, top: int, height: int) -> dict[str, Any]:
    source = LOKI if any(_LOGS in expr for expr, _ in one.queries) else PROMETHEUS
    targets = [
        {"refId": chr(65 + index), "datasource": source, "expr": expr,
         "legendFormat": legend or "__auto"}
        for index, (expr, legend) in enumerate(one.queries)
    ]  # fmt: skip
    return {
        "id": number, "type": one.kind, "title": one.title, "description": one.says,
        "datasource": source, "gridPos": {"x": left, "y": top, "w": one.width, "h": height},
        "targets": targets, "fieldConfig": {"defaults": _defaults(one), "overrides": []},
        "options": _options(one),
    }  # fmt: skip


def _defaults(one: Panel) -> dict[str, Any]:
    steps = [{"value": value, "color": colour} for value, colour in one.steps]
    found: dict[str, Any] = {"unit": one.unit}
    if one.least is not None:
        found["min"] = one.least
    if one.decimals is not None:
        found["decimals"] = one.decimals
    if steps:
        found["thresholds"] = {"mode": "absolute", "steps": steps}
        found["color"] = {"mode": "palette-classic" if one.kind == "timeseries" else "thresholds"}
    if one.kind == "timeseries":
        found["custom"] = {
            "lineWidth": 1, "fillOpacity": 20 if one.stack else 8, "showPoints": "never",
            "spanNulls": True, "stacking": {"mode": "normal" if one.stack else "none"},
            "thresholdsStyle": {"mode": "line" if steps else "off"},
        }  # fmt: skip
    return found


def _options(one: Panel) -> dict[str, Any]:
    last = {"calcs": ["lastNotNull"]}
    options: dict[str, dict[str, Any]] = {
        "timeseries": {
            "legend": {"displayMode": "list", "placement": "bottom", **last},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "stat": {"reduceOptions": last, "colorMode": "value", "graphMode": "area"},
        "state-timeline": {"showValue": "never", "mergeValues": True},
        "logs": {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"},
    }
    return options[one.kind]


def main() -> None:
    for board in DASHBOARDS:
        path = HERE / "dashboards" / f"{board.uid.removeprefix('weft-')}.json"
        path.write_text(render(board), "utf-8")


if __name__ == "__main__":
    main()
