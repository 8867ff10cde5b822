"""Words and signs of the expression language, each with the column it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import InvalidInput

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<text>'(?:[^'\\]|\\.)*'|"
    r'"(?:[^"\\]|\\.)*")|(?P<sign>==|!=|<=|>=|<|>|[()\[\].,]))'
)


def bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="bad_expression")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int


def tokens(source: str) -> tuple[Token, ...]:
    found: list[Token] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            raise bad(f"Column {at + 1}: {source[at : at + 10].strip()!r} is not understood here.")
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return (*found, Token("end", "", end))
