"""The `weft` command."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from core.errors import WeftError
from core.settings import Settings

# command -> (module, attribute); modules are imported only when their command is typed.
COMMANDS = {
    "demo": "ops.demo:demo",
    "serve": "ops.commands.platform:serve",
    "migrate": "ops.commands.platform:migrate",
    "up": "ops.commands.platform:up",
    "down": "ops.commands.platform:down",
    "status": "ops.commands.platform:status",
    "run": "ops.commands.work:run",
    "ask": "ops.commands.work:ask",
    "search": "ops.commands.work:search",
    "why": "ops.commands.work:why",
    "runs": "ops.commands.runs:runs",
    "dead-letters": "ops.commands.dead_letters:dead_letters",
    "approvals": "ops.commands.approvals:approvals",
    "tenants": "ops.commands.tenants:tenants",
    "users": "ops.commands.tenants:users",
    "api-keys": "ops.commands.tenants:api_keys",
    "models": "ops.commands.models:models",
    "index": "ops.commands.index:index",
    "doctor": "ops.doctor:doctor",
    "health": "ops.health:health",
    "backup": "ops.backup:backup",
    "restore": "ops.backup:restore",
    "failpoints": "ops.commands.platform:failpoints",
}


class Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not running or try later, 4 refused.

\b
Examples:
  weft demo                                   both jobs on two example tenants
  weft up && weft run invoice-review bills/*.pdf ledger.xlsx
  weft ask "What does CP-1042 mean?" --tenant clearpay
  weft why 01a1fc3d-6b01-7352-8985-f8b132cfe99f""",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (WEFT_DATA_DIR).")
@click.version_option("0.1.0", prog_name="weft")
@click.pass_context
def weft(ctx: click.Context, data: Path | None) -> None:
    """Weft: local AI agents for many tenants, whose reports and answers prove themselves."""
    ctx.obj = _settings(data)


def _settings(data: Path | None) -> Settings:
    from pydantic import ValidationError

    from ops.output import USAGE, say_error

    try:
        settings = Settings() if data is None else Settings(data_dir=data)
        return settings.resolved()
    except (ValidationError, WeftError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            say_error(f"The setting WEFT_{name} is wrong: {first['msg']}.")
        else:
            say_error(error.detail)
        raise click.exceptions.Exit(USAGE) from None


def main() -> None:
    weft(prog_name="weft")
