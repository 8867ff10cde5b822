"""Passages are exact slices, cover everything and never cross a page."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents import Document, Page
from ingestion import Limits, chunk, csv_, markdown, text, xlsx
from ingestion.chunking import CHARS_MAX, CONTEXT_MAX, PIECES_MAX, SEARCHED_MAX, pieces, unsearched
from tests.ingestion import builders

WORDS = st.text(
    alphabet=st.sampled_from("abc XYZ.,;:!?\n\n\n-*#>|0123äß文\t\f`_"), max_size=6000
)  # fmt: skip


def check(document: Document) -> None:
    chunks = chunk(document, "doc")
    for page in document.pages:
        covered = [False] * len(page.text)
        last = 0
        for piece in (c for c in chunks if c.page == page.number):
            assert page.text[piece.start : piece.end] == piece.text
            assert last <= piece.start < piece.end
            assert len(piece.text) <= CHARS_MAX
            assert pieces(piece.text) <= PIECES_MAX
            last = piece.end
            covered[piece.start : piece.end] = [True] * (piece.end - piece.start)
        assert all(done or char.isspace() for done, char in zip(covered, page.text, strict=True))
    assert [c.id for c in chunks] == [f"doc:{n}" for n in range(len(chunks))]


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_any_text_is_covered_by_exact_slices(content: str) -> None:
    check(text.read(content.encode(), Limits()))
    check(markdown.read(content.encode(), Limits()))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.text("ab 1.é", max_size=400), min_size=3, max_size=3), min_size=1, max_size=40
    )
)
def test_any_table_is_covered_by_exact_slices(rows: list[list[str]]) -> None:
    content = "first\n" + "\n".join(";".join(row) for row in rows)
    check(csv_.read(content.encode(), Limits()))


def test_rows_of_a_sheet_carry_their_cells_and_their_header() -> None:
    def fill(book: object) -> None:
        sheet = book.active  # type: ignore[attr-defined]
        sheet.title = "Data"
        sheet.append(["Number", "Text", "Amount"])
        for n in range(200):
            sheet.append([n, f"row number {n}", n * 1.5])

    document = xlsx.read(builders.xlsx(fill), Limits())
    check(document)
    chunks = chunk(document, "d")
    assert chunks[0].cells is not None
    assert chunks[0].cells.startswith("A1:")
    assert chunks[-1].cells is not None
    assert chunks[-1].cells.endswith(":C201")
    assert chunks[-1].sheet == "Data"
    assert "Number | Text | Amount" in chunks[-1].context
    first, _, last = chunks[3].cells.partition(":") if chunks[3].cells else ("", "", "")
    assert f"{int(first[1:]) - 2} | row number" in chunks[3].text.splitlines()[0]
    assert f"{int(last[1:]) - 2} | row number" in chunks[3].text.splitlines()[-1]


def test_headings_stand_in_the_context_of_what_is_below_them() -> None:
    body = "Words of this section. " * 60
    content = f"# Guide\n\n## Limits\n\n{body}\n\n## Errors\n\n{body}"
    chunks = chunk(markdown.read(content.encode(), Limits()), "d")
    assert chunks[-1].context == "Guide › Errors"
    assert any(c.context == "Guide › Limits" for c in chunks)


def test_chunks_are_the_same_every_time() -> None:
    document = markdown.read(b"# A\n\nsome text\n" * 50, Limits())
    assert chunk(document, "d") == chunk(document, "d")


def test_words_that_an_english_vocabulary_cuts_shorter_make_shorter_passages() -> None:
    """Else the embedding model, which reads 256 pieces, would not see the end of them."""
    english = "The delivery of the goods is made within the period that is agreed by both. " * 40
    german = "Die Lieferung der Ware erfolgt innerhalb der von beiden vereinbarten Fristen. " * 40
    lengths = [
        max(len(one.text) for one in chunk(text.read(content.encode(), Limits()), "doc"))
        for content in (english, german)
    ]
    assert lengths[1] < 0.75 * lengths[0]


def test_few_rows_stand_in_one_passage_so_that_each_can_be_found() -> None:
    lines = [f"AB-{n};torque wrench number {n};Larkin Tools of Leeds;{n * 7}" for n in range(60)]
    document = csv_.read("\n".join(["Article;Name;Supplier;Stock", *lines]).encode(), Limits())
    passages = chunk(document, "doc")
    assert max(one.text.count("\n") for one in passages) < 4
    assert all("Article" in one.context for one in passages[1:])


def test_a_table_of_one_endless_line_costs_no_more_than_its_passages() -> None:
    wide = ",".join(f"column {n}" for n in range(3_000)).encode()
    document = csv_.read(wide + b"\n" + wide.replace(b"column", b"value") + b"\n", Limits())
    found = chunk(document, "doc")
    head = document.pages[0].text[:CONTEXT_MAX].strip()
    below = [one for one in found if one.text.startswith("value")]
    assert below
    assert {one.context[:200] for one in below} == {head[:200]}


def test_counting_stops_where_it_is_too_much() -> None:
    assert pieces("!" * 900) == 900
    assert pieces("!" * 900, most=PIECES_MAX) == PIECES_MAX + 1


def test_of_a_text_without_end_the_beginning_is_searched_and_that_is_told() -> None:
    filler = Page(1, " " * (SEARCHED_MAX - 20))
    long = Document("txt", (filler, Page(2, "The last words here.\nBeyond."), Page(3, "Lost.")))
    assert [one.text for one in chunk(long, "doc")] == ["The last words here.\nBeyond."]
    told = unsearched(long)
    assert told is not None
    assert "first 10 million of 10.0 million characters" in told
    assert unsearched(Document("txt", (filler,))) is None
