"""What Word's styles say of a paragraph: its rank as a heading, and the number in front of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from ingestion.docx_text import W, roman, whole

_HEADING = re.compile(r"(?:heading|überschrift|titre|kop|título)\s*(\d)", re.IGNORECASE)
_PLACE = re.compile(r"%([1-9])")
_DEPTH = 9  # levels of a list
_BASES = 50  # styles that a style may stand on; they may also stand on each other in a circle


@dataclass(frozen=True, slots=True)
class Style:
    level: int = 0  # of a heading; 0 is none
    list_id: str | None = None
    depth: int | None = None
    name: str = ""


def _style(told: dict[str, Any]) -> Style:
    label, paragraph = told.get(f"{W}name"), told.get(f"{W}pPr")
    name = str(label.get(f"{W}val")) if label is not None else ""
    if paragraph is None:
        return Style(_level(None, name), name=name.lower())
    numbered = paragraph.find(f"{W}numPr")
    list_id, depth = list_of(numbered) if numbered is not None else (None, None)
    return Style(_level(paragraph, name), list_id, depth, name.lower())


def _level(paragraph: Any, name: str) -> int:
    if name.lower() in ("title", "titel", "titre"):
        return 1
    named = _HEADING.match(name)
    if named:
        return int(named[1])
    outline = paragraph.find(f"{W}outlineLvl") if paragraph is not None else None
    return outline_level(outline) if outline is not None else 0


def outline_level(element: Any) -> int:
    """1 to 9; 0 is plain text."""
    level = whole(element.get(f"{W}val"), 9)
    return level + 1 if 0 <= level < 9 else 0


def list_of(numbered: Any) -> tuple[str | None, int | None]:
    """List id and depth from 0 of a `numPr`; either may be left to the style."""
    told, deep = numbered.find(f"{W}numId"), numbered.find(f"{W}ilvl")
    depth = None if deep is None else max(0, min(whole(deep.get(f"{W}val")), _DEPTH - 1))
    return (None if told is None else str(told.get(f"{W}val"))), depth


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""
    style: str | None = None


@dataclass(slots=True)
class _List:
    """What is counted together: all lists of one abstract list."""

    levels: dict[int, _Level]
    counts: dict[int, int] = field(default_factory=dict)


class Styles:
    """Of the roots of `styles.xml` and `numbering.xml`; counts list numbers as the text goes by."""

    def __init__(self, styles: Any, numbering: Any) -> None:
        self._told = {
            str(one.get(f"{W}styleId")): one
            for one in (() if styles is None else styles.iterchildren(f"{W}style"))
            if one.get(f"{W}type") in ("paragraph", None)
        }
        self._styles: dict[str, Style] = {}  # those that were asked for
        self._lists: dict[str, _List] = {}
        self._starts: dict[str, dict[int, int]] = {}  # of lists not used yet
        if numbering is not None:
            self._read(numbering)

    def _read(self, root: Any) -> None:
        kinds = {
            str(one.get(f"{W}abstractNumId")): _List(
                {whole(at.get(f"{W}ilvl")): _level_of(at) for at in one.findall(f"{W}lvl")}
            )
            for one in root.findall(f"{W}abstractNum")
        }
        for one in root.findall(f"{W}num"):
            told = one.find(f"{W}abstractNumId")
            kind = kinds.get(str(told.get(f"{W}val"))) if told is not None else None
            if kind is None:
                continue
            name = str(one.get(f"{W}numId"))
            self._lists[name] = kind
            self._starts[name] = {
                whole(o.get(f"{W}ilvl")): whole(s.get(f"{W}val"), 1)
                for o in one.findall(f"{W}lvlOverride")
                if (s := o.find(f"{W}startOverride")) is not None
            }

    def of(self, name: str) -> Style:
        """A style with what it inherits; most of a template's are never used."""
        if name not in self._styles:
            self._styles[name] = self._read_style(name)
        return self._styles[name]

    def _read_style(self, name: str) -> Style:
        found, at = Style(), name
        for depth in range(_BASES):
            if at not in self._told:
                return found if depth else Style(name=name.lower())
            told = {node.tag: node for node in self._told[at]}
            base = _style(told)
            found = base if not depth else replace(
                found,
                level=found.level or base.level,
                list_id=found.list_id if found.list_id is not None else base.list_id,
                depth=found.depth if found.depth is not None else base.depth,
            )  # fmt: skip
            if f"{W}basedOn" not in told:
                break
            at = str(told[f"{W}basedOn"].get(f"{W}val"))
        return found

    def number(self, style: str, list_id: str | None, depth: int | None) -> str:
        """`3.1` or `(a)`; empty for bullets and where there is no list. Counts one on."""
        found = self._lists.get(list_id or "")
        if found is None:
            return ""
        if depth is None:
            linked = (at for at, level in found.levels.items() if level.style == style)
            depth = next(linked, 0)
        for at, start in self._starts.pop(str(list_id), {}).items():
            found.counts[at] = start - 1
        level = found.levels.get(depth, _Level())
        found.counts[depth] = found.counts.get(depth, level.start - 1) + 1
        for deeper in [at for at in found.counts if at > depth]:
            del found.counts[deeper]
        if level.form in ("bullet", "none"):
            return ""
        return _PLACE.sub(lambda m: _counted(found, int(m[1]) - 1), level.text).strip()


def _level_of(element: Any) -> _Level:
    def value(name: str) -> str | None:
        one = element.find(f"{W}{name}")
        return None if one is None else str(one.get(f"{W}val"))

    return _Level(
        whole(value("start"), 1), value("numFmt") or "decimal", (value("lvlText") or "")[:40],
        value("pStyle"),
    )  # fmt: skip


def _counted(found: _List, depth: int) -> str:
    level = found.levels.get(depth, _Level())
    number = found.counts.get(depth, level.start)
    if level.form.endswith("Letter") and 0 < number <= 780:
        turns, letter = divmod(number - 1, 26)
        told = chr(97 + letter) * (turns + 1)
    elif level.form.endswith("Roman"):
        told = roman(number)
    else:
        told = f"{number:02d}" if level.form == "decimalZero" else str(number)
    return told.upper() if level.form.startswith("upper") else told
