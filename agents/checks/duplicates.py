"""One invoice that came twice: the same number, a look-alike number, or the same sum on one day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.checks.papers import Finding, Paper, code_key, same_vendor

_ALIKE = str.maketrans("OILSB", "01158")  # letters that are read and typed for digits


def check_duplicates(papers: Sequence[Paper]) -> Iterator[Finding]:
    """Each later paper is held against the earlier ones and named once."""
    for place, paper in enumerate(papers):
        for earlier in papers[:place]:
            reason = _reason(paper, earlier)
            if reason:
                yield _finding(paper, earlier, reason)
                break


def _reason(a: Paper, b: Paper) -> str | None:
    if (a.document_type == "credit_note") != (b.document_type == "credit_note"):
        return None
    vendor = same_vendor(a.text("vendor"), b.text("vendor"))
    x, y = code_key(a.text("invoice_number")), code_key(b.text("invoice_number"))
    money = _same_money(a, b)
    if x and x == y and (vendor or ((vendor is None or money) and len(x) >= 4)):
        return "has the same number"
    if not vendor or not money:
        return None
    if x and y and _plain(x) == _plain(y):
        return f"has the look-alike number {b.text('invoice_number')} and the same total"
    if a.text("invoice_date") and a.text("invoice_date") == b.text("invoice_date"):
        return "has the same total on the same date"
    return None


def _same_money(a: Paper, b: Paper) -> bool:
    total = a.amount("total")
    return total is not None and (total, a.text("currency")) == (
        b.amount("total"), b.text("currency"),
    )  # fmt: skip


def _plain(key: str) -> str:
    """Look-alike letters as digits, without leading zeros: INVO012 and INV0012 are one."""
    digits = key.translate(_ALIKE)
    head = digits.rstrip("0123456789")
    return head + digits[len(head) :].lstrip("0")


def _finding(paper: Paper, earlier: Paper, reason: str) -> Finding:
    number = paper.text("invoice_number")
    named = f"Invoice {number}" if number else "This invoice"
    sure = reason == "has the same number"
    names = ("vendor", "invoice_number", "invoice_date", "total")
    return Finding(
        "duplicate_invoice", "high" if sure else "medium",
        f"{named} may have come twice: {earlier.filename} from"
        f" {earlier.text('vendor') or 'an unknown vendor'} {reason}.",
        paper, paper.amount("total"), [*paper.sources(*names), *earlier.sources(*names)],
        f"duplicate of {earlier.document_id}",
    )  # fmt: skip
