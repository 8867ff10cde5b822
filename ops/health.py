"""health: whether this machine's part of the platform works, for a container's health check."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import click

from core.clock import SystemClock
from core.context import PLATFORM
from core.settings import Settings
from database import Database, Tx, vitals, workers
from ops import process
from ops.output import UNAVAILABLE, guarded, say, say_error

ROLES = ("gateway", "worker", "relay", "intake")
BEATS_MISSED_MAX = 6
UNPUBLISHED_SECONDS_MAX = 60.0


@click.command(epilog="Exit codes: 0 well, 3 not well.")
@click.argument("role", type=click.Choice(ROLES), default="gateway")
@click.pass_obj
@guarded
def health(settings: Settings, role: str) -> None:
    """Say whether the ROLE that runs here does its work.

    The gateway (also of a whole platform) must be ready; a worker of this host must have given a
    sign of life; no event may have waited a minute for the relay; of the intake it is known only
    that its process answers on WEFT_METRICS_PORT.
    """
    doubt = doubts(settings, role)
    if doubt:
        say_error(doubt)
        raise click.exceptions.Exit(UNAVAILABLE)
    say(f"The {role} is well.")


def doubts(settings: Settings, role: str) -> str | None:
    """What speaks against it, or None."""
    if role == "gateway":
        url = process.url_of(settings)
        return None if process.ready(url) else f"{url} is not ready."
    if settings.metrics_port and not _answers(settings.metrics_port):
        return f"Nothing answers on WEFT_METRICS_PORT={settings.metrics_port}."
    if role == "intake":
        return None
    db = Database(settings.database_url, SystemClock())
    try:
        with db.read(PLATFORM) as tx:
            return _silent(tx, settings) if role == "worker" else _stuck(tx)
    finally:
        db.close()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _silent(tx: Tx, settings: Settings) -> str | None:
    host = socket.gethostname()
    seen = [one.heartbeat_ms for one in workers.listing(tx) if one.host == host]
    if not seen:
        return f"No worker of {host} is known."
    seconds = (tx.now_ms - max(seen)) / 1000
    if seconds <= settings.heartbeat_seconds * BEATS_MISSED_MAX:
        return None
    return f"The worker of {host} has been silent for {seconds:.0f} s."


def _stuck(tx: Tx) -> str | None:
    seconds = vitals.unpublished_seconds(tx)
    return f"Events wait for {seconds:.0f} s." if seconds > UNPUBLISHED_SECONDS_MAX else None
