"""Logs as JSON lines on standard error, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from functools import lru_cache
from typing import Any

import structlog

_SECRET_FIELD = re.compile(
    r"(?i)(pass(word|wd)?|secret|token|authorization|cookie|api_?key|root_?key|credential)s?$"
)
# What a driver may put into its error: an address with credentials, a header, a key of ours.
_SECRET_TEXT = re.compile(
    r"""(?ix)
    (?P<address>\b[a-z][a-z0-9+.-]{0,20}://) [^\s"'<>]* @
    | (?P<scheme>\b(?:bearer|basic)\s+) [a-z0-9._~+/=-]{6,}
    | (?P<name>\b(?:password|passwd|secret|token|api[_-]?key|authorization|cookie)
        ["']?\s*[=:]\s*["']?) (?:(?:bearer|basic)\s+)? [^\s"',;&}]+
    | \bwk_[a-z0-9_-]{8,}
    | \beyJ[a-z0-9_-]+\.[a-z0-9_-]+\.[a-z0-9_-]+
    """
)
_HIDDEN = "***"


def configure_logs(level: str) -> None:
    """JSON lines on standard error, also from the standard library's loggers. Those of other
    libraries never below `info`: at `debug` some print headers and addresses."""
    number = logging.getLevelNamesMapping()[level.upper()]
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shape: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        hidden,
        structlog.processors.JSONRenderer(),
    ]
    others = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, stamp],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shape],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(others)
    logging.basicConfig(handlers=[handler], level=max(number, logging.INFO), force=True)
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, *shape],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log(room: str, **bound: Any) -> structlog.typing.FilteringBoundLogger:
    """A logger that names its room; bind `tenant`, `run_id`, `request_id` where they are known."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=room, **bound)
    return logger


def hidden(
    _logger: Any, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Whoever logs a secret by mistake logs three stars."""
    for name, value in line.items():
        if _is_secret(name):
            line[name] = _HIDDEN
        elif name != "timestamp":
            line[name] = _clean(value)
    return line


@lru_cache(maxsize=512)
def _is_secret(name: str) -> bool:
    return _SECRET_FIELD.search(name) is not None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value) if _MAYBE(value) else value
    if isinstance(value, dict):
        return {k: _HIDDEN if _is_secret(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


_MAYBE = re.compile("[:=@]|wk_|eyJ|earer|asic").search  # what most short values lack


def scrub(text: str) -> str:
    """The same text without what looks like a credential."""

    def stars(found: re.Match[str]) -> str:
        kept = found["address"] or found["scheme"] or found["name"] or ""
        return f"{kept}{_HIDDEN}{'@' if found['address'] else ''}"

    return _SECRET_TEXT.sub(stars, text)
