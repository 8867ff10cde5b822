"""Words by Tesseract, the program: it gets a PGM on its input and answers with its table."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import Unfinishable
from ingestion import forkserver, frames
from ingestion.child import HEAD
from ingestion.forkserver import Child
from ingestion.ocr.looking import with_child
from ingestion.paging import Look, Raster, Seen

_PLACES = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
_MEMORY_BYTES = 768 * 2**20
_ANSWER_MAX = 16 * 2**20
_LISTED = re.compile(r'languages in "([^"]+)"')
_GRAIN = 6  # of 255, from most pixels to the next: on such a page no word is found, in a minute
_DOUBTFUL = 0.75  # below this certainty the page may lie on its side


def found(languages: tuple[str, ...], program: str | None = None) -> Tesseract | None:
    """None without the program, or where it has none of the languages. Asks it what it has."""
    place = program or shutil.which("tesseract", path=_PLACES)
    if place is None or not Path(place).exists():
        return None
    path = Path(place).resolve()
    try:
        told = subprocess.run(  # noqa: S603 - the program that the operator installed
            [path, "--list-langs"],
            env=environment(path),
            capture_output=True,
            timeout=10,
            text=True,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    data = _LISTED.search(told)
    has = set(told.split("\n")[1:])
    known = tuple(one for one in languages if one in has) or (("eng",) if "eng" in has else ())
    return Tesseract(path, Path(data[1]), known, "osd" in has) if data and known else None


def environment(program: Path) -> dict[str, str]:
    """One core; and for a copy that lies outside of the system, its own libraries and data."""
    env = {"OMP_THREAD_LIMIT": "1"}
    root = program.parents[2]
    if root != Path("/"):
        libraries = [root / "usr/lib", *(root / "usr/lib").glob("*-linux-gnu")]
        env["LD_LIBRARY_PATH"] = ":".join(map(str, libraries))
        data = next((root / "usr/share/tesseract-ocr").glob("*/tessdata"), None)
        if data:
            env["TESSDATA_PREFIX"] = str(data)
    return env


@dataclass(frozen=True, slots=True)
class Tesseract:
    program: Path
    data: Path
    languages: tuple[str, ...]
    turns: bool  # whether it can tell how a page lies
    name: str = "tesseract"

    def look(self, raster: Raster, seconds: float) -> Look:
        calm = calmed(raster)
        look = self._looked(calm, time.monotonic() + seconds)
        if calm is raster:
            return look
        return replace(look, words=tuple(_twice(word) for word in look.words))

    def _looked(self, raster: Raster, end: float) -> Look:
        best = Look(tuple(self._seen(raster, end)))
        if _doubtful(best):
            try:
                best = self._upright(raster, best, end)
            except Unfinishable:  # out of time: what was seen first is better than nothing
                if not best.words:
                    raise
        return best

    def _upright(self, raster: Raster, best: Look, end: float) -> Look:
        """The surest of the ways in which the page may lie."""
        for quarters in self._ways(raster, end, bool(best.words)):
            look = Look(tuple(self._seen(_turned(raster, quarters), end)), quarters)
            best = max(best, look, key=_weight)
            if not _doubtful(best):
                break
        return best

    def _seen(self, raster: Raster, end: float) -> list[Seen]:
        return words_of(self._answer(raster, end, "3", "+".join(self.languages), "tsv"))

    def _ways(self, raster: Raster, end: float, some: bool) -> tuple[int, ...]:
        """How the page may lie: what Tesseract says, or all where it has too little to go by."""
        if not self.turns:
            return ()
        told = self._answer(raster, end, "0", "osd")
        found = re.search(r"^Rotate: (0|90|180|270)$", told, re.MULTILINE)
        if found is None:
            return (2, 1, 3) if some else ()
        return (int(found[1]) // 90,) if found[1] != "0" else ()

    def _answer(self, raster: Raster, end: float, mode: str, language: str, *more: str) -> str:
        seconds = max(0.1, end - time.monotonic())
        arguments = [
            str(self.program), "stdin", "stdout", "--tessdata-dir", str(self.data), "-l", language,
            "--psm", mode, "--dpi", str(max(70, min(2400, round(raster.dpi)))), *more,
        ]  # fmt: skip
        head = {
            "size": 0, "arguments": arguments, "environment": environment(self.program),
            "seconds": seconds, "memory_bytes": _MEMORY_BYTES,
        }  # fmt: skip
        answers: list[str] = []

        def ask(child: Child, end: float) -> Look:
            answers.append(_asked(child, head, raster, end))
            return Look(())

        with_child(f"{forkserver.TESSERACT}:{self.program}:{self.data}", seconds, ask)
        return answers[-1]


def _asked(child: Child, head: dict[str, object], raster: Raster, end: float) -> str:
    told = json.dumps(head).encode()
    picture = f"P5 {raster.width} {raster.height} 255\n".encode()
    child.send([HEAD.pack(len(told)), told, picture, raster.pixels], end)
    answer = child.rest(end, _ANSWER_MAX).decode("utf-8", "replace")
    if not answer and "tsv" in str(head["arguments"]):
        raise frames.Cut
    return answer


def words_of(table: str) -> list[Seen]:
    """Rows of level 5: `level page block par line word left top width height conf text`."""
    found = []
    for row in table.split("\n"):
        cells = row.rstrip("\r").split("\t")
        if len(cells) != 12 or cells[0] != "5" or not cells[11].strip():
            continue
        try:
            left, top, wide, high = (float(cell) for cell in cells[6:10])
            line = int(cells[2]) * 1_000_000 + int(cells[3]) * 1_000 + int(cells[4])
            sure = float(cells[10]) / 100
        except ValueError:
            raise Unfinishable("its words cannot be understood", code="corrupted") from None
        text = cells[11].strip()
        sure = min(1.0, max(0.0, sure))
        found.append(Seen(text, left, top, left + wide, top + high, sure, line))
    return found


def _doubtful(look: Look) -> bool:
    return not look.words or _weight(look) < _DOUBTFUL * len(look.words)


def _weight(look: Look) -> float:
    return sum(one.confidence for one in look.words)


def calmed(raster: Raster) -> Raster:
    """A page that is nothing but grain at half its size: four pixels make one. Others as they are,
    and those that have no pixels to spare."""
    import numpy as np

    picture = np.frombuffer(raster.pixels, np.uint8).reshape(raster.height, raster.width)
    steps = np.abs(np.diff(picture[::16].astype(np.int16), axis=1))
    if raster.dpi < 250 or not steps.size or np.median(steps) <= _GRAIN:
        return raster
    high, wide = raster.height // 2, raster.width // 2
    fours = picture[: high * 2, : wide * 2].reshape(high, 2, wide, 2)
    pixels = fours.mean(axis=(1, 3), dtype=np.float32).astype(np.uint8).tobytes()
    return Raster(raster.number, wide, high, raster.dpi / 2, pixels)


def _twice(word: Seen) -> Seen:
    return replace(word, x0=word.x0 * 2, y0=word.y0 * 2, x1=word.x1 * 2, y1=word.y1 * 2)


def _turned(raster: Raster, quarters: int) -> Raster:
    import numpy as np

    picture = np.frombuffer(raster.pixels, np.uint8).reshape(raster.height, raster.width)
    turned = np.ascontiguousarray(np.rot90(picture, -quarters))
    high, wide = turned.shape
    return Raster(raster.number, wide, high, raster.dpi, turned.tobytes())
