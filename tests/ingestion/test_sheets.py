"""ODS and XLS give the same cells as XLSX; what they claim is not believed."""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from core.documents import Cell, Document
from core.errors import Unfinishable
from ingestion import Limits, ods, xls, xlsx
from ingestion.sandbox import parse
from ingestion.sheet_xml import marks_of, moved
from tests.ingestion import builders

_NS = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)
# Two sheets made with xlwt 1.3: `Main` with a date, a euro, a truth and a formula column, row 3 and
# column C hidden, A5:B5 merged; `Hid` hidden.
_XLS = zlib.decompress(base64.b85decode(
    'c-'
    'rk)O=wd=5dL=i^4F$K(zHS=#L#N0wUvs3UfQTc>m{}7!GAP0K}t21P{AM6YRyRm(Uan(Pz6D%Ui`ry;?09l(Ssle'
    't>Vd(px~kHb9VAxO=E=yYN6qMVP|(|cXnoXXJ<F>?TBx5@L}y3^3aA7OzJM!b9jQ1%dB`o?YgdtX6~e<TUbzVIcX'
    '#9HashT<4}93_InHx542ZAfzOoo<2X8clZoIwViVgC6Uv5Gp^@)N+@e&08n&yF>0zdRruVt;bEX@ZbA@Ru^&J&^F'
    '%s@*TyOaCZdu1|6+{Idv&={4tVT6nD?dJeRb>0xurbvgJ6bFa0nLpe&|bGEl8Kb6dvF`2z#c+#G};`A1hfX+fe)e'
    '{O{k||3szBTK@j_}6!(J7SWC5aIDk=9k;@F>ryc};n6V)fwD|MO7qmC{HJ$JH2j5BiJrmzWo1V|VE;XPZ`XQkXN*'
    'ZpQ(Nv3uXskP#Mj0}8<y<A$+8rN919=%ZQLjj>FHr*QJaLQ;*0vt%7fqy&B;w?cCri~;!lB1IE%cQ0fpim%!^34C'
    'A4@M;J%0E5yJ%Nu_#kuo`MOcM1(qo*q2q#*aGzy)iECvZzOo=IxTlRNS%gL&VI|XxtYtBmYnfJ2Ps&4`)ka~<0Qb'
    '4Xts&C8hVee!kW*ex<@C4hPXg&L;T2RKZXY{cHT)qwh&o!?INK>OfF{u-'
    'Zr)IM8a8ubgtJdfYyJvtPU$sl*NvOlg9&wJ2|lLTnp!O}Rg=crDQS@>{em<K4x^zFNm?%ZIYdY&2U<0Xl9D-'
    '6L6SNrOO4>$NK$qz;dSxznyRZmJG=`KnrbE>VN(N29x!W$#%4{QgvOIlL%gJA(~L=cr4~Uoji=QnEAdEarpW#WbL'
    'm9Lb0X7e#1vhqP9tV?8Z}p5Rm`-'
    'i7A#n>V8McgVus)sS@v118INT3hH@C+btWiHTAxXZ7CX>Ozdrigw;4&wQ#e(S|15${m}7}q%9!5^6?T#K6nfCbcJ'
    'vhNzw`zcx$~K|pm*+$P@(!K3$gP*>;DaXv=)E'
))  # fmt: skip


