"""Logs as JSON lines and metrics with the prefix `weft_`. No free text in metric labels."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

requests = Counter(
    "weft_http_requests", "Requests", ["method", "route", "status"], registry=registry
)
request_seconds = Histogram(
    "weft_http_request_seconds", "Request time", ["method", "route"], registry=registry
)
runs = Counter("weft_runs", "Runs that ended", ["status"], registry=registry)
steps = Counter("weft_steps", "Steps that ended", ["agent", "status"], registry=registry)
step_seconds = Histogram("weft_step_seconds", "Step time", ["agent"], registry=registry)
effects = Counter("weft_effects", "Outside actions", ["connector", "status"], registry=registry)
documents = Counter("weft_documents", "Documents", ["format", "status"], registry=registry)
model_tokens = Counter("weft_model_tokens", "Tokens", ["model", "direction"], registry=registry)
search_seconds = Histogram("weft_search_seconds", "Search time", ["mode"], registry=registry)
jobs_ready = Gauge("weft_jobs_ready", "Jobs that wait", ["queue"], registry=registry)


def configure_logs(level: str) -> None:
    """JSON lines on standard error, also from the standard library's loggers."""
    number = logging.getLevelNamesMapping()[level.upper()]
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shape: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    others = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, stamp],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shape],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(others)
    logging.basicConfig(handlers=[handler], level=number, force=True)
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, *shape],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log(room: str, **bound: Any) -> structlog.typing.FilteringBoundLogger:
    """A logger that names its room; bind `tenant`, `run_id`, `request_id` where they are known."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=room, **bound)
    return logger
