"""Words by the networks of the RapidOCR wheel, in a child forked from a server that holds them."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from core.codec import decode
from ingestion import forkserver, frames
from ingestion.child import HEAD
from ingestion.forkserver import Child
from ingestion.ocr.looking import with_child
from ingestion.paging import Look, Raster

_MEMORY_BYTES = 1536 * 2**20  # address space; what it touches is a third of it
_ANSWER_MAX = 16 * 2**20
# Languages, by Tesseract's names, whose letters the networks do not know.
UNREAD = frozenset({
    "amh", "ara", "asm", "bel", "ben", "bul", "ell", "fas", "grc", "guj", "heb", "hin", "hye",
    "kan", "kat", "kaz", "khm", "kir", "kor", "lao", "mal", "mar", "mkd", "mon", "mya", "nep",
    "ori", "pan", "pus", "rus", "sin", "srp", "tam", "tat", "tel", "tgk", "tha", "uig", "ukr",
    "urd", "yid",
})  # fmt: skip


def found(languages: tuple[str, ...]) -> RapidOcr | None:
    """None without the wheel."""
    spec = importlib.util.find_spec("rapidocr")
    places = (spec.submodule_search_locations or []) if spec else []
    if not any(list(Path(one).glob("models/*rec*.onnx")) for one in places):
        return None
    return RapidOcr(languages)


@dataclass(frozen=True, slots=True)
class RapidOcr:
    """PP-OCRv6: Latin scripts, Chinese and Japanese without being told which."""

    languages: tuple[str, ...]
    name: str = "rapidocr"

    def look(self, raster: Raster, seconds: float) -> Look:
        head = {
            "size": len(raster.pixels), "width": raster.width, "height": raster.height,
            "languages": self.languages, "seconds": seconds, "memory_bytes": _MEMORY_BYTES,
        }  # fmt: skip
        return with_child(
            forkserver.PICTURES, seconds, lambda child, end: _asked(child, head, raster, end)
        )


def _asked(child: Child, head: dict[str, object], raster: Raster, end: float) -> Look:
    told = json.dumps(head).encode()
    child.send([HEAD.pack(len(told)), told, raster.pixels], end)
    kind, answer = frames.receive(child.job, end, _ANSWER_MAX)
    if kind != frames.WORDS:
        raise frames.Cut
    return decode(Look, bytes(answer))
