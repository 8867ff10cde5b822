"""Pictures to words by engines of this machine, each in killable children behind walls.

One port (`ingestion.sandbox.Looker`): the networks of the RapidOCR wheel, or Tesseract where its
program is and a script is asked for that the networks do not know. Both get raw gray pixels and
nothing else.
"""

from __future__ import annotations

from functools import lru_cache

from core.errors import InvalidInput
from ingestion.ocr import rapidocr, tesseract
from ingestion.ocr.rapidocr import RapidOcr
from ingestion.ocr.tesseract import Tesseract
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
    return better(rapidocr.found(languages), tesseract.found(languages))


def better(networks: RapidOcr | None, program: Tesseract | None) -> Looker | None:
    """The networks read Latin letters with fewer errors and on less time (decision 0034); of
    Cyrillic or Greek they know nothing."""
    if networks and program and rapidocr.UNREAD & {*networks.languages} & {*program.languages}:
        return program
    return networks or program


def _missing(command: str) -> Looker:
    raise InvalidInput(
        f"The engine that WEFT_OCR names is not on this machine. Type: {command}", code="no_ocr"
    )
