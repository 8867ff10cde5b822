"""What the terminal shows of an answer."""

from __future__ import annotations

import pytest

from ops.commands.work import show_answer


def test_what_an_answer_had_to_do_without_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show_answer({"answer": "The sources do not say.", "citations": [], "degraded": "No index."})
    assert capsys.readouterr().out == "The sources do not say.\n(No index.)\n"
