"""One immutable segment: passages, the documents they come from, and their search words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from core.documents import Chunk
from vectorstore import keywords, packing
from vectorstore.filters import Columns
from vectorstore.packing import Array, Texts
from vectorstore.scan import Scan
from vectorstore.values import About, Entry

Ints = npt.NDArray[np.int64]

_TEXTS = ("id", "text", "context", "sheet", "cells")
_NUMBERS = ("ordinal", "page", "start", "end")
_FEW = 0.1  # a filter that admits fewer documents names its rows, others flag them
_DOCUMENT_BYTES = 1500  # about what one document's values and columns take in memory


def packed(
    entries: Sequence[Entry], postings: dict[str, Array] | None = None, half: Array | None = None
) -> bytes:
    """The bytes of a text segment. `postings` saves counting words that were counted before;
    `half` are the vectors, float16, when they share the object."""
    places: dict[str, int] = {}
    abouts: list[dict[str, Any]] = []
    for entry in entries:
        if entry.about.document_id not in places:
            places[entry.about.document_id] = len(abouts)
            abouts.append(asdict(entry.about))
    chunks = [entry.chunk for entry in entries]
    arrays = postings or keywords.index([_searched(entry) for entry in entries])
    arrays = {f"k.{name}": array for name, array in arrays.items()}
    arrays["document"] = np.array([places[e.about.document_id] for e in entries], "<i4")
    for name in _NUMBERS:
        arrays[name] = np.array([getattr(chunk, name) for chunk in chunks], "<i4")
    for name in _TEXTS:
        for part, array in packing.texts([getattr(chunk, name) or "" for chunk in chunks]).items():
            arrays[f"{name}.{part}"] = array
    if half is not None:
        arrays["half"] = half
    return packing.pack({"documents": abouts}, arrays)


class Passages:
    """A text segment in memory: the bytes themselves, read where they lie."""

    def __init__(self, data: bytes | memoryview) -> None:
        header, arrays = packing.unpack(data)
        self._told: list[dict[str, Any]] = header["documents"]
        self._abouts: dict[int, About] = {}
        self.document: npt.NDArray[np.int32] = arrays["document"]
        self.half = arrays.get("half")
        self._numbers = {name: arrays[name].data for name in _NUMBERS}
        self._texts = {
            name: Texts(arrays[f"{name}.blob"], arrays[f"{name}.ends"]) for name in _TEXTS
        }
        self.postings = keywords.opened(
            {name[2:]: array for name, array in arrays.items() if name.startswith("k.")},
            lambda: [_searched(self.entry(row)) for row in range(len(self))],
        )
        self.size = len(data) + _DOCUMENT_BYTES * len(self._told)

    def __len__(self) -> int:
        return len(self.document)

    @cached_property
    def documents(self) -> list[About]:
        return [self._document(at) for at in range(len(self._told))]

    def _document(self, at: int) -> About:
        """Made when it is shown: a shelf of 10,000 passages opens a millisecond sooner."""
        about = self._abouts.get(at)
        if about is None:
            told = self._told[at]
            about = self._abouts[at] = About(**{**told, "tags": tuple(told["tags"])})
        return about

    @cached_property
    def scan(self) -> Scan:
        """Of the vectors that share the object; it lives no longer than its bytes."""
        assert self.half is not None
        return Scan(self.half, shared=True)

    @cached_property
    def columns(self) -> Columns:
        return Columns(self.documents)

    @cached_property
    def ordinals(self) -> dict[str, int]:
        return {about.document_id: at for at, about in enumerate(self.documents)}

    def living(self, dead: Set[str]) -> Ints:
        """The rows of documents that were not removed."""
        rows = self.allowed(dead, {})
        return np.arange(len(self)) if rows is None else rows

    def allowed(self, dead: Set[str], filters: Mapping[str, Any]) -> Ints | None:
        """The rows that may be shown, sorted; None for all of them."""
        gone = [self.ordinals[one] for one in dead if one in self.ordinals]
        if not gone and not filters:
            return None
        documents = self.columns.admits(filters)
        documents[gone] = False
        chosen = np.flatnonzero(documents)
        if len(chosen) > len(documents) * _FEW:
            return np.flatnonzero(documents[self.document])
        order, starts = self._places
        rows = [order[starts[one] : starts[one + 1]] for one in chosen]
        return np.sort(np.concatenate(rows)) if rows else np.empty(0, np.int64)

    @cached_property
    def _places(self) -> tuple[Ints, Ints]:
        """Rows by document, and where each document's begin."""
        order = np.argsort(self.document, kind="stable")
        numbers = np.arange(len(self.documents) + 1)
        return order, np.searchsorted(self.document[order], numbers)

    def about(self, row: int) -> About:
        return self._document(int(self.document[row]))

    def chunk(self, row: int) -> Chunk:
        texts, numbers = self._texts, self._numbers
        return Chunk(
            texts["id"].text(row),
            self.about(row).document_id,
            numbers["ordinal"][row],
            texts["text"].text(row),
            numbers["page"][row],
            numbers["start"][row],
            numbers["end"][row],
            sheet=texts["sheet"].text(row) or None,
            cells=texts["cells"].text(row) or None,
            context=texts["context"].text(row),
        )

    def said(self, row: int) -> str:
        """What stands above the passage, and its text."""
        return f"{self._texts['context'].text(row)}\n{self._texts['text'].text(row)}"

    def entry(self, row: int) -> Entry:
        return Entry(self.chunk(row), self.about(row))


def _searched(entry: Entry) -> str:
    return f"{entry.about.filename}\n{entry.chunk.context}\n{entry.chunk.text}"
