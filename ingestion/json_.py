"""JSON and JSON lines as text that can be cited: one line per value, records as tables, logs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from core.documents import Cell, Document
from core.errors import Unfinishable
from ingestion.decoding import decode_named
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line, tidy

_TIME = {"timestamp", "time", "@timestamp", "ts", "datetime", "date"}
_LEVEL = {"level", "severity", "loglevel", "log_level", "lvl"}
_MESSAGE = {"message", "msg", "event", "error", "text"}
_TITLE = ("title", "name", "subject", "id")
_NAMES_MAX, _NAMES_TOLD = 1_000, 10  # that are counted, that a warning tells
_LONG = 2**20  # characters above which records are read one by one
_SPACE = re.compile(r"[ \t\n\r]*")


def read(data: bytes, limits: Limits) -> Document:
    text, encoding = decode_named(data)
    doubled = _Doubled()
    value, warnings = _load(tidy(text), limits.cells, doubled)
    warnings += doubled.told()
    _check_depth(value, limits.depth * 4)
    page = PageText()
    records = _records(value)
    if records:
        kept = _fitting(records, limits.cells)
        if len(kept) < len(records):
            warnings.append(f"Only the first {len(kept)} of {len(records)} records were read.")
            value = records = kept
    log = bool(records) and is_log(records)
    if log:
        _add_log(page, records)
    elif records and _is_flat(records):
        _add_table(page, records)
    else:
        _add_value(page, value)
    done = page.page(1)
    title = value.get("title") or value.get("name") if isinstance(value, dict) else None
    metadata: dict[str, Any] = {"encoding": encoding}
    if records:
        metadata["records"] = len(records)
    return Document(
        "json", (done,), title=str(title)[:300] if title else None,
        document_type="log" if log else "other", metadata=metadata, warnings=tuple(warnings),
    )  # fmt: skip


def _fitting(records: list[dict[str, Any]], cells: int) -> list[dict[str, Any]]:
    return records[: max(1, cells // max(1, len(_columns(records))))]


class _Doubled:
    """Names that stand several times in one object. The last value is kept, as other programs do:
    what they act on is what is shown."""

    def __init__(self) -> None:
        self._names: Counter[str] = Counter()

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs) and len(self._names) < _NAMES_MAX:
            times = Counter(name for name, _ in pairs)
            self._names.update(name for name, count in times.items() if count > 1)
        return found

    def forget(self) -> None:
        self._names.clear()

    def told(self) -> list[str]:
        return [
            f"The name {one_line(name)[:80]!r} stands more than once in one object "
            f"({count} objects); the last value was kept."
            for name, count in self._names.most_common(_NAMES_TOLD)
        ]


def _load(text: str, values: int, doubled: _Doubled) -> tuple[Any, list[str]]:
    """The whole value; of a long list or of lines the first records that hold so many `values`,
    one by one, since a list in memory takes ten times its text."""
    if len(text) > _LONG and text.lstrip()[:1] == "[":
        return _counted(_items(text, doubled), values)
    if len(text) > _LONG and _first_line_is_whole(text):
        return _load_lines(text, ValueError("lines"), values, doubled)
    try:
        return json.loads(text, parse_constant=str, object_pairs_hook=doubled), []
    except RecursionError as error:
        raise Unfinishable("The JSON is nested too deeply.", code="too_many_parts") from error
    except ValueError as whole:
        doubled.forget()  # what was counted on the way is counted anew
        return _load_lines(text, whole, values, doubled)


def _first_line_is_whole(text: str) -> bool:
    first = text.lstrip().split("\n", 1)
    try:
        json.loads(first[0][:_LONG])
    except (ValueError, RecursionError):
        return False
    return len(first) > 1


def _items(text: str, doubled: _Doubled) -> Iterator[Any]:
    """The elements of a list, each read when the one before it was taken."""
    decoder = json.JSONDecoder(parse_constant=str, object_pairs_hook=doubled)
    at = _after_space(text, text.index("[") + 1)
    while text[at : at + 1] != "]":
        try:
            item, at = decoder.raw_decode(text, at)
        except RecursionError as error:
            raise Unfinishable("The JSON is nested too deeply.", code="too_many_parts") from error
        except ValueError as error:
            raise Unfinishable(f"The file is not valid JSON: {error}", code="corrupted") from error
        yield item
        at = _after_space(text, at)
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        elif text[at : at + 1] != "]":
            raise Unfinishable("The file is not valid JSON: it is cut off.", code="corrupted")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _counted(items: Iterator[Any], values: int) -> tuple[list[Any], list[str]]:
    taken: list[Any] = []
    for item in items:
        values -= len(item) if isinstance(item, (dict, list)) else 1
        if values < 0 and taken:
            return taken, [f"Only the first {len(taken)} records were read: there are too many."]
        taken.append(item)
    return taken, []


def _load_lines(
    text: str, whole: ValueError, values: int, doubled: _Doubled
) -> tuple[list[Any], list[str]]:
    warnings: list[str] = []
    records, cut = _counted(_lines(text, warnings, doubled), values)
    if len(warnings) > len(records) or not records:
        raise Unfinishable(f"The file is not valid JSON: {whole}", code="corrupted") from whole
    return records, [*warnings[:20], *cut]


def _lines(text: str, warnings: list[str], doubled: _Doubled) -> Iterator[Any]:
    at, number = 0, 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line, at, number = text[at:end], end + 1, number + 1
        if not line.strip():
            continue
        try:
            yield json.loads(line, parse_constant=str, object_pairs_hook=doubled)
        except (ValueError, RecursionError):
            warnings.append(f"Line {number} is not JSON and was left out.")


def _check_depth(value: Any, left: int) -> None:
    level = [value]
    while level:
        if left == 0:
            raise Unfinishable("The JSON is nested too deeply.", code="too_many_parts")
        left -= 1
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]


def _records(value: Any) -> list[dict[str, Any]]:
    """The list of objects that the file is, or holds as its only list."""
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v]
        rest = [v for v in value.values() if isinstance(v, dict)]
        value = lists[0] if len(lists) == 1 and not rest and len(value) <= 3 else []
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return value
    return []


def is_log(records: list[dict[str, Any]]) -> bool:
    """Most records have a time, a level and a message."""

    def keys(record: dict[str, Any]) -> set[str]:
        return {str(key).lower() for key in record}

    hits = sum(
        bool(keys(r) & _TIME) and bool(keys(r) & _LEVEL) and bool(keys(r) & _MESSAGE)
        for r in records[:100]
    )
    return hits * 2 > min(len(records), 100)


def _add_log(page: PageText, records: list[dict[str, Any]]) -> None:
    """A line per entry, `time level service message key=value …`, and the same as a table."""
    columns = _columns(records)
    lead = (_TIME, _LEVEL, {"service", "logger", "component", "app"}, _MESSAGE)
    first = [next((c for c in columns if c.lower() in names), None) for names in lead]
    order = [c for c in dict.fromkeys(first) if c is not None]
    order += [c for c in columns if c not in order]
    _add_rows(page, records, order)


def _columns(records: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(key) for record in records for key in record))[:100]


def _is_flat(records: list[dict[str, Any]]) -> bool:
    """Short values only: a table of them can be read. Long texts are better one by one."""
    values = [v for record in records[:200] for v in record.values()]
    nested = sum(isinstance(v, (dict, list)) for v in values)
    long = sum(isinstance(v, str) and (len(v) > 200 or "\n" in v) for v in values)
    return nested + long == 0


def _add_table(page: PageText, records: list[dict[str, Any]]) -> None:
    _add_rows(page, records, _columns(records))


def _add_rows(page: PageText, records: list[dict[str, Any]], columns: list[str]) -> None:
    rows = [[Cell(name, 0, col, name) for col, name in enumerate(columns)]]
    for row, record in enumerate(records, 1):
        rows.append([_cell(record.get(name), row, col) for col, name in enumerate(columns)])
    page.add_table(rows)


def _cell(value: Any, row: int, col: int) -> Cell:
    if value is None:
        return Cell("", row, col, None, "empty")
    if isinstance(value, bool):
        return Cell(scalar(value), row, col, value, "bool")
    if isinstance(value, (int, float)):
        fits = not isinstance(value, int) or abs(value) < 2**63
        return Cell(scalar(value), row, col, value if fits else str(value), "number")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Cell(one_line(text), row, col, text)


def scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _add_value(page: PageText, value: Any, path: str = "", level: int = 1) -> None:
    """Objects as `key: value` lines under headings, so that a line can be quoted by itself."""
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value) and _is_flat(value):
            if path:
                page.add("heading", path, level)
            _add_table(page, value)
            return
        for number, item in enumerate(value, 1):
            name = _name(item) if isinstance(item, dict) else ""
            _add_value(page, item, name or f"{path} {number}".strip(), level)
        return
    if not isinstance(value, dict):
        page.add("paragraph", f"{path}: {scalar(value)}" if path else scalar(value))
        return
    if path:
        page.add("heading", path, level)
    _add_object(page, value, level)


def _add_object(page: PageText, value: dict[str, Any], level: int) -> None:
    """Plain values first, so that they stand under their own heading and not under a child's."""
    nested = {}
    lines = []
    for key, inner in value.items():
        if not isinstance(inner, (dict, list)):
            lines.append(f"{key}: {scalar(inner)}")
        elif isinstance(inner, list) and not any(isinstance(i, (dict, list)) for i in inner):
            lines.append(f"{key}: " + "; ".join(scalar(item) for item in inner))
        else:
            nested[str(key)] = inner
    page.add("paragraph", "\n".join(lines))
    for key, inner in nested.items():
        _add_value(page, inner, key, min(level + 1, 6))


def _name(record: dict[str, Any]) -> str:
    return next((one_line(str(record[k]))[:120] for k in _TITLE if record.get(k)), "")
