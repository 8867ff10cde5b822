"""RTF as words, letters and groups: code pages, escapes, what is no text. Source: RTF 1.9.1.

Nothing is run and no object is opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import Unfinishable
from ingestion.code_pages import codec

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}]+)", re.DOTALL
)
_DEPTH_MAX = 2_000
_CHARSETS = {
    0: 1252, 77: 10000, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950, 161: 1253, 162: 1254,
    163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 255: 850,
}  # fmt: skip
_SYSTEMS = {"ansi": 1252, "mac": 10000, "pc": 437, "pca": 850}
_LETTERS = {
    "tab": "\t", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " ", "qmspace": " ",
    "line": "\n", "lbr": "\n", "zwnj": "\u200c", "zwj": "\u200d",
}  # fmt: skip
_SYMBOLS = {b"~": "\xa0", b"_": "\u2011", b"\\": "\\", b"{": "{", b"}": "}", b"\t": "\t"}
# Groups that hold no text to read.
_SKIPPED = frozenset((
    "colortbl", "pict", "nonshppict", "shprslt", "sp", "filetbl", "revtbl", "rsidtbl", "listtable",
    "listoverridetable", "pgptbl", "nonesttables", "private", "xe", "tc", "rxe", "txe", "bkmkstart",
    "bkmkend", "fldtype", "object_data", "objdata", "falt", "fname", "panose", "themedata",
    "colorschememapping", "atnid", "atnauthor", "atrfstart", "atrfend", "datafield", "doccomm",
    "operator", "comment", "keywords", "company", "manager", "category", "hlinkbase", "annotation",
    "list", "listlevel", "listoverride", "ftnsep", "ftnsepc", "ftncn", "aftnsep", "aftnsepc",
    "aftncn", "template", "do",
))  # fmt: skip
# Of the groups that a reader may pass over, these hold text.
_STARRED = frozenset(("shppict", "shpinst", "ud", "nesttableprops", "objclass", "htmltag",
                      "mhtmltag", "pntext"))  # fmt: skip
_KEPT = frozenset((
    "fonttbl", "stylesheet", "title", "author", "subject", "creatim", "revtim", "header", "headerl",
    "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "footnote", "listtext",
    "pntext", "nesttableprops", "objclass", "upr", "shptxt",
))  # fmt: skip


@dataclass(slots=True)
class State:
    """What a group inherits and loses at its end."""

    place: str = "body"  # what the group holds; empty is skipped
    codec: str = "cp1252"
    after: int = 1  # letters after `\\u` that say the same for old readers
    hidden: bool = False
    plain: bool = False  # `\\htmlrtf`: said again for readers that know no HTML
    associated: bool = False
    style: int = 0
    outline: int = -1
    in_table: bool = False


class Words:
    """Goes through the file once; `put` gets text, `told` each control word that is left."""

    def __init__(
        self, data: bytes, put: Callable[[State, str], None],
        told: Callable[[State, str, int | None], None], closed: Callable[[State], None],
    ) -> None:  # fmt: skip
        self._data = data
        self._put, self._told, self._closed = put, told, closed
        self._stack: list[State] = []
        self._waiting = bytearray()  # letters of one code page
        self._skip = 0
        self._star = self._fresh = False
        self._font: int | None = None
        self.state = State()
        self.codec = "cp1252"  # of the document
        self.fonts: dict[int, str] = {}
        self._first_font = 0

    def run(self) -> bool:
        """Whether the last group was closed."""
        at, data = 0, self._data
        while found := _TOKEN.match(data, at):
            at = found.end()
            kind = found.lastindex
            if kind == 6:
                self._text(found[6])
            elif kind == 5:
                if self._brace(found[5]):
                    return True
            elif kind == 3:
                self._byte(int(found[3], 16))
            elif kind == 4:
                self._symbol(found[4])
            else:
                number = int(found[2]) if found[2] else None
                if found[1] == b"bin":
                    at += max(0, number or 0)
                else:
                    self._word(found[1].decode(), number)
        self.flush()
        return False

    def _brace(self, mark: bytes) -> bool:
        self.flush()
        self._skip = 0
        if mark == b"{":
            if len(self._stack) >= _DEPTH_MAX:
                raise Unfinishable("The file is nested too deeply.", code="too_many_parts")
            self._stack.append(self.state)
            self.state = replace(self.state)
            if self.state.place == "upr":
                self.state.place = ""  # its second group says the same in Unicode
            self._fresh, self._star = True, False
            return False
        self._closed(self.state)
        if self._stack:
            self.state = self._stack.pop()
        return not self._stack

    def _text(self, data: bytes) -> None:
        data = data.translate(None, b"\r\n\x00")
        if not data:
            return
        self._fresh = self._star = False
        if self._skip:
            data, self._skip = data[self._skip :], max(0, self._skip - len(data))
        if self.state.place:
            self._waiting += data

    def _byte(self, byte: int) -> None:
        self._fresh = self._star = False
        if self._skip:
            self._skip -= 1
        elif self.state.place:
            self._waiting.append(byte)

    def _symbol(self, mark: bytes) -> None:
        if mark == b"*":
            self._star = True
            return
        if mark in (b"\r", b"\n"):
            self._word("par", None)
        elif self._skip:
            self._skip -= 1
        elif mark in _SYMBOLS:
            self._letter(_SYMBOLS[mark])

    def _letter(self, letter: str) -> None:
        self.flush()
        if self.state.place and not self.state.hidden:
            self._put(self.state, letter)

    def flush(self) -> None:
        if self._waiting:
            text = self._waiting.decode(self.state.codec, "replace")
            self._waiting.clear()
            if not self.state.hidden:
                self._put(self.state, text)

    def _word(self, word: str, number: int | None) -> None:
        fresh, star = self._fresh, self._star
        self._fresh = self._star = False
        if word == "u" and number is not None:
            self._skip = 0
            self._letter(chr(number & 0xFFFF))  # halves of pairs are joined at the end
            self._skip = self.state.after
            return
        if word in _LETTERS:
            if self._skip:
                self._skip -= 1
            else:
                self._letter(_LETTERS[word])
            return
        self.flush()
        state = self.state
        if fresh and self._begins(word, star):
            return
        if word in ("v", "deleted"):
            state.hidden = number != 0
        elif word == "uc":
            state.after = max(0, min(number or 0, 100))
        elif not self._codes(state, word, number) and state.place:
            self._told(state, word, number)

    def _begins(self, word: str, star: bool) -> bool:
        """Whether the word says what its group holds."""
        state = self.state
        if not state.place and word != "ud":
            return True
        if word == "ud":
            state.place = "body" if self._stack else ""
            return True
        if word in _KEPT:
            state.place = "body" if word == "shptxt" else word
            return True
        if word in _SKIPPED or (star and word not in _STARRED):
            state.place = ""
            return True
        if word in ("htmltag", "mhtmltag"):
            state.place = "htmltag" if word == "htmltag" else ""
            return True
        return False

    def _codes(self, state: State, word: str, number: int | None) -> bool:
        """Fonts and code pages."""
        if word in _SYSTEMS:
            self.codec = state.codec = codec(_SYSTEMS[word])
        elif word == "ansicpg" and number:
            self.codec = state.codec = codec(number, self.codec)
        elif word == "deff":
            self._first_font = number or 0
        elif state.place == "fonttbl":
            self._describe(word, number)
        elif word in ("f", "af"):
            if word == "f" or state.associated:
                state.codec = self.fonts.get(number or 0, self.codec)
            state.associated = state.associated and word == "af"
        elif word in ("loch", "hich", "dbch"):
            state.associated = True
        elif word == "plain":
            state.codec = self.fonts.get(self._first_font, self.codec)
            state.hidden = False
        else:
            return False
        return True

    def _describe(self, word: str, number: int | None) -> None:
        if word == "f":
            self._font = number or 0
        elif self._font is None or number is None:
            return
        elif word == "fcharset" and number in _CHARSETS:
            self.fonts.setdefault(self._font, codec(_CHARSETS[number]))
            if number == 0 and self.codec != "cp1252":
                self.fonts[self._font] = self.codec
        elif word == "cpg":
            self.fonts[self._font] = codec(number)


def whole(text: str) -> str:
    """Letters beyond the first 65,536 come as two halves."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
