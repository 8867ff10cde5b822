"""index: another embedding model for what is indexed already, made beside the one in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from core.context import Ctx
from core.errors import InvalidInput, WeftError
from core.settings import Settings
from ops import identity
from ops.output import FAILED, emit, guarded, json_option, note, table
from runtime import Runtime

Verb = Callable[[Runtime, Ctx], dict[str, Any]]
_DAY = 86_400
# With --all no failure: there was nothing to do for that tenant.
_IDLE = frozenset({
    "index_empty", "index_current", "nothing_to_swap", "nothing_to_roll_back", "nothing_to_drop",
    "nothing_to_compare",
})  # fmt: skip


def _whose(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every verb has."""
    for option in (
        click.option("--all", "every", is_flag=True, help="Every tenant, one after the other."),
        click.option("--tenant", help="Slug; not needed where there is only one."),
    ):
        command = option(command)
    return command


@click.group(
    epilog="""\b
Example: another model for the tenant clearpay
  weft models pull minilm-int8
  weft index rebuild --tenant clearpay --model int8     goes on in the background
  weft index status --tenant clearpay
  weft index compare --tenant clearpay
  weft index swap --tenant clearpay
  weft index rollback --tenant clearpay                 within the days of --keep-days"""
)
def index() -> None:
    """The search index: build it with another embedding model, compare, swap, roll back."""


@index.command()
@_whose
@json_option
@click.pass_obj
@guarded
def status(settings: Settings, tenant: str | None, every: bool, as_json: bool) -> None:
    """The generations of an index: which model serves, what is missing, what to type next."""
    from agents import index_status

    told = _each(settings, tenant, every, index_status.status)
    rows = [
        (one["tenant"], g["model"], g["state"], f"{g['passages']}/{one['passages']}", _doing(g))
        for one in told
        for g in one.get("generations", ())
    ]

    def human() -> None:
        table(("tenant", "model", "state", "passages", ""), rows)
        for todo in dict.fromkeys(one["todo"] for one in told if one.get("todo")):
            note(f"Type: {todo}")

    _end(told, as_json, human, every)


@index.command()
@_whose
@click.option("--model", help="fp32 | int8 | sentence-transformers | ollama:MODEL; default: "
              "WEFT_EMBEDDING.")  # fmt: skip
@json_option
@click.pass_obj
@guarded
def rebuild(
    settings: Settings, tenant: str | None, every: bool, model: str | None, as_json: bool
) -> None:
    """Make the vectors of another model beside those in use, in the background. Typed again after
    it failed or was cancelled, it goes on where it was."""
    from agents import swapping

    told = _each(settings, tenant, every, lambda rt, ctx: swapping.rebuild(rt, ctx, model))
    _end(told, as_json, _table(told, ("tenant", "model", "state", "run_id")), every)


@index.command()
@_whose
@click.option("--questions", type=click.IntRange(1, 2000), default=100, show_default=True,
              help="Of each kind, at most.")  # fmt: skip
@json_option
@click.pass_obj
@guarded
def compare(
    settings: Settings, tenant: str | None, every: bool, questions: int, as_json: bool
) -> None:
    """Ask both generations the tenant's own questions; no question is shown."""
    from agents import comparing

    told = _each(settings, tenant, every, lambda rt, ctx: comparing.compare(rt, ctx, questions))

    def human() -> None:
        for one in told:
            if "own" in one:
                rows = ((one["tenant"], *row) for row in comparing.rows(one))
                table(("tenant", "measure", "serving", one["other"]["state"]), rows)

    _end(told, as_json, human, every)


@index.command()
@_whose
@click.option("--force", is_flag=True, help="Also when passages lack its vectors.")
@click.option("--keep-days", type=click.FloatRange(0, 365), default=7.0, show_default=True,
              help="So long the present one can be taken back.")  # fmt: skip
@json_option
@click.pass_obj
@guarded
def swap(
    settings: Settings,
    tenant: str | None,
    every: bool,
    force: bool,
    keep_days: float,
    as_json: bool,
) -> None:
    """Search by the generation beside from now on; the present one is kept for some days."""
    from agents import swapping

    def verb(rt: Runtime, ctx: Ctx) -> dict[str, Any]:
        return swapping.swap(rt, ctx, force=force, keep_seconds=keep_days * _DAY)

    told = _each(settings, tenant, every, verb)
    _end(told, as_json, _table(told, ("tenant", "before", "model", "missing", "kept_until")), every)


@index.command()
@_whose
@json_option
@click.pass_obj
@guarded
def rollback(settings: Settings, tenant: str | None, every: bool, as_json: bool) -> None:
    """Search by the generation before the last swap again, at once."""
    from agents import swapping

    told = _each(settings, tenant, every, swapping.rollback)
    _end(told, as_json, _table(told, ("tenant", "before", "model", "missing")), every)


@index.command()
@_whose
@click.option("--kept", is_flag=True, help="The one before the swap: no way back.")
@json_option
@click.pass_obj
@guarded
def drop(settings: Settings, tenant: str | None, every: bool, kept: bool, as_json: bool) -> None:
    """Delete the generation beside, made or half made; its rebuild is cancelled."""
    from agents import swapping

    told = _each(settings, tenant, every, lambda rt, ctx: swapping.drop(rt, ctx, kept=kept))
    _end(told, as_json, _table(told, ("tenant", "model", "state")), every)


def _each(settings: Settings, tenant: str | None, every: bool, verb: Verb) -> list[dict[str, Any]]:
    """What the verb tells of each tenant. Of one, its error ends the command; of all, it is told
    beside the others."""
    told = []
    slugs = _slugs(settings, tenant, every)
    with identity.opened(settings) as rt:
        for slug in slugs:
            try:
                told.append({"tenant": slug, **verb(rt, _inside(rt, slug))})
            except WeftError as error:
                if not every:
                    raise
                kind = "skipped" if error.slug in _IDLE else "error"
                told.append({"tenant": slug, kind: {"code": error.slug, "detail": error.detail}})
    return told


def _inside(rt: Runtime, slug: str) -> Ctx:
    from gateway.provision import tenant_ctx

    return tenant_ctx(rt, slug)


def _slugs(settings: Settings, tenant: str | None, every: bool) -> list[str]:
    if tenant and every:
        raise InvalidInput("Give --tenant or --all.")
    if every:
        return sorted(one.slug for one in identity.tenants(settings))
    return [tenant or identity.only_tenant(settings)]


def _table(told: list[dict[str, Any]], columns: tuple[str, ...]) -> Callable[[], None]:
    known = [one for one in told if not {"error", "skipped"} & one.keys()]
    return lambda: table(columns, ([one.get(name, "") for name in columns] for one in known))


def _end(told: list[dict[str, Any]], as_json: bool, human: Callable[[], None], every: bool) -> None:
    """One tenant's value, or a list for --all; exit 1 when one of them failed."""

    def shown() -> None:
        human()
        for one in told:
            for kind in ("error", "skipped"):
                if kind in one:
                    note(f"{one['tenant']}: {one[kind]['detail']}")

    emit(told if every else told[0], as_json, shown)
    if any("error" in one for one in told):
        raise click.exceptions.Exit(FAILED)


def _doing(generation: dict[str, Any]) -> str:
    """What its run does, or until when it is kept."""
    run = generation.get("run")
    if run and run["status"] != "completed":
        at = run["progress"]
        far = f", {at['done']} of {at['total']}" if at else ""
        return f"run {run['id']}: {run['status']}{far}"
    until = generation.get("kept_until")
    return f"until {until}" if until else "" if generation["loadable"] else "its model is not here"
