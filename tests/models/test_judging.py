"""A judge's verdict counts when it survives the swap, and the judge when it agrees with checks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.ports import ChatReply, ChatRequest
from core.settings import Settings
from models import gates, judging
from tests.fakes.chat import ScriptedChat


class Judge(ScriptedChat):
    """Answers by what `verdict` makes of (request, A, B)."""

    def __init__(self, verdict: Callable[[str, str, str], str]) -> None:
        super().__init__([])
        self._verdict = verdict

    def chat(self, request: ChatRequest) -> ChatReply:
        ask, _, rest = (
            request.messages[1].content.removeprefix("Request:\n").partition("\n\nReply A:\n")
        )
        a, _, b = rest.partition("\n\nReply B:\n")
        return ChatReply(json.dumps({"better": self._verdict(ask, a, b)}), self.name)


def _by_checks(ask: str, a: str, b: str) -> str:
    """As the cases themselves grade."""
    pair = next(p for p in judging.bench().pairs if p.case.ask == ask and {a, b} == {
        p.better, p.worse
    })  # fmt: skip
    return "A" if a == pair.better else "B"


@pytest.mark.parametrize("pair", judging.bench().pairs, ids=lambda pair: f"{pair.task}{pair.place}")
def test_each_pair_is_what_it_says(pair: judging.Pair) -> None:
    assert gates.judge(pair.case, pair.better) is None
    assert gates.judge(pair.case, pair.worse) is not None


def test_a_judge_that_agrees_with_the_checks_is_believed(tmp_path: Path) -> None:
    line = judging.grade(Judge(_by_checks))
    assert (line["share"], line["steady"], line["gate"], line["faults"]) == (1.0, 1.0, "open", [])
    settings = Settings(data_dir=tmp_path)
    card = {"model": "m:1", "digest": "d", "tasks": {judging.TASK: line}, "at_ms": 0}
    gates.write(settings, card)
    assert judging.believed(settings, "m:1", "d")
    assert not judging.believed(settings, "m:1", "other weights")
    assert gates.tasks_passed(settings, "m:1", "d") == [], "a judge's line opens no gate"


@pytest.mark.parametrize(
    ("verdict", "steady"),
    [
        (lambda ask, a, b: "A", 0.0),  # the first one, whatever it says
        (lambda ask, a, b: "same", 1.0),
        (lambda ask, a, b: {"A": "B", "B": "A"}[_by_checks(ask, a, b)], 1.0),
    ],
)
def test_a_judge_with_a_leaning_is_not(
    verdict: Callable[[str, str, str], str], steady: float
) -> None:
    line = judging.grade(Judge(verdict))
    assert (line["gate"], line["passed"], line["steady"]) == ("shut", 0, steady)
    assert len(line["faults"]) == line["cases"]


def test_no_verdict_is_no_agreement() -> None:
    pairs = len(judging.bench().pairs)
    line = judging.grade(ScriptedChat([Unavailable("down")] * pairs))
    assert (line["passed"], line["gate"]) == (0, "shut")


def test_what_else_the_card_says_stays(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    for task in ("json", "answer"):
        case = gates.gate(task)
        good = [json.dumps(dict(c.equals)) if c.equals else " ".join(c.expect) for c in case.cases]
        gates.write(settings, gates.grade(ScriptedChat(list(good)), "d", [task]))
    assert gates.tasks_passed(settings, "scripted", "d") == ["json", "answer"]
    assert not gates.passed(settings, "scripted", "d", "answer"), "it also needs refusing"
    line = gates.results(settings, "scripted", "d")["json"]
    assert (line["share"], line["seconds"] >= 0) == (1.0, True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("The payments API was down because the connection pool was exhausted.", None),
        ("The payments API was down for 90 minutes; connection.", "makes up ['90']"),
        ("The payments API and its connection " + "pool " * 60, "words"),
    ],
)
def test_a_summary_makes_up_no_number_and_is_short(text: str, fault: str | None) -> None:
    found = gates.judge(gates.gate("summarising").cases[0], text)
    assert (found is None) if fault is None else (fault in (found or ""))
