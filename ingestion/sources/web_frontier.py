"""Which pages a crawl asks for: from the start, the links, the sitemaps and what is known."""

from __future__ import annotations

from typing import Protocol

from core.errors import InvalidInput, Unavailable, Unfinishable
from ingestion.sources.web_content import read_sitemap
from ingestion.sources.web_fetch import REDIRECTS, Polite, redirected
from ingestion.sources.web_state import Ask, State
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


class Frontier:
    """`starts` are the start addresses, each in its one spelling."""

    def __init__(self, config: Settings, state: State, polite: Polite) -> None:
        self._config, self._state, self._polite = config, state, polite
        self.starts = [url for one in config.urls if (url := canonical(one))]
        self._places = [bare(one.lower()) for one in config.hosts] or [
            bare(place_of(url)) for url in self.starts
        ]
        self._queued = {one.url for one in state.todo}

    def begin(self, keys: frozenset[str]) -> None:
        state, config = self._state, self._config
        state.begin()
        for url in self.starts:
            self.add(Ask(url, 0))
        known = {url: seen.depth for url, seen in state.pages.items()}
        for key in keys:
            known.setdefault(key, config.depth)
        for url, depth in sorted(known.items(), key=lambda one: (one[1], one[0])):
            self.add(Ask(url, min(depth, config.depth)))
        if config.sitemap and config.depth > 0:
            state.maps.extend((f"{origin_of(url)}/sitemap.xml", 0) for url in self.starts[:1])

    def add(self, ask: Ask, *, first: bool = False) -> None:
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
        if not self.allows(url) or matches(url, config.exclude):
            return False
        if url in self.starts:
            return True
        if trap(url) or media(url) or self.trapped(url):
            return False
        return not config.include or matches(url, config.include)

    def allows(self, url: str) -> bool:
        return any(matches_place(bare(place_of(url)), one) for one in self._places)

    def trapped(self, url: str) -> bool:
        new, repeated = self._state.shapes.get(shape(url), (0, 0))
        return repeated >= _REPEATED and repeated > new

    def next(self) -> Ask:
        """The page whose turn it is; it stays there until `take`."""
        return self._state.todo[0]

    def take(self, ask: Ask) -> None:
        self._state.todo.popleft()
        self._queued.discard(ask.url)
        self._state.passed[ask.url] = 1

    def again(self, ask: Ask) -> None:
        """At the end, whatever was asked before."""
        self._state.todo.append(ask)
        self._queued.add(ask.url)

    def read_map(self) -> None:
        """One sitemap. Raises `TooSoon`."""
        state = self._state
        url, level = state.maps[0]
        robots = self._polite.robots(url)
        told = [one for one in map(canonical, robots.maps) if one and self.allows(one)]
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
            self.add(Ask(page, min(1, self._config.depth)))
            if at and (page in self._queued or page in state.pages):
                state.listed[page] = at

    def _listed(self, url: str) -> tuple[list[tuple[str, str]], list[str]]:
        """A list that is not there, or cannot be read, lists nothing; one that moved is looked for
        where it is."""
        if not self.allows(url) or not self._polite.robots(url).allows(path_of(url)):
            return [], []
        try:
            reply = self._polite.get(url)
            if reply.status in REDIRECTS:
                there = redirected(url, reply)
                return [], [there] if there and self.allows(there) else []
            if reply.status != 200:
                return [], []
            pages, maps = read_sitemap(reply.body)
        except (Unavailable, Unfinishable, InvalidInput):
            return [], []
        found = [(page, at) for one, at in pages if (page := canonical(one, url))]
        return found, [one for told in maps if (one := canonical(told, url)) and self.allows(one)]


def matches_place(place: str, allowed: str) -> bool:
    """`*.example.org` are its parts, and itself."""
    if allowed.startswith("*."):
        return place == allowed[2:] or place.endswith(allowed[1:])
    return place == allowed
