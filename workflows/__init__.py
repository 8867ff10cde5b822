"""Durable runs: definitions, submit, claim, journal, effects, approvals.

The table is the truth: every transition is one transaction, every write of a worker says
`WHERE fence = mine`, and a process may be killed at any moment without losing a run.
"""
