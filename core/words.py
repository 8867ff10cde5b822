"""Many words with their boxes, kept packed until someone asks: a long PDF has 20,000 of them."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

W = TypeVar("W")


class Packed(Sequence[W]):
    """`texts` apart by blanks; `places` holds the starts (u32), then all x0, y0, x1, y1 (f32).

    It equals any sequence of the same words; `make` builds one word from its columns.
    """

    __slots__ = ("_made", "_make", "places", "texts")

    def __init__(self, texts: str, places: bytes, make: Callable[..., W]) -> None:
        if len(places) % 20 or (texts.count(" ") + 1 if texts else 0) != len(places) // 20:
            raise ValueError("words and places differ in number")
        self.texts = texts
        self.places = places
        self._make = make
        self._made: tuple[W, ...] | None = None

    @classmethod
    def of(
        cls, texts: Sequence[str], starts: Sequence[int], boxes: Sequence[Sequence[float]],
        make: Callable[..., W],
    ) -> Packed[W]:  # fmt: skip
        """`boxes`: four columns, x0, y0, x1 and y1."""
        count = len(texts)
        x0, y0, x1, y1 = boxes
        places = struct.pack(f"<{count}I{4 * count}f", *starts, *x0, *y0, *x1, *y1)
        return cls(" ".join(texts), places, make)

    def _all(self) -> tuple[W, ...]:
        if self._made is None:
            count = len(self)
            starts = struct.unpack_from(f"<{count}I", self.places)
            x0, y0, x1, y1 = (
                struct.unpack_from(f"<{count}f", self.places, 4 * count * at) for at in range(1, 5)
            )
            texts = self.texts.split(" ") if count else []
            self._made = tuple(map(self._make, texts, starts, x0, y0, x1, y1))
        return self._made

    def __len__(self) -> int:
        return len(self.places) // 20

    @overload
    def __getitem__(self, at: int) -> W: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[W]: ...
    def __getitem__(self, at: int | slice) -> W | Sequence[W]:
        return self._all()[at]

    def __iter__(self) -> Iterator[W]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Packed):
            return (self.texts, self.places) == (other.texts, other.places)
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return f"Packed({len(self)} words)"

    def dumped(self) -> dict[str, str]:
        """As JSON keeps it."""
        places = binascii.b2a_base64(self.places, newline=False).decode()
        return {"texts": self.texts, "places": places}

    @classmethod
    def loaded(cls, held: Any, make: Callable[..., W]) -> Packed[W]:
        """Raises `ValueError` for another shape."""
        if not isinstance(held, dict) or not all(
            isinstance(held.get(name), str) for name in ("texts", "places")
        ):
            raise ValueError("these are no packed words")
        return cls(held["texts"], binascii.a2b_base64(held["places"], strict_mode=True), make)
