"""Bytes to text: marks first, then UTF-8, then the code page that fits."""

from __future__ import annotations

import codecs

from ingestion.central import is_central


def decode(data: bytes, cut: bool = False) -> str:
    """Never fails; `cut` says that the last character may be incomplete."""
    return decode_named(data, cut)[0]


def decode_named(data: bytes, cut: bool = False) -> tuple[str, str]:
    """The text and the name of its encoding."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), name
    if unmarked := wide(data):
        return data.decode(unmarked, "replace"), unmarked
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        name = _code_page(data)
        return data.decode(name, "replace"), name
    return text, "utf-8"


def wide(data: bytes) -> str | None:
    """UTF-16 without its mark: of Western text every other byte is zero, and it reads as text."""
    sample = data[:4096]
    sample = sample[: len(sample) // 2 * 2]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.6 * half or min(even, odd) > 0.02 * half:
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    text = sample.decode(name, "replace")
    return name if sum(c.isprintable() or c in "\r\n\t\f" for c in text) > 0.98 * half else None


def _code_page(data: bytes) -> str:
    """Western text has few high bytes, and statistics on them guess worse than the habit."""
    sample = data[:65536]
    if sum(byte > 127 for byte in sample) < len(sample) * 0.2:
        return "cp1250" if is_central(sample) else "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best else "cp1252"
