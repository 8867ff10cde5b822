"""One line of a log by the common shapes: syslog, access logs, logfmt, and a time with a level."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_LEVEL = r"TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|CRITICAL|CRIT|FATAL|SEVERE|ALERT|EMERG"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SEVERITY = ("emerg", "alert", "critical", "error", "warning", "notice", "info", "debug")
_LEVELS = {"ERR": "ERROR", "CRIT": "CRITICAL"}

_STAMP = (
    r"(?:(?P<date>\d{4}[-/]\d\d[-/]\d\d|\d\d[./-]\d\d[./-]\d{4})[T ])?"
    r"(?P<clock>\d\d:\d\d(?::\d\d)?)(?:[.,](?P<part>\d{1,9}))?"
    r"(?: ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d))?"
)
_FIRST = re.compile(rf"[\[(]?{_STAMP}[\])]?[\s:|,-]*(?P<rest>.*)", re.DOTALL)
# `ERROR 2026-01-02 10:00:00 shop.views …`, as Django and others write it.
_LEVEL_FIRST = re.compile(
    rf"[\[(]?(?P<level>{_LEVEL})[\])]?[\s:|-]*[\[(]?{_STAMP}[\])]?[\s:|,-]*(?P<rest>.*)", re.DOTALL
)
# Dates whose order nobody tells (Spark), without a year (Android), without marks (HDFS).
_SHORT = re.compile(
    r"(?P<at>\d\d/\d\d/\d\d \d\d:\d\d:\d\d|\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}|\d{6} \d{6})"
    r"\s+(?P<rest>.*)",
    re.DOTALL,
)
# A file's or a host's name before the time, as collectors put it there.
_PREFIXED = re.compile(
    rf"(?:[\w./:-]{{1,80}} ){{1,3}}?(?=\d{{4}}-){_STAMP}[\s:|,-]*(?P<rest>.*)", re.DOTALL
)
_LOGCAT = re.compile(r"\d+\s+\d+ (?P<level>[VDIWEF]) (?P<app>[^:]{1,60}): (?P<rest>.*)", re.DOTALL)
_LETTERS = {"V": "TRACE", "D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL"}
_GIVEN = re.compile(
    rf"(?P<before>(?:[\[(<][^\])>]{{0,80}}[\])>]\s*|[\w.$/#@*-]{{1,80}}:?\s+(?:[-|]+\s*)?){{0,4}}?)"
    rf"[\[<(|]?(?:[\w-]+[.:])?(?P<level>{_LEVEL}|(?<=[\[:])(?i:{_LEVEL})"
    r"|(?:Info|Warning|Error|Debug)(?=  ))(?![\w-])[\]>)|]?[\s:|-]*"
)
_SYSLOG = re.compile(
    r"(?:<(?P<pri>\d{1,3})>)?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?: (?P<year>\d{4}))? (?P<host>[\w.:-]+) (?P<app>[\w./()@-]+?)(?:\[\d+\])?: ?(?P<rest>.*)",
    re.DOTALL,
)
_SYSLOG_5424 = re.compile(
    rf"<(?P<pri>\d{{1,3}})>1 {_STAMP} (?P<host>\S+) (?P<app>\S+) \S+ (?P<id>\S+) "
    r"(?:-|(?:\[[^\]]*\])+) ?(?:\ufeff)?(?P<rest>.*)",
    re.DOTALL,
)
_JOURNAL = re.compile(rf"{_STAMP} (?P<host>[\w.-]+) (?P<app>[\w./@-]+)\[\d+\]: (?P<rest>.*)",
                      re.DOTALL)  # fmt: skip
_ACCESS = re.compile(
    r"(?P<client>\S+) \S+ (?P<user>\S+) \[(?P<day>\d\d)/(?P<month>\w{3})/(?P<year>\d{4}):"
    r'(?P<clock>\d\d:\d\d:\d\d) (?P<zone>[+-]\d{4})\] "(?P<rest>[^"]*)" (?P<code>\d{3}) '
    r"(?P<size>\d+|-)(?P<more>.*)",
    re.DOTALL,
)
_APACHE_ERROR = re.compile(
    r"\[\w{3} (?P<month>\w{3}) (?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)? (?P<year>\d{4})\] "
    r"\[(?:(?P<app>[\w-]*):)?(?P<level>\w+)\] (?P<rest>.*)",
    re.DOTALL,
)
_GLOG = re.compile(
    r"(?P<level>[IWEF])(?P<month>\d\d)(?P<day>\d\d) (?P<clock>\d\d:\d\d:\d\d)\.\d+ +\d+ "
    r"(?P<app>[\w./-]+):\d+\] (?P<rest>.*)",
    re.DOTALL,
)
_LOGFMT = re.compile(r'(?P<key>[\w.@-]+)=(?P<value>"(?:[^"\\]|\\.)*"|\S*)')
_BASIC = re.compile(rf"(?P<level>{_LEVEL}):(?P<app>[\w.-]+):(?P<rest>.*)", re.DOTALL)
_SPRING = re.compile(r"\d{1,7} --- (?:\[[^\]]*\] ?)+(?P<app>\S{1,80})\s+: (?P<rest>.*)", re.DOTALL)
_NGINX = re.compile(r"\d+#\d+: (?:\*\d+ )?")
_APP = re.compile(
    r"(?:\d{1,7}\s+)?(?:-{2,3}\s+)?(?:\[[^\]]{0,60}\]\s+)*"  # process and thread
    r"(?:\[(?P<a>[\w.$/-]{2,80})\][\s:-]*|\[(?P<c>\S{2,120})\]\s+-\s+|(?P<b>[\w.$/-]{2,80})(?:\[\d+\])?\s*(?::\s|\s-\s))"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record; what it does not tell is empty. `at` is ISO 8601, or as it stands where the line
    tells no year."""

    at: str
    level: str
    service: str
    message: str
    code: str = ""
    more: tuple[tuple[str, str], ...] = ()


