"""J5: a model that loops, a plan that means itself, a caller that does whatever it is told: each of
these ends within its steps, tokens or seconds, in a state that says why."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

import workflows
from agents.metering import MeteredChat
from agents.uploads import Upload
from core.clock import FakeClock
from core.context import Ctx
from core.errors import QuotaExceeded, Unavailable
from core.ports import ChatMessage, ChatModel, ChatPiece, ChatReply, ChatRequest, Tool, ToolCall
from core.settings import Settings
from core.tiers import BUDGETS, TIERS
from models import Models
from models.bounded import Outlet
from models.engine import ATTEMPTS, REPLY_CHARS_MAX, EngineChat
from runtime import Runtime
from tests import databases
from tests.engine import Sent, drained, new_tenant
from tests.injection.obedient import AllGates
from tests.injection.world import opened, put
from workflows import Submission, admission, sweeper

ASK = (ChatMessage("user", "Go on."),)
STEPS_MAX, SECONDS = 12, 0.2


@dataclass
class Endless:
    """Says the same for ever; `asked` counts."""

    text: str
    name: str = "endless"
    asked: int = 0

    def chat(self, request: ChatRequest) -> ChatReply:
        self.asked += 1
        return ChatReply(self.text, self.name, 100, 100)

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield ChatPiece(self.chat(request).text, 100, 100, "stop")


class One(AllGates):
    """This model for every task."""

    def __init__(self, chat: ChatModel) -> None:
        super().__init__(model=cast(Any, chat))


@dataclass
class House:
    rt: Runtime
    clock: FakeClock
    ctx: Ctx
    document: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all loops: what one of them leaves behind must not keep the next one going."""
    folder: Path = tmp_path_factory.mktemp("loops")
    with databases.fresh() as url:
        settings = Settings(
            _env_file=None, data_dir=folder / "data", models_dir=folder / "none",
            models_url="none:", log_level="error", database_url=url,
            run_steps_max=STEPS_MAX, run_seconds_max=60, step_attempts_max=3,
        )  # fmt: skip
        with opened(settings, AllGates(), Sent()) as rt:
            ctx = new_tenant(rt, "loops")
            text = b"Harrow Supplies Ltd\nINVOICE\nInvoice No: HS-1\nTotal: GBP 120.00\n"
            made = put(rt, ctx, [Upload("a.txt", "text/plain", text)])
            yield House(rt, cast(FakeClock, rt.clock), ctx, made[0])


# Plans of a model


def _each(inner: Mapping[str, Any], over: Any = "${documents}", name: str = "e") -> dict[str, Any]:
    return {"id": name, "for_each": over, "as": "document", "steps": [dict(inner)]}


