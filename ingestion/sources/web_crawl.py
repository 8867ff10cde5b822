"""A crawl: from the start, the sitemap and what is known, page by page, within its budgets.

A round asks for each page once. It may stop after any page and goes on from its cursor; the next
round asks for what is known with `If-None-Match` and `If-Modified-Since`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from core.net import Reply
from ingestion.sources import Access, At, Dead, Gone, Item, Pause, Pulled
from ingestion.sources.web_content import Read, file_of, is_page, read_page
from ingestion.sources.web_fetch import HOPS_MAX, LATER, REDIRECTS, Polite, TooSoon, redirected
from ingestion.sources.web_frontier import Frontier, Settings
from ingestion.sources.web_state import Ask, Seen, State
from ingestion.sources.web_urls import bare, canonical, path_of, place_of, shape

_TURN_MS = 10_000  # then another run's step has its turn on this thread
_TRIES = 2
_CHAIN_MAX = 5  # pages in a row that differ in numbers only: a calendar turns for ever


class Crawl:
    def __init__(self, access: Access, state: State) -> None:
        self._access, self._state = access, state
        self._config: Settings = access.config
        self._polite = Polite(access, state, self._config.seconds_between)
        self._frontier = Frontier(self._config, state, self._polite)
        self._texts: dict[str, str] = {}
        self._keys = access.keys()

    def run(self) -> Iterator[Pulled]:
        """Raises `Unavailable` where the start's robots.txt cannot be read."""
        state = self._state
        if not state.open:
            self._frontier.begin(self._keys)
        self._texts = state.texts()
        until = self._access.clock.now_ms() + _TURN_MS
        while (state.todo or state.maps) and not self._spent():
            if self._access.stopped():
                return
            if self._access.clock.now_ms() >= until:
                yield Pause(0.0, state.cursor(), "the next pages of the site")
                return
            try:
                if state.maps:
                    self._frontier.read_map()
                    yield At(state.cursor())
                else:
                    yield from self._page()
            except TooSoon as error:
                yield Pause(error.seconds, state.cursor(), f"{error.place} wants time")
                return
        state.end(self._config.pages_max)
        yield At(state.cursor())

    def _spent(self) -> bool:
        state, config = self._state, self._config
        return state.requests >= config.pages_max or state.bytes >= config.bytes_max

    # --- pages ------------------------------------------------------------------------------------

    def _page(self) -> Iterator[Pulled]:
        state = self._state
        ask = self._frontier.next()
        met = not ask.tries and state.visited(ask.url)  # under another name, since it was queued
        if met or self._unchanged(ask.url):
            self._frontier.take(ask)
            return
        try:
            robots = self._polite.robots(ask.url)
            reply = None
            trapped = self._frontier.trapped(ask.url) and ask.url not in state.pages
            if robots.allows(path_of(ask.url)) and not trapped:
                reply = self._polite.get(ask.url, self._conditions(ask.url))
                state.requests += 1
        except (Unavailable, Unfinishable, InvalidInput) as error:
            state.requests += 1
            self._frontier.take(ask)
            yield from self._failed(ask, error)
            return
        self._frontier.take(ask)
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

    def _conditions(self, url: str) -> dict[str, str]:
        seen = self._state.pages.get(url)
        if seen is None:
            return {}
        found = {"if-none-match": seen.etag, "if-modified-since": seen.modified}
        return {name: value for name, value in found.items() if value}

    def _forbidden(self, ask: Ask, open: bool) -> Iterator[Pulled]:
        """What robots.txt forbids is not asked for; what was taken before stays as it is."""
        if ask.url in self._frontier.starts and not open:
            detail = (f"The robots.txt of {place_of(ask.url)} cannot be read, so nothing is "
                      "fetched there. It is asked again later.")  # fmt: skip
            if len(self._config.urls) == 1:
                raise Unavailable(detail, code="robots_unreachable", retry_after=60)
            yield Dead(ask.url, "robots", "robots_unreachable", detail, self._state.cursor())
        elif ask.url in self._frontier.starts:
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
        self._frontier.again(replace(ask, tries=ask.tries + 1))
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
        elif status in (404, 410) and self._never(ask):
            code = f"http_{status}"
            detail = f"The site answers {status}: nothing is at this start address. Correct it."
            yield Dead(ask.url, code, code, detail, state.cursor())
        elif status in (404, 410):
            yield from self._gone(ask)
        elif (status in LATER and self._again(ask)) or ask.url in state.pages:
            yield At(state.cursor())
        else:
            code = f"http_{status}"
            yield Dead(ask.url, code, code, f"The site answers {status}.", state.cursor())

    def _never(self, ask: Ask) -> bool:
        """A start where nothing was found before either: whoever set it up is to hear of it."""
        there = ask.url in self._state.pages or ask.url in self._keys
        return ask.url in self._frontier.starts and not there

    def _moved(self, ask: Ask, there: str | None) -> Iterator[Pulled]:
        frontier = self._frontier
        start = ask.url in frontier.starts
        if there is not None and start and not frontier.allows(there):
            yield Dead(ask.url, "redirect", "redirect_elsewhere",
                       f"The start leads to {place_of(there)}. Add it to `hosts` to go there.",
                       self._state.cursor())  # fmt: skip
            return
        if there is not None and ask.hops < HOPS_MAX:
            if start and bare(place_of(there)) == bare(place_of(ask.url)):
                frontier.starts.append(there)
            frontier.add(Ask(there, ask.depth, ask.hops + 1), first=True)
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
        return told if told is not None and same and self._frontier.allows(told) else url

    def _follow(self, ask: Ask, read: Read) -> None:
        chain = ask.chain + 1 if read.shape == ask.shape else 0
        if ask.depth >= self._config.depth or chain > _CHAIN_MAX:
            return
        for href in read.links:
            there = canonical(href, read.base)
            if there is not None:
                self._frontier.add(Ask(there, ask.depth + 1, 0, 0, chain, read.shape))


def _header(reply: Reply, name: str) -> str:
    told = reply.headers.get(name, "")
    return told if len(told) <= 200 and told.isascii() and told.isprintable() else ""
