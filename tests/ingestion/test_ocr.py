"""The engine of the default install reads a scan; whatever it meets costs one child."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core.errors import InvalidInput, Unfinishable
from ingestion import forkserver, parse, picture_walls
from ingestion.ocr import better, engine, onnx_child, printed
from ingestion.ocr.onnx_head import without_head
from ingestion.ocr.rapidocr import RapidOcr
from ingestion.ocr.tesseract import Tesseract, calmed, words_of
from ingestion.paging import Raster
from ingestion.sandbox import Looker
from tests.ingestion import scans


@pytest.fixture(scope="module")
def rapid() -> Looker:
    found = engine("rapidocr", ("eng", "deu"))
    assert found is not None
    return found


def test_a_scan_is_read_by_what_the_default_install_brings(rapid: Looker) -> None:
    lines = scans.ENGLISH[:2] + scans.GERMAN[2:]
    picture = scans.printed(*lines, font="Times-Roman", size=12)
    document = parse(scans.scan_pdf(picture), "scan.pdf", "pdf", ocr=rapid)
    page = document.pages[0]
    assert page.layer == "ocr"
    assert scans.share(lines, page.text) >= 0.98
    first = page.words[0]
    assert first.text == "The"
    assert first.x0 == pytest.approx(62, abs=3)
    assert first.y0 == pytest.approx(62, abs=4)
    assert first.confidence > 0.9
    assert page.text[first.start : first.start + 3] == "The"


@pytest.mark.parametrize("quarters", [1, 2])
def test_a_page_that_was_laid_down_wrongly_is_turned(rapid: Looker, quarters: int) -> None:
    picture = scans.strip_of(*scans.ENGLISH[:2])
    turned = picture.rotate(90 * quarters, expand=True)
    page = parse(scans.packed(turned), "a.png", "png", ocr=rapid).pages[0]
    assert scans.share(scans.ENGLISH[:2], page.text) >= 0.9
    assert page.width > page.height


def test_a_deadline_ends_one_child(rapid: Looker) -> None:
    noise = Raster(1, 1600, 1600, 300.0, bytes(range(256)) * 10_000)
    with pytest.raises(Unfinishable, match="takes longer than"):
        rapid.look(noise, 0.01)
    server = forkserver.found(forkserver.PICTURES)
    assert server is not None
    assert psutil.Process(server.process.pid).is_running()


def test_its_children_stand_behind_walls_too(rapid: Looker) -> None:
    parse(scans.packed(scans.strip_of("A word")), "a.png", "png", ocr=rapid)
    pictures, parsers = forkserver.found(forkserver.PICTURES), forkserver.found()
    assert pictures is not None
    assert parsers is not None
    assert pictures.level["files"] == parsers.level["files"]
    assert pictures.level["calls"] == parsers.level["calls"]
    assert picture_walls()["rapidocr"] == pictures.level


def test_an_engine_that_is_not_there_is_named() -> None:
    assert engine("none", ("eng",)) is None
    with pytest.raises(InvalidInput, match="apt-get install tesseract-ocr"):
        engine("/nowhere/bin/tesseract", ("eng",))
    with pytest.raises(InvalidInput, match="WEFT_OCR='magic'"):
        engine("magic", ("eng",))


def test_tesseract_s_table_becomes_words() -> None:
    rows = [
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight",
        "4\t1\t1\t1\t1\t0\t10\t20\t300\t40\t-1\t",
        "5\t1\t1\t1\t1\t1\t10\t20\t30\t40\t96.5\tTotal",
        "5\t1\t1\t1\t1\t2\t50\t20\t9\t40\t-1\t ",
    ]
    seen = words_of("\n".join(rows))
    assert [(one.text, one.x0, one.y1, one.confidence) for one in seen] == [
        ("Total", 10, 60, 0.965)
    ]
    with pytest.raises(Unfinishable):
        words_of(rows[2].replace("30", "x"))


def test_lines_of_a_plain_page_are_told_by_their_ink() -> None:
    page = scans.printed(*scans.ENGLISH, *scans.GERMAN, dpi=150)
    straight, skewed = printed.lines(page), printed.lines(page.rotate(0.5, fillcolor=255))
    assert straight is not None
    assert skewed is not None
    assert len(straight) == len(skewed) == 9
    assert [one.y for one in straight] == sorted(one.y for one in straight)
    assert straight[0].y == pytest.approx((842 - 774) * 150 / 72, abs=8)
    assert skewed[0].angle == pytest.approx(-0.0087, abs=0.002)


@pytest.mark.parametrize("change", ["grain", "faint", "rules", "stand", "white on black", "steep"])
def test_who_sees_anything_else_on_a_page_asks_the_network(change: str) -> None:
    from PIL import Image, ImageChops, ImageDraw

    page = scans.printed(*scans.ENGLISH, *scans.GERMAN, dpi=150)
    pen = ImageDraw.Draw(page)

    def ruled() -> Any:
        for at in (0, 60, 120, 180):
            pen.line((100, 120 + at, 1100, 120 + at), 0, 2)
            pen.line((100 + at * 5, 120, 100 + at * 5, 300), 0, 2)
        return page

    grain = Image.effect_noise(page.size, 60)
    changed: dict[str, Callable[[], Any]] = {
        "grain": lambda: ImageChops.add(page, grain, scale=1, offset=-128),
        "faint": lambda: ImageChops.darker(page, page.rotate(180).point(lambda it: 240 + it // 17)),
        "rules": ruled,
        "stand": lambda: page.rotate(90, expand=True, fillcolor=255),
        "white on black": lambda: ImageChops.invert(page),
        "steep": lambda: page.rotate(2, fillcolor=255),
    }
    assert printed.lines(changed[change]()) is None


def test_a_network_without_its_last_layer_says_the_same() -> None:
    import onnxruntime

    place = onnx_child.folder()
    assert place is not None
    whole = (place / onnx_child.RECOGNIZER).read_bytes()
    body, head = without_head(whole)
    strip = np.linspace(-1, 1, 3 * 48 * 64, dtype=np.float32).reshape(1, 3, 48, 64)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    answers = [
        onnxruntime.InferenceSession(one, options, providers=["CPUExecutionProvider"]).run(
            None, {"x": strip}
        )[0][0]
        for one in (whole, body)
    ]
    np.testing.assert_allclose(head.chances(answers[1]), answers[0], atol=1e-4)
    with pytest.raises(ValueError, match="does not end in"):
        without_head(body)


def test_tesseract_gets_a_grainy_page_at_half_its_size() -> None:
    from PIL import Image

    def raster(picture: Any) -> Raster:
        return Raster(1, picture.width, picture.height, 300.0, picture.tobytes())

    grain = calmed(raster(Image.effect_noise((400, 300), 60)))
    assert (grain.width, grain.height, grain.dpi) == (200, 150, 150.0)
    assert len(grain.pixels) == 200 * 150
    printed_page = raster(scans.strip_of(*scans.ENGLISH[:2]))
    assert calmed(printed_page) is printed_page


@pytest.mark.parametrize(
    ("asked", "there", "taken"),
    [
        (("eng", "fra"), ("eng", "fra"), "rapidocr"),
        (("eng", "rus"), ("eng", "rus"), "tesseract"),
        (("eng", "rus"), ("eng",), "rapidocr"),
    ],
)
def test_tesseract_is_taken_for_letters_that_the_networks_do_not_know(
    asked: tuple[str, ...], there: tuple[str, ...], taken: str
) -> None:
    program = Tesseract(Path("/usr/bin/tesseract"), Path("/usr/share"), there, turns=False)
    found = better(RapidOcr(asked), program)
    assert found is not None
    assert found.name == taken
    assert better(None, program) is program
