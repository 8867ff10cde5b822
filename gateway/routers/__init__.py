"""One file per noun. An endpoint permits, calls and returns; what it calls is the product."""
