"""Lines of FTP listings: MLSD (RFC 3659 §7), and LIST as Unix and Windows servers write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

# `-rw-r--r--    1 14    50       5 Nov 21 22:36 a.txt`, and `11-21-26  10:36PM   5 a.txt`
_UNIX = re.compile(
    r"(?P<kind>[-dlbcps])\S{9,10}\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+"
    r"(?P<when>\S+\s+\d+\s+(?:\d{4}|\d\d:\d\d))\s(?P<name>.+)"
)
_DOS = re.compile(
    r"(?P<when>\d\d-\d\d-\d\d(?:\d\d)?\s+\d\d:\d\d(?:AM|PM)?)\s+"
    r"(?:(?P<kind><DIR>)|(?P<size>\d+))\s+(?P<name>.+)"
)

Found = tuple[str, bool, tuple[str, int, float | None] | None]
_NOTHING: Found = ("", False, None)


def machine(line: str) -> Found:
    """A line of MLSD: name, whether a folder, and version, size, time of a plain file."""
    facts, _, name = line.partition(" ")
    pairs = (fact.partition("=") for fact in facts.rstrip(";").split(";"))
    known = {key.lower(): value for key, _, value in pairs}
    kind, size, when = known.get("type", "").lower(), known.get("size", ""), known.get("modify", "")
    if kind == "dir":
        return name, True, None
    if kind != "file" or not size.isdecimal() or len(size) > 18:
        return _NOTHING
    return name, False, (f"{when}-{size}", int(size), seconds(when))


def people(line: str) -> Found:
    """A line of LIST as Unix or Windows servers write it; a link is nothing."""
    found: Any = _UNIX.fullmatch(line) or _DOS.fullmatch(line)
    if not found:
        return _NOTHING
    kind, name = found["kind"], found["name"]
    if kind in ("d", "<DIR>"):
        return name, True, None
    if kind not in ("-", None) or len(found["size"]) > 18:
        return _NOTHING
    day = " ".join(found["when"].split()[:2])  # the hour is shown for half a year only
    return name, False, (f"{day}-{found['size']}", int(found["size"]), None)


def seconds(when: str) -> float | None:
    """`20261121223601.5`, in UTC (RFC 3659 §2.3)."""
    try:
        return datetime.strptime(when[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
