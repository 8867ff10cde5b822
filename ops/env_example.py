"""`.env.example`, written from the settings themselves: `python -m ops.env_example`."""

from __future__ import annotations

import sys

from pydantic import SecretStr

from core.settings import Settings


def env_example() -> str:
    """One commented line of description and one commented default per setting."""
    lines = [
        "# Every setting of Weft with its default. Copy to .env and change what you need.",
        "# Instead of WEFT_X=value a file may hold the value: WEFT_X_FILE=/run/secrets/x",
        "",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        lines.append(f"# {field.description}")
        lines.append(f"# WEFT_{name.upper()}={'' if default is None else default}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(env_example())
