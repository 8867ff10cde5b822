"""robots.txt (RFC 9309): groups by product name, the longest rule wins, `*` and `$` in paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

AGENT = "weft"
BYTES_MAX = 512 * 1024  # what stands after it does not count
_RULES_MAX, _MAPS_MAX, _DELAY_MAX = 2_000, 20, 86_400.0


@dataclass(frozen=True, slots=True)
class Robots:
    """`rules`: (allowed, path) as they stand there; `delay`: seconds between two requests, 0 where
    none is asked for; `open`: whether the site could be asked at all."""

    rules: tuple[tuple[bool, str], ...] = ()
    delay: float = 0.0
    maps: tuple[str, ...] = ()
    open: bool = True

    def allows(self, path: str) -> bool:
        """`path` with its query. A tie is decided for the crawler, as the RFC says."""
        if not self.open:
            return False
        path, best, allowed = _plain(path), -1, True
        for allow, rule in self.rules:
            longer = len(rule) > best or (len(rule) == best and allow)
            if longer and _matches(rule, path):
                best, allowed = len(rule), allow
        return allowed

    def to_json(self) -> dict[str, Any]:
        rules = [[int(allow), rule] for allow, rule in self.rules]
        return {"rules": rules, "delay": self.delay, "maps": list(self.maps), "open": self.open}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Robots:
        rules = tuple((bool(allow), str(rule)) for allow, rule in told["rules"])
        return cls(rules, float(told["delay"]), tuple(told["maps"]), bool(told["open"]))


def parse(data: bytes) -> Robots:
    """Never fails: what cannot be understood is no rule."""
    groups: dict[str, list[tuple[bool, str]]] = {}
    delays: dict[str, float] = {}
    maps: list[str] = []
    names: list[str] = []
    in_rules = True
    for name, value in _lines(data[:BYTES_MAX]):
        if name == "user-agent":
            names = [] if in_rules else names
            in_rules = False
            names.append(_product(value))
            groups.setdefault(names[-1], [])
        elif name in ("allow", "disallow"):
            in_rules = True
            for agent in names if value else ():
                groups[agent].append((name == "allow", _plain(value)))
        elif name == "crawl-delay":
            in_rules = True
            delays.update(dict.fromkeys(names, _seconds(value)))
        elif name == "sitemap" and len(maps) < _MAPS_MAX:
            maps.append(value[:2_000])
    own = AGENT if AGENT in groups else "*"
    return Robots(tuple(groups.get(own, ())[:_RULES_MAX]), delays.get(own, 0.0), tuple(maps))


def _lines(data: bytes) -> Iterator[tuple[str, str]]:
    for line in data.decode("utf-8-sig", "replace").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _product(value: str) -> str:
    """`Weft/1.0` and `weft` are one; `*` is everybody."""
    found = re.match(r"[A-Za-z_-]+", value)
    return found[0].lower() if found else value[:1]


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return min(seconds, _DELAY_MAX) if seconds > 0 else 0.0


def _plain(path: str) -> str:
    """One spelling of escapes, so that `%7e` and `~` are the same letter."""
    return quote(unquote_to_bytes(path), safe="/:@!$&'()*+,;=~-._?%")


def _matches(rule: str, path: str) -> bool:
    """Without a regular expression: a rule of many stars costs no more than its length."""
    anchored = rule.endswith("$")
    first, *parts = (rule[:-1] if anchored else rule).split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not parts:
        return not anchored or at == len(path)
    for part in parts[:-1]:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    last = parts[-1]
    if anchored:
        return len(path) - len(last) >= at and path.endswith(last)
    return path.find(last, at) >= 0
