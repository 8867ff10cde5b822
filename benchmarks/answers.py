"""The sixty questions (`sixty/`): answered, refused, and how much of what is said is supported;
with no chat model, and with the installed one wording whatever its card says."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from agents.answers.asking import answer_from, answer_text
from agents.answers.question import asked
from agents.answers.values import Answer
from agents.ingestion import Upload, ingest, receive
from agents.search import search
from backends.build import open_runtime
from benchmarks.figures import at_least, at_most
from core.context import PLATFORM, Ctx, scopes_of
from core.errors import Unavailable
from core.events import AgentMessage
from core.ids import new_id
from core.ports import ChatModel
from core.settings import Settings
from database import tenants
from database.keys import new_tenant_key
from models import Models
from runtime import Runtime
from workflows.tasks import Work

FOLDER = Path(__file__).with_name("sixty")
HITS = 24
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Case:
    """`gold`: one of these texts stands in a right answer; none: the sources do not say."""

    lang: str
    ask: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class Graded:
    case: Case
    answer: Answer
    unsupported: int  # sentences that say what no cited page says

    @property
    def right(self) -> bool:
        if not self.case.gold:
            return not self.answer.answered
        text = self.answer.text.lower()
        return self.answer.answered and any(gold.lower() in text for gold in self.case.gold)


@cache
def cases() -> tuple[Case, ...]:
    rows: list[dict[str, Any]] = yaml.safe_load((FOLDER / "cases.yaml").read_text())
    return tuple(Case(row["lang"], row["ask"], tuple(row.get("gold", ()))) for row in rows)


@cache
def documents() -> dict[str, str]:
    """Name → text."""
    return {p.name: p.read_text() for p in sorted(FOLDER.iterdir()) if p.suffix in (".md", ".txt")}


def graded(answer: Callable[[str], Answer], asks: Sequence[Case] = ()) -> list[Graded]:
    return [Graded(case, said := answer(case.ask), unsupported(said)) for case in asks or cases()]


def unsupported(answer: Answer) -> int:
    """Judged by another rule than the answer's own: each word of a sentence stands in the documents
    that it cites, and each number in its quotes or the headings above them."""
    if not answer.answered:
        return 0
    wrong = 0
    for sentence in answer.sentences:
        cited = [answer.citations[n - 1] for n in sentence.citations]
        pages = " ".join(documents().get(c.filename, "") for c in cited)
        known = {word.lower() for word in _WORD.findall(pages)}
        wrong += not cited or any(w.lower() not in known for w in _claimed(answer, sentence.text))
    return wrong


def _claimed(answer: Answer, text: str) -> list[str]:
    """The words that must stand there: a sum has words of ours around its figures, and is judged
    where sums are (`agents/answers/tables`)."""
    return _WORD.findall(text) if answer.route in ("quotes", "model") else []


def share(found: Sequence[Graded], *, answerable: bool, lang: str = "") -> float:
    """Of the answerable (or the others), in a language or in all, what was right."""
    fitting = [
        one for one in found if bool(one.case.gold) is answerable and one.case.lang.startswith(lang)
    ]
    return sum(one.right for one in fitting) / len(fitting)


def run() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="weft-eval-") as folder:
        settings = Settings(data_dir=Path(folder), models_url="none:")
        with open_runtime(settings) as rt:
            ctx = tenant(rt)
            for name, text in documents().items():
                put(rt, ctx, name, text)
            plain = graded(lambda text: answer_text(rt, ctx, text))
            _show("no model", plain)
            yield from _figures("answers", plain)
            if (chat := _chat(Settings())) is not None:
                spoken = graded(lambda text: _worded(rt, ctx, text, chat))
                _show(chat.name, spoken)
                yield from _figures("answers_model", spoken)


def _figures(name: str, found: Sequence[Graded]) -> Iterator[dict[str, Any]]:
    yield at_least(f"{name}_contain_gold", share(found, answerable=True), 0.80, "share")
    yield at_least(f"{name}_refused", share(found, answerable=False), 0.95, "share")
    yield at_most(f"{name}_unsupported", sum(one.unsupported for one in found), 0, "sentences")


def _show(title: str, found: Sequence[Graded]) -> None:
    """The table, and what went wrong."""
    tell = sys.stderr.write
    tell(f"\n{title:<24}{'contains gold':>14}{'refused':>9}{'unsupported':>13}\n")
    for lang in ("en", "de", "fr", ""):
        ours = [one for one in found if one.case.lang.startswith(lang)]
        right, refused = (share(ours, answerable=kind) for kind in (True, False))
        wrong = sum(one.unsupported for one in ours)
        tell(f"{lang or 'all':<24}{right:>14.0%}{refused:>9.0%}{wrong:>13}\n")
    for one in found:
        if not one.right or one.unsupported:
            tell(f"  {one.case.ask}\n    {one.answer.text[:160]}\n")


def _chat(settings: Settings) -> ChatModel | None:
    """The installed chat model, passed or not: what it says must hold all the same."""
    try:
        return Models(settings).any_chat()
    except Unavailable:
        return None


def _worded(rt: Runtime, ctx: Ctx, text: str, chat: ChatModel) -> Answer:
    found = search(rt, ctx, text, k=HITS, mode="hybrid")
    return answer_from(asked(text), found.hits, rt.models.embedder(), lambda: chat)


def tenant(rt: Runtime) -> Ctx:
    tenant_id = new_id()
    with rt.db.transaction(PLATFORM) as tx:
        tenants.create(
            tx, Ctx(tenant_id, "system"), new_tenant_key(rt.root_key, tenant_id),
            tenant_id=tenant_id, slug="sixty", name="Sixty", tier="unlimited",
        )  # fmt: skip
    return Ctx(tenant_id, "user:eval", frozenset({"admin"}), scopes_of({"admin"}))


def put(rt: Runtime, ctx: Ctx, name: str, text: str) -> None:
    got = receive(rt, ctx, [Upload(name, "text/plain", text.encode())], lambda *_: None)[0]
    message = AgentMessage("ingestion", "run", "ingest", {"document_id": got.document_id}, 5, 0)
    ingest(Work(rt, ctx, message, "run", new_id()))
