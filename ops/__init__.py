"""The `weft` command. The only room that chooses backends and starts processes."""
