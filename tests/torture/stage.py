"""A platform of several processes with tenants, clients, outside systems and a history."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.build import open_runtime
from gateway import provision
from tests.fakes.sink import HttpSink, MailSink
from tests.flows.platform import Forge, Platform
from tests.flows.program import until
from tests.torture.cast import QUICK, Cast, Table
from tests.torture.checker import Breach, Expected, check
from tests.torture.crowd import Crowd
from tests.torture.history import History

TENANTS = ("north", "south", "east")
SCOPES = ("documents:read", "documents:write", "workflows:execute", "workflows:read",
          "search:read", "reports:read")  # fmt: skip
EXPECTED = Expected(
    effects={"invoice.exception": "keyed", "workflow.completed": "keyed", "mail": "blind"},
    needs={"b": ("a",), "c": ("b",), "d": ("c",)},
)
YES = [{"connector": name, "target": "*"} for name in ("email", "webhook")]


@dataclass
class Stage:
    cast: Cast
    crowd: Crowd
    sink: HttpSink
    mails: MailSink
    history: History
    table: Table
    breaches: list[Breach] = field(default_factory=list)

    def settle(self, seconds: float = 60.0) -> None:
        """Until no job is left but dead letters: callbacks go out after the end."""
        sql = "SELECT count(*) FROM jobs WHERE status != 'dead'"
        assert until(lambda: self.table.number(sql) == 0, seconds), "there are still jobs"

    def judge(self) -> list[Breach]:
        """After everything; the history's file is beside the platform's logs."""
        self.crowd.gather(self.sink, self.mails)
        self.breaches = check(self.history.lines, EXPECTED)
        return self.breaches

    def kills(self) -> int:
        """Deaths under load; those that only armed a process do not count."""
        return sum(not line["how"].endswith("to arm") for line in self.history.of("struck"))

    def recoveries(self) -> list[float]:
        """Seconds from a process's death to the end of each run that was under way then; of
        several deaths the last one before its end counts."""
        strikes = sorted(one["at"] for one in self.history.of("struck"))
        begun: dict[str, float] = {}
        for line in self.history.of("asked"):
            begun.setdefault(line["op"], line["at"])
        found = []
        for line in self.history.of("ended"):
            end = line["ended_at"]
            during = [at for at in strikes if begun[line["op"]] < at < end]
            if during:
                found.append(end - during[-1])
        return found


def p99(values: list[float]) -> float:
    if len(values) < 2:
        return max(values, default=0.0)
    return float(statistics.quantiles(values, n=100, method="inclusive")[98])


@contextlib.contextmanager
def stage(
    folder: Path,
    urls: dict[str, str],
    forge: Forge,
    answers: tuple[str, ...] = ("200",),
    more: dict[str, str] | None = None,
    **actors: Any,
) -> Iterator[Stage]:
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(HttpSink(folder / "deliveries", answers))
        mails = stack.enter_context(MailSink(folder / "mails"))
        settings = {
            **QUICK, **urls, "WEFT_EGRESS_ALLOW": sink.place, "WEFT_SMTP_URL": mails.url,
            **(more or {}),
        }  # fmt: skip
        platform = Platform(folder / "data", settings, forge)
        keys = people(platform)
        table = Table(platform)
        stack.callback(table.close)
        history = History(folder / "history.jsonl")
        cast = stack.enter_context(Cast(platform, history, **actors).playing())
        crowd = Crowd(cast.urls(), keys, history, sink.url)
        yield Stage(cast, crowd, sink, mails, history, table)


def people(
    platform: Platform, tenants: tuple[str, ...] = TENANTS, tier: str = "unlimited"
) -> list[str]:
    """Tenants whose admins agreed to every mail and webhook; an API key of each."""
    keys = []
    with open_runtime(platform.settings) as rt:
        for slug in tenants:
            provision.provision(rt, slug, slug.title(), tier, {"pre_approved": YES})
            ctx = provision.tenant_ctx(rt, slug)
            keys.append(provision.create_api_key(rt, ctx, name="torture", scopes=SCOPES)[1])
    return keys
