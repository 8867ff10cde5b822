"""Pictures are decoded in the child alone, limited, turned as the camera says, and read."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import Limits, parse
from ingestion.paging import Look, Raster, Seen
from tests.ingestion import builders, scans


class Looker:
    """Sees one word at one place, and keeps what it was shown."""

    name = "fake"

    def __init__(self, text: str = "seen", sure: float = 0.9) -> None:
        self.shown: list[Raster] = []
        self._text, self._sure = text, sure

    def look(self, raster: Raster, seconds: float) -> Look:
        self.shown.append(raster)
        return Look((Seen(self._text, 300, 600, 450, 650, self._sure, 1),))


def read(data: bytes, format: str, looker: Looker, limits: Limits | None = None) -> Document:
    return parse(data, f"a.{format}", format, ocr=looker, limits=limits)


def square(shade: int = 255, size: tuple[int, int] = (2000, 1000)) -> Image.Image:
    """One dark pixel in the upper left corner's quarter."""
    picture = Image.new("L", size, shade)
    picture.paste(0, (100, 50, 200, 100))
    return picture


@pytest.mark.parametrize(
    ("format", "kind"),
    [("png", "PNG"), ("jpeg", "JPEG"), ("tiff", "TIFF"), ("webp", "WEBP"), ("bmp", "BMP"),
     ("gif", "GIF"), ("avif", "AVIF")],
)  # fmt: skip
def test_every_kind_becomes_gray_pixels(format: str, kind: str) -> None:
    looker = Looker()
    document = read(scans.packed(square(), format=kind), format, looker)
    shown = looker.shown[0]
    assert (shown.width, shown.height) == (2000, 1000)
    assert shown.pixels[60 * 2000 + 150] < 40
    assert shown.pixels[500 * 2000 + 1500] > 215
    assert document.format == format
    assert document.pages[0].layer == "ocr"
    assert document.pages[0].text == "seen"


def test_words_keep_their_place_in_points_and_their_confidence() -> None:
    picture = scans.packed(square(), format="TIFF", dpi=(300, 300))
    page = read(picture, "tiff", Looker(sure=0.875)).pages[0]
    word = page.words[0]
    assert (word.x0, word.y0, word.x1, word.y1) == (72.0, 144.0, 108.0, 156.0)
    assert word.confidence == 0.875
    assert (page.width, page.height) == (480, 240)


def test_a_camera_s_turn_is_undone() -> None:
    turned = square().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x112] = 6
    looker = Looker()
    read(scans.packed(turned, format="JPEG", exif=exif), "jpeg", looker)
    assert (looker.shown[0].width, looker.shown[0].height) == (2000, 1000)
    assert looker.shown[0].pixels[60 * 2000 + 150] < 40


