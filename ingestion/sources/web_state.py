"""What a crawl remembers: from page to page while it goes, and from one crawl to the next."""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingestion.sources import Cursor
from ingestion.sources.web_robots import Robots


@dataclass(slots=True)
class Seen:
    """A page at its last visit. `text` is the hash of its main part, `key` the item's, where the
    page became one; `listed` is what the sitemap said of its last change."""

    round: int
    depth: int
    etag: str = ""
    modified: str = ""
    text: str = ""
    key: str = ""
    listed: str = ""


@dataclass(slots=True)
class Ask:
    """A page to be asked for. `chain`: how many pages before it in a row looked the same but for
    their numbers."""

    url: str
    depth: int
    hops: int = 0
    tries: int = 0
    chain: int = 0
    shape: str = ""  # hash of the page that led here, without its numbers


@dataclass(slots=True)
class State:
    """`last` and `robots` go by origin; times are ms."""

    round: int = 0
    open: bool = False
    todo: deque[Ask] = field(default_factory=deque)
    maps: deque[tuple[str, int]] = field(default_factory=deque)
    maps_read: list[str] = field(default_factory=list)
    pages: dict[str, Seen] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)  # asked in this round, and no page
    listed: dict[str, str] = field(default_factory=dict)  # what the sitemaps say of this round
    shapes: dict[str, list[int]] = field(default_factory=dict)  # [new texts, repeated ones]
    robots: dict[str, tuple[int, Robots]] = field(default_factory=dict)
    way: dict[str, list[str]] = field(default_factory=dict)  # redirects of a robots.txt, so far
    last: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    bytes: int = 0

    def begin(self) -> None:
        """A new round; what is known of the pages stays."""
        self.round += 1
        self.open = True
        self.todo.clear()
        self.maps.clear()
        self.maps_read.clear()
        self.passed.clear()
        self.shapes.clear()
        self.listed.clear()
        self.requests = self.bytes = 0

    def end(self, pages_max: int) -> None:
        self.open = False
        self.todo.clear()
        self.maps.clear()
        self.passed.clear()
        self.shapes.clear()
        self.listed.clear()
        if len(self.pages) > pages_max * 2:  # those that nobody met for longest
            newest = sorted(self.pages.items(), key=lambda one: -one[1].round)
            self.pages = dict(newest[: pages_max * 2])

    def visited(self, url: str) -> bool:
        seen = self.pages.get(url)
        return url in self.passed or (seen is not None and seen.round == self.round)

    def texts(self) -> dict[str, str]:
        """Main parts met in this round: hash → the item that has it."""
        return {one.text: one.key or url for url, one in self.pages.items()
                if one.round == self.round and one.text}  # fmt: skip

    def cursor(self) -> Cursor:
        """Packed: a site's addresses repeat themselves, and it is written with each page."""
        plain = {
            "round": self.round, "open": self.open, "requests": self.requests, "bytes": self.bytes,
            "todo": [[a.url, a.depth, a.hops, a.tries, a.chain, a.shape] for a in self.todo],
            "maps": list(self.maps), "maps_read": self.maps_read,
            "pages": {
                url: [s.round, s.depth, s.etag, s.modified, s.text, s.key, s.listed]
                for url, s in self.pages.items()
            },
            "passed": self.passed, "shapes": self.shapes, "listed": self.listed,
            "last": self.last, "way": self.way,
            "robots": {place: [at, one.to_json()] for place, (at, one) in self.robots.items()},
        }  # fmt: skip
        packed = zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 1)
        return {"crawl": base64.b64encode(packed).decode()}


def of_cursor(cursor: Mapping[str, Any]) -> State:
    """Of our own making: it never came from outside."""
    if not cursor.get("crawl"):
        return State()
    plain = json.loads(zlib.decompress(base64.b64decode(cursor["crawl"])))
    return State(
        round=plain["round"], open=plain["open"], requests=plain["requests"], bytes=plain["bytes"],
        todo=deque(Ask(*one) for one in plain["todo"]),
        maps=deque((url, level) for url, level in plain["maps"]), maps_read=plain["maps_read"],
        pages={url: Seen(*one) for url, one in plain["pages"].items()},
        passed=plain["passed"], shapes=plain["shapes"], listed=plain["listed"], last=plain["last"],
        way=plain["way"],
        robots={place: (at, Robots.of_json(one)) for place, (at, one) in plain["robots"].items()},
    )  # fmt: skip
