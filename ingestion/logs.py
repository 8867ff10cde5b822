"""Log files: a row per record with time, level, service, code and message, and the kinds of
message with how often each stands there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.documents import Cell, Document, Page
from ingestion import json_, text
from ingestion.decoding import decode_named
from ingestion.limits import Limits
from ingestion.log_lines import Entry, code_in, entry_of, template_of
from ingestion.page_text import PageText, one_line, tidy
from ingestion.text_marks import is_json

_COLUMNS = ("time", "level", "service", "code", "message", "template")
_KINDS = ("template", "message", "level", "service", "times", "first", "last")
_RECORD_MAX = 4_000  # characters of a record with its trace
_KINDS_MAX = 500
_JOIN = " ↵ "
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def read(data: bytes, limits: Limits) -> Document:
    """Two pages: the records, and their kinds. Plain text where it is no log after all."""
    whole, encoding = decode_named(data)
    whole = tidy(whole)
    first = next((line for line in whole.split("\n", 50) if line.strip()), "")
    if is_json(first):
        return replace(json_.read(data, limits), format="log")
    lead, found = _entries(whole)
    if not found:
        return replace(text.read(data, limits), format="log")
    return _document(lead, _named(found), encoding, limits)


def _document(lead: str, found: list[Entry], encoding: str, limits: Limits) -> Document:
    extra = tuple(dict.fromkeys(key for one in found[:1000] for key, _ in one.more))[:20]
    most = limits.cells // (len(_COLUMNS) + len(extra))
    warnings: tuple[str, ...] = ()
    if len(found) > most:
        warnings = (f"Only the first {most} of {len(found)} records were read.",)
        found = found[:most]
    kinds = _Kinds()
    page = PageText()
    page.add("paragraph", lead)
    rows = [_row(0, [*_COLUMNS, *extra])]
    for number, entry in enumerate(found, 1):
        rows.append(_entry_row(number, entry, kinds.name(entry), extra))
    page.add_table(rows)
    metadata = {"encoding": encoding, "records": len(found), "kinds": len(kinds.seen)}
    return Document(
        "log", (page.page(1), kinds.page(2)), document_type="log", metadata=metadata,
        warnings=warnings,
    )  # fmt: skip


def _entries(whole: str) -> tuple[str, list[Entry]]:
    """What stands before the first record, and the records with the lines that belong to them.
    None where most lines that begin anything are not records."""
    lead: list[str] = []
    found: list[Entry] = []
    loose = 0
    for entry, lines in _records(whole):
        if entry is None:
            loose += 1
            lead += lines
        else:
            found.append(_joined(entry, lines[1:]))
    return ("", []) if loose > len(found) else ("\n".join(lead)[:20_000], found)


def _records(whole: str) -> Iterator[tuple[Entry | None, list[str]]]:
    """Records with their lines: those that go on are indented, or parts of a trace, or simply
    begin no other."""
    entry: Entry | None = None
    lines: list[str] = []
    for line in whole.split("\n"):
        line = line.rstrip()
        if not line:
            continue
        goes_on = line[0].isspace() or _TRACE.match(line)
        begun = None if goes_on else entry_of(line)
        if begun is None and entry is not None:
            lines.append(line)
            continue
        if lines:
            yield entry, lines
        entry, lines = begun, [line]
    if lines:
        yield entry, lines


_TRACE = re.compile(
    r"Traceback \(most recent|(?:[\w$]+\.)+[\w$]+(?:Exception|Error)\b|Caused by:|\.\.\. \d+ more"
    r"|goroutine \d+|During handling of|The above exception"
)


def _joined(entry: Entry, tail: list[str]) -> Entry:
    if not tail:
        return replace(entry, code=entry.code or code_in(entry.message))
    told = _JOIN.join([entry.message, *(one_line(line) for line in tail)])
    code = entry.code or code_in(entry.message) or code_in("\n".join(tail[-1:] + tail[:1]))
    return replace(entry, message=told[:_RECORD_MAX], code=code)


def _named(found: list[Entry]) -> list[Entry]:
    """Where the word after the level is one of few, it names the service."""
    bare = [one for one in found if one.level and not one.service]
    words = [one.message.split(" ", 1)[0] for one in bare]
    names = {
        w for w, n in Counter(words).items()
        if re.fullmatch(r"[a-z][\w./-]*\w", w) and (n > 1 or re.search(r"[-_./]", w))
    }  # fmt: skip
    told = sum(word in names for word in words)
    hyphened = sum(bool(re.search(r"[-_./]", word)) for word in words if word in names)
    few = len(names) <= max(3, len(bare) // 4)
    if not bare or told < 0.8 * len(bare) or not (few or hyphened * 2 > told):
        return found
    return [_split(one, names) for one in found]


def _split(entry: Entry, names: set[str]) -> Entry:
    word, _, rest = entry.message.partition(" ")
    if entry.service or word not in names:
        return entry
    return replace(entry, service=word, message=rest)


def _row(number: int, texts: list[str]) -> list[Cell]:
    return [Cell(one, number, col, one) for col, one in enumerate(texts)]


def _entry_row(number: int, entry: Entry, kind: str, extra: tuple[str, ...]) -> list[Cell]:
    more = dict(entry.more)
    texts = [entry.at, entry.level, entry.service, entry.code, entry.message, kind,
             *(more.get(name, "") for name in extra)]  # fmt: skip
    return [_cell(one_line(told), number, col) for col, told in enumerate(texts)]


def _cell(told: str, row: int, col: int) -> Cell:
    if not told:
        return Cell("", row, col, None, "empty")
    if col == 0 and _ISO.match(told):
        return Cell(told, row, col, told, "date")
    if (col == 3 or col >= len(_COLUMNS)) and re.fullmatch(r"\d{1,15}", told):
        return Cell(told, row, col, int(told), "number")
    return Cell(told, row, col, told)


@dataclass
class _Kind:
    name: str
    entry: Entry
    times: int
    last: str


class _Kinds:
    """Kinds of message in the order in which they came."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str, str], _Kind] = {}

    def name(self, entry: Entry) -> str:
        told = template_of(entry.message.split(_JOIN, 1)[0])
        key = (entry.level, entry.service, told)
        kind = self.seen.get(key)
        if kind is None:
            kind = _Kind(f"T{len(self.seen) + 1}", replace(entry, message=told), 0, "")
            self.seen[key] = kind
        kind.times += 1
        kind.last = entry.at
        return kind.name

    def page(self, number: int) -> Page:
        page = PageText()
        page.add("heading", "Kinds of message", 1)
        rows = [_row(0, list(_KINDS))]
        often = sorted(self.seen.values(), key=lambda kind: -kind.times)[:_KINDS_MAX]
        for at, kind in enumerate(often, 1):
            e = kind.entry
            rows.append(_row(at, [kind.name, one_line(e.message), e.level, e.service]))
            rows[-1] += [Cell(str(kind.times), at, 4, kind.times, "number"),
                         *(Cell(t, at, 5 + n, t, "date" if _ISO.match(t) else "text")
                           for n, t in enumerate((e.at, kind.last)))]  # fmt: skip
        page.add_table(rows)
        return page.page(number)