def test_each_frame_of_a_tiff_is_a_page_and_a_bad_one_is_named() -> None:
    whole = scans.packed(square(), square(200), square(180), format="TIFF")
    assert [page.number for page in read(whole, "tiff", Looker()).pages] == [1, 2, 3]
    cut = read(whole[: -len(whole) // 5], "tiff", Looker())
    assert [page.number for page in cut.pages] == [1, 2]
    assert any(told.startswith("page 3 was skipped: ") for told in cut.warnings)


def test_what_is_transparent_is_paper() -> None:
    picture = Image.new("RGBA", (2000, 1000), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (100, 50, 200, 100))
    looker = Looker()
    read(scans.packed(picture), "png", looker)
    assert looker.shown[0].pixels[0] == 255


def test_a_blank_page_is_not_looked_at() -> None:
    looker = Looker()
    document = read(
        scans.packed(square(), Image.new("L", (500, 500), 255), format="TIFF"), "tiff", looker
    )
    assert len(looker.shown) == 1
    assert document.pages[1].layer == "empty"


def test_a_bomb_is_refused_by_its_claim() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack("!I", len(data)) + body + struct.pack("!I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack("!IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b"\x78\x9c") + chunk(b"IEND", b"")
    with pytest.raises(Unfinishable) as refused:
        read(bomb, "png", Looker())
    assert refused.value.slug == "limit_memory"


def test_where_nobody_looks_it_says_what_to_type() -> None:
    with pytest.raises(Unfinishable, match="apt-get install tesseract-ocr") as refused:
        parse(scans.packed(square()), "a.png", "png")
    assert refused.value.slug == "empty"


def test_a_page_of_a_pdf_that_is_a_picture_is_shown_and_the_others_are_not() -> None:
    def draw(canvas: object) -> None:
        from reportlab.lib.utils import ImageReader

        builders.lines("A printed page of text.")(canvas)
        canvas.showPage()  # type: ignore[attr-defined]
        canvas.drawImage(ImageReader(square()), 0, 0, 595, 842)  # type: ignore[attr-defined]
        canvas.showPage()  # type: ignore[attr-defined]
        canvas.showPage()  # type: ignore[attr-defined]

    looker = Looker()
    document = read(builders.pdf(draw), "pdf", looker)
    assert [page.layer for page in document.pages] == ["text", "ocr", "empty"]
    assert [raster.number for raster in looker.shown] == [2]
    assert looker.shown[0].width == pytest.approx(595 * 300 / 72, abs=2)
    blind = parse(builders.pdf(draw), "a.pdf", "pdf")
    assert blind.pages[0].layer == "text"
    assert any("Pages that are pictures were not read (2)" in told for told in blind.warnings)


def test_a_picture_that_stands_on_many_pages_is_looked_at_once_and_a_blank_one_never() -> None:
    def draw(canvas: object) -> None:
        from reportlab.lib.utils import ImageReader

        for picture in (*[square()] * 3, Image.new("L", (2000, 1000), 255)):
            canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)  # type: ignore[attr-defined]
            canvas.showPage()  # type: ignore[attr-defined]

    looker = Looker()
    document = read(builders.pdf(draw), "pdf", looker)
    assert [page.text for page in document.pages] == ["seen", "seen", "seen", ""]
    assert [raster.number for raster in looker.shown] == [1]


def test_little_certainty_is_warned_of() -> None:
    document = read(scans.packed(square()), "png", Looker(sure=0.4))
    assert "compare them: 1." in document.warnings[-1]


def test_a_picture_that_breaks_its_reader_costs_its_page_alone() -> None:
    class Broken(Looker):
        def look(self, raster: Raster, seconds: float) -> Look:
            if raster.number == 1:
                raise Unfinishable("it is too wild", code="limit_time")
            return super().look(raster, seconds)

    document = read(scans.packed(square(), square(200), format="TIFF"), "tiff", Broken())
    assert [page.layer for page in document.pages] == ["empty", "ocr"]
    assert document.warnings == ("page 1 is a picture and was not read: it is too wild",)


def test_the_time_for_all_pictures_of_a_document_ends() -> None:
    looker = Looker()
    limits = Limits(ocr_seconds=1e-9)
    document = read(scans.packed(square(), square(200), format="TIFF"), "tiff", looker, limits)
    assert len(looker.shown) == 1
    assert "the time for pictures is used up" in document.warnings[0]


def test_lines_that_slope_are_put_straight_for_the_layout() -> None:
    from ingestion.seen import page_seen

    words = tuple(
        Seen(f"w{row}.{column}", 100 + 200 * column, 100 + 60 * row + 10 * column,
             250 + 200 * column, 140 + 60 * row + 10 * column, 1.0, row)
        for row in range(4) for column in range(8)
    )  # fmt: skip
    page: Page = page_seen(Raster(1, 2000, 1000, 300.0, b""), Look(words))
    lines = [line.split() for line in page.text.replace("|", " ").split("\n") if line]
    assert lines == [[f"w{row}.{column}" for column in range(8)] for row in range(4)]
    assert page.words[7].y0 == pytest.approx(170 * 72 / 300, abs=0.11)
