"""Headers and footers: lines that come back at the same end of most pages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from core.documents import Block, Page


def marked(pages: list[Page]) -> list[Page]:
    """`pages` with the kinds of such blocks set."""
    if len(pages) < 3:
        return pages
    tops = Counter(_shape(page, 0) for page in pages)
    ends = Counter(_shape(page, -1) for page in pages)
    enough = max(3, len(pages) * 2 // 3)
    return [
        _mark(
            page,
            header=tops[_shape(page, 0)] >= enough and bool(_shape(page, 0)),
            footer=ends[_shape(page, -1)] >= enough and bool(_shape(page, -1)),
        )
        for page in pages
    ]


def _shape(page: Page, at: int) -> str:
    if len(page.blocks) < 2 or page.blocks[at].kind == "table":
        return ""
    block = page.blocks[at]
    text = page.text[block.start : block.end]
    return re.sub(r"\d+", "#", text) if len(text) < 200 else ""


def _mark(page: Page, *, header: bool, footer: bool) -> Page:
    if not header and not footer:
        return page
    blocks: list[Block] = list(page.blocks)
    if header:
        blocks[0] = replace(blocks[0], kind="header", level=0)
    if footer:
        blocks[-1] = replace(blocks[-1], kind="footer", level=0)
    return replace(page, blocks=tuple(blocks))
