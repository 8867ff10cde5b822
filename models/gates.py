"""Capability gates: a model is used for a task only where its card says that it passed.

`weft models eval` puts the bundled cases (`cases/<task>.yaml`) to each model and writes a card. A
card counts for exactly these weights and these cases; anything else is "not passed".
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel
from core.settings import Settings

TASKS = ("answer", "extraction", "planning", "json")
_CASES = Path(__file__).with_name("cases")
CASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """`expect` and `forbid` are texts; `equals` maps a dotted path of the JSON to its value."""

    ask: str
    expect: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    equals: tuple[tuple[str, Any], ...] = ()
    schema: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """`order` is the system message; work uses the same one (`gates.gate(task).order`)."""

    task: str
    order: str
    share: float  # of the cases that must pass
    max_tokens: int
    cases: tuple[Case, ...]
    digest: str


@cache
def gate(task: str) -> Gate:
    """Raises `InvalidInput` for a task without cases."""
    if task not in TASKS:
        raise InvalidInput(f"There is no gate {task!r}; there are {', '.join(TASKS)}.")
    text = (_CASES / f"{task}.yaml").read_text()
    data = yaml.safe_load(text)
    schema = data.get("schema")
    return Gate(
        task=task,
        order=data["order"].strip(),
        share=float(data["share"]),
        max_tokens=int(data["max_tokens"]),
        cases=tuple(_case(row, schema) for row in data["cases"]),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _case(row: dict[str, Any], schema: dict[str, Any] | None) -> Case:
    return Case(
        ask=row["ask"].strip(),
        expect=tuple(str(text) for text in row.get("expect", ())),
        forbid=tuple(str(text) for text in row.get("forbid", ())),
        equals=tuple(row.get("equals", {}).items()),
        schema=row.get("schema", schema),
    )


def passed(settings: Settings, model: str, digest: str, task: str) -> bool:
    return task in tasks_passed(settings, model, digest)


def tasks_passed(settings: Settings, model: str, digest: str) -> list[str]:
    """The tasks that this model may do, by its card."""
    card = _card(settings, model, digest)
    results = card["tasks"] if card else {}
    return [
        task
        for task, result in results.items()
        if result["gate"] == "open" and task in TASKS and result["digest"] == gate(task).digest
    ]


def _card(settings: Settings, model: str, digest: str) -> dict[str, Any] | None:
    path = _folder(settings) / _filename(model)
    if not path.is_file():
        return None
    card = _read_card(path, path.stat().st_mtime_ns)
    return card if card is not None and card["digest"] == digest else None


@cache
def _read_card(path: Path, _changed_ns: int) -> dict[str, Any] | None:
    try:
        card: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        return None
    return card if {"model", "digest", "tasks"} <= card.keys() else None


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "models" / "cards"


def _filename(model: str) -> str:
    return re.sub(r"[^\w.-]", "_", model) + ".json"


def evaluate(settings: Settings, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Puts the cases to the named chat models (all that answer, when none is named); writes and
    gives their cards. Raises `Unavailable` when there is no such model."""
    from models.router import Models

    models = Models(settings)
    found = [c for c in models.candidates() if not names or c.name in names]
    if not found:
        raise Unavailable("There is no such chat model here. Type: weft models list")
    cards = []
    for candidate in found:
        chat = models.any_chat(candidate.name)
        assert chat is not None
        cards.append(_write(settings, grade(chat, candidate.digest)))
    return cards


def grade(chat: ChatModel, digest: str, tasks: Sequence[str] = TASKS) -> dict[str, Any]:
    """One model's card."""
    results = {task: _grade_task(chat, gate(task)) for task in tasks}
    return {
        "model": chat.name,
        "digest": digest,
        "at_ms": time.time_ns() // 1_000_000,
        "tasks": results,
    }


def _grade_task(chat: ChatModel, gate: Gate) -> dict[str, Any]:
    faults = [fault for case in gate.cases if (fault := _fault(chat, gate, case))]
    right = len(gate.cases) - len(faults)
    return {
        "passed": right,
        "cases": len(gate.cases),
        "gate": "open" if right >= gate.share * len(gate.cases) else "shut",
        "digest": gate.digest,
        "faults": faults,
    }


def _fault(chat: ChatModel, gate: Gate, case: Case) -> str | None:
    """What was wrong with the reply, or None."""
    messages = (ChatMessage("system", gate.order), ChatMessage("user", case.ask))
    try:
        reply = chat.chat(
            messages,
            schema=case.schema,
            max_tokens=gate.max_tokens,
            deadline_seconds=CASE_SECONDS,
        )
    except (Unavailable, InvalidInput) as error:
        return error.detail
    return judge(case, reply.text)


def judge(case: Case, text: str) -> str | None:
    """What is wrong with `text` as the reply to `case`, or None."""
    low = text.lower()
    if missing := [want for want in case.expect if want.lower() not in low]:
        return f"lacks {missing}: {text[:120]}"
    if wrong := [bad for bad in case.forbid if bad.lower() in low]:
        return f"says {wrong}: {text[:120]}"
    if not case.equals:
        return None
    value = json.loads(text)
    for path, wanted in case.equals:
        if (got := _at(value, path)) != wanted:
            return f"{path} is {got!r}, not {wanted!r}"
    return None


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def _write(settings: Settings, card: dict[str, Any]) -> dict[str, Any]:
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _filename(card["model"])).write_text(json.dumps(card, indent=2) + "\n")
    return card
