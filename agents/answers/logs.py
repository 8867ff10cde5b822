"""Questions that count log entries, computed over every entry rather than searched for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.answers.values import Answer, Sentence
from agents.answers.words import CODE, codes, joined
from core.documents import Document, Page, Source, Table

_LEVELS = {
    "error": ("error", "err"), "warn": ("warn", "warning"), "info": ("info",),
    "debug": ("debug",), "fatal": ("fatal",), "critical": ("critical",),
}  # fmt: skip
_COUNTS = re.compile(r"\bhow many\b|\bnumber of\b|\bcount\b", re.IGNORECASE)
_LISTS = re.compile(r"\b(?:which|what|list|show)\b", re.IGNORECASE)
_ENTRIES = re.compile(
    r"\b(?:error|warn(?:ing)?|info|debug|fatal|critical)s?\b|\b(?:log )?(?:entr(?:y|ies)|lines?)\b"
    r"|\blogs?\b|\blogged\b",
    re.IGNORECASE,
)
_AT = r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?|\d\d:\d\d(?::\d\d)?)"
_BETWEEN = re.compile(rf"\b(?:between|from)\s+{_AT}\s*(?:and|to|until|-)\s*{_AT}", re.IGNORECASE)
_SINCE = re.compile(rf"\b(?:since|after)\s+{_AT}", re.IGNORECASE)
_UNTIL = re.compile(rf"\b(?:before|until)\s+{_AT}", re.IGNORECASE)
_ON = re.compile(r"\b(?:on|at)\s+(\d{4}-\d\d-\d\d)\b", re.IGNORECASE)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?")
_SHOWN_MAX = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One log line; `at` is ISO 8601 to the second, as it stands there."""

    at: str
    level: str
    service: str
    message: str
    source: Source


@dataclass(frozen=True, slots=True)
class _Wanted:
    level: str
    service: str
    codes: tuple[str, ...]
    since: str
    until: str

    def holds(self, entry: Entry) -> bool:
        clock = self.since[:1] and ":" in self.since[:3]  # times of day, no date
        at = entry.at[11:] if clock else entry.at
        return (
            (not self.level or entry.level in _LEVELS[self.level])
            and (not self.service or entry.service.lower() == self.service)
            and {joined(code) for code in self.codes} <= codes(entry.message)
            and (not self.since or at[: len(self.since)] >= self.since)
            and (not self.until or at[: len(self.until)] <= self.until)
        )

    def words(self) -> str:
        parts = [f" {self.level.upper()}" if self.level else "", " log entries"]
        parts.append(f" of {self.service}" if self.service else "")
        parts.append(f" with {', '.join(self.codes)}" if self.codes else "")
        if self.since and self.since == self.until:
            parts.append(f" on {self.since}")
        else:
            parts.append(f" from {self.since}" if self.since else "")
            parts.append(f" until {self.until}" if self.until else "")
        return "".join(parts)


def asks_for_logs(text: str) -> bool:
    """Whether the question may be one for `count` at all: it is cheap to ask."""
    if not _ENTRIES.search(text):
        return False
    return bool(_COUNTS.search(text)) or bool(_LISTS.search(text) and _period(text) != ("", ""))


def count(text: str, logs: Sequence[tuple[str, str, Document]]) -> Answer | None:
    """The answer over `(document_id, filename, document)`, or None when the question is another or
    no entry fits (then the usual way says whether the sources know)."""
    if not asks_for_logs(text):
        return None
    found = [entry for log in logs for entry in entries(*log)]
    wanted = _wanted(text, {entry.service.lower() for entry in found if entry.service})
    if not (wanted.level or wanted.service or wanted.codes or wanted.since or wanted.until):
        return None
    fitting = sorted((e for e in found if wanted.holds(e)), key=lambda e: e.at)
    if not fitting:
        return None
    return _counted(wanted, fitting) if _COUNTS.search(text) else _listed(wanted, fitting)


def _counted(wanted: _Wanted, fitting: Sequence[Entry]) -> Answer:
    first, last = fitting[0], fitting[-1]
    text = (
        f"There are {len(fitting)}{wanted.words()}: the first at {first.at}, the last at {last.at}."
    )
    if len(fitting) == 1:
        text = f"There is 1{wanted.words().replace('entries', 'entry')}: at {first.at}."
    shown = list(dict.fromkeys((first.source, last.source)))
    return Answer(
        True, "log_count", (Sentence(text, tuple(range(1, len(shown) + 1))),), tuple(shown)
    )


