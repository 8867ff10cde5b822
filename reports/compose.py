"""Template + facts → report. Pure: the same facts give the same report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reports.facts import Proofs, bare, find
from reports.template import (
    ChartSpec,
    ColumnSpec,
    FiguresSpec,
    SectionSpec,
    TableSpec,
    Template,
    TextSpec,
    TileSpec,
)  # fmt: skip
from reports.value import (
    Branding,
    Chart,
    Column,
    KeyFigures,
    Paragraph,
    Report,
    Section,
    Series,
    Span,
    Table,
    Text,
    Tile,
    Value,
)  # fmt: skip
from reports.wording import clean, words

Facts = Mapping[str, Any]


def compose(
    template: Template,
    facts: Facts,
    branding: Branding | None = None,
    created_ms: int = 0,
    *,
    params: Mapping[str, Any] | None = None,
    title: str = "",
) -> Report:
    """`facts` is plain JSON. A figure there is a scalar, or `{value, source | sources}` with
    sources as in `core.documents.Source`. Amounts are decimal strings, dates ISO 8601, percents
    fractions.
    """
    proofs = Proofs()
    given = {name: spec.default for name, spec in template.parameters.items()} | dict(params or {})
    scopes = {**facts, "facts": facts, "params": given}
    # Sections first: sources are numbered in the order in which a reader meets them.
    heading = "".join(span.text for span in proofs.text(title or template.title, scopes))
    sections = tuple(
        section for spec in template.sections for section in _section(spec, scopes, proofs)
    )
    subtitle = "".join(span.text for span in proofs.text(template.subtitle, scopes))
    shown = tuple(
        (clean(spec.title or name), clean(str(given[name])))
        for name, spec in template.parameters.items() if given[name] not in ("", None)
    )  # fmt: skip
    return Report(heading, created_ms, branding or Branding(), subtitle, template.name, shown,
                  sections, tuple(proofs.sources), proofs.withheld)  # fmt: skip


def _section(spec: SectionSpec, scopes: Facts, proofs: Proofs) -> Iterator[Section]:
    if spec.when and not bare(find(scopes, spec.when)):
        return
    if isinstance(spec, TextSpec):
        yield _text(spec, scopes, proofs)
    elif isinstance(spec, FiguresSpec):
        yield _figures(spec, scopes, proofs)
    elif isinstance(spec, TableSpec):
        yield _table(spec, scopes, proofs)
    else:
        yield from _charts(spec, scopes, proofs)


def _rows(scopes: Facts, path: str) -> list[Any]:
    found = bare(find(scopes, path))
    if isinstance(found, Mapping):
        return [{"key": key, "value": value} for key, value in found.items()]
    return list(found) if isinstance(found, list | tuple) else []


def _text(spec: TextSpec, scopes: Facts, proofs: Proofs) -> Text:
    items = [{}] if spec.each is None else [{"item": row} for row in _rows(scopes, spec.each)]
    paragraphs = [_paragraph(spec, {**scopes, **item}, proofs) for item in items]
    kept = tuple(p for p in paragraphs if p.spans or p.heading)
    return Text(spec.title, kept, "" if kept else spec.empty)


def _paragraph(spec: TextSpec, scopes: Facts, proofs: Proofs) -> Paragraph:
    heading = "".join(span.text for span in proofs.text(spec.heading, scopes))
    if spec.sentences:
        proven = _sentences(_rows(scopes, spec.sentences), proofs)
    else:
        proven = proofs.text(spec.text, scopes)
    if spec.sources and proven:
        numbers = proofs.numbers({"sources": find(scopes, spec.sources)})
        proven = (*proven[:-1], replace(proven[-1], sources=numbers)) if numbers else ()
    # A sentence without a source is not a finding; the template's own words say what is missing.
    return Paragraph(proven or proofs.text(spec.empty, scopes), heading)


def _sentences(rows: list[Any], proofs: Proofs) -> tuple[Span, ...]:
    spans = [
        Span(clean(str(row["text"])).strip() + " ", proofs.numbers(row))
        for row in rows if isinstance(row, Mapping) and row.get("text")
    ]  # fmt: skip
    proven = tuple(span for span in spans if span.sources)
    proofs.withheld += len(spans) - len(proven)
    return proven


def _figures(spec: FiguresSpec, scopes: Facts, proofs: Proofs) -> KeyFigures:
    return KeyFigures(
        spec.title, tuple(tile for each in spec.tiles for tile in _tiles(each, scopes, proofs))
    )


def _tiles(spec: TileSpec, scopes: Facts, proofs: Proofs) -> Iterator[Tile]:
    items = [{}] if spec.each is None else [{"item": row} for row in _rows(scopes, spec.each)]
    for item in items:
        scope = {**scopes, **item}
        label = "".join(span.text for span in proofs.text(spec.label, scope))
        currency = find(scope, spec.currency) if spec.currency else None
        value = proofs.value(find(scope, spec.source), spec.format, currency=currency,
                             computed=spec.computed)  # fmt: skip
        note = "".join(span.text for span in proofs.text(spec.computed, scope))
        yield Tile(label, value, "" if value.sources else note)


def _table(spec: TableSpec, scopes: Facts, proofs: Proofs) -> Table:
    rows = _rows(scopes, spec.source)
    columns = spec.columns or _guessed(rows)
    shown = tuple(Column(c.title, c.format, c.computed, c.weight) for c in columns)
    filled = tuple(tuple(_cell(column, row, proofs) for column in columns) for row in rows)
    return Table(spec.title, shown, filled, spec.role, spec.empty, spec.note)


def _guessed(rows: list[Any]) -> tuple[ColumnSpec, ...]:
    keys: dict[str, None] = {}
    for row in rows[:200]:
        if isinstance(row, Mapping):
            keys.update(dict.fromkeys(str(key) for key in row))
    # Keys are data, not paths: they may hold dots and spaces, so they are looked up as they are.
    return tuple(
        ColumnSpec.model_construct(field=key, title=key.replace("_", " ").capitalize())
        for key in list(keys)[:24]
    )


def _cell(column: ColumnSpec, row: Any, proofs: Proofs) -> Value:
    exact = isinstance(row, Mapping) and column.field in row
    fact = row[column.field] if exact else find(row, column.field)
    if column.sources:
        fact = {"value": bare(fact), "sources": find(row, column.sources)}
    currency = find(row, column.currency) if column.currency else None
    value = proofs.value(fact, column.format, currency=currency, computed=column.computed,
                         tones=column.tones)  # fmt: skip
    claimed = column.proven is not None and bool(bare(find(row, column.proven)))
    if claimed and value.value is not None and not value.sources:
        proofs.withheld += 1
        return Value(column.format, None)
    if isinstance(value.value, str) and value.value in column.words:
        return replace(value, value=column.words[value.value])
    return value


def _charts(spec: ChartSpec, scopes: Facts, proofs: Proofs) -> Iterator[Chart]:
    groups: dict[str, list[Any]] = {}
    for row in _rows(scopes, spec.source):
        unit = str(bare(find(row, spec.split)) or "") if spec.split else spec.unit
        groups.setdefault(clean(unit), []).append(row)
    for unit, rows in groups.items():
        title = f"{spec.title} ({unit})" if spec.split and unit else spec.title
        yield _chart(spec, title, unit, rows, proofs)


def _chart(spec: ChartSpec, title: str, unit: str, rows: list[Any], proofs: Proofs) -> Chart:
    points = [
        (_label(spec, find(row, spec.label), proofs),
         [_point(spec, unit, find(row, series.field), proofs) for series in spec.series])
        for row in rows
    ]  # fmt: skip
    if spec.chart != "line":
        points = _largest(points, spec.top)
    series = tuple(
        Series(clean(s.title or s.field), tuple(values[index] for _, values in points))
        for index, s in enumerate(spec.series)
    )
    return Chart(title, spec.chart, tuple(label for label, _ in points), series, unit,
                 spec.computed)  # fmt: skip


def _label(spec: ChartSpec, fact: Any, proofs: Proofs) -> str:
    label = words(proofs.value(fact, "text"))
    return spec.words.get(label, label)


def _point(spec: ChartSpec, unit: str, fact: Any, proofs: Proofs) -> Value:
    value = proofs.value(fact, spec.format, currency=unit, computed=spec.computed)
    return value if isinstance(value.value, Decimal) else Value(spec.format, None)


def _amount(value: Value) -> Decimal:
    return value.value if isinstance(value.value, Decimal) else Decimal(0)


def _largest(points: list[tuple[str, list[Value]]], top: int) -> list[tuple[str, list[Value]]]:
    """The `top` labels by their sum, largest first; the rest becomes one label."""
    ranked = sorted(points, key=lambda point: -sum(_amount(value) for value in point[1]))
    if len(ranked) <= top:
        return ranked
    kept, rest = ranked[: top - 1], ranked[top - 1 :]
    totals = [
        Value(column[0].kind, sum((_amount(value) for value in column), Decimal(0)),
              column[0].currency, tuple(sorted({n for value in column for n in value.sources})))
        for column in zip(*(values for _, values in rest), strict=True)
    ]  # fmt: skip
    return [*kept, (f"Other ({len(rest)})", totals)]