def entry_of(line: str) -> Entry | None:
    """The record that `line` begins, or None."""
    return next((found for shape in _SHAPES if (found := shape(line)) is not None), None)


def _time(found: re.Match[str]) -> str:
    """ISO 8601; as it stands where the day is missing, or day and month could be exchanged."""
    part = f".{found['part']}" if found["part"] else ""
    clock = f"{found['clock']}{part}{_zone(found['zone'])}"
    date = found["date"] or ""
    if not re.match(r"\d{4}", date):
        return f"{date} {clock}".strip()
    return f"{date.replace('/', '-')}T{clock}"


def _zone(zone: str | None) -> str:
    if not zone:
        return ""
    return "Z" if zone in ("Z", "UTC") else f"{zone[:3]}:{zone[-2:]}"


def _level(text: str) -> str:
    name = text.upper()
    return _LEVELS.get(name, name)


def _by_priority(text: str | None) -> str:
    return _SEVERITY[int(text) % 8].upper() if text else ""


def _dated(found: re.Match[str]) -> str:
    """`2026-10-11T…`, or `Oct 11 …` where there is no year."""
    named = found.groupdict()
    month, day, clock, year = (named.get(k) for k in ("month", "day", "clock", "year"))
    if year and month in _MONTHS:
        zone = _zone(named.get("zone"))
        return f"{year}-{_MONTHS.index(str(month)) + 1:02}-{int(str(day)):02}T{clock}{zone}"
    return f"{month} {int(str(day)):02} {clock}"


def _access(line: str) -> Entry | None:
    found = _ACCESS.match(line)
    if found is None:
        return None
    more = (("client", found["client"]), ("user", found["user"].strip("-")),
            ("bytes", found["size"].strip("-")))  # fmt: skip
    return Entry(_dated(found), "", "", found["rest"] + found["more"], found["code"], more)


def _syslog(line: str) -> Entry | None:
    if found := _SYSLOG_5424.match(line):
        code = found["id"].strip("-")
        level = _by_priority(found["pri"])
        return Entry(_time(found), level, found["app"], found["rest"], code)
    if found := _SYSLOG.match(line):
        level, rest = _inner(found["rest"])
        level = level or _by_priority(found["pri"])
        return Entry(_dated(found), level, found["app"], rest)
    if found := _JOURNAL.match(line):
        level, rest = _inner(found["rest"])
        return Entry(_time(found), level, found["app"], rest)
    return None


def _inner(rest: str) -> tuple[str, str]:
    """A level that the program itself wrote."""
    found = re.match(rf"\[?({_LEVEL})\]?[:\s]\s*", rest)
    return (_level(found[1]), rest[found.end() :]) if found else ("", rest)


def _apache_error(line: str) -> Entry | None:
    found = _APACHE_ERROR.match(line)
    if found is None:
        return None
    return Entry(_dated(found), _level(found["level"]), found["app"] or "", found["rest"])


