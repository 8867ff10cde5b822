"""Capability gates: a model is used for a task only where its card says that it passed.

`weft models eval` puts the bundled cases (`cases/<task>.yaml`) to each model and writes a card. A
card counts for exactly these weights and these cases; anything else is "not passed".
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel, ChatReply, ChatRequest
from core.settings import Settings
from models.shapes import parse

TASKS = ("answer", "refusing", "extraction", "json", "planning", "summarising")
# Who words answers must also know when there is none.
NEEDS: dict[str, tuple[str, ...]] = {"answer": ("answer", "refusing")}
_GROUNDED = frozenset({"answer", "refusing", "summarising"})
_CASES = Path(__file__).with_name("cases")
CASE_SECONDS = 60.0
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")


@dataclass(frozen=True, slots=True)
class Case:
    """`expect` and `forbid` are texts; `equals` maps a dotted path of the JSON to its value."""

    ask: str
    expect: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    equals: tuple[tuple[str, Any], ...] = ()
    schema: dict[str, Any] | None = None
    max_words: int | None = None
    grounded: bool = False  # every number of the reply stands in the request


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
    return Gate(
        task=task,
        order=data["order"].strip(),
        share=float(data["share"]),
        max_tokens=int(data["max_tokens"]),
        cases=tuple(_case(row, data) for row in data["cases"]),
        digest=digest(text),
    )


def digest(text: str) -> str:
    """Of a file of cases: a card counts for exactly these."""
    return hashlib.sha256(text.encode()).hexdigest()


def _case(row: dict[str, Any], file: dict[str, Any]) -> Case:
    return Case(
        ask=row["ask"].strip(),
        expect=tuple(str(text) for text in row.get("expect", ())),
        forbid=tuple(str(text) for text in row.get("forbid", ())),
        equals=tuple(row.get("equals", {}).items()),
        schema=row.get("schema", file.get("schema")),
        max_words=row.get("max_words", file.get("max_words")),
        grounded=bool(row.get("grounded", file.get("grounded"))),
    )


def passed(settings: Settings, model: str, digest: str, task: str) -> bool:
    """By its card; where a task needs others (`NEEDS`), all of them."""
    return set(NEEDS.get(task, (task,))) <= set(tasks_passed(settings, model, digest))


def tasks_passed(settings: Settings, model: str, digest: str) -> list[str]:
    """The gates that this model passed, by its card."""
    return [task for task, one in results(settings, model, digest).items() if one["gate"] == "open"]


def results(settings: Settings, model: str, digest: str) -> dict[str, dict[str, Any]]:
    """Its card by task, as far as it is about these weights and today's cases."""
    card = _card(settings, model, digest)
    found: dict[str, dict[str, Any]] = card["tasks"] if card else {}
    return {
        task: result
        for task, result in found.items()
        if task in TASKS and result["digest"] == gate(task).digest
    }


def line(settings: Settings, model: str, digest: str, task: str) -> dict[str, Any] | None:
    """What the card of these weights says of one task, also of one that is no gate."""
    card = _card(settings, model, digest)
    found: dict[str, Any] | None = card["tasks"].get(task) if card else None
    return found


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


def evaluate(
    settings: Settings,
    names: Sequence[str] = (),
    tasks: Sequence[str] = TASKS,
    seen: Callable[[str, str], None] = lambda model, task: None,
) -> list[dict[str, Any]]:
    """Puts the cases to the named chat models (all that answer, when none is named); writes and
    gives their cards. What else a card says of the same weights stays. Raises `Unavailable` when
    there is no such model."""
    from models.router import Models

    for task in tasks:
        gate(task)
    models = Models(settings)
    found = [c for c in models.candidates() if not names or c.name in names]
    if not found:
        raise Unavailable("There is no such chat model here. Type: weft models list")
    cards = []
    for candidate in found:
        chat = models.any_chat(candidate.name)
        assert chat is not None
        card = grade(chat, candidate.digest, tasks, functools.partial(seen, candidate.name))
        cards.append(write(settings, card))
    return cards


