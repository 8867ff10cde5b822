"""The invoice review: pure functions from fields and a ledger to findings, each with its proof."""

from agents.checks.facts import InvoiceFacts, Unreadable
from agents.checks.ledger import Ledger, read_ledger
from agents.checks.papers import BILLS, Paper
from agents.checks.review import TOLERANCE, review

__all__ = [
    "BILLS", "TOLERANCE", "InvoiceFacts", "Ledger", "Paper", "Unreadable", "read_ledger", "review",
]  # fmt: skip
