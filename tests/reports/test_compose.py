from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import InvalidInput, NotFound
from reports import builtin, builtin_names, compose, parse
from reports.value import Chart, KeyFigures, Report, Table, Text, Value
from tests.reports.samples import CREATED_MS, digest_facts, invoice_report, source


def _table(report: Report, role: str) -> Table:
    return next(table for table in report.tables if table.role == role)


def _rows_template(columns: str) -> str:
    return f"name: t\ntitle: T\nsections:\n  - kind: table\n    title: R\n    from: rows\n{columns}"


def test_every_built_in_template_is_valid() -> None:
    assert {builtin(name).name for name in builtin_names()} == set(builtin_names())
    assert set(builtin_names()) >= {"invoice-review", "support-digest", "table"}
    with pytest.raises(NotFound):
        builtin("../../etc/passwd")


def test_every_figure_of_the_documents_table_names_its_source() -> None:
    report = invoice_report()
    table = _table(report, "main")
    figures = [v for row in table.rows for v in row if isinstance(v.value, Decimal)]
    assert len(figures) == 18
    for value in figures:
        quote = report.sources[value.sources[0] - 1].quote
        assert Decimal(quote) == value.value
    assert report.withheld == 0


def test_a_source_used_twice_is_listed_once_and_numbers_follow_first_use() -> None:
    report = invoice_report()
    places = [(s.document_id, s.start, s.sheet, s.cells) for s in report.sources]
    assert len(places) == len(set(places))
    first = _table(report, "exceptions").rows[0]
    assert next(value.sources for value in first if value.sources) == (1, 2)


def test_a_figure_without_a_source_or_computation_is_withheld() -> None:
    template = parse(_rows_template(
        "    columns:\n      - {field: a, title: A, format: money, currency: c}\n"
        "      - {field: b, title: B, format: number, computed: the rows}\n"
    ))  # fmt: skip
    proven = {"value": "2", "source": source("d", "2")}
    facts = {"rows": [{"a": "1", "b": "5", "c": "EUR"}, {"a": proven, "b": 7, "c": "EUR"}]}
    report = compose(template, facts)
    (table,) = report.tables
    assert table.rows[0] == (Value("money", None), Value("number", Decimal(5)))
    assert table.rows[1][0] == Value("money", Decimal(2), "EUR", (1,))
    assert report.withheld == 1


def test_an_answer_without_citations_is_not_printed() -> None:
    report = compose(builtin("support-digest"), digest_facts(), None, CREATED_MS)
    text = next(section for section in report.sections if isinstance(section, Text))
    printed = ["".join(span.text for span in paragraph.spans) for paragraph in text.paragraphs]
    assert printed == [
        "Restart the settlement worker, then replay the batch.",
        "The documents do not answer this question.",
        "The documents do not answer this question.",
    ]
    assert text.paragraphs[0].spans[0].sources == (1,)
    answers = [row[2].value for row in _table(report, "main").rows]
    assert answers[1:] == ["The sources do not say.", None]
    assert report.withheld == 1


def test_facts_of_another_shape_give_an_empty_report_not_a_crash() -> None:
    for facts in ({}, {"documents": 7, "totals": "x"}, {"documents": [None, 1, "a"]}):
        report = compose(builtin("invoice-review"), facts)
        assert report.title == "Invoice review"


def test_charts_are_split_by_currency_and_keep_the_largest_labels() -> None:
    template = parse(
        "name: t\ntitle: T\nsections:\n  - {kind: chart, title: By, from: rows, label: l, top: 3,"
        " split: c, format: money, computed: rows, series: [{field: v}]}\n"
    )
    rows = [{"l": f"L{i}", "v": i, "c": "EUR" if i else "USD"} for i in range(6)]
    charts = [s for s in compose(template, {"rows": rows}).sections if isinstance(s, Chart)]
    assert [chart.title for chart in charts] == ["By (USD)", "By (EUR)"]
    assert charts[1].labels == ("L5", "L4", "Other (3)")
    assert [v.value for v in charts[1].series[0].values] == [Decimal(5), Decimal(4), Decimal(6)]


def test_tiles_can_stand_for_each_item() -> None:
    figures = next(s for s in invoice_report().sections if isinstance(s, KeyFigures))
    last = figures.tiles[-1]
    assert (last.label, last.value.currency) == ("Invoiced in EUR", "EUR")
    assert last.computed == "the totals of 6 documents"


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("name: Bad Name\ntitle: T\nsections: [{kind: table, title: R, from: r}]\n", 1, "name"),
        (_rows_template("    columns:\n      - {field: a, title: A, format: euro}\n"), 8,
         "sections.0.columns.0.format"),
        (_rows_template("    colums: []\n"), 7, "sections.0.colums"),
        ("name: t\ntitle: T\nsections:\n  - kind: pie\n", 4, "sections.0"),
        ("name: t\ntitle: [\n", 3, ""),
        ("- a\n- b\n", 1, ""),
    ],
)  # fmt: skip
def test_a_bad_template_is_refused_with_line_and_field(text: str, line: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert caught.value.slug == "bad_template"
    fault = caught.value.extra["errors"][0]
    assert (fault["line"], fault["field"]) == (line, field)


def test_a_template_cannot_unfold_yaml_aliases() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nname: t\ntitle: T\nsections: []\n"
    with pytest.raises(InvalidInput, match="aliases"):
        parse(bomb)
