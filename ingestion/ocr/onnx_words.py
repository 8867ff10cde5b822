"""From a recognizer's columns to words with their places and how sure each is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingestion.ocr.onnx_boxes import Strip
from ingestion.paging import Seen

_EXTRA = frozenset("–—‘’‚“”„…•€‰′″™−≤≥≠±√→←§°")


def columns_of(characters: list[str], everything: bool) -> NDArray[np.int64]:
    """Which of the model's answers count: the blank, Latin letters and business signs, or all."""
    kept = [
        number
        for number, one in enumerate(characters)
        if everything or number == 0 or one in _EXTRA or (len(one) == 1 and ord(one) < 0x250)
    ]
    return np.array(kept)


def words_of(
    chances: NDArray[np.float32], characters: list[str], strip: Strip, padding: float, line: int
) -> list[Seen]:
    """The words of one line. `chances` has a row for each step over the strip, a column for each of
    `characters`, of which the first is the blank; `padding` is the part of it behind the strip."""
    best = chances.argmax(axis=1)
    sure = chances.max(axis=1)
    change = np.ones(len(best), dtype=bool)
    change[1:] = best[1:] != best[:-1]
    steps = np.nonzero(change & (best != 0))[0]
    # A letter's last step: until the next change.
    edges = np.append(np.nonzero(change)[0], len(best))
    ends = edges[np.searchsorted(edges, steps, side="right")]
    found: list[Seen] = []
    letters: list[tuple[str, int, int, float]] = []
    for step, end in zip(steps.tolist(), ends.tolist(), strict=True):
        letter = characters[best[step]]
        if letter.isspace():
            _close(found, letters, strip, len(best) * (1 - padding), line)
            letters = []
        else:
            letters.append((letter, step, end, float(sure[step])))
    _close(found, letters, strip, len(best) * (1 - padding), line)
    return found


def _close(
    found: list[Seen], letters: list[tuple[str, int, int, float]], strip: Strip, steps: float,
    line: int,
) -> None:  # fmt: skip
    if not letters:
        return
    text = "".join(letter for letter, *_ in letters)
    # A step answers for what is around it.
    low = max(0.0, letters[0][1] - 0.5) / steps * 2 - 1
    high = min(steps, letters[-1][2] + 0.5) / steps * 2 - 1
    (ax, ay), (bx, by), _lower_right, (dx, dy) = strip.corners()
    across = ((dx - ax) / 2, (dy - ay) / 2)
    down = (bx - ax, by - ay)
    middle = ((ax + dx) / 2, (ay + dy) / 2)
    points = [
        (
            middle[0] + part * across[0] + side * down[0],
            middle[1] + part * across[1] + side * down[1],
        )
        for part in (low, high)
        for side in (0.12, 0.88)  # the strip is wider than its letters are high
    ]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    # Of its least sure letter: on public receipts the mean stays above 0.9 where a letter is wrong.
    sure = min(chance for *_, chance in letters)
    found.append(Seen(text, min(xs), min(ys), max(xs), max(ys), round(sure, 4), line))
