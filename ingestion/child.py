"""What runs in a parser's child: read the file from the socket, parse, answer by page, leave."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import socket
import struct
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.codec import decode, encode
from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import frames, jail, streams
from ingestion.limits import Limits
from ingestion.paging import Facts, Held, Kind, Look, Opened, Raster, Reading, Skipped

HEAD = struct.Struct("!I")
# A page with words, lines and a font: what reading the first one loads takes longer than the page.
SHEET = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R"
    b"/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
    b"4 0 obj<</Length 79>>stream\nBT /F 9 Tf 9 99 Td (The 2 words) Tj ET "
    b"9 9 99 80 re 40 9 1 80 re 9 40 99 1 re S\nendstream endobj\n"
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>"
)
_SPECKS = 50  # pixels: less than a letter of 6 points at 150 dpi


def warm_up() -> None:
    """Loads what a parse needs, so that a fork finds it in memory."""
    import encodings.cp1252
    import encodings.idna
    import encodings.utf_16_le  # noqa: F401

    # Wheels with C++ in them, loaded behind the walls, find the system's libraries in memory.
    for library in ("libstdc++.so.6", "libdl.so.2", "libpthread.so.0"):
        with suppress(OSError):
            ctypes.CDLL(library)
    encode(Document, Document("txt", ()))
    encode(Page, Page(1, ""))
    for format, data in (
        ("html", b"<p>x</p>"),
        ("csv", b"a,b\n1,2\n"),
        ("eml", b"Subject: x\n\nx"),
        ("pdf", SHEET),
    ):
        for step in streams.stream(data, "", format, None, Limits()):
            if not isinstance(step, Raster):
                _packed(step)


def readable() -> list[Path]:
    return []


def programs() -> bool:
    return False


def run(fd: int) -> None:
    """Never returns."""
    job = socket.socket(fileno=fd)
    head, data = asked(job)
    limits = Limits(**head["limits"])
    gc.disable()  # a short life with many small values
    jail.enter_child(limits.memory_bytes, limits.seconds, threads=head["format"] == "heic")
    try:
        reading = streams.stream(
            data, head["filename"], head["format"], head["password"], limits, head["first"]
        )
        _tell(job, reading, limits)
    except MemoryError:
        _refuse(job, "limit_memory", "Reading this file takes more memory than allowed.")
    except RecursionError:
        _refuse(job, "too_many_parts", "The file is nested too deeply.")
    except Unfinishable as error:
        _refuse(job, error.slug, error.detail)
    except Exception as error:  # noqa: BLE001 - the edge: whatever a hostile file does ends here
        detail = f"The file is damaged: {type(error).__name__}: {str(error)[:200]}"
        _refuse(job, "corrupted", detail)
    os._exit(0)


def asked(job: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The head as JSON and `size` bytes after it. Nothing behind them is read."""
    forever = time.monotonic() + 3600  # the deadline is kept from outside
    (length,) = HEAD.unpack(frames.exactly(job, HEAD.size, forever))
    head: dict[str, Any] = json.loads(frames.exactly(job, length, forever))
    return head, frames.exactly(job, head["size"], forever)


def _tell(job: socket.socket, reading: Reading, limits: Limits) -> None:
    left = limits.output_bytes
    words: Look | None = None
    eyes = _Eyes(job, limits)
    while True:
        data = b""
        try:
            step = reading.send(words)
        except StopIteration as end:
            kind, body = frames.DOCUMENT, encode(Document, end.value)
        else:
            if isinstance(step, Held):
                data = step.file.data
                step = replace(step, file=replace(step.file, data=b""))
            if isinstance(step, Raster):
                words = eyes.look(step)
                continue
            kind, body = _packed(step)
        left -= len(body)
        if left < 0:
            raise Unfinishable("The document has too much content.", code="limit_memory")
        frames.send(job, kind, body)
        if kind == frames.HELD:
            frames.send(job, frames.BYTES, data)
        if kind == frames.DOCUMENT:
            return
        words = None


class _Eyes:
    """Has pictures looked at. A blank one is shown to nobody, the same one only once: a thousand
    pages of eight megapixels are a minute on their way."""

    def __init__(self, job: socket.socket, limits: Limits) -> None:
        self._job, self._open = job, limits.ocr_seconds > 0
        self._last: tuple[Raster, Look] | None = None

    def look(self, raster: Raster) -> Look | None:
        """None where nobody could look, which the parent has noted."""
        if self._open and _blank(raster):
            return Look(())
        if self._last is not None and replace(self._last[0], number=raster.number) == raster:
            return self._last[1]
        size = frames.PICTURE.pack(raster.number, raster.width, raster.height, raster.dpi)
        frames.send(self._job, frames.RASTER, size, raster.pixels)
        words = _words(self._job)
        self._last = (raster, words) if words is not None else None
        return words


def _blank(raster: Raster) -> bool:
    """One shade but for specks: a page without a letter costs nobody a look at it. The shade is
    that of one of five places, so that a mark does not decide."""
    pixels = raster.pixels
    shades = {pixels[len(pixels) * at // 6] for at in range(1, 6)} if pixels else set[int]()
    return any(pixels.count(shade) > len(pixels) - _SPECKS for shade in shades)


def _packed(step: Page | Skipped | Held | Facts | Kind | Opened) -> tuple[bytes, bytes]:
    match step:
        case Page():
            return frames.PAGE, encode(Page, step)
        case Skipped():
            return frames.SKIPPED, encode(Skipped, step)
        case Held():
            return frames.HELD, encode(Held, step)
        case Facts():
            return frames.FACTS, encode(Facts, step)
        case Kind():
            return frames.KIND, encode(Kind, step)
        case Opened():
            return frames.OPENED, encode(Opened, step)


def _words(job: socket.socket) -> Look | None:
    kind, body = frames.receive(job, time.monotonic() + 3600, 2**26)
    return decode(Look, body) if kind == frames.WORDS else None


def _refuse(job: socket.socket, code: str, detail: str) -> None:
    with suppress(OSError):
        frames.send(job, frames.ERROR, json.dumps({"code": code, "detail": detail}).encode())