def book(rows: str, name: str = "Main", before: str = "", **parts: bytes | str) -> bytes:
    content = (
        f"<office:document-content {_NS}>{before}<office:body><office:spreadsheet>"
        f'<table:table table:name="{name}">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    return builders.archive({"content.xml": content, **parts})


def cell(kind: str = "", value: str = "", more: str = "", text: str = "") -> str:
    told = f'office:value-type="{kind}"' if kind else ""
    name = {"boolean": "boolean-value", "date": "date-value"}.get(kind, "value")
    held = f'office:{name}="{value}"' if value else ""
    return f"<table:table-cell {told} {held} {more}><text:p>{text}</text:p></table:table-cell>"


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def words(*texts: str) -> str:
    return row(*(cell("string", text=text) for text in texts))


def cells(document: Document) -> list[list[Cell]]:
    return [list(one) for page in document.pages for t in page.tables for one in t.rows]


def refusal(read: Any, data: bytes, **limits: Any) -> str:
    with pytest.raises(Unfinishable) as caught:
        read(data, Limits(**limits))
    return caught.value.slug


def test_ods_cells_have_types_addresses_and_formulas() -> None:
    euro = 'office:currency="EUR" table:formula="of:=[.A1]*SUM([.B1:.B2])"'
    document = ods.read(book(
        words("Day", "Sum", "Ok")
        + row(cell("date", "2026-01-03"), cell("currency", "12.5", euro), cell("boolean", "true")),
    ), Limits())  # fmt: skip
    assert [(c.address, c.value, c.kind, c.formula) for c in cells(document)[1]] == [
        ("A2", "2026-01-03", "date", None),
        ("B2", 12.5, "number", "=A1*SUM(B1:B2)"),
        ("C2", True, "bool", None),
    ]
    assert document.metadata["cell_units"] == {"Main": {"EUR": ["B2"]}}


def test_an_ods_cell_that_names_no_type_is_text() -> None:
    document = ods.read(book(row(cell(text="Bolt"), cell(), cell(text="12,50"))), Limits())
    assert [(c.text, c.kind) for c in cells(document)[0]] == [
        ("Bolt", "text"), ("", "empty"), ("12,50", "text"),
    ]  # fmt: skip


def test_ods_marks_what_is_hidden_and_merged() -> None:
    style = (
        '<office:automatic-styles><style:style style:name="h"><style:table-properties '
        'table:display="false"/></style:style></office:automatic-styles>'
    )
    rows = (
        '<table:table-column/><table:table-column table:visibility="collapse"/>'
        + row(cell("string", more='table:number-columns-spanned="2"', text="wide"),
              "<table:table-covered-cell/>", cell("string", text="x"))
        + row(cell("float", "1"), cell("float", "2"), more='table:visibility="collapse"')
    )  # fmt: skip
    document = ods.read(book(rows), Limits())
    assert cells(document)[0][0].colspan == 2
    assert document.metadata["hidden_rows"] == {"Main": ["2"]}
    assert document.metadata["hidden_columns"] == {"Main": ["B"]}
    hidden = book(f'</table:table><table:table table:name="Old" table:style-name="h">{words("k")}',
                  before=style)  # fmt: skip
    assert ods.read(hidden, Limits()).metadata["hidden_sheets"] == ["Old"]


def test_repeated_rows_and_columns_are_no_records() -> None:
    endless = 'table:number-columns-repeated="16384"'
    document = ods.read(book(
        words("a", "b")
        + row(cell(more=endless), more='table:number-rows-repeated="1048000"')
        + row(cell("float", "7", 'table:number-columns-repeated="3"'))
        + row(cell(), more='table:number-rows-repeated="2"')
        + row(cell("string", text="z", more=endless), more='table:number-rows-repeated="1048576"')
    ), Limits(cells=5_000))  # fmt: skip
    assert [[c.address for c in one] for one in cells(document)][:2] == [
        ["A1", "B1"], ["A1048002", "B1048002", "C1048002"],
    ]  # fmt: skip
    assert sum(map(len, cells(document))) < 5_000


def test_one_wide_row_does_not_widen_all_others() -> None:
    wide = row(cell(more='table:number-columns-repeated="16000"'), cell("float", "1"))
    rows = words("a", "b") * 300
    document = ods.read(book(rows + wide + rows), Limits(cells=30_000))
    assert sum(len(one) for one in cells(document)) < 62_000


def test_an_encrypted_opendocument_file_says_so() -> None:
    manifest = "<m><encryption-data/></m>"
    assert refusal(ods.read, book("", **{"META-INF/manifest.xml": manifest})) == "encrypted"


def test_xls_gives_values_marks_and_units() -> None:
    document = xls.read(_XLS, Limits())
    found = cells(document)
    assert [(c.address, c.value, c.kind, c.formula) for c in found[1]] == [
        ("A2", "2026-01-03", "date", None),
        ("B2", 12.5, "number", None),
        ("C2", True, "bool", None),
    ]
    assert found[2][1].formula == "=B2*2"
    assert document.metadata == {
        "sheets": ["Main", "Hid"], "hidden_sheets": ["Hid"], "hidden_rows": {"Main": ["3"]},
        "hidden_columns": {"Main": ["C"]}, "cell_units": {"Main": {"EUR": ["B2:B3"]}},
    }  # fmt: skip


@pytest.mark.parametrize("length", [600, 1500, 3000, 5000])
def test_a_cut_off_xls_is_damaged(length: int) -> None:
    with pytest.raises(Unfinishable) as caught:
        parse(_XLS[:length], "a.xls", "xls")
    assert caught.value.slug == "corrupted"


def test_sectors_in_a_circle_end() -> None:
    data = bytearray(_XLS)
    table = (int.from_bytes(data[76:80], "little") + 1) * 512
    for at in range(table, table + 16, 4):
        data[at : at + 4] = (0).to_bytes(4, "little")
    with pytest.raises(Unfinishable):
        parse(bytes(data), "a.xls", "xls")


def test_a_shared_formula_is_told_for_each_cell() -> None:
    sheet = (
        b'<c r="C2"><f t="shared" ref="C2:C3" si="0">A2*$B$1&amp;"A2"</f><v>1</v></c>'
        b'<c r="C3"><f t="shared" si="0"/><v>2</v></c><c r="D3"><v>2</v></c>'
    )
    assert marks_of(sheet).formulas == {"C2": '=A2*$B$1&"A2"', "C3": '=A3*$B$1&"A2"'}


@pytest.mark.parametrize(
    ("formula", "right", "down", "told"),
    [
        ("SUM(A1:B$2)+LOG10(C3)", 1, 2, "SUM(B3:C$2)+LOG10(D5)"),
        ("'A1'!A1", 0, 1, "'A1'!A2"),
        ("A1", 0, -1, "#REF!"),
    ],
)
def test_references_move_with_the_cell(formula: str, right: int, down: int, told: str) -> None:
    assert moved(formula, right, down) == told


def _book(broken: Callable[[bytes], bytes]) -> bytes:
    """Three sheets of a formula each, the second hidden and `broken`."""

    def fill(made: Any) -> None:
        for name in ("One", "Two", "Three"):
            sheet = made.create_sheet(name)
            sheet.append(["Name", "Sum"])
            sheet.append([name, "=1+1"])
        made["Two"].sheet_state = "hidden"
        del made["Sheet"]

    held = zipfile.ZipFile(io.BytesIO(builders.xlsx(fill)))
    parts: dict[str, bytes | str] = {name: held.read(name) for name in held.namelist()}
    second = "xl/worksheets/sheet2.xml"
    parts[second] = broken(held.read(second))
    return builders.archive(parts)


@pytest.mark.parametrize(
    "broken",
    [lambda data: data[:-40], lambda data: data + b" " * 30 * 2**20, lambda data: b"<!DOCTYPE x>"],
    ids=["cut off", "too much", "refused"],
)
def test_a_bad_sheet_costs_itself_alone(broken: Callable[[bytes], bytes]) -> None:
    limits = Limits(unpacked_bytes=20 * 2**20)
    document = parse(_book(broken), "a.xlsx", "xlsx", limits=limits)
    assert [(page.number, page.sheet) for page in document.pages] == [(1, "One"), (3, "Three")]
    assert document.warnings[0].startswith("sheet Two was skipped: ")
    assert document.warnings[1].startswith("2 formulas have no computed value")
    assert document.metadata["sheets"] == ["One", "Two", "Three"]
    assert document.metadata["hidden_sheets"] == ["Two"]


def _sheets(*rows: str) -> bytes:
    parts = [f'<table:table table:name="{"ABCDE"[n]}">{one}' for n, one in enumerate(rows)]
    inner = "</table:table>".join(parts).removeprefix('<table:table table:name="A">')
    return book(inner, "A")


def test_an_ods_sheet_that_is_too_much_costs_itself_alone() -> None:
    euro = row(cell("currency", "1", 'office:currency="EUR"'))
    many = row(*[cell("string", text="x")] * 10) * 3_000
    data = _sheets(euro, many, euro)
    document = parse(data, "a.ods", "ods", limits=Limits(output_bytes=2**16))
    assert [(page.number, page.sheet) for page in document.pages] == [(1, "A"), (3, "C")]
    assert document.warnings[0].startswith("sheet B was skipped: ")
    assert document.metadata["cell_units"] == {"A": {"EUR": ["A1"]}, "C": {"EUR": ["A1"]}}


def test_what_stands_beside_the_damage_of_an_ods_file_is_read() -> None:
    data = _sheets(words("a"), "<table:table-row>", words("c"))
    document = ods.read(data, Limits())
    assert [page.sheet for page in document.pages] == ["A", "C"]
    assert document.warnings[0].startswith("sheet B was skipped: The file is damaged")


def test_cells_are_counted_over_all_sheets_and_children() -> None:
    data = _sheets(words("a", "b") * 40, words("a", "b") * 40, words("c"))
    document = ods.read(data, Limits(cells=100))
    assert document.warnings == ("Reading stopped in sheet B: cell limit.",)
    assert [page.sheet for page in document.pages] == ["A", "B"]


@pytest.mark.parametrize(("at", "damage"), [(24, b"\xff\xff"), (2, b"\x02"), (2, b"\xff\x7f")])
def test_a_broken_xls_sheet_costs_itself_alone(at: int, damage: bytes) -> None:
    """The formula of the first sheet reaches too far, or is too short to be one."""
    data = bytearray(_XLS)
    begin = data.index(b"\x06\x00\x1f\x00") + at
    data[begin : begin + len(damage)] = damage
    document = parse(bytes(data), "a.xls", "xls")
    assert [(page.number, page.sheet) for page in document.pages] == [(2, "Hid")]
    assert document.warnings == ("sheet Main was skipped: its records are damaged.",)


def test_an_xls_sheet_that_reaches_too_far_costs_itself_alone() -> None:
    """The last cell of the first sheet is said to stand in the last row there is."""
    data = bytearray(_XLS)
    for match in list(re.finditer(rb"\x7e\x02\x0a\x00(..)(..)", _XLS, re.DOTALL))[:1]:
        data[match.start(1) : match.end(2)] = b"\xff\xff\xff\x00"
    document = parse(bytes(data), "a.xls", "xls")
    assert [(page.number, page.sheet) for page in document.pages] == [(2, "Hid")]
    assert document.warnings == ("sheet Main was skipped: it is too large.",)
    assert document.metadata["sheets"] == ["Main", "Hid"]


def test_of_a_workbook_with_very_many_sheets_the_first_are_read() -> None:
    def fill(book: Any) -> None:
        for name in ("A", "B", "C"):
            book.create_sheet(name).append([name])

    document = xlsx.read(builders.xlsx(fill), Limits(pages=2))
    assert len(document.pages) == 2
    assert "Only the first 2 of 4 sheets were read." in document.warnings
