"""What comes back of papers whose words, order, tables and headings are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.fidelity import read
from benchmarks.papers import LAYOUTS, samples
from benchmarks.papers.scores import MARKS, Got, graded
from benchmarks.papers.values import Sample
from ingestion import Limits, readers


def _got(sample: Sample) -> Got:
    return read(readers.read(sample.data, "paper", sample.format, None, Limits()))


def test_every_layout_comes_back_whole() -> None:
    pairs = [(sample, _got(sample)) for sample in samples(variants=1)]
    assert len(pairs) == sum(len(room.MAKERS) for room in LAYOUTS) >= 33
    marks = graded(pairs)
    assert min(marks.values()) >= 0.99, marks


@pytest.mark.parametrize("mark", MARKS)
def test_each_mark_falls_with_what_it_measures(mark: str) -> None:
    sample = next(sample for sample in samples(1) if sample.name == "notes-1")
    whole = _got(sample)
    spoilt = {
        "words": replace(whole, text=whole.text.replace("a", "o")),
        "order": replace(whole, text=" ".join(reversed(whole.text.split()))),
        "cells": replace(whole, tables=[[row[::-1] for row in whole.tables[0]]]),
        "headings": replace(whole, headings=[]),
    }
    assert graded([(sample, whole)])[mark] == 1.0
    assert graded([(sample, spoilt[mark])])[mark] < 0.7
