"""One file per technology, and `build.py`, the one place that chooses among them."""
