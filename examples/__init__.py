"""Example data: two tenants' documents, made the same, byte for byte, on every run.

`python -m examples.make OUTDIR` writes `OUTDIR/clearpay/…` and `OUTDIR/mediops/…`.
"""
