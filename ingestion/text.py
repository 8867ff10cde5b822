"""Plain text: headings by their shape, paragraphs by empty lines, and what looks like a list."""

from __future__ import annotations

import re

from core.documents import Document, Page
from ingestion.decoding import decode_named
from ingestion.limits import Limits
from ingestion.page_text import PageText, tidy

_LIST = re.compile(r"\s*(?:[-*•‣–]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_HEADING = re.compile(r"(?:\d+(?:\.\d+)*\.?\s+)?[A-ZÄÖÜ][^\n]{1,78}[^\s.,;:!?]$")
_UNDERLINE = re.compile(r"\s*([=\-~#*])\1{2,}\s*$")


def read(data: bytes, limits: Limits) -> Document:
    """One page per form feed, else a single page."""
    text, encoding = decode_named(data)
    sheets = tidy(text).split("\f")[: limits.pages]
    pages = tuple(plain_page(part, number) for number, part in enumerate(sheets, 1))
    title = next((_title(page) for page in pages), None)
    return Document("txt", pages, title=title, metadata={"encoding": encoding})


def _title(page: Page) -> str | None:
    first = page.blocks[0] if page.blocks else None
    return page.text[first.start : first.end] if first and first.kind == "heading" else None


def plain_page(text: str, number: int) -> Page:
    """The text itself, line for line, with blocks laid over it."""
    page = PageText()
    for group in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in group.split("\n") if line.strip()]
        _add_group(page, lines)
    return page.page(number)


def _add_group(page: PageText, lines: list[str]) -> None:
    if len(lines) > 1 and _UNDERLINE.match(lines[1]):
        page.add("heading", lines[0], 1 if "=" in lines[1] else 2)
        lines = lines[2:]
    if len(lines) == 1 and _is_heading(lines[0]):
        page.add("heading", lines[0].strip(), 2 if page.blocks else 1)
        return
    gap = "\n\n"
    run: list[str] = []
    for line in lines:
        if _LIST.match(line):
            if run:
                page.add(*_block(run), gap=gap)
                gap, run = "\n", []
            run = [line]
        elif run and _LIST.match(run[0]) and not line.startswith((" ", "\t")):
            page.add(*_block(run), gap=gap)
            gap, run = "\n", [line]
        else:
            run.append(line)
    if run:
        page.add(*_block(run), gap=gap)


def _block(lines: list[str]) -> tuple[str, str, int]:
    if _LIST.match(lines[0]):
        return "list_item", "\n".join(lines), 1
    kind = "quote" if all(line.lstrip().startswith(">") for line in lines) else "paragraph"
    return kind, "\n".join(lines), 0


def _is_heading(line: str) -> bool:
    line = line.strip()
    if line.startswith("#"):
        return True
    return bool(_HEADING.match(line)) and len(line.split()) <= 10 and not _LIST.match(line)
