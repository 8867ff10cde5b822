# ruff: noqa: E501 - a file is told on a line
"""The later formats: compound files, RTF, TAR, gzip, HEIC, and files in files of other kinds."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zlib
from collections.abc import Callable

from tests.ingestion import builders, heics, word
from tests.ingestion.bad import packages
from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, Case, case
from tests.ingestion.bad.second import pdf, stream, to_unicode
from tests.ingestion.compound import (
    Values,
    compound,
    message,
    msg,
    packed_rtf,
    tnef,
    tnef_properties,
    within,
)
from tests.ingestion.word import Par

ANY = frozenset({READY, *LIMITED, *BROKEN, *EMPTY, *REFUSED, "encrypted"})
_SUBJECT, _BODY, _RTF, _NAME, _BYTES = 0x37, 0x1000, 0x1009, 0x3707, 0x3701
_LINE = b"An honest line of words.\n"


def _file(number: int) -> Values:
    return {_NAME: f"{number}.txt", _BYTES: _LINE + b"%d" % number}


def letter(files: int = 0) -> bytes:
    told: Values = {_SUBJECT: "Hello", _BODY: "The words of a letter."}
    return msg(message(told, files=[_file(number) for number in range(files)]))


def letters_within(levels: int) -> bytes:
    inner = message({_SUBJECT: "Deepest", _BODY: "words"}, head=24)
    for _ in range(levels):
        inner = message({_SUBJECT: "s", _BODY: "words"}, files=[within(inner)], head=24)
    return msg(message({_SUBJECT: "s", _BODY: "words"}, files=[within(inner)]))


def paper() -> bytes:
    return word.doc([Par("The words of a paper.\r"), Par("Another line.\r")])


def patched(data: bytes, *places: tuple[int, str, int]) -> bytes:
    made = bytearray(data)
    for at, kind, value in places:
        struct.pack_into(kind, made, at, value)
    return bytes(made)


def round_chain(data: bytes) -> bytes:
    """Each sector of the first table of sectors is followed by itself."""
    (at,) = struct.unpack_from("<I", data, 76)
    return patched(data, *((512 * (at + 1) + 4 * n, "<I", n) for n in range(127)))


def wide_folder(count: int) -> bytes:
    return compound({f"s{n}": b"x" for n in range(count)})


def shaken(make: Callable[[], bytes], seed: int) -> bytes:
    """Some bytes changed, by a number."""
    chance, made = random.Random(seed), bytearray(make())
    for _ in range(1 + len(made) // 700):
        made[chance.randrange(len(made))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(made)


def tarred(
    *members: tuple[str, bytes], pax: dict[str, str] | None = None, kind: bytes = tarfile.REGTYPE
) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name, data in members:
            one = tarfile.TarInfo(name)
            one.size, one.type, one.pax_headers, one.linkname = (
                len(data),
                kind,
                pax or {},
                "/etc/passwd",
            )
            out.addfile(one, io.BytesIO(data))
    return made.getvalue()


def lying_tar(at: int, told: bytes) -> bytes:
    made = bytearray(tarred(("a.txt", _LINE), ("b.txt", _LINE)))
    made[at : at + len(told)] = told
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made[:512])
    return bytes(made)


def layers(levels: int) -> bytes:
    made = _LINE * 40
    for _ in range(levels):
        made = gzip.compress(made, mtime=0)
    return made


def in_turn(levels: int) -> bytes:
    """A mail in an archive in a mail, again and again."""
    made, name = _LINE, "a.txt"
    for level in range(levels):
        if level % 2:
            mail = builders.mail("See the file.")
            mail.add_attachment(made, maintype="application", subtype="zip", filename=name)
            made, name = bytes(mail), "a.eml"
        else:
            made, name = builders.archive({name: made}), "a.zip"
    return made


def portfolio(count: int) -> bytes:
    names = b" ".join(
        b"(%d.txt) << /F (%d.txt) /EF << /F %d 0 R >> >>" % (n, n, n + 10) for n in range(count)
    )
    files = {n + 10: stream(_LINE + b"%d" % n) for n in range(count)}
    return pdf(
        catalog=b"/Collection << >> /Names << /EmbeddedFiles << /Names [" + names + b"] >> >>",
        more=files,
    )


def many_sheets(count: int) -> bytes:
    head = "".join(f'<sheet name="S{n}" sheetId="{n + 1}" r:id="rId1"/>' for n in range(count))
    book = (
        f'<workbook xmlns="{packages.S}" xmlns:r="{packages.R}"><sheets>{head}</sheets></workbook>'
    )
    return packages.sheet(
        '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>',
        **{"xl/workbook.xml": book},
    )


def shown(record: bytes, levels: int = 0) -> bytes:
    """An old presentation whose stream is `record`, within `levels` of containers."""
    for _ in range(levels):
        record = struct.pack("<HHI", 15, 1036, len(record)) + record
    at = 8 + len(record)
    folder = struct.pack("<HHI", 0, 6002, 8) + struct.pack("<II", 1 << 20 | 1, 8)
    edit = struct.pack("<HHIIIIII", 0, 4085, 28, 0, 0, 0, at, 1) + bytes(8)
    user = struct.pack("<HHIIII", 0, 4086, 20, 20, 0xE391C05F, at + len(folder)) + bytes(8)
    return compound(
        {"Current User": user, "PowerPoint Document": bytes(8) + record + folder + edit}
    )


def gif(frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x03\x44\x02\x05\0"
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0)
        + b"\0\0\0\xff\xff\xff"
        + frame * frames
        + b";"
    )


def rtf(body: bytes) -> bytes:
    return rb"{\rtf1\ansi\ansicpg1252\deff0 Honest words. " + body + b"}"


def _grid(rows: int, columns: int, size: int) -> bytes:
    """An AVIF that is a grid of tiles which it does not hold."""
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, size, size)
    box, full = heics.box, heics.full
    return box(b"ftyp", b"avif", bytes(4), b"mif1avif") + full(
        b"meta", 0, full(b"hdlr", 0, bytes(4), b"pict", bytes(13)), full(b"pitm", 0, struct.pack(">H", 1)),
        full(b"iloc", 1, struct.pack(">BBHHHHHII", 0x44, 0, 1, 1, 1, 0, 1, 0, len(grid))), box(b"idat", grid),
        full(b"iinf", 0, struct.pack(">H", 1), full(b"infe", 2, struct.pack(">HH", 1, 0), b"grid\0")),
        full(b"iref", 0, box(b"dimg", struct.pack(">HH", 1, 65_535), b"\0\1" * 65_535)),
        box(b"iprp", box(b"ipco", full(b"ispe", 0, struct.pack(">II", size, size))), full(b"ipma", 0, struct.pack(">IHBB", 1, 1, 1, 1))))  # fmt: skip


_SHAKEN: dict[str, Callable[[], bytes]] = {
    "msg": lambda: letter(2), "doc": paper, "rtf": lambda: rtf(rb"{\b bold}\par\trowd\cellx99 a\cell\row \u8364?"),
    "tar": lambda: tarred(("a.txt", _LINE), ("b.txt", _LINE)), "heic": heics.heic,
    "ppt": lambda: shown(struct.pack("<HHI", 0, 4000, 8) + "word".encode("utf-16-le")),
    "dat": lambda: tnef((0x9003, b"x" * 40), (0x9003, tnef_properties({_BODY: "Words of a mail."}))),
}  # fmt: skip


def _shaken(kind: str, make: Callable[[], bytes], seed: int) -> Case:
    return case(f"{kind}-shaken-{seed}", f"a.{kind}", lambda: shaken(make, seed), ANY)


CASES = (
    case("msg-sectors-round", "a.msg", lambda: round_chain(letter(3)), ANY),
    case("msg-200-within", "a.msg", lambda: letters_within(200), ANY),
    case("msg-1500-files", "a.msg", lambda: letter(1_500), ANY),
    case("msg-rtf-claims-4g", "a.msg", lambda: msg(message({_SUBJECT: "s", _RTF: patched(packed_rtf(b"{\\rtf1 x}"), (4, "<I", 2**32 - 1))})), ANY),
    case("msg-rtf-runs-on", "a.msg", lambda: msg(message({_SUBJECT: "s", _RTF: struct.pack("<IIII", 2_000_012, 2**31 - 1, 0x75465A4C, 0) + b"\xff" + b"\0\x0f" * 1_000_000})), ANY),
    case("ole-20k-entries", "a.doc", lambda: wide_folder(20_000), ANY),
    case("ole-claims-big-sectors", "a.doc", lambda: patched(paper(), (30, "<H", 31)), ANY),
    case("ole-claims-tables", "a.doc", lambda: patched(paper(), (44, "<I", 2**31), (72, "<I", 2**31), (68, "<I", 0)), ANY),
    case("doc-sectors-round", "a.doc", lambda: round_chain(paper()), ANY),
    case("doc-pieces-lie", "a.doc", lambda: patched(paper(), *((at, "<I", 0x7FFFFFFF) for at in range(512 + 0x4C, 512 + 0x68, 4))), ANY),
    case("doc-3k-paragraphs", "a.doc", lambda: word.doc([Par("x\r")] * 3_000), ANY),
    case("rtf-bin-lies", "a.rtf", lambda: rtf(rb"\bin2147483647 x" * 9_000), ANY),
    case("rtf-bin-negative", "a.rtf", lambda: rtf(rb"\bin-99 x" * 9_000), ANY),
    case("rtf-500k-deep", "a.rtf", lambda: rtf(b"{" * 500_000 + b"x" + b"}" * 500_000), ANY),
    case("rtf-unicode-skips", "a.rtf", lambda: rtf(rb"\uc2147483647\u-1 words" * 50_000), ANY),
    case("rtf-million-cells", "a.rtf", lambda: rtf(rb"\trowd" + rb"\cellx9" * 200_000 + rb"x\cell" * 200_000 + rb"\row"), ANY),
    case("rtf-numbers", "a.rtf", lambda: rtf(rb"\fs" + b"9" * 500_000 + rb"\u" + b"9" * 500_000 + b"?"), ANY),
    case("rtf-fonts", "a.rtf", lambda: rtf(rb"{\fonttbl" + b"".join(rb"{\f%d\fcharset%d X;}" % (n, n % 256) for n in range(60_000)) + b"}"), ANY),
    case("ppt-5k-deep", "a.ppt", lambda: shown(struct.pack("<HHI", 0, 4000, 4) + b"a\0b\0", 5_000), ANY),
    case("ppt-records-long", "a.ppt", lambda: shown(struct.pack("<HHI", 15, 1000, 2**32 - 1) * 9_000), ANY),
    case("ppt-million-records", "a.ppt", lambda: shown(struct.pack("<HHI", 0, 4000, 2) + b"a\0" + (struct.pack("<HHI", 15, 1036, 0) * 500_000)), ANY),
    case("tnef-claims-4g", "a.dat", lambda: patched(tnef((0x9003, b"xxxx")), (11, "<I", 2**32 - 1)), ANY),
    case("tnef-200k-attributes", "a.dat", lambda: tnef(*[(0x9003, b"")] * 200_000), ANY),
    case("tnef-counts", "a.dat", lambda: tnef((0x9003, patched(tnef_properties({_BODY: "x"}), (0, "<I", 2**32 - 1), (8, "<I", 2**32 - 1)))), ANY),
    case("tar-size-lies", "a.tar", lambda: lying_tar(124, b"77777777777\0"), ANY),
    case("tar-size-negative", "a.tar", lambda: lying_tar(124, b"\xff" * 12), ANY),
    case("tar-size-binary", "a.tar", lambda: lying_tar(124, b"\x80" + b"\x7f" * 11), ANY),
    case("tar-sparse", "a.tar", lambda: lying_tar(156, b"S"), ANY),
    case("tar-pax-lies", "a.tar", lambda: tarred(("a.txt", _LINE), pax={"GNU.sparse.realsize": "9" * 20, "GNU.sparse.map": "0,1," * 50_000, "size": "-5", "path": "../../tmp/weft-escaped"}), ANY),
    case("tar-pax-long", "a.tar", lambda: tarred(("a.txt", _LINE), pax={f"k{n}": "v" * 90 for n in range(50_000)}), ANY),
    case("tar-links", "a.tar", lambda: tarred(("a.txt", b""), ("b.txt", b""), kind=tarfile.SYMTYPE), ANY),
    case("tar-devices", "a.tar", lambda: tarred(("a.txt", b""), kind=tarfile.CHRTYPE), ANY),
    case("tar-names", "a.tar", lambda: tarred(("../../tmp/weft-escaped", _LINE), ("/etc/cron.d/weft-escaped", _LINE + b"2")), ANY),
    case("tar-9k-members", "a.tar", lambda: tarred(*((f"{n}.txt", b"") for n in range(9_000))), ANY),
    case("tar-1200-files", "a.tar", lambda: tarred(*((f"{n}.txt", _LINE + b"%d" % n) for n in range(1_200))), ANY),
    case("gz-zeros", "a.gz", lambda: gzip.compress(bytes(2**28), mtime=0), ANY),
    case("gz-tar-of-zeros", "a.tgz", lambda: gzip.compress(tarred(*((f"{n}.txt", bytes(2**24)) for n in range(12))), mtime=0), ANY),
    case("gz-300k-streams", "a.gz", lambda: gzip.compress(b"x", mtime=0) * 300_000, ANY),
    case("gz-60-layers", "a.gz", lambda: layers(60), ANY),
    case("gz-head-runs-on", "a.gz", lambda: b"\x1f\x8b\x08\x1c" + bytes(6) + b"\xff\xff" + b"n" * 900_000, ANY),
    case("zip-mail-zip-mail", "a.zip", lambda: in_turn(41), ANY),
    case("mail-gz-tar-zip", "a.gz", lambda: gzip.compress(tarred(("a.zip", in_turn(5)), ("b.gz", layers(5))), mtime=0), ANY),
    case("pdf-portfolio-500", "a.pdf", lambda: portfolio(500), ANY),
    case("xlsx-100k-sheets", "a.xlsx", lambda: many_sheets(100_000), ANY),
    case("gif-60k-frames", "a.gif", lambda: gif(60_000), ANY),
    case("gif-claims-giant", "a.gif", lambda: patched(gif(1), (6, "<H", 65_535), (8, "<H", 65_535)), ANY),
    case("pdf-map-uses-itself", "a.pdf", lambda: to_unicode(b"/A usecmap " * 50_000 + b"1 begincodespacerange <00> <FF> endcodespacerange"), ANY),
    case("pdf-font-runs-on", "a.pdf", lambda: pdf(font=b"<< /Type /Font /Subtype /Type1 /BaseFont /X /FontDescriptor << /Type /FontDescriptor /FontName /X /Flags 4 /FontFile 6 0 R >> >>", more={6: stream(b"%!PS-AdobeFont-1.0: X\n{ 0 0 { exch } loop } bind def\n" * 40_000, b"/Length1 2000000 /Length2 0 /Length3 0", flate=True)}), ANY),
    case("heic-claims-giant", "a.heic", lambda: heics.heic(size=(2**31 - 1, 2**31 - 1)), ANY),
    case("heic-length-lies", "a.heic", lambda: heics.heic(length=2**32 - 1), ANY),
    case("heic-120-properties", "a.heic", lambda: heics.heic(more=[heics.box(b"irot", b"\1")] * 120), ANY),
    case("avif-grid-itself", "a.avif", lambda: _grid(256, 256, 65_535), ANY),
    case("odp-blanks", "a.odp", lambda: packages.ods('<p/>' + '<text:s text:c="2147483647"/>', "presentation"), ANY),
    case("xml-deflated-twice", "a.gz", lambda: gzip.compress(gzip.compress(b"<a>" + b" " * 2**27 + b"</a>", mtime=0), mtime=0), ANY),
    case("zlib-named-gz", "a.gz", lambda: zlib.compress(_LINE), ANY),
    *(_shaken(kind, make, seed) for kind, make in _SHAKEN.items() for seed in range(14)),
)  # fmt: skip
