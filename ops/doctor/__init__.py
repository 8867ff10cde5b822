"""doctor: what is wrong, and what to type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from core.settings import Settings
from ops.doctor import host, servers, tables
from ops.doctor.finding import Finding, fail, ok
from ops.output import FAILED, emit, guarded, json_option, table

__all__ = ["Finding", "doctor", "examine"]


@click.command()
@click.option(
    "--sweep",
    is_flag=True,
    help="Delete stored files that no document speaks of, and read every part of every index.",
)
@json_option
@click.pass_obj
@guarded
def doctor(settings: Settings, sweep: bool, as_json: bool) -> None:
    """Look for what is wrong and say what to type; exit 1 when something must be done."""
    findings = list(examine(settings))
    if sweep:
        findings += _swept(settings)
    rows = [(f.state, f.check, f.detail, f.todo) for f in findings]
    emit(
        [asdict(finding) for finding in findings],
        as_json,
        lambda: table(("", "check", "found", "what to do"), rows),
    )
    if any(finding.state == "fail" for finding in findings):
        raise click.exceptions.Exit(FAILED)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, good ones too: this machine, each server that a setting names, the tables."""
    yield from host.examine(settings)
    yield from servers.examine(settings)
    yield from tables.examine(settings)


def _swept(settings: Settings) -> list[Finding]:
    from agents import orphans, verifying
    from ops.identity import opened

    with opened(settings) as rt:
        swept = ok("orphans", f"{orphans.sweep(rt)} stored files deleted")
        read = verifying.verify(rt)
    if not read.damaged:
        return [swept, ok("segments", f"{read.objects} objects of indexes read, none is damaged")]
    words = f"{read.damaged} of {read.objects} objects are damaged, of {read.tenants} tenants"
    todo = "a worker rebuilds them (weft up); look at the disk: docs/runbooks/WeftIndexDamaged.md"
    return [swept, fail("segments", words, todo)]
