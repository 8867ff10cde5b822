"""Durable runs: definitions, submit, claim, journal, effects, approvals.

The table is the truth: every transition is one transaction, every write of a worker says
`WHERE fence = mine`, and a process may be killed at any moment without losing a run.
"""

from workflows.controls import cancel, redrive, retry
from workflows.engine import work_once
from workflows.submission import Submission, submit, submit_in
from workflows.supervision import Agents
from workflows.views import listing, status, why

__all__ = [
    "Agents", "Submission", "cancel", "listing", "redrive", "retry", "status", "submit",
    "submit_in", "why", "work_once",
]  # fmt: skip
