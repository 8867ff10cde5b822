"""One bad file, how it is made, and how it may end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

READY = "ready"
LIMITED = frozenset({"limit_memory", "limit_time", "too_many_parts"})
BROKEN = frozenset({"corrupted"})
REFUSED = frozenset({"unsupported_format", "wrong_extension"})
EMPTY = frozenset({"empty", "no_pages", "empty_file"})


@dataclass(frozen=True, slots=True)
class Case:
    """`ends` are the codes of a refusal or a failure that fit, and `ready` where it may be read
    (in part, with a warning, say)."""

    name: str
    filename: str
    make: Callable[[], bytes]
    ends: frozenset[str]


def case(name: str, filename: str, make: Callable[[], bytes], *ends: str | frozenset[str]) -> Case:
    fits = frozenset[str]().union(*({one} if isinstance(one, str) else one for one in ends))
    return Case(name, filename, make, fits)
