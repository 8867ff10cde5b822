"""The invoice review: pure functions from fields and a ledger to findings, each with its proof."""
