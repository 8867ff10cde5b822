"""The real Tesseract, behind its walls. `WEFT_TEST_TESSERACT` names a copy that lies elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import Unfinishable
from ingestion import forkserver, parse
from ingestion.ocr import tesseract
from ingestion.paging import Raster
from ingestion.sandbox import Looker
from tests.flows.town import living
from tests.flows.waiting import document_when_read
from tests.gateway.platform import opened
from tests.ingestion import scans

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def engine() -> Looker:
    found = tesseract.found(("eng", "deu"), os.environ.get("WEFT_TEST_TESSERACT"))
    if found is None:
        pytest.skip("no tesseract here; type: deploy/native/stack install tesseract")
    return found


def test_a_scan_of_two_pages_is_read_with_its_places(engine: Looker) -> None:
    pictures = [scans.printed(*text, size=12) for text in (scans.ENGLISH, scans.GERMAN)]
    document = parse(scans.scan_pdf(*pictures), "scan.pdf", "pdf", ocr=engine)
    assert [page.layer for page in document.pages] == ["ocr", "ocr"]
    assert scans.share(scans.ENGLISH, document.pages[0].text) >= 0.98
    assert document.pages[0].words[0].x0 == pytest.approx(62, abs=3)
    assert 0.8 < document.pages[0].words[0].confidence <= 1


def test_a_page_upside_down_is_turned(engine: Looker) -> None:
    picture = scans.printed(*scans.ENGLISH).rotate(180)
    page = parse(scans.packed(picture), "a.png", "png", ocr=engine).pages[0]
    assert scans.share(scans.ENGLISH, page.text) >= 0.9


def test_it_is_ended_at_its_deadline_and_the_next_picture_is_read(engine: Looker) -> None:
    picture = scans.printed(*scans.ENGLISH)
    raster = Raster(1, picture.width, picture.height, 300.0, picture.tobytes())
    with pytest.raises(Unfinishable, match="takes longer than"):
        engine.look(raster, 0.05)
    assert len(engine.look(raster, 60).words) > 30


def test_the_program_stands_behind_walls(engine: Looker) -> None:
    engine.look(Raster(1, 200, 200, 300.0, bytes(40_000)), 30)
    server = next(
        one for kind, one in forkserver.all_found().items() if kind.startswith("tesseract")
    )
    parse(b"x", "a.txt", "txt")
    parsers = forkserver.found()
    assert parsers is not None
    assert server.level == parsers.level


def test_an_uploaded_scan_is_read_and_found(engine: Looker, tmp_path: Path) -> None:
    choice = os.environ.get("WEFT_TEST_TESSERACT", "tesseract")
    scan = scans.scan_pdf(scans.printed(*scans.ENGLISH, size=12))
    with opened(tmp_path, ocr=choice, ocr_languages="eng,deu") as rt, living(rt) as town:
        headers = town.as_role("acme")
        files = {"file": ("scan.pdf", scan)}
        made = town.http.post("/documents", files=files, headers=headers).json()["items"][0]
        document_when_read(town, headers, made["document_id"])
        query = {"query": "within thirty days after written confirmation"}
        hits = town.http.post("/search", json=query, headers=headers).json()["hits"]
    assert any("deliver the goods within thirty days" in one["text"] for one in hits)
    assert any(kind.startswith("tesseract") for kind in forkserver.all_found())
