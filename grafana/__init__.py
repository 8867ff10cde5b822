"""Dashboards, written by code; see `generate`."""
