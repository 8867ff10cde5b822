"""Bookmarks: a line of the page that a bookmark names is a heading of its level."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from core.documents import Block, Page
from ingestion.page_text import one_line, tidy

_MAX = 2_000
_NUMBER = re.compile(r"^[\dIVXivx]+(?:\.\d+)*[.)]?\s+")


@dataclass(frozen=True, slots=True)
class Bookmark:
    title: str
    level: int  # from 1
    page: int  # from 1; 0 leads nowhere


def bookmarks(pdf: Any) -> list[Bookmark]:
    import pypdfium2

    found: list[Bookmark] = []
    try:
        for item in pdf.get_toc(max_depth=8):
            title = one_line(tidy(item.get_title() or ""))
            target = item.get_dest()
            index = target.get_index() if target else None
            if title:
                page = 0 if index is None or index < 0 else index + 1
                found.append(Bookmark(title[:300], item.level + 1, page))
            if len(found) >= _MAX:
                break
    except (pypdfium2.PdfiumError, ValueError, RecursionError):
        pass  # a damaged outline costs no text
    return found


def with_headings(page: Page, marks: list[Bookmark]) -> Page:
    """`marks` lead to this page."""
    blocks = list(page.blocks)
    for mark in marks:
        wanted = _key(mark.title)
        for at, block in enumerate(blocks):
            head = _head(page.text, block, wanted) if block.kind != "table" else 0
            if head:
                blocks[at : at + 1] = _split(page.text, block, head, min(mark.level, 6))
                break
    return replace(page, blocks=tuple(blocks))


def _key(text: str) -> str:
    return _NUMBER.sub("", one_line(text)).casefold()


def _head(text: str, block: Block, wanted: str) -> int:
    """Where the block's first lines that say the title end; 0 where they do not."""
    end = block.start
    for _line in range(3):
        end = text.find("\n", end + 1, block.end)
        end = block.end if end < 0 else end
        if wanted and _key(text[block.start : end]) == wanted:
            return end
        if end == block.end:
            break
    return 0


def _split(text: str, block: Block, head: int, level: int) -> list[Block]:
    heading = Block("heading", block.start, head, level)
    rest = head + 1
    if rest >= block.end or text[rest : block.end].isspace():
        return [heading]
    return [heading, replace(block, kind="paragraph", start=rest, level=0)]
