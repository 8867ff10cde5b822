"""The words of a Word paragraph as a reader sees them after all changes are accepted."""

from __future__ import annotations

from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
FALLBACK = f"{_MC}Fallback"  # the same content again, for old programs
BOX = f"{W}txbxContent"
PAGE = "\f"  # where a page ends

_TEXT = frozenset({f"{W}t", f"{_M}t"})
# What was deleted or moved away, the instructions of fields, the reading aid over a word.
_LEFT_OUT = frozenset({
    FALLBACK, *(f"{W}{name}" for name in (
        "del", "moveFrom", "rPr", "pPr", "instrText", "delText", "delInstrText", "sectPr", "rt",
        "sdtPr", "tblPr", "tblGrid", "tcPr", "trPr", "fldData",
    ))
})  # fmt: skip
_SIGNS = {
    f"{W}tab": "\t", f"{W}cr": "\n", f"{W}noBreakHyphen": "-", f"{W}lastRenderedPageBreak": PAGE,
    f"{W}ptab": "\t",
}  # fmt: skip
_RUN, _BREAK, _SYMBOL, _PARAGRAPH = f"{W}r", f"{W}br", f"{W}sym", f"{W}p"
_FOOTNOTE, _ENDNOTE = f"{W}footnoteReference", f"{W}endnoteReference"
# Symbol fonts have no text; these are the ones that forms and lists use.
_SYMBOLS = {
    "F0FE": "☒", "F0FD": "☒", "F0A8": "☐", "F06F": "☐", "F0FC": "✓", "F0B7": "•", "F0A7": "▪",
    "F0E0": "→", "F0D8": "▸", "2612": "☒", "2610": "☐",
}  # fmt: skip
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
          (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


def whole(text: str | None, otherwise: int = 0, most: int = 1_000_000) -> int:
    """An attribute as a number; what is none, or too large to be meant, is `otherwise`."""
    told = (text or "").strip()
    digits = told[1:] if told[:1] == "-" else told
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        return otherwise
    return int(told) if abs(int(told)) <= most else otherwise


def is_on(element: Any) -> bool:
    """Of a switch such as `<w:b/>`; one that is not there is off."""
    return element is not None and element.get(f"{W}val") not in ("0", "false", "off")


def roman(number: int) -> str:
    """Lower case; digits outside 1 to 3,999, where there is no usual form."""
    if not 0 < number < 4000:
        return str(number)
    told = ""
    for value, sign in _ROMAN:
        count, number = divmod(number, value)
        told += sign * count
    return told


class Notes:
    """Numbers notes in the order in which the text names them, as Word shows them."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], str] = {}  # kind and id → sign
        self.waiting: list[tuple[str, str]] = []  # named on this page
        self._counts = {"footnote": 0, "endnote": 0}

    def sign(self, kind: str, number: str) -> str:
        key = (kind, number)
        if key not in self.asked:
            self._counts[kind] += 1
            at = self._counts[kind]
            self.asked[key] = str(at) if kind == "footnote" else roman(at)
            self.waiting.append(key)
        return f" [{self.asked[key]}]"


def words(element: Any, notes: Notes | None = None, *, boxes: bool = True) -> str:
    """Text in order, `PAGE` where a page ends, a line break after each inner paragraph. Without
    `boxes` text boxes are left out: their paragraphs were read on their own."""
    found: list[str] = []
    _gather(element, found, notes, boxes)
    return "".join(found)


def _gather(element: Any, found: list[str], notes: Notes | None, boxes: bool) -> None:
    for node in element:
        tag = node.tag
        if tag in _TEXT:
            found.append(node.text or "")
        elif tag == _RUN:
            _gather(node, found, notes, boxes)
        elif tag in _LEFT_OUT or (tag == BOX and not boxes):
            continue
        elif tag in _SIGNS:
            found.append(_SIGNS[tag])
        elif tag == _BREAK:
            found.append(PAGE if node.get(f"{W}type") == "page" else "\n")
        elif tag == _SYMBOL:
            found.append(_SYMBOLS.get(str(node.get(f"{W}char", "")).upper(), ""))
        elif tag in (_FOOTNOTE, _ENDNOTE):
            if notes is not None:
                kind = "footnote" if tag == _FOOTNOTE else "endnote"
                found.append(notes.sign(kind, str(node.get(f"{W}id"))))
        else:
            _gather(node, found, notes, boxes)
            if tag == _PARAGRAPH:
                found.append("\n")
