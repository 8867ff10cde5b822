"""Nearest vectors of one segment: FAISS over 8-bit codes, the best re-ranked on 16-bit floats.

Few vectors are scanned as they are stored, which costs nothing to open and no memory.

Measured on one core, 100k × 384, p50: 1.4 ms (IndexFlatIP 6.1 ms) at recall@10 0.999; a filter that
admits 1 %: 0.06 ms (IndexFlatIP with a selector 0.27 ms). 10k × 384, the 60 nearest: 0.20 ms by
codes and 0.05 more to re-rank, 0.19 to 0.29 by 16-bit floats; making the codes takes 9 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from core.ports import Vectors

Half = npt.NDArray[np.float16]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

PLAIN_ROWS = 16_384  # so few are scanned as they are stored; above, codes are worth their making
_GATHER_SHARE = 0.2  # a filter that admits less is copied out and scanned alone
_SPARE = 20  # candidates beyond k that are re-ranked
_LEVELS = 127.0
_BLOCK = 8192


class Scan:
    """Searches `half` (rows, dimension), unit vectors; immutable, so threads may share it.
    `shared`: somebody else holds `half`, and counts it."""

    def __init__(self, half: Half, *, shared: bool = False, plain: int = PLAIN_ROWS) -> None:
        self.half = half
        self._shared = shared
        self._plain = len(half) <= plain
        self._index: Any = _seen(half) if self._plain else _coded(half)

    @property
    def size(self) -> int:
        """Bytes kept in memory."""
        codes = 0 if self._plain else self.half.size
        return codes + (0 if self._shared else self.half.nbytes)

    def nearest(self, vector: Floats, k: int, rows: Ints | None) -> tuple[Ints, Floats]:
        """Rows and inner products, best first: at most `k`, only of `rows` (sorted; None: all)."""
        if self._plain:
            return self._found(vector, k, rows)
        if rows is not None and len(rows) <= k + _SPARE:
            found = rows
        else:
            found = self._candidates(vector, k + max(_SPARE, k // 4), rows)
        exact = self.exact(vector, found)
        best = np.argsort(-exact, kind="stable")[:k]
        return found[best], exact[best]

    def exact(self, vector: Floats, rows: Ints) -> Floats:
        """Inner products of the named rows."""
        places, products = _alone(self.half[rows], vector, len(rows))
        exact = np.full(len(rows), np.nan, np.float32)
        exact[places] = products
        return exact

    def _candidates(self, vector: Floats, count: int, rows: Ints | None) -> Ints:
        # Codes are signed bytes, and so must the query be; its scale does not change the order.
        query = vector * (_LEVELS / max(float(np.abs(vector).max()), 1e-12))
        return self._found(query, count, rows)[0]

    def _found(self, query: Floats, count: int, rows: Ints | None) -> tuple[Ints, Floats]:
        faiss, total = _faiss(), len(self.half)
        if rows is None:
            return _answer(self._index, query, min(count, total))
        if len(rows) < total * _GATHER_SHARE:
            codes = self._codes()
            alone = _index_of(self.half.shape[1], plain=self._plain)
            alone.add_sa_codes(codes[rows])
            places, products = _answer(alone, query, min(count, len(rows)))
            return rows[places], products
        flags = np.zeros(total, np.bool_)
        flags[rows] = True
        chosen = faiss.IDSelectorBitmap(np.packbits(flags, bitorder="little"))
        parameters = faiss.SearchParameters(sel=chosen)
        return _answer(self._index, query, min(count, len(rows)), parameters)

    def _codes(self) -> npt.NDArray[np.uint8]:
        if self._plain:
            return self.half.view(np.uint8)
        flat = _faiss().rev_swig_ptr(self._index.codes.data(), self.half.size)
        return np.asarray(flat, np.uint8).reshape(self.half.shape)


def halved(vectors: Vectors) -> Half:
    """float16 keeps inner products of unit vectors to about 1e-4 at half the bytes."""
    return np.ascontiguousarray(vectors, np.float16)


def _answer(index: Any, query: Floats, count: int, parameters: Any = None) -> tuple[Ints, Floats]:
    if not count:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    products, rows = index.search(query[None], count, params=parameters)
    if rows[0, -1] < 0:  # a vector that is no number is near nothing
        count = int((rows[0] >= 0).sum())
    return rows[0, :count], products[0, :count]


def _alone(half: Half, query: Floats, count: int) -> tuple[Ints, Floats]:
    """FAISS multiplies 16-bit floats as they are; numpy widens them first, at three times the
    cost."""
    index = _index_of(half.shape[1], plain=True)
    index.add_sa_codes(half.view(np.uint8))
    return _answer(index, query, count)


def _seen(half: Half) -> Any:
    """An index of the vectors where they lie: nothing is copied, so `half` must outlive it."""
    faiss = _faiss()
    index = _index_of(half.shape[1], plain=True)
    nobody = faiss.MaybeOwnedVectorUInt8().owner
    index.codes = faiss.MaybeOwnedVectorUInt8.create_view(
        faiss.swig_ptr(half.view(np.uint8)), half.nbytes, nobody
    )
    index.ntotal = len(half)
    return index


def _coded(half: Half) -> Any:
    """FAISS widens and encodes; numpy's own float16 takes more than twice as long."""
    faiss = _faiss()
    wide = faiss.ScalarQuantizer(half.shape[1], faiss.ScalarQuantizer.QT_fp16)
    scale = _LEVELS / max(_largest(half), 1e-6)
    index = _index_of(half.shape[1], plain=False)
    for at in range(0, len(half), _BLOCK):
        block = wide.decode(half[at : at + _BLOCK].view(np.uint8))
        block *= scale
        index.add(np.rint(block, out=block))
    return index


def _largest(half: Half) -> float:
    """Positive floats are in the order of their bits, and numbers are compared faster."""
    bits = (half.view(np.uint16) & 0x7FFF).max()
    return float(np.array([bits], np.uint16).view(np.float16)[0])


def _index_of(dimension: int, *, plain: bool) -> Any:
    faiss = _faiss()
    kinds = faiss.ScalarQuantizer
    kind = kinds.QT_fp16 if plain else kinds.QT_8bit_direct_signed
    return faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT)


def _faiss() -> Any:
    import faiss

    # One query is too small to share, and waking threads costs the tail. OpenMP keeps the number
    # per calling thread.
    faiss.omp_set_num_threads(1)
    return faiss
