"""EPUB books and web pages saved as one file."""

from __future__ import annotations

import io
import zipfile

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, epub, html, mht, parse
from ingestion.formats import sniff
from ingestion.limits import MIB

CONTAINER = """<?xml version="1.0"?>
<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OPS/book%20one.opf"/></rootfiles></container>"""
PACKAGE = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Safety at work</dc:title>
<dc:creator>M. Lind</dc:creator><dc:language>de-AT</dc:language></metadata><manifest>
<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>
<item id="b" href="text/b%20two.xhtml" media-type="application/xhtml+xml"/>
<item id="c" href="gone.xhtml" media-type="application/xhtml+xml"/>
<item id="x" href="http://evil.test/x.xhtml" media-type="application/xhtml+xml"/>
<item id="p" href="../../../etc/passwd" media-type="application/xhtml+xml"/>
<item id="s" href="s.css" media-type="text/css"/></manifest>
<spine><itemref idref="b"/><itemref idref="a"/><itemref idref="c"/><itemref idref="x"/>
<itemref idref="p"/><itemref idref="s"/><itemref idref="b"/></spine></package>"""
CHAPTER = """<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "x.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/><style/></head>
<body><h1>{}</h1><script>alert(1)</script><p>Helm &amp; Schuhe <a id="p1"/>tragen.</p>
<table><tr><th>Pos</th><th>Preis</th></tr><tr><td>1</td><td>4 800 €</td></tr></table></body>
</html>"""


def book(**parts: str | bytes) -> bytes:
    target = io.BytesIO()
    usual = {
        "mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER,
        "OPS/book one.opf": PACKAGE, "OPS/a.xhtml": CHAPTER.format("Erstens"),
        "OPS/text/b two.xhtml": CHAPTER.format("Zuvor"),
    }  # fmt: skip
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in {**usual, **parts}.items():
            if text:
                made.writestr(name, text)
    return target.getvalue()


def test_a_book_is_its_chapters_in_their_order() -> None:
    document = parse(book(), "a.epub", "epub")
    assert (document.title, document.language) == ("Safety at work", "de")
    assert document.metadata["author"] == "M. Lind"
    first, second = document.pages
    assert first.text.startswith("Zuvor\n\nHelm & Schuhe tragen.")
    assert second.text.startswith("Erstens")
    assert first.blocks[0].kind == "heading"
    assert first.tables[0].rows[1][1].text == "4 800 €"
    assert "alert" not in first.text


def test_chapters_that_are_missing_or_outside_are_named_and_not_fetched() -> None:
    warnings = epub.read(book(), Limits()).warnings
    assert len(warnings) == 2
    assert all("missing" in told for told in warnings)
    assert not any("evil" in told for told in warnings)


def test_a_book_without_a_reading_order_is_read_as_it_lists_its_texts() -> None:
    package = PACKAGE[: PACKAGE.index("<spine>")] + "</package>"
    document = epub.read(book(**{"OPS/book one.opf": package}), Limits())
    assert [page.text[:5] for page in document.pages] == ["Erste", "Zuvor"]


LOCK = """<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"
 xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData>
