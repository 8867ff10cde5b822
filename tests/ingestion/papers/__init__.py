"""Made-up business papers in five languages, nine kinds and four formats, with what they say.

`papers(variants)` makes them: variants 0 and 1 are there to learn from, variant 2 is held out.
Every paper is made of the same blocks; a variant has words, a layout and numbers of its own.
"""

from tests.ingestion.papers.content import HELD_OUT, KINDS, LANGUAGES, SEEN, Made, paper, papers

__all__ = ["HELD_OUT", "KINDS", "LANGUAGES", "SEEN", "Made", "paper", "papers"]
