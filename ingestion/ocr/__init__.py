"""Pictures to words by engines of this machine, each in killable children behind walls.

One port (`ingestion.sandbox.Looker`): Tesseract where its program is, else the networks of the
RapidOCR wheel. Both get raw gray pixels and nothing else.
"""

from __future__ import annotations

from functools import lru_cache

from core.errors import InvalidInput
from ingestion.ocr import rapidocr, tesseract
from ingestion.sandbox import Looker

__all__ = ["engine"]

_KNOWN = "auto, tesseract, rapidocr, none or the path of a tesseract program"


@lru_cache(maxsize=8)
def engine(choice: str, languages: tuple[str, ...]) -> Looker | None:
    """The engine for `choice` (`WEFT_OCR`), for languages as Tesseract names them (`eng`, `deu`).

    None where pictures are not to be read, or nothing here can. Raises `InvalidInput` when the one
    that was chosen is not there."""
    if choice == "none":
        return None
    if choice == "rapidocr":
        return rapidocr.found(languages) or _missing("make setup")
    if choice == "tesseract" or "/" in choice:
        program = None if choice == "tesseract" else choice
        return tesseract.found(languages, program) or _missing("sudo apt-get install tesseract-ocr")
    if choice != "auto":
        raise InvalidInput(f"WEFT_OCR={choice!r} is not known here; use {_KNOWN}.", code="bad_ocr")
    return tesseract.found(languages) or rapidocr.found(languages)


def _missing(command: str) -> Looker:
    raise InvalidInput(
        f"The engine that WEFT_OCR names is not on this machine. Type: {command}", code="no_ocr"
    )
