"""Binary formats by their first bytes and, for containers, by what they hold."""

from __future__ import annotations

import io
import zipfile

from core.errors import Unfinishable
from ingestion.decoding import wide
from ingestion.limits import MIB, Limits
from ingestion.ole import MARK, Compound

_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"),
    (b"GIF89a", "gif"), (b"II*\x00", "tiff"), (b"MM\x00*", "tiff"), (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"), (b"{\\rtf", "rtf"), (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x78\x9f\x3e\x22", "tnef"),
)  # fmt: skip
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"RIFF", "a WAV or AVI file"),
    (b"MZ", "a Windows program"), (b"\x7fELF", "a Linux program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"Rar!", "a RAR archive"), (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"SQLite format 3", "a database"), (b"\x00\x01\x00\x00Standard ", "an Access database"),
    (b"!BDN", "an Outlook data file (.pst); export its mails as .eml or .mbox"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut; send the file that it leads to"),
    (b"\xe4R\\{\x8c\xd8\xa7M", "a OneNote notebook; export it as .pdf"),
    (b"ID3", "an MP3 file"), (b"OggS", "an Ogg file"), (b"%!PS", "a PostScript file"),
    (b"PAR1", "a Parquet file"), (b"\x00\x00\x01\x00", "an icon"),
)  # fmt: skip
_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_AVIF = frozenset((b"avif", b"avis"))
_BMP_HEADERS = frozenset((12, 40, 52, 56, 64, 108, 124))
_ZIPPED = frozenset(("docx", "pptx", "odt", "odp", "xlsx", "ods", "zip", "epub"))
_OFFICE = (
    ("word/document.xml", "docx"), ("xl/workbook.xml", "xlsx"), ("ppt/presentation.xml", "pptx"),
)  # fmt: skip
# Packages of other programs: their parts are nobody's documents.
_OTHERS = (
    ("xl/workbook.bin", "a binary workbook (.xlsb); save it as .xlsx"),
    ("visio/document.xml", "a Visio drawing (.vsdx); save it as .pdf"),
    ("FixedDocumentSequence.fdseq", "an XPS document; save it as .pdf"),
    ("Index/Document.iwa", "an Apple iWork file; export it as .docx, .xlsx or .pdf"),
)
_OPEN = {"text": "odt", "spreadsheet": "ods", "presentation": "odp"}
_STREAMS = {
    "EncryptedPackage": "", "__properties_version1.0": "msg", "__substg1.0_": "msg",
    "Workbook": "xls", "Book": "xls", "WordDocument": "doc",
    "PowerPoint Document": "ppt",
}  # fmt: skip


def by_magic(data: bytes, claimed: str) -> tuple[str | None, str | None]:
    """`(format, None)`, `(None, what it is in words)`, or neither: perhaps text.

    `claimed` is the format that the name promises."""
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_kind(data, claimed)
    if data.startswith(MARK):
        return _compound_kind(data, claimed)
    if data[:3] == b"\x1f\x8b\x08":
        return "gz", None
    if data[257:262] == b"ustar":
        return "tar", None
    if _is_pdf(data, claimed):
        return "pdf", None
    if data[4:8] == b"ftyp":
        return _boxed(data)
    known = _picture(data)
    if known:
        return known, None
    for magic, what in _MAGIC:
        # "MZ" and the like also begin ordinary words.
        if data.startswith(magic) and (len(magic) > 3 or _binary(data)):
            return None, what
    return (None, "a binary file of an unknown kind") if _binary(data) else (None, None)


def _is_pdf(data: bytes, claimed: str) -> bool:
    """Something may stand before its mark; a text that only speaks of the mark is none."""
    at = data.find(b"%PDF-", 0, 1024)
    return at >= 0 and (claimed == "pdf" or not data[:at].strip() or b"endobj" in data)


def _boxed(data: bytes) -> tuple[str | None, str | None]:
    """By the main brand; where that is of any HEIF picture, by those it is compatible with."""
    length = min(max(16, int.from_bytes(data[:4], "big")), 256)
    more = {data[at : at + 4] for at in range(16, length, 4)}
    main = data[8:12]
    if main in _AVIF or (main in (b"mif1", b"msf1") and more & _AVIF):
        return "avif", None
    return ("heic", None) if main in _HEIC else (None, "a video")


def _picture(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    # "BM" also begins words; behind it stand the sizes of the file and of a known header.
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    return next((format for magic, format in _FORMATS if data.startswith(magic)), None)


def _zip_kind(data: bytes, claimed: str) -> tuple[str | None, str | None]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = _declared(archive) if "mimetype" in names else ""
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        # Cut off or damaged: the parser says so in its own words.
        return (claimed, None) if claimed in _ZIPPED else (None, "a damaged ZIP archive")
    for part, format in _OFFICE:
        if part in names:
            return format, None
    for part, what in _OTHERS:
        if part in names:
            return None, what
    if "opendocument" in kind:
        named = kind.rpartition(".")[2].partition("-")[0].strip()
        return (_OPEN[named], None) if named in _OPEN else (None, f"an OpenDocument {named}")
    if "epub" in kind or ("META-INF/container.xml" in names and _names_opf(names)):
        return "epub", None
    if "[Content_Types].xml" in names and claimed in ("docx", "xlsx", "pptx"):
        return claimed, None
    return "zip", None


def _names_opf(names: set[str]) -> bool:
    return any(name.endswith(".opf") for name in names)


def _declared(archive: zipfile.ZipFile) -> str:
    """What an OpenDocument file or a book says it is, in its own first part."""
    try:
        with archive.open("mimetype") as part:
            return part.read(200).decode("ascii", "replace")
    except (KeyError, RuntimeError, EOFError, zipfile.BadZipFile):
        return ""


def _compound_kind(data: bytes, claimed: str) -> tuple[str | None, str | None]:
    """By the names in its own folder: what lies deeper is another file. Where that is damaged, by
    names anywhere, in UTF-16; the reader says what is wrong with it."""
    try:
        root = Compound(data, Limits()).root
        names = {name.lower() for name in (*root.streams, *root.storages)}
    except Unfinishable:
        if claimed in ("doc", "msg", "ppt", "xls"):
            return claimed, None
        head = data[: 4 * MIB] + data[-4 * MIB :]
        names = {name.lower() for name in _STREAMS if name.encode("utf-16-le") in head}
    if "encryptedpackage" in names:
        return (claimed if claimed in ("docx", "xlsx", "pptx") else "docx"), None
    for name, told in _STREAMS.items():
        if any(one.startswith(name.lower()) for one in names):
            return (told, None) if " " not in told else (None, told)
    return None, "an old Office file of an unknown kind; save it as .docx, .xlsx or .pptx"


def _binary(data: bytes) -> bool:
    head = data[:8192]
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or wide(head):
        return False
    controls = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)
    return head.count(0) > len(head) // 100 or controls > max(2, len(head) // 20)
