"""Random tables in random notations, beside a computation in three lines of Python."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import median

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.answers.tables.choosing import answered
from agents.answers.tables.reading import grids
from agents.answers.tables.vocabulary import vocabulary
from agents.answers.values import Answer
from ingestion.csv_ import read
from ingestion.limits import Limits

REGIONS = ("North", "South", "East")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Sheet:
    rows: list[tuple[str, str, Decimal | None]]
    german: bool
    grouped: bool
    totalled: bool

    def amounts(self, region: str | None = None) -> list[Decimal]:
        return [n for _, r, n in self.rows if n is not None and region in (None, r)]

    def written(self, number: Decimal | None) -> str:
        if number is None:
            return ""
        text = f"{number:,.2f}" if self.grouped else f"{number:.2f}"
        if self.german:
            text = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
        return f'"{text}"'

    def data(self) -> bytes:
        mark = ";" if self.german else ","
        lines = [mark.join(("Number", "Region", "Amount"))]
        lines += [mark.join((no, region, self.written(n))) for no, region, n in self.rows]
        if self.totalled:
            lines.append(mark.join(("Total", "", self.written(sum(self.amounts(), Decimal(0))))))
        return "\n".join(lines).encode()

    def ask(self, question: str) -> Answer:
        document = read(self.data(), Limits())
        tables = [vocabulary(grid) for grid in grids(document, "id", "sheet.csv")]
        found = answered(question, tables)
        assert found is not None
        assert found.answered, found.text
        return found


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    cents = st.integers(-9_999_99, 9_999_999_99).map(lambda n: Decimal(n) * CENT)
    amount = st.one_of(st.none(), cents, cents, cents)
    rows = draw(st.lists(st.tuples(st.sampled_from(REGIONS), amount), min_size=3, max_size=12))
    numbered = [(f"A-{n}", region, number) for n, (region, number) in enumerate(rows)]
    if not any(n for *_, n in numbered):
        numbered.append(("A-99", "North", Decimal("12.34")))
    return Sheet(numbered, draw(st.booleans()), draw(st.booleans()), draw(st.booleans()))


def en(value: Decimal) -> str:
    return f" {value:,.2f} "


@settings(max_examples=20)
@given(sheets())
def test_sums_and_averages_are_those_of_the_cells(sheet: Sheet) -> None:
    amounts = sheet.amounts()
    assert en(sum(amounts, Decimal(0))) in sheet.ask("What is the total amount?").text
    mean = (sum(amounts, Decimal(0)) / len(amounts)).quantize(Decimal("0.001"), ROUND_HALF_UP)
    assert f" {mean:,.3f} " in sheet.ask("What is the average amount?").text.replace("(", " (") or (
        en(mean) in sheet.ask("What is the average amount?").text
    )
    assert en(max(amounts)) in sheet.ask("What is the highest amount?").text
    assert en(min(amounts)) in sheet.ask("What is the lowest amount?").text
    middle = sheet.ask("What is the median amount?").text
    exact = median(amounts)
    assert f" {exact:,.2f} " in middle or f" {exact:,.3f} " in middle


@settings(max_examples=12)
@given(sheets(), st.sampled_from(REGIONS))
def test_conditions_keep_just_the_rows_that_fit(sheet: Sheet, region: str) -> None:
    here = [row for row in sheet.rows if row[1] == region]
    if here:
        told = sheet.ask(f"How many rows are in the {region} region?").text
        assert f"{len(here)} of {len(sheet.rows)} rows" in told
    over = sum(n > 5000 for n in sheet.amounts())
    told = sheet.ask("How many rows have an amount over 5,000?").text
    assert f"{over} of {len(sheet.rows)} rows" in told
    if sheet.amounts(region):
        told = sheet.ask(f"What is the total amount of the {region} region?").text
        assert en(sum(sheet.amounts(region), Decimal(0))) in told


@settings(max_examples=12)
@given(sheets())
def test_groups_add_up_to_the_whole(sheet: Sheet) -> None:
    groups: dict[str, Decimal] = defaultdict(Decimal)
    for _, region, number in sheet.rows:
        if number is not None:
            groups[region] += number
    told = sheet.ask("What is the total amount per region?").text
    assert all(f"{region}: {total:,.2f} " in told for region, total in groups.items())


@settings(max_examples=8)
@given(sheets())
def test_every_cell_that_is_named_holds_an_amount(sheet: Sheet) -> None:
    found = sheet.ask("What is the total amount?")
    number = len(sheet.amounts())
    assert f"({number} cell" in found.text
    text = sheet.data().decode()
    assert all(
        line.split(" | ")[0] in text for c in found.citations for line in c.quote.split("\n")
    )
