"""What a file is, by its content. The name only tells apart what is text either way."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import NoReturn

from core.errors import InvalidInput, UnsupportedFormat
from ingestion.decoding import decode

FORMATS = ("pdf", "docx", "xlsx", "csv", "tsv", "eml", "html", "txt", "md", "json")

_TEXT_NAMES = {
    "txt": "txt", "text": "txt", "log": "txt", "md": "md", "markdown": "md", "csv": "csv",
    "tsv": "tsv", "tab": "tsv", "json": "json", "jsonl": "json", "ndjson": "json",
    "html": "html", "htm": "html", "xhtml": "html", "eml": "eml",
}  # fmt: skip
_NAMES = {**_TEXT_NAMES, "pdf": "pdf", "docx": "docx", "xlsx": "xlsx", "xlsm": "xlsx"}
# Names that promise something else than what we read.
_FOREIGN = frozenset({
    "doc", "xls", "ppt", "pptx", "odt", "ods", "odp", "rtf", "msg", "exe", "dll", "so", "com",
    "bat", "sh", "zip", "gz", "tgz", "tar", "7z", "rar", "bz2", "xz", "jar", "apk", "png",
    "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "heic", "svg", "mp3", "mp4", "wav",
    "avi", "mov", "mkv", "iso", "parquet", "sqlite",
})  # fmt: skip
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"), (b"BM", "a BMP image"), (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"), (b"RIFF", "a RIFF file (WebP, WAV or AVI)"),
    (b"MZ", "a Windows program"), (b"\x7fELF", "a Linux program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"), (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"), (b"Rar!", "a RAR archive"), (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"), (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3", "a database"),
    (b"ID3", "an MP3 file"), (b"OggS", "an Ogg file"), (b"%!PS", "a PostScript file"),
    (b"PAR1", "a Parquet file"), (b"\x00\x00\x01\x00", "an icon"),
)  # fmt: skip
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Office, or around an encrypted file
_PDF_PAGE = re.compile(rb"/Type\s*/Page\b")
_HEADER = re.compile(
    r"(?:from|to|subject|date|received|message-id|mime-version|return-path|delivered-to|"
    r"content-type|x-[\w-]+|reply-to|cc)\s*:",
    re.IGNORECASE,
)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def shows_pages(data: bytes) -> bool:
    """Whether a PDF names a page, or hides its objects in streams where no look from outside
    can tell."""
    return bool(_PDF_PAGE.search(data)) or b"/ObjStm" in data


def extension(filename: str) -> str:
    """Lower case, without the dot; empty when there is none."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    _stem, dot, last = name.rpartition(".")
    return last.strip().lower() if dot else ""


def sniff(data: bytes, filename: str) -> str:
    """One of `FORMATS`. Raises `UnsupportedFormat` with the list, or `InvalidInput` with code
    `empty_file` or `wrong_extension`."""
    named = extension(filename)
    if not data:
        raise InvalidInput("The file is empty. Send one with content.", code="empty_file")
    found, what = _by_magic(data, named)
    if found:
        return _agreed(found, named)
    if what:
        _refuse(what, named)
    return _text_format(data, named)


def _agreed(found: str, named: str) -> str:
    claimed = _NAMES.get(named)
    if claimed == found or (claimed is None and named not in _FOREIGN):
        return found
    raise InvalidInput(
        f"The file is named .{named} but its content is {found.upper()}. "
        f"Rename it to .{found} and send it again.",
        code="wrong_extension",
        detected_format=found,
    )


def _refuse(what: str, named: str) -> NoReturn:
    if named in _NAMES:
        raise InvalidInput(
            f"The file is named .{named} but its content is {what}.",
            code="wrong_extension",
            detected=what,
            supported_formats=list(FORMATS),
        )
    raise UnsupportedFormat(
        f"This is {what}, which Weft does not read. Supported: {', '.join(FORMATS)}.",
        supported_formats=list(FORMATS),
    )


def _by_magic(data: bytes, named: str) -> tuple[str | None, str | None]:
    """`(format, None)`, `(None, what it is in words)`, or neither: perhaps text."""
    if b"%PDF-" in data[:1024]:
        return "pdf", None
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_kind(data, named)
    if data.startswith(OLE):
        return _compound_kind(data, named)
    if data[4:8] == b"ftyp":
        return None, "a video or HEIC image"
    for magic, what in _MAGIC:
        # "BM", "MZ" and the like also begin ordinary words.
        if data.startswith(magic) and (len(magic) > 3 or _binary(data)):
            return None, what
    return (None, "a binary file of an unknown kind") if _binary(data) else (None, None)


def _zip_kind(data: bytes, named: str) -> tuple[str | None, str | None]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        # Cut off or damaged: the parser says so in its own words.
        return (named, None) if named in ("docx", "xlsx") else (None, "a damaged ZIP archive")
    if "word/document.xml" in names:
        return "docx", None
    if "xl/workbook.xml" in names:
        return "xlsx", None
    if "ppt/presentation.xml" in names:
        return None, "a PowerPoint presentation"
    if "content.xml" in names:
        return None, "an OpenDocument file"
    if "[Content_Types].xml" in names and named in ("docx", "xlsx"):
        return named, None
    return None, "a ZIP archive"


def _compound_kind(data: bytes, named: str) -> tuple[str | None, str | None]:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return (named if named in ("docx", "xlsx") else "docx"), None
    return None, "an old Office file (.doc, .xls, .msg); save it as .docx, .xlsx or .eml"


def _binary(data: bytes) -> bool:
    head = data[:8192]
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return False
    controls = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)
    return head.count(0) > len(head) // 100 or controls > max(2, len(head) // 20)


def _text_format(data: bytes, named: str) -> str:
    found = _structure(decode(data[:65536], cut=len(data) > 65536), whole=len(data) <= 65536)
    claimed = _TEXT_NAMES.get(named)
    if claimed is None:
        if named in _NAMES:
            _refuse("plain text" if found == "txt" else f"text ({found.upper()})", named)
        if named:
            raise UnsupportedFormat(
                f"Files named .{named} are not read. Supported: {', '.join(FORMATS)}. "
                "Rename plain text to .txt.",
                supported_formats=list(FORMATS),
            )
        return found
    if found == "json" and named in ("txt", "log", "text"):
        return "json"
    if found in ("html", "eml") and claimed in ("csv", "tsv", "json"):
        return _agreed(found, named)
    return claimed


def _structure(text: str, whole: bool) -> str:
    """The kind of text that its own marks show; `txt` where there are none."""
    if _HTML.match(text):
        return "html"
    lines = [line for line in text.splitlines() if line.strip()][:20]
    if sum(bool(_HEADER.match(line)) for line in lines[:12]) >= 3:
        return "eml"
    if whole and _is_json(text):
        return "json"
    if len(lines) > 1 and all(
        line.lstrip().startswith("{") and _is_json(line) for line in lines[:5]
    ):
        return "json"
    for mark in ",;\t":
        counts = {line.count(mark) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return "tsv" if mark == "\t" else "csv"
    return "txt"


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
