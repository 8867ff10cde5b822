"""Asking a site politely: one request at a time, never faster than it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Reply, joined
from ingestion.sources import Access
from ingestion.sources.web_robots import Robots, parse
from ingestion.sources.web_state import State
from ingestion.sources.web_urls import canonical, origin_of, place_of

HOPS_MAX = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
LATER = frozenset({429, 500, 502, 503, 504})
_ROBOTS_MS = 24 * 3_600_000  # no copy is older (RFC 9309, 2.4)
_CLOSED_MS = 600_000
_SHORT_SECONDS = 2.0  # a longer wait is not waited here
_AFTER_MAX = 3_600.0
_HEADERS = {"user-agent": "weft (crawler)", "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class TooSoon(Exception):
    """The site may not be asked yet."""

    def __init__(self, place: str, seconds: float) -> None:
        super().__init__(place)
        self.place, self.seconds = place, seconds


class Polite:
    """The one way from a crawl to the sites; `seconds` lie between two requests to one host."""

    def __init__(self, access: Access, state: State, seconds: float) -> None:
        self._access, self._state, self._seconds = access, state, seconds

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        """One request, its redirect not followed. Raises `TooSoon`, and what `Net` raises."""
        self._turn(url)
        try:
            reply = self._access.net.request(
                "GET", url, headers={**_HEADERS, **(headers or {})}, redirects_max=0
            )
        finally:
            self._state.last[place_of(url)] = self._access.clock.now_ms()
        self._state.bytes += len(reply.body)
        if reply.status in (429, 503):
            self._back_off(url, reply)
        return reply

    def robots(self, url: str) -> Robots:
        """Of the page's site; one that cannot be asked is closed. Raises `TooSoon`."""
        origin = origin_of(url)
        kept = self._state.robots.get(origin)
        now = self._access.clock.now_ms()
        if kept and 0 <= now - kept[0] < (_ROBOTS_MS if kept[1].open else _CLOSED_MS):
            return kept[1]
        found = self._asked(origin)
        self._state.robots[origin] = (now, found)
        return found

    def _asked(self, origin: str) -> Robots:
        way = self._state.way.setdefault(origin, [f"{origin}/robots.txt"])
        while 0 < len(way) <= HOPS_MAX:
            try:
                reply = self.get(way[-1])
            except (Unavailable, Unfinishable, InvalidInput):
                break
            if reply.status in REDIRECTS and (there := redirected(way[-1], reply)):
                way.append(there)
                continue
            del self._state.way[origin]
            if 200 <= reply.status < 300:
                return parse(reply.body)
            # No such file, or not for us: nothing is forbidden (RFC 9309, 2.3.1.3).
            return Robots(open=400 <= reply.status < 500 and reply.status != 429)
        del self._state.way[origin]
        return Robots(open=False)

    def _turn(self, url: str) -> None:
        place = place_of(url)
        last = self._state.last.get(place)
        if last is None:
            return
        kept = self._state.robots.get(origin_of(url))
        pause = max(self._seconds, kept[1].delay if kept else 0.0)
        left = last / 1000 + pause - self._access.clock.now_ms() / 1000
        if left > _SHORT_SECONDS:
            raise TooSoon(place, left)
        if left > 0:
            self._access.wait(left)

    def _back_off(self, url: str, reply: Reply) -> None:
        """`Retry-After` is kept to, up to an hour."""
        seconds = _seconds_after(reply.headers.get("retry-after", ""), self._access)
        if seconds > self._seconds:
            held = self._access.clock.now_ms() + int((seconds - self._seconds) * 1000)
            self._state.last[place_of(url)] = held


def redirected(url: str, reply: Reply) -> str | None:
    """Where the answer leads, in its one spelling; None where nobody follows: to what is no page
    of the web, and from https to http."""
    there = canonical(joined(url, reply.headers.get("location", "")))
    if there is None or (url.startswith("https:") and there.startswith("http:")):
        return None
    return there


def _seconds_after(told: str, access: Access) -> float:
    if told.strip().isdecimal():
        return min(float(told), _AFTER_MAX)
    try:
        at = parsedate_to_datetime(told).timestamp()
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, min(at - access.clock.now_ms() / 1000, _AFTER_MAX))
