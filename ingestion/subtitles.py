"""WebVTT and SubRip: what was said, by whom and when; a row per cue."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.documents import Cell, Document
from core.errors import Unfinishable
from ingestion.decoding import decode_named
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line, tidy

_CLOCK = r"((?:\d{1,3}:)?\d{1,2}:\d\d(?:[.,]\d{1,3})?)"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_VOICE = re.compile(r"<v(?:\.[\w.-]+)*\s+([^>]{1,100})>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>]{0,200}|\d[\d:.]*)>|\{\\[^{}]{0,80}\}")
# `ANNA: …`, `Anna Berg: …`, `>> ANNA: …`; a sentence with a colon is longer or begins small.
_SPEAKER = re.compile(
    r"(?:>>\s*|-\s*)?\[?(?P<name>[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,3})\]?\s?:\s+(?=\S)"
)
_SKIPPED = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_COLUMNS = ("start", "end", "speaker", "text")


@dataclass(frozen=True, slots=True)
class _Cue:
    start: str
    end: str
    speaker: str
    text: str


def read(data: bytes, limits: Limits) -> Document:
    """One page with a table. Raises `Unfinishable` where no cue has its times."""
    text, encoding = decode_named(data)
    text = tidy(text).removeprefix("\ufeff")
    format = "vtt" if text.startswith("WEBVTT") else "srt"
    found = list(_cues(text))
    if not found:
        raise Unfinishable("The file has no cues with times.", code="corrupted")
    most = limits.cells // len(_COLUMNS)
    warnings = () if len(found) <= most else (f"Only the first {most} cues were read.",)
    page = PageText()
    title = _title(text) if format == "vtt" else None
    if title:
        page.add("heading", title, 1)
    page.add_table([_header(), *(_row(cue, row) for row, cue in enumerate(found[:most], 1))])
    speakers = list(dict.fromkeys(cue.speaker for cue in found if cue.speaker))[:50]
    metadata = {"encoding": encoding, "cues": len(found), "seconds": _seconds(found[-1].end),
                "speakers": speakers}  # fmt: skip
    return Document(format, (page.page(1),), title=title, metadata=metadata, warnings=warnings)


def _title(text: str) -> str | None:
    told = text.split("\n", 1)[0].removeprefix("WEBVTT").strip(" \t-")
    return told[:300] or None


def _cues(text: str) -> Iterator[_Cue]:
    """Blocks that have a line of times; the lines after it are what is said."""
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in block.split("\n") if line.strip()]
        at = next((i for i, line in enumerate(lines[:3]) if _TIMES.match(line)), None)
        if at is None or (at == 0 and _SKIPPED.match(lines[0])):
            continue
        times = _TIMES.match(lines[at])
        said = lines[at + 1 :]
        if times and said:
            yield from _said(_iso(times[1]), _iso(times[2]), said)


def _said(start: str, end: str, lines: list[str]) -> Iterator[_Cue]:
    """One cue, or one for each who speaks in it."""
    speaker, run = "", list[str]()
    for line in lines:
        name, words = _spoken(line)
        if name and run:
            yield _Cue(start, end, speaker, one_line(" ".join(run)))
            run = []
        speaker = name or speaker
        run.append(words)
    told = one_line(" ".join(run))
    if told:
        yield _Cue(start, end, speaker, told)


def _spoken(line: str) -> tuple[str, str]:
    voice = _VOICE.search(line)
    words = html.unescape(_TAG.sub("", line)).strip()
    if voice:
        return one_line(html.unescape(voice[1])), words
    found = _SPEAKER.match(words)
    if found and (found["name"][0].isupper() or words.startswith(">>")):
        return found["name"], words[found.end() :]
    return "", words


def _iso(clock: str) -> str:
    """`hh:mm:ss.mmm`."""
    whole, _, part = clock.replace(",", ".").partition(".")
    fields = [int(one) for one in whole.split(":")]
    hours, minutes, seconds = [0] * (3 - len(fields)) + fields
    return f"{hours:02}:{minutes:02}:{seconds:02}.{part:0<3}"


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _header() -> list[Cell]:
    return [Cell(name, 0, col, name) for col, name in enumerate(_COLUMNS)]


def _row(cue: _Cue, row: int) -> list[Cell]:
    texts = (cue.start, cue.end, cue.speaker, cue.text)
    return [Cell(told, row, col, told or None, "text" if told else "empty")
            for col, told in enumerate(texts)]  # fmt: skip
