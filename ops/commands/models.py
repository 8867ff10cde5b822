"""models: list, pull, eval."""

from __future__ import annotations

import click

from core.settings import Settings
from ops.output import emit, guarded, json_option, note, progress, say, table


@click.group()
def models() -> None:
    """The local models: what is there, fetch weights, grade them."""


@models.command("list")
@json_option
@click.pass_obj
@guarded
def listing(settings: Settings, as_json: bool) -> None:
    """Every model, whether its weights are here, and the tasks it may do."""
    from models import Models

    found = Models(settings).describe()
    columns = list(dict.fromkeys(name for item in found for name in item))
    rows = [[item.get(name, "") for name in columns] for item in found]
    emit(found, as_json, lambda: table(columns, rows))


@models.command()
@click.argument("names", nargs=-1)
@click.option("--if-missing", is_flag=True, help="Say nothing when all is there.")
@json_option
@click.pass_obj
@guarded
def pull(settings: Settings, names: tuple[str, ...], if_missing: bool, as_json: bool) -> None:
    """Fetch weight files (default: the set that the embedded mode needs), checked by SHA-256."""
    from models.weights import pull as fetch

    with progress() as bar:
        tasks: dict[str, int] = {}

        def seen(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = int(bar.add_task(name, total=total))
            bar.update(bar.task_ids[tasks[name]], completed=done)

        paths = fetch(settings, names, seen)
    emit([str(path) for path in paths], as_json, lambda: None if if_missing else _show(paths))


def _show(paths: object) -> None:
    for path in paths if isinstance(paths, list | tuple) else []:
        say(str(path))


@models.command("eval", epilog="Example: weft models eval --task json --model qwen3:4b")
@click.argument("names", nargs=-1)
@click.option("--model", "more", multiple=True, help="A model; default: all that answer.")
@click.option("--task", "tasks", multiple=True, help="A gate; default: all. May be repeated.")
@click.option("--judge", is_flag=True, help="Grade them as judges of others' replies, too.")
@json_option
@click.pass_obj
@guarded
def evaluate(
    settings: Settings,
    names: tuple[str, ...],
    more: tuple[str, ...],
    tasks: tuple[str, ...],
    judge: bool,
    as_json: bool,
) -> None:
    """Grade chat models on the bundled cases; a model that fails a task is not used for it."""
    from models import gates, judging

    def seen(model: str, task: str) -> None:
        note(f"{model}: {task}")

    wanted = tasks or (() if judge else gates.TASKS)
    cards = gates.evaluate(settings, (*names, *more), wanted, seen)
    if judge:
        cards = judging.evaluate(settings, [card["model"] for card in cards])
    rows = [
        (card["model"], task, f"{score['passed']}/{score['cases']}", score["gate"],
         score["seconds"], score["tokens_per_second"])
        for card in cards
        for task, score in card["tasks"].items()
        if task in wanted or (judge and task == judging.TASK)
    ]  # fmt: skip
    columns = ("model", "task", "passed", "gate", "seconds", "tokens/s")
    emit(cards, as_json, lambda: table(columns, rows))
