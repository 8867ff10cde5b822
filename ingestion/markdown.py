"""Markdown read by lines: headings, lists, fenced code, quotes and pipe tables; marks kept out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.documents import Cell, Document
from ingestion.decoding import decode_named
from ingestion.limits import Limits
from ingestion.page_text import PageText, tidy
from ingestion.values import typed_cell

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")
_LIST = re.compile(r"(\s*)(?:[-*+]|\d{1,3}[.)])\s+(.*)")
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
# Bounded: a line of nothing but brackets is looked through once, not once for each of them.
_LINK = re.compile(r"!?\[([^\[\]\n]{0,2000})\]\(([^)\s]{0,4000})[^)\n]{0,500}\)")
_MARKS = re.compile(
    r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1|(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])|`([^`\n]+)`"
)
_FRONT = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)


def read(data: bytes, limits: Limits) -> Document:
    text, encoding = decode_named(data)
    text = tidy(text)
    metadata: dict[str, object] = {"encoding": encoding}
    front = _FRONT.match(text)
    if front:
        pairs = (line.partition(":") for line in front[1].splitlines()[:50])
        metadata |= {key.strip(): value.strip() for key, mark, value in pairs if mark}
        text = text[front.end() :]
    page = PageText()
    for kind, lines in _groups(text.split("\n")):
        _add(page, kind, lines)
    done = page.page(1)
    first = next((b for b in done.blocks if b.kind == "heading"), None)
    named = metadata.get("title")
    title = str(named) if named else done.text[first.start : first.end] if first else None
    return Document("md", (done,), title=title, metadata=metadata)


def _groups(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines with their kind, in order."""
    at = 0
    while at < len(lines):
        kind, end = _run(lines, at)
        if kind:
            yield kind, lines[at:end]
        at = end


def _run(lines: list[str], at: int) -> tuple[str, int]:
    line = lines[at]
    fence = _FENCE.match(line)
    if fence:
        end = at + 1
        while end < len(lines) and not lines[end].strip().startswith(fence[1]):
            end += 1
        return "code", min(end + 1, len(lines))
    if not line.strip():
        return "", at + 1
    if _HEADING.match(line):
        return "heading", at + 1
    if "|" in line and at + 1 < len(lines) and "|" in lines[at + 1] and _RULE.match(lines[at + 1]):
        return "table", _while(lines, at + 2, lambda text: "|" in text)
    if _LIST.match(line):
        return "list_item", _while(
            lines, at + 1, lambda t: t.startswith(" ") and not _LIST.match(t)
        )
    if line.startswith(">"):
        return "quote", _while(lines, at + 1, lambda text: text.startswith(">"))
    return "paragraph", _while(lines, at + 1, lambda text: not _starts(text))


def _starts(line: str) -> bool:
    return bool(_HEADING.match(line) or _LIST.match(line) or _FENCE.match(line)) or line[:1] == ">"


def _while(lines: list[str], at: int, holds) -> int:  # type: ignore[no-untyped-def]
    while at < len(lines) and lines[at].strip() and holds(lines[at]):
        at += 1
    return at


def _add(page: PageText, kind: str, lines: list[str]) -> None:
    if kind == "heading":
        found = _HEADING.match(lines[0])
        page.add("heading", _plain(found[2] if found else lines[0]), len(found[1]) if found else 1)
    elif kind == "code":
        page.add("code", "\n".join(lines[1:-1] if len(lines) > 1 else lines))
    elif kind == "table":
        rows = [_cells(line, row) for row, line in enumerate([lines[0], *lines[2:]])]
        page.add_table(rows)
    elif kind == "quote":
        page.add("quote", "\n".join(_plain(line.lstrip("> ")) for line in lines))
    elif kind == "list_item":
        found = _LIST.match(lines[0])
        indent = len(found[1]) // 2 + 1 if found else 1
        gap = "\n" if page.blocks and page.blocks[-1].kind == "list_item" else "\n\n"
        page.add("list_item", _plain("\n".join(line.strip() for line in lines)), indent, gap=gap)
    elif not re.fullmatch(r"\s*([-*_])(\s*\1){2,}\s*", lines[0]):
        page.add("paragraph", _plain("\n".join(line.strip() for line in lines)))


def _plain(text: str) -> str:
    text = _LINK.sub(lambda m: f"{m[1]} ({m[2]})" if m[2].startswith("http") else m[1], text)
    return _MARKS.sub(lambda m: m[2] or m[3] or m[4] or "", text)


def _cells(line: str, row: int) -> list[Cell]:
    texts = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return [
        typed_cell(_plain(t.replace("\\|", "|").strip()), row, col) for col, t in enumerate(texts)
    ]
