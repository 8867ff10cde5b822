"""What a file is, by its content. The name only tells apart what is text either way."""

from __future__ import annotations

import re
from typing import NoReturn

from core.errors import InvalidInput, UnsupportedFormat
from ingestion.decoding import decode
from ingestion.magic import by_magic
from ingestion.text_marks import structure

FORMATS = (
    "pdf", "docx", "doc", "pptx", "ppt", "odt", "odp", "rtf", "xlsx", "xls", "ods", "csv", "tsv",
    "eml", "msg", "tnef", "mbox", "html", "xml", "txt", "md", "json", "log", "vtt", "srt", "zip",
    "tar", "gz", "png", "jpeg", "tiff", "webp", "bmp", "gif", "heic", "avif",
    "epub", "mht", "7z",
)  # fmt: skip

_TEXT_NAMES = {
    "txt": "txt", "text": "txt", "log": "log", "md": "md", "markdown": "md", "csv": "csv",
    "tsv": "tsv", "tab": "tsv", "json": "json", "jsonl": "json", "ndjson": "json",
    "html": "html", "htm": "html", "xhtml": "html", "eml": "eml", "mbox": "mbox", "mbx": "mbox",
    "xml": "xml", "rss": "xml", "atom": "xml", "xsd": "xml", "vtt": "vtt", "srt": "srt",
    "mht": "mht", "mhtml": "mht",
}  # fmt: skip
_NAMES = {
    **_TEXT_NAMES, "pdf": "pdf", "docx": "docx", "docm": "docx", "dotx": "docx", "pptx": "pptx",
    "pptm": "pptx", "ppsx": "pptx", "potx": "pptx", "odt": "odt", "ott": "odt", "xlsx": "xlsx",
    "xlsm": "xlsx", "xltx": "xlsx", "xls": "xls", "xlt": "xls", "ods": "ods", "ots": "ods",
    "zip": "zip", "png": "png", "jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg", "jfif": "jpeg",
    "tif": "tiff", "tiff": "tiff", "webp": "webp", "bmp": "bmp", "dib": "bmp", "gif": "gif",
    "heic": "heic", "heif": "heic", "avif": "avif", "rtf": "rtf", "msg": "msg", "oft": "msg",
    "tnef": "tnef", "doc": "doc", "dot": "doc", "ppt": "ppt", "pps": "ppt", "pot": "ppt",
    "odp": "odp", "otp": "odp", "tar": "tar", "gz": "gz", "tgz": "gz", "epub": "epub",
    "7z": "7z",
}  # fmt: skip
# Names that promise something else than what we read.
_FOREIGN = frozenset({
    "xlsb", "exe", "dll", "so", "com", "bat", "sh", "rar", "bz2", "xz", "jar", "apk",
    "svg", "mp3", "mp4", "wav", "avi", "mov", "mkv", "iso", "parquet", "sqlite",
})  # fmt: skip
# Found in the text itself, these are no table, mail or record of the name's own kind.
_UNLIKE = {
    "csv": {"html", "eml", "xml", "mbox", "vtt", "json"},
    "json": {"html", "eml", "xml", "mbox", "vtt", "csv", "tsv"},
    "xml": {"json", "eml", "mbox", "vtt"},
    "mht": {"html", "xml", "mbox", "vtt", "json"},
}
_UNLIKE["tsv"] = _UNLIKE["csv"]
# What the content shows goes before these names, which promise nothing but text.
_PLAIN = frozenset({"txt", "text", "log"})
_SHOWN = frozenset({"json", "html", "xml", "mbox", "vtt", "srt", "log", "mht"})
_PDF_PAGE = re.compile(rb"/Type\s*/Page\b")


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
    found, what = by_magic(data, _NAMES.get(named, named))
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
    kind, _mark, advice = what.partition("; ")
    raise UnsupportedFormat(
        f"This is {kind}, which Weft does not read{advice and f': {advice}'}. "
        f"Supported: {', '.join(FORMATS)}.",
        supported_formats=list(FORMATS),
    )


def _text_format(data: bytes, named: str) -> str:
    found = structure(decode(data[:65536], cut=len(data) > 65536), whole=len(data) <= 65536)
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
    if named in _PLAIN and found in _SHOWN:
        return "log" if named == "log" and found == "json" else found
    if claimed == "eml" and found in ("mbox", "mht"):
        return found
    return _agreed(found, named) if found in _UNLIKE.get(claimed, ()) else claimed
