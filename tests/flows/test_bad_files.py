"""A hostile file costs one child process and a clear word: one of each kind that costs little. The
whole set, one after another, is `tests/torture/test_d01_files.py`."""

from __future__ import annotations

from tests.flows import siege
from tests.flows.platform import Platform
from tests.ingestion.bad import CASES

CHEAP = (
    "pdf-form-loop", "pdf-pages-loop", "pdf-length-cycle", "pdf-million-pages-claimed",
    "pdf-active", "pdf-encrypted", "pdf-header-alone", "pdf-and-zip", "pdf-named-docx",
    "docx-billion-laughs", "docx-xxe-file", "docx-linked", "docx-encrypted", "xlsx-merged-all",
    "xls-chain-loop", "zip-slip", "zip-link", "zip-encrypted", "zip-named-pdf", "jpeg-giant",
    "png-one-pixel-high", "tiff-cycle", "svg-script", "html-and-jpeg", "html-refresh", "csv-nul",
    "json-100k-deep", "json-nan", "xml-xxe", "md-brackets", "txt-binary", "eml-injected-head",
    "eml-attached-traversal", "name-traversal", "name-nfc", "name-nfd", "name-long",
    "name-newline", "docx-cut-9", "pdf-object-stream-itself", "pdf-stream-of-a-file",
    "pdf-jbig2-lies", "zip-petabyte-claimed", "odt-spans", "tiff-inner-itself", "xml-included",
    "eml-charsets-that-are-codecs", "eml-far-date", "eml-uuencoded",
)  # fmt: skip


def test_every_bad_file_ends_as_it_should(platform: Platform) -> None:
    cheap = [case for case in CASES if case.name in CHEAP]
    assert len(cheap) == len(CHEAP)
    attacker, neighbour = platform.person("acme"), platform.person("clearpay")
    pids = [one.pid for one in platform.running]
    with siege.trapped() as calls:
        given = [(case, siege.sent(attacker, case)) for case in cheap]
        ends = [siege.ended(attacker, case, one) for case, one in given]
        (honest,) = neighbour.upload(("honest-note.txt", b"An honest line.\n"))
        assert neighbour.read(honest)["status"] == "ready"
    assert [one.wrong for one in ends if one.wrong] == []
    assert calls == []
    assert siege.escaped() == []
    assert [one.pid for one in platform.running if one.poll() is None] == pids
    attacker.close()
    neighbour.close()