def _glog(line: str) -> Entry | None:
    found = _GLOG.match(line)
    if found is None:
        return None
    level = _LETTERS[found["level"]]
    at = f"{_MONTHS[int(found['month']) % 13 - 1]} {found['day']} {found['clock']}"
    return Entry(at, level, found["app"], found["rest"])


def _logfmt(line: str) -> Entry | None:
    if "=" not in line[:40]:
        return None
    pairs = {m["key"].lower(): m["value"].strip('"').replace('\\"', '"')
             for m in _LOGFMT.finditer(line)}  # fmt: skip

    def take(*names: str) -> str:
        return next((pairs.pop(name) for name in names if name in pairs), "")

    at, level = take("time", "ts", "timestamp", "t", "at"), take("level", "lvl", "severity")
    message = take("msg", "message", "event")
    if not (at and level and message):
        return None
    service = take("service", "app", "component", "logger", "module", "caller")
    code = take("code", "error_code", "status")
    stamp = re.match(_STAMP, at)
    return Entry(
        _time(stamp) if stamp else at, _level(level), service, message, code, tuple(pairs.items())
    )


def _plain(line: str) -> Entry | None:
    if found := _FIRST.match(line):
        return _told(_time(found), found["rest"])
    if found := _SHORT.match(line):
        return _told(found["at"], found["rest"])
    if found := _LEVEL_FIRST.match(line):
        service, rest = _service(found["rest"])
        return Entry(_time(found), _level(found["level"]), service, rest)
    if found := _BASIC.match(line):
        return Entry("", _level(found["level"]), found["app"], found["rest"])
    if found := _PREFIXED.match(line):
        return _told(_time(found), found["rest"])
    return None


def _told(at: str, rest: str) -> Entry:
    if logcat := _LOGCAT.match(rest):
        return Entry(at, _LETTERS[logcat["level"]], logcat["app"].strip(), logcat["rest"])
    given = _GIVEN.match(rest)
    if given is None:
        return Entry(at, "", "", rest)
    service, after = _service(rest[given.end() :])
    return Entry(at, _level(given["level"]), service or _app(given["before"]), after)


def _service(rest: str) -> tuple[str, str]:
    if spring := _SPRING.match(rest):
        return spring["app"], spring["rest"]
    rest = _NGINX.sub("", rest, count=1) if rest[:1].isdigit() else rest
    found = _APP.match(rest)
    if found is None:
        return "", rest
    return found["a"] or found["b"] or found["c"], rest[found.end() :]


def _app(before: str) -> str:
    """The name before the level; numbers and threads are none."""
    names = [n for n in re.findall(r"[\w.$/-]+", before) if re.search(r"[A-Za-z]{2}", n)]
    names = [n for n in names if not re.fullmatch(r"(?i)(?:main|thread\S*|pid\S*|tid\S*)", n)]
    return names[-1] if names else ""


_SHAPES: tuple[Callable[[str], Entry | None], ...] = (
    _access, _syslog, _apache_error, _glog, _logfmt, _plain,
)  # fmt: skip

_CODE = re.compile(
    r"\b(?:[A-Z][A-Z0-9]{1,11}[-_](?:[A-Z]{1,4}[-_])?\d{2,6}[A-Z]?|[A-Z]{1,4}\d{3,6})\b"
    r"|(?i:\b(?:error[ _]?code|code|errno|status(?:_code)?|http)\b)[=: /]{1,3}"
    r"(?P<said>[A-Za-z_]{0,12}\d{2,6})\b"
)
_RAISED = re.compile(r"(?:^|[\s.])([A-Z]\w{2,60}(?:Exception|Error|Failure|Fault))\b")


def code_in(message: str) -> str:
    """An error's code, else the class of what was raised."""
    found = _CODE.search(message)
    if found:
        return found["said"] or found[0]
    raised = _RAISED.findall(message)
    return raised[-1] if raised else ""


_VARIABLE = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "<mail>"),
    (re.compile(r"\bhttps?://\S+"), "<url>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?\S*)?"), "<time>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b"), "<hex>"),
    (re.compile(r"(?<![\w-])(?:\"[^\"]*\"|'[^']*')"), "<text>"),
    (re.compile(r"\b(?=\w*\d{5})\w+(?:-\w*\d{3}\w*)*"), "<id>"),
    (re.compile(r"(?<![\w<-])\d+(?:[.,:]\d+)*"), "<n>"),
)  # fmt: skip


@lru_cache(4096)
def template_of(message: str) -> str:
    """The message with what differs from record to record taken out."""
    message = message[:300]
    for pattern, name in _VARIABLE:
        message = pattern.sub(name, message)
    return message
