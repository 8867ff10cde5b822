"""Where log lines go; see `ship` for bringing them there without Docker."""
