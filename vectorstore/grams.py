"""Parts of words: what a question shares with a passage though no whole word is the same.

`Rechnungsdatum` answers "Datum der Rechnung", and no stemmer knows every form. Four letters are
the usual length (McNamee and Mayfield, "Character N-Gram Tokenization for European Language Text
Retrieval", Information Retrieval 2004). Counted in the candidates only: an index of them would be
four times as large as that of words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vectorstore.words import fold, split

SIZE = 4
_PARTS_MAX = 100  # of a question; more cost time and say little
_K1 = 1.2
_B = 0.75


def parts(question: str, little: frozenset[str]) -> Mapping[str, int]:
    """Runs of `SIZE` letters within its words but the little ones, shorter words whole; how
    often each."""
    found: Counter[str] = Counter()
    for word in split(question):
        if not word.extra and word.text not in little:
            last = max(1, len(word.text) - SIZE + 1)
            found.update(word.text[at : at + SIZE] for at in range(last))
    return dict(found.most_common(_PARTS_MAX))


def shared(question: Mapping[str, int], passages: Sequence[str]) -> npt.NDArray[np.float64]:
    """BM25 of each passage, with the statistics of these passages alone."""
    texts = [fold(passage) for passage in passages]
    counts = np.array([[text.count(part) for part in question] for text in texts], np.float64)
    counts = counts.reshape(len(texts), len(question))
    lengths = np.array([len(text) for text in texts], np.float64)
    holds = (counts > 0).sum(axis=0)
    weights = np.log1p((len(texts) - holds + 0.5) / (holds + 0.5)) * list(question.values())
    fill = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
    scores: npt.NDArray[np.float64] = (counts * (_K1 + 1) / (counts + fill[:, None])) @ weights
    return scores
