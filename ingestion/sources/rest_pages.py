"""How an API gives its records page by page. A state is plain JSON, so that a pull can go on there
after it was cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from core.errors import Unfinishable
from core.net import Reply, joined
from ingestion.sources import Config
from ingestion.sources.api import at

State = Mapping[str, Any]
_LINK = re.compile(r"<([^<>]{1,2000})>([^<]*)")


class Pages(Config):
    style: Annotated[
        Literal["none", "page", "offset", "cursor", "next", "link"],
        Field(description="page: its number; offset: how many were had; cursor: a text in the "
              "answer; next: an address in the answer; link: the Link header"),
    ] = "none"  # fmt: skip
    param: Annotated[
        str, Field(max_length=100, description="of the query: page number, offset or cursor")
    ] = "page"
    size_param: Annotated[
        str, Field(max_length=100, description="of the query: how many a page has; empty: unsaid")
    ] = ""
    size: Annotated[int, Field(ge=1, le=10_000)] = 100
    first: Annotated[int, Field(ge=0, le=1, description="the number of the first page")] = 1
    path: Annotated[
        str,
        Field(max_length=200, description="where the answer has its cursor or next address, "
              "such as meta.next"),
    ] = ""  # fmt: skip
    pages_max: Annotated[int, Field(ge=1, le=10_000, description="in one pull")] = 1_000


def query_of(pages: Pages, state: State) -> dict[str, Any]:
    """What is added to the query for this page."""
    made: dict[str, Any] = {pages.size_param: pages.size} if pages.size_param else {}
    if pages.style == "page":
        made[pages.param] = state.get("page", pages.first)
    elif pages.style == "offset":
        made[pages.param] = state.get("offset", 0)
    elif pages.style == "cursor" and "cursor" in state:
        made[pages.param] = state["cursor"]
    return made


def following(pages: Pages, state: State, reply: Reply, body: Any, count: int) -> State | None:
    """The page after this one; None: it was the last. Raises `Unfinishable` for one that leads
    back to itself."""
    after = _after(pages, state, reply, body, count)
    if after is not None and after == state:
        raise Unfinishable(
            "The next page is this page again. Correct `pages`.", code="pages_repeat"
        )
    return after


def _after(pages: Pages, state: State, reply: Reply, body: Any, count: int) -> State | None:
    if pages.style == "page":
        return {"page": state.get("page", pages.first) + 1} if count else None
    if pages.style == "offset":
        return {"offset": state.get("offset", 0) + count} if count else None
    if pages.style == "cursor":
        found = at(body, pages.path)
        told = isinstance(found, str | int) and not isinstance(found, bool) and found != ""
        return {"cursor": str(found)[:2000]} if told else None
    if pages.style == "next":
        found = at(body, pages.path)
        return {"url": joined(reply.url, found)} if isinstance(found, str) and found else None
    if pages.style == "link":
        found = _linked(reply.headers.get("link", ""))
        return {"url": joined(reply.url, found)} if found else None
    return None


def _linked(header: str) -> str:
    """The target whose relation is `next` (RFC 8288)."""
    for target, about in _LINK.findall(header[:20_000]):
        if re.search(r';\s*rel\s*=\s*"?[^";]*\bnext\b', about, re.IGNORECASE):
            return str(target)
    return ""
