"""Tests that need real servers: `make test-stack`. A server that cannot be had is an error."""