def grade(
    chat: ChatModel,
    digest: str,
    tasks: Sequence[str] = TASKS,
    seen: Callable[[str], None] = lambda task: None,
) -> dict[str, Any]:
    """One model's card: by task the share of its cases, what was wrong, and how fast it was."""
    graded = {}
    for task in tasks:
        seen(task)
        graded[task] = _grade_task(chat, gate(task))
    return {
        "model": chat.name,
        "digest": digest,
        "at_ms": time.time_ns() // 1_000_000,
        "tasks": graded,
    }


def _grade_task(chat: ChatModel, gate: Gate) -> dict[str, Any]:
    began, tokens, faults = time.perf_counter(), 0, []
    for case in gate.cases:
        fault, reply = _tried(chat, gate, case)
        tokens += reply.completion_tokens if reply else 0
        faults += [fault] if fault else []
    seconds = time.perf_counter() - began
    right = len(gate.cases) - len(faults)
    return {
        "passed": right,
        "cases": len(gate.cases),
        "share": round(right / len(gate.cases), 3),
        "gate": "open" if right >= gate.share * len(gate.cases) else "shut",
        "digest": gate.digest,
        "seconds": round(seconds, 1),
        "tokens_per_second": round(tokens / seconds, 1) if seconds else 0.0,
        "faults": faults,
    }


def _tried(chat: ChatModel, gate: Gate, case: Case) -> tuple[str | None, ChatReply | None]:
    """What was wrong with the reply, or None; and the reply."""
    messages = (ChatMessage("system", gate.order), ChatMessage("user", case.ask))
    try:
        reply = chat.chat(ChatRequest(messages, case.schema, gate.max_tokens, 0.0, CASE_SECONDS))
    except (Unavailable, InvalidInput) as error:
        return error.detail, None
    return judge(case, reply.text), reply


def judge(case: Case, text: str) -> str | None:
    """What is wrong with `text` as the reply to `case`, or None."""
    low = text.lower()
    if missing := [want for want in case.expect if want.lower() not in low]:
        return f"lacks {missing}: {text[:120]}"
    if wrong := [bad for bad in case.forbid if bad.lower() in low]:
        return f"says {wrong}: {text[:120]}"
    if case.max_words is not None and len(text.split()) > case.max_words:
        return f"has {len(text.split())} words: {text[:120]}"
    if case.grounded and (made := made_up(text, case.ask)):
        return f"makes up {made}: {text[:120]}"
    if not case.equals:
        return None
    value = json.loads(text)
    for path, wanted in case.equals:
        if (got := _at(value, path)) != wanted:
            return f"{path} is {got!r}, not {wanted!r}"
    return None


def faults(task: str, told: str, schema: Mapping[str, Any] | None, text: str) -> list[str]:
    """What can be seen to be wrong with a reply to work of that task, without a case: it is empty,
    of another shape, makes numbers up, or is too long."""
    found = [] if text.strip() else ["is empty"]
    if schema is not None:
        try:
            parse(text, schema)
        except ValueError as error:
            found.append(f"is no JSON of its shape: {error}")
    elif task in _GROUNDED and (made := made_up(text, told)):
        found.append(f"makes up {', '.join(made[:5])}")
    most = gate(task).cases[0].max_words if task in TASKS else None
    if most is not None and len(text.split()) > most:
        found.append(f"has {len(text.split())} words, {most} are enough")
    return found


def made_up(text: str, source: str) -> list[str]:
    """The numbers of `text` that do not stand in `source`, so written."""
    known = set(_NUMBER.findall(source))
    return [number for number in _NUMBER.findall(text) if number not in known]


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def write(settings: Settings, card: dict[str, Any]) -> dict[str, Any]:
    """Onto the disk, over what it said of the same tasks before."""
    old = _card(settings, card["model"], card["digest"])
    card = {**card, "tasks": {**(old["tasks"] if old else {}), **card["tasks"]}}
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _filename(card["model"])).write_text(json.dumps(card, indent=2) + "\n")
    return card
