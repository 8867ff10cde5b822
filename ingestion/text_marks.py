"""The kind of a text by the marks it shows, where there are any."""

from __future__ import annotations

import json
import re

_HEADER = re.compile(
    r"(?:from|to|subject|date|received|message-id|mime-version|return-path|delivered-to|"
    r"content-type|x-[\w-]+|reply-to|cc)\s*:",
    re.IGNORECASE,
)
# What browsers write into a page saved as one file.
_SAVED_PAGE = re.compile(r"snapshot-content-location:|from:\s*<saved by ", re.IGNORECASE)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*(?:<\?xml\s|<([A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*\s+xmlns(?::[\w.-]+)?=)")
_MBOX = re.compile(
    r"From \S+ +(?:\w{3} ){2} ?\d{1,2} \d\d:\d\d(?::\d\d)?(?: [\w+-]+)* \d{4}[^\n]*\n"
    r">?[\w-]+:"
)  # fmt: skip
_CLOCK = r"(?:\d{1,3}:)?\d\d:\d\d[.,]\d{3}"
_CUE = re.compile(rf"\s*\d+\s*\n{_CLOCK} --> {_CLOCK}")
_LEVELS = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|CRITICAL|CRIT|FATAL|SEVERE|ALERT)"
_STAMP = (
    r"(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?|\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"
    r"|\d\d[./-]\d\d[./-]\d{4} \d\d:\d\d:\d\d"
    r"|\w{3} [ \d]\d \d\d:\d\d:\d\d|\d\d[:.]\d\d[:.]\d\d)"
)
_LOG_LINES = (
    re.compile(rf"\W{{0,2}}{_STAMP}.{{0,120}}?\b{_LEVELS}\b", re.IGNORECASE),
    re.compile(rf"\W{{0,2}}{_LEVELS}\W.{{0,40}}?{_STAMP}"),
    re.compile(r"(?:<\d{1,3}>(?:1 )?)?(?:\w{3} [ \d]\d|\d{4}-\d\d-\d\dT)[\d:.TZ+ -]{8,20} ?"
               r"[\w.-]+ [\w./()-]+(?:\[\d+\])?: "),
    re.compile(rf"(?:time|ts|timestamp|t)=\"?{_STAMP}.{{0,80}}?\b(?:level|lvl|severity)="),
    re.compile(r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.-]+:\S"),
    re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w./-]+:\d+\] "),
    re.compile(r"\[\w{3} \w{3} \d\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[[\w:]+\] "),
    re.compile(r"(?:\d\d/\d\d/\d\d \d\d:\d\d:\d\d|\d{6} \d{6} \d+) [A-Z]{4,8} "),
    re.compile(r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +\d+ +\d+ [VDIWEF] "),
    re.compile(
        rf"(?:[\w./:-]{{1,80}} ){{1,3}}\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d.{{0,40}}?\b{_LEVELS}\b"
    ),
    re.compile(r"[\da-fA-F.:]+ \S+ \S+ \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] \""),
)  # fmt: skip


def structure(text: str, whole: bool) -> str:
    """The format that the text's own marks show; `txt` where there are none. `whole` says that
    nothing was cut off."""
    text = text.removeprefix("\ufeff")
    if _HTML.match(text):
        return "html"
    if _XML.match(text):
        return "xml"
    if re.match(r"WEBVTT(?:[ \t\n\r]|$)", text):
        return "vtt"
    plain = text.replace("\r\n", "\n")
    if _CUE.match(plain):
        return "srt"
    if _MBOX.match(plain):
        return "mbox"
    return _by_lines(plain, whole)


def _by_lines(text: str, whole: bool) -> str:
    lines = [line for line in text.splitlines() if line.strip()][:20]
    if sum(bool(_HEADER.match(line)) for line in lines[:12]) >= 3:
        return "mht" if any(_SAVED_PAGE.match(line) for line in lines) else "eml"
    if whole and is_json(text):
        return "json"
    if len(lines) > 1 and all(
        line.lstrip().startswith("{") and is_json(line) for line in lines[:5]
    ):
        return "json"
    if looks_logged(lines):
        return "log"
    for mark in ",;\t":
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return "tsv" if mark == "\t" else "csv"
    return "txt"


def looks_logged(lines: list[str]) -> bool:
    """Three lines begin as a log's do, and they are not far between; their traces may be long."""
    hits = sum(any(shape.match(line) for shape in _LOG_LINES) for line in lines)
    return hits >= 3 and (hits * 4 >= len(lines))


def is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