def _ex(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    given = {"document_id": "${documents}", **more.pop("with_", {})}
    return {"id": name, "agent": "analysis", "task": "extract", "needs": list(needs),
            "with": given, **more}  # fmt: skip


_PLAN = {"id": "p", "agent": "supervisor", "task": "plan", "with": {"goal": "the same again"}}
PLANS: dict[str, Any] = {
    "plans again": [_PLAN],
    "plans again for each document": [_each(_PLAN)],
    "plans twice": [_PLAN, {**_PLAN, "id": "q", "needs": ["p"]}],
    "needs itself": [_ex("a", "a")],
    "needs in a ring": [_ex("a", "c"), _ex("b", "a"), _ex("c", "b")],
    "reads itself": [_ex("a", with_={"document_id": "${steps.a.output.id}"})],
    "read each other": [_ex("a", with_={"document_id": "${steps.b.output.x}"}),
                        _ex("b", with_={"document_id": "${steps.a.output.x}"})],
    "goes over itself": [_each(_ex("a"), "${steps.e.output}")],
    "over a list of its own": [_each(_ex("a"), list(range(1000)))],
    "over a text": [_each(_ex("a"), "again and again")],
    "in itself": [_each(_each(_ex("a"), name="f"))],
    "in itself in itself": [_each(_each(_each(_ex("a"), name="g"), name="f"))],
    "a hundred and one": [_ex(f"s{n}") for n in range(101)],
    "a hundred": [_ex(f"s{n}") for n in range(100)],
    "a chain": [_ex(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(40)],
    "one name for all": [_ex("a")] * 20,
    "when itself": [_ex("a", when="${steps.a.output.x} == 1")],
    "when for ever": [_ex("a", when="(" * 500 + "true" + ")" * 500)],
    "nobody does it": [{"id": "x", "agent": "shell", "task": "exec", "with": {"again": True}}],
    "a run of runs": [{"id": "x", "workflow": "goal", "with": {"goal": "again"}}],
    "no steps": [],
    "not steps": [[[[[]]]]],
    "tells for ever": [
        {"id": f"t{n}", "agent": "action", "task": "notify",
         "with": {"email": "a@own.example", "exceptions": []}} for n in range(30)
    ],
}  # fmt: skip
TEXTS = {"says nothing": "", "stutters": "again " * 5000, "no end": '{"steps": [' * 2000}


def _reply(steps: Any) -> str:
    return json.dumps({"name": "goal", "summary": "again", "steps": steps, "outputs": {}})


@pytest.mark.parametrize("plan", [*PLANS, *TEXTS])
def test_a_plan_that_never_ends_is_none_or_ends(house: House, plan: str) -> None:
    text = TEXTS[plan] if plan in TEXTS else _reply(PLANS[plan])
    model = Endless(text)
    rt = replace(house.rt, models=cast(Models, One(model)))
    status = _ended(rt, house, Submission(goal="Check it", documents=(house.document,)))
    assert model.asked <= STEPS_MAX
    worked = [one for one in status["steps"] if one["status"] in ("completed", "failed")]
    assert len(worked) <= STEPS_MAX
    if len(status["steps"]) > STEPS_MAX:
        assert status["error"]["code"] == "steps_ceiling"
    if status["status"] == "failed":
        assert status["error"]["code"]
        assert status["error"]["detail"]


def _ended(rt: Runtime, house: House, wanted: Submission) -> dict[str, Any]:
    """Every turn of the clock is worked off, until the run's deadline is long over."""
    run_id = workflows.submit(rt, house.ctx, wanted).id
    for _ in range(12):
        drained(rt)
        status = workflows.status(rt, house.ctx, run_id)
        if status["status"] in ("completed", "failed", "waiting_approval", "needs_review"):
            return status
        house.clock.advance(10)
        sweeper.sweep(rt, _agents())
    raise AssertionError(f"it still is {status['status']}")


def _agents() -> Any:
    from agents.registry import AGENTS

    return AGENTS


# A caller that does what the model says, and asks again


@dataclass
class Calls:
    """An engine whose every reply asks for one more call, or says one more word."""

    text: str = "Again."
    tokens: int = 300

    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        wanted = (ToolCall("c1", "again", '{"n": 1}'),) if request.tools else ()
        text = "" if wanted else '{"n": 1}' if request.schema else self.text
        outlet.put(ChatPiece(text, self.tokens, 60, "stop", wanted, busy_ms=500_000))

    def knows_tools(self) -> bool:
        return True


SHAPE = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
HOWS: dict[str, Callable[[ChatModel, ChatRequest], str]] = {
    "whole": lambda chat, asked: chat.chat(asked).text,
    "stream": lambda chat, asked: "".join(piece.text for piece in chat.stream(asked)),
    "tools": lambda chat, asked: chat.chat(replace(asked, tools=(Tool("again"),))).calls[0].name,
    "json": lambda chat, asked: chat.chat(replace(asked, schema=SHAPE)).text,
}


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("cap", BUDGETS)
def test_whoever_asks_for_ever_ends_at_the_tenants_budget(house: House, cap: str, how: str) -> None:
    ctx = new_tenant(house.rt, config={"budget": {cap: 2000}})
    chat = MeteredChat(house.rt, ctx, EngineChat("calls", Calls()), "chat", soft=False)
    said: list[ChatMessage] = list(ASK)

    def loop() -> None:
        for _ in range(30):
            text = HOWS[how](chat, ChatRequest(tuple(said), max_tokens=60))
            said.extend([ChatMessage("assistant", text), ChatMessage("user", "Go on.")])

    with pytest.raises(QuotaExceeded) as error:
        loop()
    assert (error.value.slug, error.value.extra["limit"]) == ("budget_exhausted", cap)
    assert 2 <= len(said) // 2 <= 10


@pytest.mark.parametrize("tier", [name for name, tier in TIERS.items() if tier.runs_per_day])
def test_runs_that_start_the_next_one_end_at_the_tiers_day(house: House, tier: str) -> None:
    ctx = new_tenant(house.rt, tier=tier)
    most = TIERS[tier].runs_per_day or 0
    house.rt.limiter.hit(f"runs/{ctx.tenant}", most, 86_400, most - 2)
    for _ in range(2):
        admission.admit_run(house.rt, ctx, tier)
    with pytest.raises(QuotaExceeded) as error:
        admission.admit_run(house.rt, ctx, tier)
    assert error.value.extra["limit"] == "runs_per_day"


# Replies without an end


@dataclass
class Drips:
    """An engine that puts pieces until nobody listens; without pieces it waits for that."""

    pieces: Iterator[str]
    calls: tuple[ToolCall, ...] = ()
    asked: int = 0

    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        self.asked += 1
        for text in self.pieces:
            if not outlet.put(ChatPiece(text, calls=self.calls)) or self.calls:
                return
        outlet.abandoned.wait(5)

    def knows_tools(self) -> bool:
        return True


def _numbers() -> Iterator[str]:
    return (f"{n} " * 50 for n in itertools.count())


REPLIES: dict[str, tuple[Callable[[], Drips], str]] = {
    "one letter": (lambda: Drips(itertools.repeat("a")), "length"),
    "one sentence": (lambda: Drips(itertools.repeat("Again and again. ")), "length"),
    "ever new": (lambda: Drips(_numbers()), "model_output"),
    "silence": (lambda: Drips(iter(())), "model_deadline"),
    "then silence": (lambda: Drips(iter(["Well,"])), "model_deadline"),
    "a tool that is none": (
        lambda: Drips(itertools.repeat(""), (ToolCall("c", "rm", "{}"),)), "model_output",
    ),
    "a tool without its arguments": (
        lambda: Drips(itertools.repeat(""), (ToolCall("c", "again", "{"),)), "model_output",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_without_an_end_is_cut_by_name(reply: str) -> None:
    make, reason = REPLIES[reply]
    engine = make()
    tools = (Tool("again"),) if engine.calls else ()
    chat = EngineChat("drips", engine)
    asked = ChatRequest(ASK, deadline_seconds=SECONDS, tools=tools)
    assert _end(chat, asked) == reason
    assert engine.asked <= ATTEMPTS


def _end(chat: EngineChat, asked: ChatRequest) -> str:
    try:
        made = chat.chat(asked)
    except Unavailable as error:
        return error.slug
    assert len(made.text) < REPLY_CHARS_MAX
    return made.finish_reason


def test_the_house_is_quiet_after_all_that(house: House) -> None:
    """No job of any loop is left to go on with."""
    house.clock.advance(120)
    sweeper.sweep(house.rt, _agents())
    assert drained(house.rt) <= STEPS_MAX