def _listed(wanted: _Wanted, fitting: Sequence[Entry]) -> Answer:
    """The kinds of message, most frequent first, each with its first line as proof."""
    kinds = Counter(_kind(entry) for entry in fitting)
    sentences, shown = [], []
    for kind, times in kinds.most_common(_SHOWN_MAX):
        entry = next(e for e in fitting if _kind(e) == kind)
        shown.append(entry.source)
        often = "once" if times == 1 else f"{times} times"
        text = f"{entry.level.upper()} {entry.service}: {entry.message} ({often})."
        sentences.append(Sentence(" ".join(text.split()), (len(shown),)))
    return Answer(True, "log_count", tuple(sentences), tuple(shown))


def _kind(entry: Entry) -> tuple[str, str, str]:
    found = CODE.search(entry.message)
    return entry.level, entry.service, found[0] if found else re.sub(r"\d+", "#", entry.message)


def _wanted(text: str, services: set[str]) -> _Wanted:
    low = re.sub(r"\berror codes?\b", "code", text.lower())
    level = next(
        (name for name, words in _LEVELS.items()
         if any(re.search(rf"\b{word}s?\b", low) for word in words)), "",
    )  # fmt: skip
    service = max((s for s in services if _names(low, s)), key=len, default="")
    bare = re.sub(re.escape(service), " ", text, flags=re.IGNORECASE) if service else text
    since, until = _period(text)
    times = {joined(t) for t in re.findall(_AT, text)}
    named = tuple(c for c in CODE.findall(bare) if joined(c) in codes(bare) - times)
    return _Wanted(level, service, named, since, until)


def _names(question: str, service: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", question) is not None


def _period(text: str) -> tuple[str, str]:
    if between := _BETWEEN.search(text):
        return between[1].replace(" ", "T"), between[2].replace(" ", "T")
    if on := _ON.search(text):
        return on[1], on[1]
    since, until = _SINCE.search(text), _UNTIL.search(text)
    return (
        since[1].replace(" ", "T") if since else "",
        until[1].replace(" ", "T") if until else "",
    )


def entries(document_id: str, filename: str, document: Document) -> Iterator[Entry]:
    """Log lines of a parsed log: its table where it has one, else lines that begin with a time."""
    for page in document.pages:
        tables = [t for t in page.tables if _columns(t) is not None]
        if not tables:
            yield from _lines(document_id, filename, page, 0, page.text)
        for table in tables:
            yield from _rows(document_id, filename, page, table)


def _columns(table: Table) -> tuple[int, int, int] | None:
    """Where time, level and service stand (-1: no such column); None for another table."""
    header = [cell.text.strip().lower() for cell in table.rows[0]] if table.rows else []

    def place(*names: str) -> int:
        return next((i for i, name in enumerate(header) if name in names), -1)

    time = place("timestamp", "time", "@timestamp", "ts", "datetime", "date", "at")
    level = place("level", "severity", "loglevel", "log_level", "lvl")
    service = place("service", "logger", "component", "app", "source")
    return (time, level, service) if time >= 0 and level >= 0 else None


def _rows(document_id: str, filename: str, page: Page, table: Table) -> Iterator[Entry]:
    places = _columns(table)
    assert places is not None
    time, level, service = places
    at = table.start
    for row, line in zip(table.rows, page.text[table.start : table.end].split("\n"), strict=False):
        cells = [cell.text for cell in row]
        stamp = _STAMP.search(cells[time]) if time < len(cells) else None
        if stamp and level < len(cells):
            others = (c for i, c in enumerate(cells) if i not in places and c)
            yield Entry(
                stamp[0].replace(" ", "T"),
                cells[level].strip().lower(),
                cells[service].strip() if 0 <= service < len(cells) else "",
                " ".join(others),
                Source(document_id, filename, page.number, at, at + len(line), line, page.sheet),
            )
        at += len(line) + 1


_LINE = re.compile(
    rf"^\s*\[?({_STAMP.pattern})\S*\]?\s+\[?(ERROR|ERR|WARN(?:ING)?|INFO|DEBUG|FATAL|CRITICAL)\]?"
    r"\s+\[?([\w.-]+)\]?:?\s*(.*)$",
    re.IGNORECASE,
)


def _lines(document_id: str, filename: str, page: Page, start: int, text: str) -> Iterator[Entry]:
    for line in text.split("\n"):
        if found := _LINE.match(line):
            source = Source(document_id, filename, page.number, start, start + len(line), line)
            yield Entry(found[1].replace(" ", "T"), found[2].lower(), found[3], found[4], source)
        start += len(line) + 1
