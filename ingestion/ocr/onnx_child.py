"""Reads words from a picture by the two networks of the RapidOCR wheel, in a child of its own.

The wheel is used for its files alone (PP-OCRv6 small, Apache 2.0): what it does around them with
OpenCV is done here with numpy and Pillow.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.codec import encode
from ingestion import frames, jail
from ingestion.child import asked
from ingestion.ocr import printed
from ingestion.ocr.onnx_boxes import Strip, strips
from ingestion.ocr.onnx_head import Head, without_head
from ingestion.ocr.onnx_words import columns_of, words_of
from ingestion.paging import Look, Seen

DETECTOR, RECOGNIZER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_LONG_SIDE = 1120  # of the picture in which lines are looked for
_HEIGHT = 48  # of a line for the recognizer
_NARROWED = 0.85  # of its natural width: narrower, "ll" becomes "l"
_GLANCE = 36  # rows of the first reading: a seventh less work
_STROKE = 12.0  # pixels from one stroke to the next that are enough, at the height of a line
_DOUBTFUL = 0.7  # a line with a letter less sure than this is read again, with all rows
_WIDTH_MAX = 3200
_PROBES, _UPRIGHT = 3, 0.8  # lines read first; surer than this, a page is not upside down
_NOT_LATIN = frozenset({"chi_sim", "chi_tra", "jpn", "kor", "ell", "rus", "ara", "heb"})
_loaded: dict[str, Any] = {}


def folder() -> Path | None:
    """Where the wheel keeps its networks; None without it."""
    found = importlib.util.find_spec("rapidocr")
    places = (found.submodule_search_locations or []) if found else []
    return next(
        (Path(one) / "models" for one in places if (Path(one) / "models" / RECOGNIZER).exists()),
        None,
    )


def warm_up() -> None:
    import onnxruntime
    from PIL import Image

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    place = folder()
    if place is None:
        raise SystemExit("the rapidocr package is missing")
    body, _loaded["head"] = without_head((place / RECOGNIZER).read_bytes())
    for name, network in ((DETECTOR, (place / DETECTOR).read_bytes()), (RECOGNIZER, body)):
        _loaded[name] = onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"]
        )
    told = _loaded[RECOGNIZER].get_modelmeta().custom_metadata_map["character"]
    _loaded["characters"] = ["", *told.split("\n"), " "]
    _loaded["image"] = Image


def readable() -> list[Path]:
    place = folder()
    return [place] if place else []


def programs() -> bool:
    return False


def run(fd: int) -> None:
    """Never returns."""
    job = socket.socket(fileno=fd)
    head, pixels = asked(job)
    jail.enter_child(head["memory_bytes"], head["seconds"])
    picture = np.frombuffer(pixels, np.uint8).reshape(head["height"], head["width"])
    look = looked(picture, everything=bool(_NOT_LATIN & set(head["languages"])))
    with suppress(OSError):
        frames.send(job, frames.WORDS, encode(Look, look))
    os._exit(0)


def looked(picture: NDArray[np.uint8], *, everything: bool = False) -> Look:
    """The words on a gray picture, which is turned first if its lines stand or hang."""
    image = _loaded["image"].fromarray(picture)
    found = printed.lines(image)
    reader = _Reader(everything, plain=found is not None)
    lines = _lines(image) if found is None else found
    quarters = 0
    if _standing(lines):
        quarters, image, lines = _turned(image, 1)
    sure = _certainty(reader, image, lines)
    if sure < _UPRIGHT:
        other = _turned(image, 2)
        if _certainty(reader, *other[1:]) > sure:
            quarters, image, lines = quarters + 2, other[1], other[2]
    words = [
        replace(word, line=at)
        for at, strip in enumerate(lines)
        for word in reader.words(image, strip)
    ]
    return Look(tuple(words), quarters)


def _standing(lines: list[Strip]) -> bool:
    """Whether most of the text runs from top to bottom."""
    upright = sum(one.half_length for one in lines if abs(one.angle) < 0.8)
    return sum(one.half_length for one in lines) > 2 * upright


def _turned(image: Any, quarters: int) -> tuple[int, Any, list[Strip]]:
    turns = _loaded["image"].Transpose
    image = image.transpose({1: turns.ROTATE_270, 2: turns.ROTATE_180}[quarters])
    return quarters, image, _lines(image)


def _certainty(reader: _Reader, image: Any, lines: list[Strip]) -> float:
    """Of the longest lines."""
    probes = sorted(lines, key=lambda one: -one.half_length)[:_PROBES]
    sure = [word.confidence for one in probes for word in reader.words(image, one)]
    return sum(sure) / len(sure) if sure else 0.0


class _Reader:
    """Reads strips of one picture, each once."""

    def __init__(self, everything: bool, plain: bool) -> None:
        self._plain = plain
        columns = columns_of(_loaded["characters"], everything)
        head: Head = _loaded["head"]
        self._head = head.only(columns)
        self._letters: list[str] = [_loaded["characters"][number] for number in columns]
        self._read: dict[tuple[int, Strip], list[Seen]] = {}

    def words(self, image: Any, strip: Strip) -> list[Seen]:
        """Of large letters on a plain page a glance is enough, with fewer rows and columns, if it
        leaves them sure."""
        key = (id(image), strip)
        if key not in self._read:
            cut = _cut(image, strip)
            large = self._plain and cut.height >= _HEIGHT
            words = self._words(cut, strip, _GLANCE, _enough(cut)) if large else []
            if not words or min(word.confidence for word in words) < _DOUBTFUL:
                words = self._words(cut, strip, _HEIGHT, _NARROWED) or words
            self._read[key] = words
        return self._read[key]

    def _words(self, cut: Any, strip: Strip, rows: int, narrowed: float) -> list[Seen]:
        natural = _HEIGHT * cut.width / cut.height
        wide = int(min(_WIDTH_MAX, max(16, natural * narrowed)))
        padded = max(-(-wide // 8) * 8, 64)
        line = np.asarray(cut.resize((wide, rows), _loaded["image"].Resampling.BILINEAR))
        data = np.zeros((1, 3, rows, padded), np.float32)
        data[:, :, :, :wide] = _scaled(line)
        chances = self._head.chances(_run(RECOGNIZER, data)[0])
        return words_of(chances, self._letters, strip, 1 - wide / padded, 0)


def _enough(cut: Any) -> float:
    """The part of a line's natural width that its letters can do with: those of a typewriter are
    told apart at half of it."""
    rows = np.asarray(cut)[int(cut.height * 0.3) : int(cut.height * 0.75)]
    dark, light = np.percentile(rows, (5, 95))
    strokes = np.count_nonzero(np.diff((rows < (dark + light) / 2).astype(np.int8)) == 1)
    apart = _HEIGHT * cut.width / cut.height / max(1.0, strokes / max(1, len(rows)))
    return float(min(_NARROWED, max(0.45, _STROKE / apart)))


def _lines(image: Any) -> list[Strip]:
    wide, high = image.size
    scale = min(1.0, _LONG_SIDE / max(wide, high))
    size = (max(32, round(wide * scale / 32) * 32), max(32, round(high * scale / 32) * 32))
    small = np.asarray(image.resize(size, _loaded["image"].Resampling.BILINEAR, reducing_gap=2.0))
    chances = _run(DETECTOR, _scaled(small))[0, 0]
    return strips(chances, wide / size[0], high / size[1])


def _scaled(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """From -1 to 1, three times the same colour."""
    one = (gray.astype(np.float32) / 127.5 - 1.0)[None, None]
    return np.repeat(one, 3, axis=1)


def _run(name: str, data: NDArray[np.float32]) -> NDArray[np.float32]:
    answer: NDArray[np.float32] = _loaded[name].run(None, {"x": data})[0]
    return answer


def _cut(image: Any, strip: Strip) -> Any:
    size = (max(4, round(2 * strip.half_length)), max(4, round(2 * strip.half_height)))
    if abs(strip.angle) * strip.half_length < 1.0:
        left, top = round(strip.x - size[0] / 2), round(strip.y - size[1] / 2)
        box = (max(0, left), max(0, top), min(image.width, left + size[0]),
               min(image.height, top + size[1]))  # fmt: skip
        if box[2] - box[0] == size[0] and box[3] - box[1] == size[1]:
            return image.crop(box)
    kinds = _loaded["image"]
    corners = tuple(value for corner in strip.corners() for value in corner)
    return image.transform(
        size, kinds.Transform.QUAD, corners, kinds.Resampling.BILINEAR, fillcolor=255
    )
