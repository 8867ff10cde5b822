"""Reading facts: paths, figures with their sources, and `${…}` in texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.documents import Source
from reports.value import FIGURE_KINDS, Kind, Span, Tone, Value
from reports.wording import clean, words

_SLOT = re.compile(r"\$\{\s*([\w-]+(?:\.[\w-]+)*)\s*(?:\|\s*(\w+)\s*)?\}")
_TONES: dict[str, Tone] = {
    **dict.fromkeys(("ok", "good", "paid", "matched", "ready", "passed", "yes", "answered",
                     "true"), "good"),
    **dict.fromkeys(("warning", "warn", "medium", "due", "partial", "pending", "unpaid",
                     "unmatched", "unanswered"), "warn"),
    **dict.fromkeys(("error", "bad", "failed", "overdue", "critical", "high", "duplicate", "no",
                     "missing", "mismatch", "false"), "bad"),
    **dict.fromkeys(("info", "low", "note", "notice"), "info"),
}  # fmt: skip


def find(scope: Any, path: str) -> Any:
    """`a.b.0.c`, or `count` of a list; None where the way ends early."""
    for part in path.split("."):
        if isinstance(scope, Mapping):
            scope = scope.get(part)
        elif isinstance(scope, Sequence) and not isinstance(scope, str):
            scope = _element(scope, part)
        else:
            return None
    return scope


def _element(items: Sequence[Any], part: str) -> Any:
    if part == "count":
        return len(items)
    return items[int(part)] if part.isdecimal() and int(part) < len(items) else None


def bare(fact: Any) -> Any:
    """The value of a fact, whether or not it came with its source."""
    return fact["value"] if isinstance(fact, Mapping) and "value" in fact else fact


@dataclass
class Proofs:
    """Numbers sources in the order of their first use, and counts what had none."""

    sources: list[Source] = field(default_factory=list)
    withheld: int = 0
    _numbers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def numbers(self, fact: Any) -> tuple[int, ...]:
        """The numbers of a fact's `source`, `sources` or `citations`, or of a source itself."""
        if not isinstance(fact, Mapping):
            return ()
        found = fact.get("sources") or fact.get("citations") or fact.get("source")
        if found is None and "document_id" in fact and "quote" in fact:
            found = fact
        listed = [found] if isinstance(found, Mapping) else list(found or ())
        numbers = [self._number(item) for item in listed if isinstance(item, Mapping)]
        return tuple(dict.fromkeys(number for number in numbers if number))

    def _number(self, item: Mapping[str, Any]) -> int | None:
        if "source" in item and isinstance(item["source"], Mapping):
            item = item["source"]
        source = _source(item)
        if source is None:
            return None
        key = (source.document_id, source.page, source.start, source.end,
               source.sheet, source.cells)  # fmt: skip
        if key not in self._numbers:
            self.sources.append(source)
            self._numbers[key] = len(self.sources)
        return self._numbers[key]

    def value(
        self, fact: Any, kind: Kind, *, currency: Any = None, computed: str = "",
        tones: Mapping[str, Tone] | None = None,
    ) -> Value:  # fmt: skip
        """A figure without a source that is not computed is withheld."""
        sources = self.numbers(fact)
        raw = bare(fact)
        if kind == "source":
            label = self.sources[sources[0] - 1].label() if sources else None
            return Value("source", label, sources=sources)
        if raw is None or raw == "":
            return Value(kind, None)
        if kind in FIGURE_KINDS and not sources and not computed:
            self.withheld += 1
            return Value(kind, None)
        held = _typed(raw, kind)
        if isinstance(held, str) and kind in FIGURE_KINDS:
            return Value("text", held, sources=sources)
        unit = bare(currency) or (fact.get("currency") if isinstance(fact, Mapping) else None)
        return Value(kind, held, clean(str(unit or ""))[:8] if kind == "money" else "", sources,
                     _tone(held, kind, tones or {}))  # fmt: skip

    def text(self, template: str, scopes: Mapping[str, Any]) -> tuple[Span, ...]:
        """`${path}` and `${path|money}` filled in, each with the sources of what it names."""
        spans: list[Span] = []
        position = 0
        for slot in _SLOT.finditer(template):
            spans.append(Span(template[position : slot.start()]))
            spans.append(self._filled(slot[1], slot[2], scopes))
            position = slot.end()
        spans.append(Span(template[position:]))
        return tuple(span for span in spans if span.text)

    def _filled(self, path: str, kind: str | None, scopes: Mapping[str, Any]) -> Span:
        fact = find(scopes, path)
        if isinstance(bare(fact), Mapping | list | tuple):
            fact = len(bare(fact))
        known: Kind = kind if kind in ("money", "date", "percent", "number") else "text"  # type: ignore[assignment]
        value = self.value(fact, known, computed="text")
        return Span(words(value), value.sources)


def _typed(raw: Any, kind: Kind) -> str | Decimal | date:
    if kind in ("money", "number", "percent"):
        return _decimal(raw)
    if kind == "date":
        return _date(str(raw))
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, list | tuple):
        return clean(", ".join(str(bare(item)) for item in raw))
    return clean(str(raw))


def _decimal(raw: Any) -> str | Decimal:
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation:
        return clean(str(raw))
    fits = number.is_finite() and abs(number.adjusted()) < 30
    return number if fits else clean(str(raw))


def _date(raw: str) -> str | date:
    try:
        return datetime.fromisoformat(raw).date() if "T" in raw else date.fromisoformat(raw)
    except ValueError:
        return clean(raw)


def _tone(held: object, kind: Kind, tones: Mapping[str, Tone]) -> Tone:
    if kind != "status":
        return "neutral"
    word = str(held)
    return tones.get(word) or _TONES.get(word.lower(), "neutral")


def _source(item: Mapping[str, Any]) -> Source | None:
    if "document_id" not in item:
        return None
    sheet, cells = item.get("sheet"), item.get("cells")
    return Source(
        str(item["document_id"]), clean(str(item.get("filename") or item["document_id"])),
        int(item.get("page") or 1), int(item.get("start") or 0), int(item.get("end") or 0),
        clean(str(item.get("quote") or "")), clean(str(sheet)) if sheet else None,
        clean(str(cells)) if cells else None,
    )  # fmt: skip
