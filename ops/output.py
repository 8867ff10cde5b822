"""What the command prints: for people by rich, for programs as one JSON value."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.errors import Rejected, Unavailable, WeftError

P = ParamSpec("P")
R = TypeVar("R")

# Where no person looks on, lines are not folded at a terminal's width.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, soft_wrap=True)

# Exit codes, the same in every command (printed by `weft --help`).
FAILED, USAGE, UNAVAILABLE, REFUSED = 1, 2, 3, 4

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")


def emit(value: Any, as_json: bool, human: Callable[[], None]) -> None:
    """Prints `value` as JSON, or lets `human` print it for people."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
    else:
        human()


def say(text: str) -> None:
    """A line for people; `text` is never markup."""
    out.print(escape(text))


def note(text: str) -> None:
    """A line on standard error, so that standard output stays clean for programs."""
    err.print(escape(text), style="dim")


def say_error(text: str) -> None:
    err.print(f"[red]weft:[/red] {escape(text)}")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    grid = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        grid.add_row(*(escape(str(cell)) for cell in row))
    out.print(grid)


def progress() -> Progress:
    """A progress bar on standard error; its last state stays, also where no person looks on."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err,
    )


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turns errors into one line that says who must act, and an exit code that means something."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except WeftError as error:
            say_error(error.detail)
            for item in error.extra.get("errors", []):
                err.print(escape(f"  {_place(item)}"))
            raise click.exceptions.Exit(_exit_code(error)) from None

    return run


def _place(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    where = " ".join(f"{name} {item[name]}" for name in ("line", "field") if item.get(name))
    return f"{where}: {item.get('detail') or item.get('message') or item}" if where else str(item)


def _exit_code(error: WeftError) -> int:
    if isinstance(error, Unavailable):
        return UNAVAILABLE
    return REFUSED if isinstance(error, Rejected) else FAILED
