"""J2: every tool that acts outside, and every way around its approval: nothing is sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

import workflows
from backends.build import open_runtime
from core.clock import FakeClock
from core.context import Ctx, scopes_of
from core.errors import WeftError
from core.ids import new_id
from core.settings import Settings
from database import api_keys, effects, users
from database.effects import Effect
from runtime import Runtime
from tests import databases
from tests.engine import Drain, Script, Sent, flow, intent, new_tenant, step
from workflows import Submission, approvals, sweeper
from workflows.tasks import Done

TOOLS = ("email", "webhook")
REQUEST = {"to": ["a@own.example"], "subject": "s", "body": "b"}


class Case:
    """A run whose one effect waits for a person's yes."""

    def __init__(self, rt: Runtime, clock: FakeClock, sent: Sent, drain: Drain, tool: str) -> None:
        self.rt, self.clock, self.sent, self.drain = rt, clock, sent, drain
        sent.calls.clear()
        self.script = Script()
        self.script.on("act", Done({}, effects=(intent(tool, "a@own.example", **REQUEST),)))
        self.ctx = new_tenant(rt)
        self.person = self._person("operator")
        wanted = Submission(definition=flow(step("act", task="action.act")))
        self.run_id = workflows.submit(rt, self.ctx, wanted).id
        self.work()

    def _person(self, role: str) -> Ctx:
        with self.rt.db.transaction(self.ctx) as tx:
            user = users.create(tx, self.ctx, email="p@own.example", password_hash="-", role=role)
        return self.as_user(user.id, role)

    def as_user(self, user_id: str, role: str) -> Ctx:
        roles = frozenset({role})
        return Ctx(self.ctx.tenant, f"user:{user_id}", roles, scopes_of([role]), "req")

    def work(self) -> None:
        self.drain(self.rt, self.script.agents())

    @property
    def effect(self) -> Effect:
        with self.rt.db.read(self.ctx) as tx:
            return effects.of_run(tx, self.ctx, self.run_id)[0]

    @property
    def approval_id(self) -> str:
        with self.rt.db.read(self.ctx) as tx:
            return approvals.listing(tx, self.ctx, status=None).items[0].approval.id

    def change(self, **values: Any) -> None:
        with self.rt.db.transaction(self.ctx) as tx:
            effects.change(tx, self.ctx, self.effect.id, **values)

    def approve(self, who: Ctx | None = None) -> None:
        approvals.decide(self.rt, who or self.person, self.approval_id, "approve")

    def person_becomes(self, **values: Any) -> None:
        with self.rt.db.transaction(self.ctx) as tx:
            users.patch(tx, self.ctx, self.person.actor.removeprefix("user:"), **values)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Runtime, Sent]]:
    """One for all cases: what one of them left must not be sent while another is looked at."""
    folder, sent = tmp_path_factory.mktemp("gate"), Sent()
    with databases.fresh() as url:
        settings = Settings(
            _env_file=None, data_dir=folder / "data", models_dir=folder / "none",
            models_url="none:", log_level="error", database_url=url,
        )  # fmt: skip
        more = {"email": sent, "webhook": sent}
        with open_runtime(settings, clock=FakeClock(), more_connectors=more) as rt:
            yield rt, sent


@pytest.fixture(params=TOOLS)
def case(request: pytest.FixtureRequest, house: tuple[Runtime, Sent], drain: Drain) -> Case:
    rt, sent = house
    return Case(rt, cast(FakeClock, rt.clock), sent, drain, request.param)


def test_a_persons_yes_to_exactly_this_sends_it_once(case: Case) -> None:
    case.approve()
    case.work()
    assert [call.request for call in case.sent.calls] == [REQUEST]


def _nobody(case: Case) -> None:
    """No approval at all: the row is made ready by hand."""
    case.change(status="reserved")
    _job(case)


def _job(case: Case) -> None:
    from database import jobs, runs

    with case.rt.db.transaction(case.ctx) as tx:
        run = runs.get(tx, case.ctx, case.run_id)
        jobs.add(tx, case.ctx, run.id, "effect", "action", priority=5, effect_id=case.effect.id)


def _other_arguments(case: Case) -> None:
    case.change(request={**REQUEST, "body": "all the money"})
    case.approve()


def _arguments_changed_after_the_yes(case: Case) -> None:
    case.approve()
    case.change(request={**REQUEST, "to": ["canary@canary.evil.example"]})


def _another_target(case: Case) -> None:
    case.change(target="canary@canary.evil.example")
    case.approve()


def _another_tool(case: Case) -> None:
    other = next(name for name in TOOLS if name != case.effect.connector)
    case.approve()
    case.change(connector=other)


def _stale(case: Case) -> None:
    case.clock.advance(case.rt.settings.approval_seconds_max + 1)
    case.approve()


def _stale_and_swept(case: Case) -> None:
    case.clock.advance(case.rt.settings.approval_seconds_max + 1)
    sweeper.sweep(case.rt, case.script.agents())
    case.approve()


def _by_the_run_itself(case: Case) -> None:
    case.approve(Ctx(case.ctx.tenant, f"run:{case.run_id}", case.ctx.roles, case.ctx.scopes))


def _by_the_system(case: Case) -> None:
    case.approve(Ctx(case.ctx.tenant, "system", case.ctx.roles, case.ctx.scopes))


def _by_a_viewer(case: Case) -> None:
    case.approve(case.as_user("u7", "viewer"))


def _by_a_neighbour(case: Case) -> None:
    case.approve(new_tenant(case.rt))


def _replayed(case: Case) -> None:
    """A no, then a yes to the same request."""
    approvals.decide(case.rt, case.person, case.approval_id, "reject")
    case.approve()


def _after_the_role_was_lost(case: Case) -> None:
    case.approve()
    case.person_becomes(role="viewer")


def _after_the_person_was_locked_out(case: Case) -> None:
    case.approve()
    case.person_becomes(disabled=True)


def _by_a_key_that_was_revoked(case: Case) -> None:
    with case.rt.db.transaction(case.ctx) as tx:
        key = api_keys.create(
            tx,
            case.ctx,
            name="k",
            prefix="p",
            key_hash=new_id(),
            scopes=["approvals:decide"],
            expires_ms=None,
        )
    case.approve(Ctx(case.ctx.tenant, f"key:{key.id}", case.ctx.roles, case.ctx.scopes))
    with case.rt.db.transaction(case.ctx) as tx:
        api_keys.revoke(tx, case.ctx, key.id)


WAYS = (
    _nobody, _other_arguments, _arguments_changed_after_the_yes, _another_target, _another_tool,
    _stale, _stale_and_swept, _by_the_run_itself, _by_the_system, _by_a_viewer, _by_a_neighbour,
    _replayed, _after_the_role_was_lost, _after_the_person_was_locked_out,
    _by_a_key_that_was_revoked,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_no_way_around_the_approval_sends_anything(case: Case, way: Callable[[Case], None]) -> None:
    with contextlib.suppress(WeftError):  # refused at once, or when it is to be sent
        way(case)
    case.work()
    assert case.sent.calls == []
    assert case.effect.status != "confirmed"


def test_what_was_sent_is_not_sent_again_by_a_second_yes(case: Case) -> None:
    case.approve()
    case.work()
    with pytest.raises(WeftError):
        case.approve()
    _job(case)
    case.work()
    assert len(case.sent.calls) == 1
