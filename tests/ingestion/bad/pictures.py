"""Pictures that are far larger than their bytes, or go round."""

from __future__ import annotations

import io
import struct
import zlib

from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, case

_SEEN = frozenset(
    {READY, *LIMITED, *BROKEN, *EMPTY, "unsupported_format", "ocr_missing", "too_many_pixels"}
)
SVG = (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script>'
       b'<image href="http://127.0.0.1:48719/x"/><text>hello</text></svg>')  # fmt: skip


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(width: int, height: int, body: bytes, extra: bytes = b"") -> bytes:
    head = _chunk(b"IHDR", struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def png_bomb() -> bytes:
    """60,000 × 60,000: 450 MB of one bit each in 440 kB."""
    squeezer = zlib.compressobj(9)
    row = bytes(1 + 60_000 // 8) * 100
    body = b"".join(squeezer.compress(row) for _ in range(600)) + squeezer.flush()
    return png(60_000, 60_000, body)


def png_text_bomb() -> bytes:
    text = b"Comment\0\0" + zlib.compress(bytes(500_000_000), 9)
    return png(8, 8, zlib.compress(bytes(2 * 8)), _chunk(b"zTXt", text))


def tiff_cycle(claimed: int = 9) -> bytes:
    """Its second directory is its first."""
    tags = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 1), (259, 3, 1, 1), (262, 3, 1, 1),
            (273, 4, 1, 200), (277, 3, 1, 1), (278, 4, 1, 64), (279, 4, 1, 512)]  # fmt: skip
    entries = b"".join(struct.pack("<2H2I", *tag) for tag in tags)
    body = struct.pack("<H", claimed) + entries + struct.pack("<I", 8)
    return (b"II*\0" + struct.pack("<I", 8) + body).ljust(200, b"\0") + bytes(512)


def tiff_far() -> bytes:
    return b"II*\0" + struct.pack("<I", 0xFFFFFFF0) + bytes(64)


def jpeg(width: int, height: int) -> bytes:
    """The sizes of a giant before a picture of one block."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("L", (8, 8), 255).save(made, "JPEG")
    data = bytearray(made.getvalue())
    at = data.index(b"\xff\xc0")
    struct.pack_into(">2H", data, at + 5, height, width)
    return bytes(data)


def gif(frames: int) -> bytes:
    head = b"GIF89a" + struct.pack("<2H3B", 8, 8, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<4HB", 0, 0, 8, 8, 0) + b"\x02\x02\x44\x01\0"
    return head + frame * frames + b";"


def html_and_jpeg() -> bytes:
    return jpeg(8, 8) + b"<html><script>alert(1)</script></html>"


CASES = (
    case("png-bomb", "a.png", png_bomb, LIMITED, BROKEN, "unsupported_format"),
    case("png-one-pixel-high", "a.png", lambda: png(2**31 - 1, 1, zlib.compress(bytes(1000))),
         LIMITED, BROKEN, "unsupported_format"),
    case("png-text-bomb", "a.png", png_text_bomb, _SEEN),
    case("png-no-data", "a.png", lambda: png(9, 9, b""), _SEEN),
    case("png-signature", "a.png", lambda: b"\x89PNG\r\n\x1a\n", BROKEN, "unsupported_format"),
    case("jpeg-giant", "a.jpg", lambda: jpeg(65_000, 65_000), LIMITED, BROKEN,
         "unsupported_format"),
    case("tiff-cycle", "a.tiff", tiff_cycle, _SEEN),
    case("tiff-far-directory", "a.tiff", tiff_far, BROKEN, "unsupported_format", EMPTY),
    case("gif-50k-frames", "a.gif", lambda: gif(50_000), _SEEN),
    case("svg-script", "a.svg", lambda: SVG, REFUSED),
    case("html-and-jpeg", "a.html", html_and_jpeg, "wrong_extension"),
    case("html-and-jpeg-2", "a.jpg", html_and_jpeg, _SEEN),
    case("heic-noise", "a.heic", lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), BROKEN,
         LIMITED, EMPTY, "unsupported_format"),
    case("bmp-lying", "a.bmp", lambda: b"BM" + struct.pack("<3I", 100, 0, 54)
         + struct.pack("<3I2H6I", 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0), LIMITED, BROKEN,
         "unsupported_format"),
)  # fmt: skip
