"""Installs, starts, hurts and stops the servers of the full stack; the standard library alone.

It runs before any virtual environment exists. Each server has its own folder, port and log, is
known by its process id together with its time of birth, and never outlives `down`.
"""
