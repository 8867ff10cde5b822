"""How an API gives its records page by page. A state is plain JSON, so that a pull can go on there
after it was cut."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
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
    omitted: Annotated[
        bool, Field(description="the last page leaves `path` out altogether, a single one too")
    ] = False
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
    """The page after this one; None: it was the last."""
    after = _after(pages, state, reply, body, count)
    if after is not None and after == state:
        raise _repeated("The next page is this page again.")
    return after


class Course:
    """The pages of one pull. `proved`: a page has said once where the next one is."""

    def __init__(self, pages: Pages, proved: bool) -> None:
        self._pages, self.proved = pages, proved
        self._seen: set[str] = set()

    def after(
        self, state: State, reply: Reply, body: Any, records: Sequence[Any], number: int
    ) -> State | None:
        """As `following`. Raises `Unfinishable` for a course that never ends, and for a first page
        that says nothing about a next one: it may be the wrong place that was looked at."""
        if records and not self._is_new(records):
            raise _repeated(f"Page {number} of this pull has the records of an earlier one.")
        found = following(self._pages, state, reply, body, len(records))
        if found is not None and not self._is_new(dict(found)):
            raise _repeated("The pages go in a circle.")
        self.proved = self.proved or found is not None
        if not self.proved and not state and records and self._is_full(len(records)):
            silent(self._pages, body)
        return found

    def _is_full(self, count: int) -> bool:
        return not self._pages.size_param or count >= self._pages.size

    def _is_new(self, value: Any) -> bool:
        text = json.dumps(value, sort_keys=True).encode("utf-8", "replace")
        mark = sha256(text).hexdigest()[:32]
        new = mark not in self._seen
        self._seen.add(mark)
        return new


def silent(pages: Pages, body: Any) -> None:
    """Raises `Unfinishable` where a first page has not even an empty word at `path`."""
    if pages.style not in ("cursor", "next") or pages.omitted:
        return
    above, _, last = pages.path.rpartition(".")
    place = at(body, above)
    if isinstance(place, dict) and last in place:
        return
    names = ", ".join(map(str, list(place if isinstance(place, dict) else body)[:20]))[:300]
    where = f"at {above!r}" if isinstance(place, dict) and above else "in the answer"
    raise Unfinishable(
        f"Page 1 has no {pages.path!r}, which would say what comes next; the keys {where} are: "
        f"{names}. Correct `pages.path`, or set `pages.omitted` to true if this place leaves it "
        "out on its last page.",
        code="no_next",
    )


def _repeated(what: str) -> Unfinishable:
    return Unfinishable(f"{what} Correct `pages`.", code="pages_repeat")


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
