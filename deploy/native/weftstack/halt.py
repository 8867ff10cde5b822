"""The one way in which this tool gives up."""

from __future__ import annotations


class Halt(Exception):
    """One line for the person: what is wrong and what to type."""
