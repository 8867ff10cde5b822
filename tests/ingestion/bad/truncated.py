"""Honest files cut off at every tenth of their length."""

from __future__ import annotations

from functools import cache, partial

from tests.ingestion import builders
from tests.ingestion.bad.case import BROKEN, EMPTY, READY, REFUSED, case


@cache
def whole(kind: str) -> bytes:
    made = {
        "pdf": lambda: builders.pdf(builders.lines(*(f"Line {n} of a paper" for n in range(40)))),
        "docx": lambda: builders.docx("".join(builders.paragraph(f"Line {n}") for n in range(300))),
        "xlsx": lambda: builders.xlsx(builders.ledger),
        "zip": lambda: builders.archive({f"{n}.txt": f"Member {n}\n" * 50 for n in range(9)}),
    }
    return made[kind]()


def _cut(kind: str, tenth: int) -> bytes:
    data = whole(kind)
    return data[: len(data) * tenth // 10]


CASES = tuple(
    case(f"{kind}-cut-{tenth}", f"cut.{kind}", partial(_cut, kind, tenth),
         BROKEN, EMPTY, REFUSED, READY if kind == "pdf" else "corrupted")
    for kind in ("pdf", "docx", "xlsx", "zip")
    for tenth in range(1, 10)
)  # fmt: skip
