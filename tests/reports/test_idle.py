from __future__ import annotations

import subprocess
import sys


def test_who_does_not_render_does_not_pay_for_the_renderers() -> None:
    code = "import reports, sys; print([m for m in ('reportlab', 'openpyxl') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