<e:EncryptionMethod Algorithm="{}"/><e:CipherData><e:CipherReference URI="OPS/a.xhtml"/>
</e:CipherData></e:EncryptedData></encryption>"""


def test_a_chapter_that_its_seller_locked_is_named() -> None:
    lock = LOCK.format("http://www.w3.org/2001/04/xmlenc#aes256-cbc")
    document = epub.read(book(**{"META-INF/encryption.xml": lock}), Limits())
    assert [page.number for page in document.pages] == [1]
    assert any("copy protection" in told for told in document.warnings)
    fonts = LOCK.format("http://www.idpf.org/2008/embedding")
    assert len(epub.read(book(**{"META-INF/encryption.xml": fonts}), Limits()).pages) == 2


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"META-INF/container.xml": "", "OPS/book one.opf": ""}, "corrupted"),
        ({"OPS/book one.opf": PACKAGE.replace("itemref", "x").replace("<item", "<y")}, "corrupted"),
        ({"OPS/book one.opf": '<!DOCTYPE x [<!ENTITY a "b">]>' + PACKAGE}, "corrupted"),
        ({"OPS/a.xhtml": b"x" * (40 * MIB)}, "limit_memory"),
    ],
)
def test_a_hostile_book_ends_in_words(parts: dict[str, str | bytes], code: str) -> None:
    with pytest.raises(Unfinishable) as caught:
        epub.read(book(**parts), Limits(unpacked_bytes=10 * MIB))
    assert caught.value.slug == code


def test_entities_of_a_document_type_are_not_told() -> None:
    chapter = (
        '<!DOCTYPE html [<!ENTITY e SYSTEM "file:///etc/passwd">]><html><body>a&e;b</body></html>'
    )
    document = epub.read(book(**{"OPS/a.xhtml": chapter}), Limits())
    assert "root:" not in document.pages[1].text


def test_books_are_told_by_their_content() -> None:
    assert sniff(book(), "a.epub") == sniff(book(), "noname") == "epub"
    assert sniff(book(mimetype=""), "a.epub") == "epub"


def test_xhtml_that_is_no_book_keeps_what_follows_an_empty_title() -> None:
    assert "Zuvor" in html.read(CHAPTER.format("Zuvor").encode(), Limits()).pages[0].text


PAGE = """From: <Saved by Blink>
Snapshot-Content-Location: https://shop.test/prices
Subject: Prices
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="B"; start="<root@x>"

--B
Content-Type: text/html
Content-ID: <frame@x>
Content-Transfer-Encoding: quoted-printable

<p>In a frame: 12,50=E2=82=AC</p>
--B
Content-Type: text/html
Content-ID: <root@x>
Content-Location: https://shop.test/prices
Content-Transfer-Encoding: quoted-printable

<html><head><meta charset=3D"iso-8859-1"><title>Preisliste</title><script>alert(1)</script></head>
<body><h1>Gr=FC=DFe</h1><table><tr><td>Helm</td><td>4.800 EUR</td></tr></table></body></html>
--B
Content-Type: image/png
Content-Location: https://shop.test/a.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--B
Content-Type: application/javascript
Content-Location: https://shop.test/a.js

alert(2)
--B--
""".replace("\n", "\r\n").encode()


def saved(data: bytes = PAGE) -> Document:
    return mht.read(data, Limits())


def test_a_saved_page_is_its_text_and_its_frames() -> None:
    document = parse(PAGE, "prices.mht", "mht")
    assert (document.title, document.metadata["url"]) == ("Preisliste", "https://shop.test/prices")
    assert [page.text for page in document.pages] == [
        "Grüße\n\nHelm | 4.800 EUR", "In a frame: 12,50€",
    ]  # fmt: skip
    assert document.attachments == ()


def test_a_saved_page_is_told_from_a_mail() -> None:
    assert sniff(PAGE, "a.mht") == sniff(PAGE, "a.mhtml") == sniff(PAGE, "noname") == "mht"
    assert sniff(PAGE, "a.eml") == "mht"
    assert sniff(b"From: a@b.c\nTo: d@e.f\nSubject: x\n\nHello", "a.eml") == "eml"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"MIME-Version: 1.0\nContent-Type: text/plain\n\nx", "corrupted"),
        (PAGE.replace(b"text/html", b"image/gif"), "corrupted"),
        (
            b"Content-Type: multipart/related; boundary=B\n\n" + b"--B\n\n" * 30_000,
            "too_many_parts",
        ),
    ],
)
def test_a_saved_page_without_a_page_is_told_in_words(data: bytes, code: str) -> None:
    with pytest.raises(Unfinishable) as caught:
        saved(data)
    assert caught.value.slug == code
