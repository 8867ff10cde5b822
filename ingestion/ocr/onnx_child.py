"""Reads words from a picture by the two networks of the RapidOCR wheel, in a child of its own.

The wheel is used for its files alone (PP-OCRv6 small, Apache 2.0): what it does around them with
OpenCV is done here with numpy and Pillow.
"""

from __future__ import annotations

import importlib.util
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.codec import encode
from ingestion import frames, jail
from ingestion.child import asked
from ingestion.ocr.onnx_boxes import Strip, strips
from ingestion.ocr.onnx_words import columns_of, words_of
from ingestion.paging import Look, Seen

DETECTOR, RECOGNIZER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_LONG_SIDE = 1120  # of the picture in which lines are looked for
_HEIGHT = 48  # of a line for the recognizer
_NARROWED = 0.85  # of its natural width: narrower, "ll" becomes "l"
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
    for name in (DETECTOR, RECOGNIZER):
        _loaded[name] = onnxruntime.InferenceSession(
            str(place / name), options, providers=["CPUExecutionProvider"]
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
    columns = columns_of(_loaded["characters"], everything)
    image = _loaded["image"].fromarray(picture)
    lines = _lines(image)
    quarters = 0
    if _standing(lines):
        quarters, image, lines = _turned(image, 1)
    probes = sorted(lines, key=lambda one: -one.half_length)[:_PROBES]
    if _certainty(image, probes, columns) < _UPRIGHT:
        other = _turned(image, 2)
        longest = sorted(other[2], key=lambda one: -one.half_length)[:_PROBES]
        if _certainty(other[1], longest, columns) > _certainty(image, probes, columns):
            quarters, image, lines = quarters + 2, other[1], other[2]
    words = [word for at, strip in enumerate(lines) for word in _words(image, strip, columns, at)]
    return Look(tuple(words), quarters)


def _standing(lines: list[Strip]) -> bool:
    """Whether most of the text runs from top to bottom."""
    upright = sum(one.half_length for one in lines if abs(one.angle) < 0.8)
    return sum(one.half_length for one in lines) > 2 * upright


def _turned(image: Any, quarters: int) -> tuple[int, Any, list[Strip]]:
    turns = _loaded["image"].Transpose
    image = image.transpose({1: turns.ROTATE_270, 2: turns.ROTATE_180}[quarters])
    return quarters, image, _lines(image)


def _certainty(image: Any, lines: list[Strip], columns: NDArray[np.int64]) -> float:
    sure = [word.confidence for one in lines for word in _words(image, one, columns)]
    return sum(sure) / len(sure) if sure else 0.0


def _words(image: Any, strip: Strip, columns: NDArray[np.int64], line: int = 0) -> list[Seen]:
    characters: list[str] = _loaded["characters"]
    chances, padding = _chances(image, strip, columns)
    return words_of(chances, [characters[number] for number in columns], strip, padding, line)


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


def _chances(
    image: Any, strip: Strip, columns: NDArray[np.int64]
) -> tuple[NDArray[np.float32], float]:
    """A row for each step over the strip, and the part of the steps that is behind its end."""
    cut = _cut(image, strip)
    natural = _HEIGHT * cut.width / cut.height
    wide = int(min(_WIDTH_MAX, max(16, natural * _NARROWED)))
    padded = max(-(-wide // 8) * 8, 64)
    line = np.asarray(cut.resize((wide, _HEIGHT), _loaded["image"].Resampling.BILINEAR))
    data = np.zeros((1, 3, _HEIGHT, padded), np.float32)
    data[:, :, :, :wide] = _scaled(line)
    return _run(RECOGNIZER, data)[0][:, columns], 1 - wide / padded


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
