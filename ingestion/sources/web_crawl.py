"""A crawl: from the start, the sitemap and what is known, page by page, within its budgets.

A round asks for each page once. It may stop after any page and goes on from its cursor; the next
round asks for what is known with `If-None-Match` and `If-Modified-Since`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from core.net import Reply
from ingestion.sources import Access, At, Dead, Gone, Item, Pause, Pulled
from ingestion.sources.web_content import Read, file_of, is_page, read_page, read_sitemap
from ingestion.sources.web_fetch import HOPS_MAX, LATER, REDIRECTS, Polite, TooSoon, redirected
from ingestion.sources.web_state import Ask, Seen, State
from ingestion.sources.web_urls import (
    bare,
    canonical,
    matches,
    media,
    origin_of,
    path_of,
    place_of,
    shape,
    trap,
)

_TURN_MS = 10_000  # then another run's step has its turn on this thread
_TRIES = 2
_CHAIN_MAX = 5  # pages in a row that differ in numbers only: a calendar turns for ever
_REPEATED = 10  # of one shape, and more than it has new texts: a trap
_MAPS_MAX, _LEVELS = 50, 3


class Settings(Protocol):
    """What `web.WebConfig` has, checked."""

    urls: list[str]
    hosts: list[str]
    depth: int
    pages_max: int
    bytes_max: int
    include: list[str]
    exclude: list[str]
    files: list[str]
    seconds_between: float
    sitemap: bool
    trust_lastmod: bool


class Crawl:
    def __init__(self, access: Access, state: State) -> None:
        self._access, self._state = access, state
        self._config: Settings = access.config
        self._polite = Polite(access, state, self._config.seconds_between)
        self._starts = [url for one in self._config.urls if (url := canonical(one))]
        self._places = [bare(one.lower()) for one in self._config.hosts] or [
            bare(place_of(url)) for url in self._starts
        ]
        self._queued: set[str] = set()
        self._texts: dict[str, str] = {}
        self._keys = access.keys()

    def run(self) -> Iterator[Pulled]:
        """Raises `Unavailable` where the start's robots.txt cannot be read."""
        state = self._state
        if not state.open:
            self._begin()
        self._queued = {one.url for one in state.todo}
        self._texts = state.texts()
        until = self._access.clock.now_ms() + _TURN_MS
        while (state.todo or state.maps) and not self._spent():
            if self._access.stopped():
                return
            if self._access.clock.now_ms() >= until:
                yield Pause(0.0, state.cursor(), "the next pages of the site")
                return
            try:
                yield from self._map() if state.maps else self._page()
            except TooSoon as error:
                yield Pause(error.seconds, state.cursor(), f"{error.place} wants time")
                return
        state.end(self._config.pages_max)
        yield At(state.cursor())

    def _begin(self) -> None:
        state, config = self._state, self._config
        state.begin()
        for url in self._starts:
            self._add(Ask(url, 0))
        known = {url: seen.depth for url, seen in state.pages.items()}
        for key in self._keys:
            known.setdefault(key, config.depth)
        for url, depth in sorted(known.items(), key=lambda one: (one[1], one[0])):
            self._add(Ask(url, min(depth, config.depth)))
        if config.sitemap and config.depth > 0:
            state.maps.extend((f"{origin_of(url)}/sitemap.xml", 0) for url in self._starts[:1])

    def _spent(self) -> bool:
        state, config = self._state, self._config
        return state.requests >= config.pages_max or state.bytes >= config.bytes_max

    # --- which pages ------------------------------------------------------------------------------

    def _add(self, ask: Ask, *, first: bool = False) -> None:
        state, url = self._state, ask.url
        room = self._config.pages_max - state.requests - len(state.todo)
        if url in self._queued or state.visited(url) or (room <= 0 and not first):
            return
        if not self._wanted(url):
            return
        self._queued.add(url)
        if first:
            state.todo.appendleft(ask)
        else:
            state.todo.append(ask)

    def _wanted(self, url: str) -> bool:
        config = self._config
        if not self._allowed(url) or matches(url, config.exclude):
            return False
        if url in self._starts:
            return True
        if trap(url) or media(url) or self._closed(url):
            return False
        return not config.include or matches(url, config.include)

    def _allowed(self, url: str) -> bool:
        return any(matches_place(bare(place_of(url)), one) for one in self._places)

    def _closed(self, url: str) -> bool:
        new, repeated = self._state.shapes.get(shape(url), (0, 0))
        return repeated >= _REPEATED and repeated > new

    # --- sitemaps ---------------------------------------------------------------------------------

    def _map(self) -> Iterator[Pulled]:
        state = self._state
        url, level = state.maps[0]
        robots = self._polite.robots(url)
        told = [one for one in map(canonical, robots.maps) if one and self._allowed(one)]
        if level == 0 and told and not state.maps_read:
            # The site says itself where its lists are.
            state.maps.clear()
            state.maps.extend((one, 1) for one in told)
            url, level = state.maps[0]
        listed, maps = self._listed(url)
        state.maps.popleft()
        state.maps_read.append(url)
        room = _MAPS_MAX - len(state.maps_read) - len(state.maps)
        if level < _LEVELS:
            new = [one for one in maps if one not in state.maps_read]
            state.maps.extend((one, level + 1) for one in new[: max(0, room)])
        for page, at in sorted(listed, key=lambda one: one[1], reverse=True):
            self._add(Ask(page, min(1, self._config.depth)))
            if at and (page in self._queued or page in state.pages):
                state.listed[page] = at
        yield At(state.cursor())

    def _listed(self, url: str) -> tuple[list[tuple[str, str]], list[str]]:
        """A list that is not there, or cannot be read, lists nothing; one that moved is looked for
        where it is."""
        if not self._allowed(url) or not self._polite.robots(url).allows(path_of(url)):
            return [], []
        try:
            reply = self._polite.get(url)
            if reply.status in REDIRECTS:
                there = redirected(url, reply)
                return [], [there] if there and self._allowed(there) else []
            if reply.status != 200:
                return [], []
            pages, maps = read_sitemap(reply.body)
        except (Unavailable, Unfinishable, InvalidInput):
            return [], []
        found = [(page, at) for one, at in pages if (page := canonical(one, url))]
        return found, [one for told in maps if (one := canonical(told, url)) and self._allowed(one)]

    # --- pages ------------------------------------------------------------------------------------

    def _page(self) -> Iterator[Pulled]:
        state = self._state
        ask = state.todo[0]
        met = not ask.tries and state.visited(ask.url)  # under another name, since it was queued
        if met or self._unchanged(ask.url):
            self._take(ask)
            return
        try:
            robots = self._polite.robots(ask.url)
            reply = None
            trapped = self._closed(ask.url) and ask.url not in state.pages
            if robots.allows(path_of(ask.url)) and not trapped:
                reply = self._polite.get(ask.url, self._conditions(ask.url))
                state.requests += 1
        except (Unavailable, Unfinishable, InvalidInput) as error:
            state.requests += 1
            self._take(ask)
            yield from self._failed(ask, error)
            return
        self._take(ask)
        if reply is None:
            yield from self._forbidden(ask, robots.open)
        else:
            yield from self._answered(ask, reply)

    def _unchanged(self, url: str) -> bool:
        """Whether the sitemap says so, and is believed."""
        seen = self._state.pages.get(url)
        listed = self._state.listed.get(url, "")
        if not self._config.trust_lastmod or seen is None or not listed or seen.listed != listed:
            return False
        self._still(seen)
        return True

    def _still(self, seen: Seen) -> None:
        seen.round = self._state.round
        if seen.key:
            self._state.passed[seen.key] = 1
            self._texts.setdefault(seen.text, seen.key)

    def _take(self, ask: Ask) -> None:
        self._state.todo.popleft()
        self._queued.discard(ask.url)
        self._state.passed[ask.url] = 1

    def _conditions(self, url: str) -> dict[str, str]:
        seen = self._state.pages.get(url)
        if seen is None:
            return {}
        found = {"if-none-match": seen.etag, "if-modified-since": seen.modified}
        return {name: value for name, value in found.items() if value}

    def _forbidden(self, ask: Ask, open: bool) -> Iterator[Pulled]:
        """What robots.txt forbids is not asked for; what was taken before stays as it is."""
        if ask.url in self._starts and not open:
            detail = (f"The robots.txt of {place_of(ask.url)} cannot be read, so nothing is "
                      "fetched there. It is asked again later.")  # fmt: skip
            if len(self._config.urls) == 1:
                raise Unavailable(detail, code="robots_unreachable", retry_after=60)
            yield Dead(ask.url, "robots", "robots_unreachable", detail, self._state.cursor())
        elif ask.url in self._starts:
            yield Dead(ask.url, "robots", "robots_disallow",
                       "The site's robots.txt forbids to fetch this start address.",
                       self._state.cursor())  # fmt: skip
        else:
            yield At(self._state.cursor())

    def _failed(self, ask: Ask, error: WeftError) -> Iterator[Pulled]:
        if isinstance(error, Unavailable) and self._again(ask):
            yield At(self._state.cursor())
        elif ask.url in self._state.pages:
            yield At(self._state.cursor())  # not reached today; what was taken stays
        else:
            yield Dead(ask.url, error.slug, error.slug, error.detail, self._state.cursor())

    def _again(self, ask: Ask) -> bool:
        if ask.tries >= _TRIES:
            return False
        self._state.todo.append(replace(ask, tries=ask.tries + 1))
        self._queued.add(ask.url)
        return True

    def _answered(self, ask: Ask, reply: Reply) -> Iterator[Pulled]:
        state, status = self._state, reply.status
        if status == 200:
            yield from self._content(ask, reply)
        elif status == 304 and (seen := state.pages.get(ask.url)):
            self._still(seen)
            yield At(state.cursor())
        elif status in REDIRECTS:
            yield from self._moved(ask, redirected(ask.url, reply))
        elif status in (404, 410):
            yield from self._gone(ask)
        elif (status in LATER and self._again(ask)) or ask.url in state.pages:
            yield At(state.cursor())
        else:
            code = f"http_{status}"
            yield Dead(ask.url, code, code, f"The site answers {status}.", state.cursor())

    def _moved(self, ask: Ask, there: str | None) -> Iterator[Pulled]:
        if there is not None and ask.url in self._starts and not self._allowed(there):
            yield Dead(ask.url, "redirect", "redirect_elsewhere",
                       f"The start leads to {place_of(there)}. Add it to `hosts` to go there.",
                       self._state.cursor())  # fmt: skip
            return
        if there is not None and ask.hops < HOPS_MAX:
            if ask.url in self._starts and bare(place_of(there)) == bare(place_of(ask.url)):
                self._starts.append(there)
            self._add(Ask(there, ask.depth, ask.hops + 1), first=True)
        yield from self._gone(ask)

    def _gone(self, ask: Ask) -> Iterator[Pulled]:
        """Nothing is there any more, or nothing that is to be kept."""
        state = self._state
        seen = state.pages.pop(ask.url, None)
        key = (seen.key if seen else "") or ask.url
        elsewhere = key != ask.url and state.visited(key)  # another page stands for it
        if key in self._keys and not elsewhere:
            yield Gone(key, state.cursor())
        else:
            yield At(state.cursor())

    def _content(self, ask: Ask, reply: Reply) -> Iterator[Pulled]:
        state = self._state
        if len(reply.body) > self._access.bytes_max:
            yield Dead(ask.url, "too_large", "too_large",
                       f"It is larger than {self._access.bytes_max} bytes.",
                       state.cursor())  # fmt: skip
            return
        if not is_page(reply):
            yield from self._file(ask, reply)
            return
        try:
            read = read_page(ask.url, reply)
        except Unfinishable as error:
            yield Dead(ask.url, error.slug, error.slug, error.detail, state.cursor())
            return
        yield from self._read(ask, reply, read)

    def _file(self, ask: Ask, reply: Reply) -> Iterator[Pulled]:
        state = self._state
        found = file_of(ask.url, reply, self._config.files)
        if found is None:
            yield from self._gone(ask)
            return
        state.pages[ask.url] = self._seen(ask, reply, found.version, ask.url)
        yield Item(ask.url, found.version, found.filename, found.content_type, reply.body,
                   {"url": ask.url}, state.cursor())  # fmt: skip

    def _seen(self, ask: Ask, reply: Reply, text: str, key: str) -> Seen:
        listed = self._state.listed.get(ask.url, "")
        etag, modified = (_header(reply, name) for name in ("etag", "last-modified"))
        return Seen(self._state.round, ask.depth, etag, modified, text, key, listed)

    def _read(self, ask: Ask, reply: Reply, read: Read) -> Iterator[Pulled]:
        state, url = self._state, ask.url
        if read.refresh and read.letters < 200 and (there := canonical(read.refresh, read.base)):
            yield from self._moved(ask, there if there != url else None)
            return
        key = self._key(url, read)
        first = self._texts.get(read.text)
        again = first is not None and first != key
        counted = state.shapes.setdefault(shape(url), [0, 0])
        counted[1 if again else 0] += 1
        if not again and not read.nofollow:
            self._follow(ask, read)
        before = state.pages.get(url)
        if read.noindex or not read.letters or (key != url and state.visited(key)):
            if before is not None and before.key and not state.visited(before.key):
                yield from self._gone(ask)
            state.pages[url] = self._seen(ask, reply, "", "")
            yield At(state.cursor())
            return
        self._texts.setdefault(read.text, key)
        state.passed[key] = 1
        state.pages[url] = self._seen(ask, reply, read.text, key)
        yield Item(key, read.text[:32], read.filename, "text/html", read.data,
                   {"url": key, "title": read.title}, state.cursor(),
                   identity=read.text)  # fmt: skip

    def _key(self, url: str, read: Read) -> str:
        """`rel=canonical` counts within one host."""
        told = canonical(read.canonical, read.base) if read.canonical else None
        same = told is not None and bare(place_of(told)) == bare(place_of(url))
        return told if told is not None and same and self._allowed(told) else url

    def _follow(self, ask: Ask, read: Read) -> None:
        chain = ask.chain + 1 if read.shape == ask.shape else 0
        if ask.depth >= self._config.depth or chain > _CHAIN_MAX:
            return
        for href in read.links:
            there = canonical(href, read.base)
            if there is not None:
                self._add(Ask(there, ask.depth + 1, 0, 0, chain, read.shape))


def matches_place(place: str, allowed: str) -> bool:
    """`*.example.org` are its parts, and itself."""
    if allowed.startswith("*."):
        return place == allowed[2:] or place.endswith(allowed[1:])
    return place == allowed


def _header(reply: Reply, name: str) -> str:
    told = reply.headers.get(name, "")
    return told if len(told) <= 200 and told.isascii() and told.isprintable() else ""
