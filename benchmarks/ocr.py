"""Scans: words read of clean, skewed and noisy A4 pages, and the CPU seconds of a page on one core.

The pages are letters of about 300 words, drawn at 300 dpi in three fonts and two languages. Both
engines are asked where they are; `WEFT_BENCH_TESSERACT` names a copy that lies elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from statistics import mean
from typing import Any

import psutil

from benchmarks.figures import at_least, at_most
from core.errors import InvalidInput, Unfinishable
from ingestion import forkserver, ocr, parse
from ingestion.sandbox import Looker
from tests.ingestion import scans

_FONTS = ("Helvetica", "Times-Roman", "Courier")
_TEXTS = {"en": scans.ENGLISH * 6, "de": scans.GERMAN * 8}


def run() -> Iterator[dict[str, Any]]:
    for name in ("rapidocr", os.environ.get("WEFT_BENCH_TESSERACT", "tesseract")):
        try:
            engine = ocr.engine(name, ("eng", "deu"))
        except InvalidInput:
            continue
        if engine is not None:
            yield from _figures(engine)


def _figures(engine: Looker) -> Iterator[dict[str, Any]]:
    pages = [(text, scans.printed(*text, font=font)) for font in _FONTS for text in _TEXTS.values()]
    _read(engine, pages[0][1])  # the server starts, the networks are loaded
    clean = [(_read(engine, picture), text) for text, picture in pages]
    words = mean(sum(len(line.split()) for line in text) for text, _ in pages)
    name = f"ocr.{engine.name}"
    yield at_least(f"{name}.clean", _share(clean), 0.98, "of the words")
    yield at_most(
        f"{name}.page", mean(cpu for (_, cpu), _ in clean), 2, f"s CPU a page ({words:.0f} words)"
    )
    for variant, change in (("skew 2°", _skewed), ("noise", _noisy), ("150 dpi", _coarse)):
        read = [(_read(engine, change(picture)), text) for text, picture in pages[:4]]
        yield at_least(f"{name}.{variant}", _share(read), 0.9, "of the words")


def _read(engine: Looker, picture: Any) -> tuple[str, float]:
    """The text, and the CPU seconds of those who looked."""
    before = _spent()
    try:
        text = parse(scans.packed(picture, dpi=(300, 300)), "a.png", "png", ocr=engine).text
    except Unfinishable:  # not within its time: nothing was read
        text = ""
    return text, _spent() - before


def _spent() -> float:
    """Of the children of the servers of pictures, when the last of them is gone: what a child took
    is told to its server at its end, which may come after its answer."""
    servers = [
        psutil.Process(server.process.pid)
        for kind, server in forkserver.all_found().items()
        if kind != forkserver.PARSERS
    ]
    end = time.monotonic() + 10
    while any(one.children() for one in servers) and time.monotonic() < end:
        threading.Event().wait(0.01)
    times = [one.cpu_times() for one in servers]
    return float(sum(one.children_user + one.children_system for one in times))


def _share(read: list[tuple[tuple[str, float], tuple[str, ...]]]) -> float:
    return mean(scans.share(text, got) for (got, _), text in read)


def _skewed(picture: Any) -> Any:
    return picture.rotate(2, fillcolor=255, expand=False, resample=2)


def _noisy(picture: Any) -> Any:
    """Gray paper, grain, and letters that bleed."""
    from PIL import Image, ImageChops, ImageFilter

    grain = Image.effect_noise(picture.size, 60)
    soft = picture.filter(ImageFilter.GaussianBlur(1.2)).point(lambda value: 30 + value * 0.8)
    return ImageChops.add(soft, grain, scale=1, offset=-128)


def _coarse(picture: Any) -> Any:
    small = picture.resize((picture.width // 2, picture.height // 2), 2)
    return small.resize(picture.size, 2)
