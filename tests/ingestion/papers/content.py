"""What the papers say: numbers by arithmetic from their place, so that all of them differ."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.documents import Document
from tests.ingestion.papers.drawing import Block, Pairs, Prose, Rows, Title, drawn

WORDS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
LANGUAGES = tuple(WORDS)
KINDS = (
    "invoice", "credit_note", "purchase_order", "delivery_note", "receipt", "contract",
    "bank_statement", "payslip", "offer",
)  # fmt: skip
SEEN, HELD_OUT = (0, 1), (2,)
FORMATS = ("pdf", "docx", "xlsx", "txt")
_RATES = {"en": 20, "de": 19, "fr": 20, "nl": 21, "es": 21}
_TAX_IDS = {
    "en": "GB123456789", "de": "DE274119853", "fr": "FR40303265045", "nl": "NL004495445B01",
    "es": "B12345674",
}  # fmt: skip
_IBANS = {
    "en": "GB29 NWBK 6016 1331 9268 19", "de": "DE89 3704 0044 0532 0130 00",
    "fr": "FR14 2004 1010 0505 0001 3M02 606", "nl": "NL91 ABNA 0417 1643 00",
    "es": "ES91 2100 0418 4502 0005 1332",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A paper and what a reader should find: `fields` by name, `amounts` of its rows."""

    language: str
    kind: str
    variant: int
    format: str
    data: bytes
    fields: dict[str, str]
    amounts: list[str] = field(default_factory=list)

    @property
    def filename(self) -> str:
        return f"scan-{self.language}-{self.variant}{KINDS.index(self.kind)}.{self.format}"


def papers(variants: Sequence[int] = SEEN) -> Iterator[Made]:
    for language in LANGUAGES:
        for kind in KINDS:
            for variant in variants:
                yield paper(language, kind, variant)


def paper(language: str, kind: str, variant: int, format: str | None = None) -> Made:
    place = LANGUAGES.index(language) + KINDS.index(kind) + variant
    writer = _Writer(language, kind, variant)
    blocks = _KINDS[kind](writer)
    chosen = format or FORMATS[place % len(FORMATS)]
    data = drawn(blocks, chosen, style=(variant + KINDS.index(kind)) % 3)
    return Made(language, kind, variant, chosen, data, writer.fields, writer.amounts)


@dataclass(slots=True)
class _Writer:
    language: str
    kind: str
    variant: int
    fields: dict[str, str] = field(default_factory=dict)
    amounts: list[str] = field(default_factory=list)

    @property
    def seed(self) -> int:
        return 37 * LANGUAGES.index(self.language) + 11 * KINDS.index(self.kind) + self.variant * 5

    def word(self, key: str) -> str:
        word: str = WORDS[self.language][key][self.variant]
        return word

    def listed(self, key: str) -> Any:
        return WORDS[self.language][key]

    def day(self, name: str, offset: int = 0) -> str:
        day = date(2026, 1 + self.seed % 9, 1 + (self.seed * 7) % 27) + timedelta(days=offset)
        if name:
            self.fields[name] = day.isoformat()
        month = self.listed("months")[day.month - 1]
        shown: str = self.word("date_format").format(
            d=day.day, m=day.month, y=day.year, month=month
        )
        return shown

    def money(self, value: Decimal, *, sign: bool = False) -> str:
        group, mark = self.listed("money")
        text = f"{value:,.2f}".replace(",", "_").replace(".", mark).replace("_", group)
        currency = self.word("currency")
        if not sign:
            return text
        return f"{currency}{text}" if currency == "£" else f"{text} {currency}"

    def number(self, name: str, prefix: str) -> str:
        self.fields[name] = f"{prefix}-{2000 + self.seed * 13}"
        return self.fields[name]

    def party(self, name: str, key: str) -> list[str]:
        lines: list[str] = self.listed(key)[self.variant]
        self.fields[name] = lines[0]
        return lines

    def pair(self, key: str, value: str) -> tuple[str, str]:
        return self.word(key), value


def _title(w: _Writer) -> list[Block]:
    vendor = w.party("vendor", "firms")
    return [Prose(tuple(vendor)), Title(w.word(w.kind))]


def _buyer(w: _Writer) -> Block:
    return Prose((f"{w.word('customer')}:", *w.party("customer", "buyers")))


def _goods(w: _Writer, *, priced: bool = True) -> tuple[Block, Decimal]:
    heads = [w.word("description"), w.word("quantity")]
    heads += [w.word("unit_price"), w.word("amount")] if priced else []
    rows, total = [], Decimal(0)
    for n in range(2 + (w.seed + w.variant) % 3):
        good = w.listed("goods")[(w.seed + n) % 5]
        count = 1 + (w.seed * (n + 3)) % 12
        price = Decimal(350 + (w.seed * 131 + n * 977) % 24000) / 100
        total += price * count
        if priced:
            w.amounts.append(f"{price * count:.2f}")
        rows.append(
            [good, str(count), *([w.money(price), w.money(price * count)] if priced else [])]
        )
    return Rows((heads, *rows)), total


def _sums(w: _Writer, net: Decimal, *, minus: bool = False) -> Block:
    tax = (net * _RATES[w.language] / 100).quantize(Decimal("0.01"))
    sign = "-" if minus else ""
    for name, value in (("subtotal", net), ("tax", tax), ("total", net + tax)):
        w.fields[name] = f"{sign}{value:.2f}"
    w.fields["currency"] = {"£": "GBP", "€": "EUR"}.get(w.word("currency"), w.word("currency"))
    return Pairs(tuple(
        w.pair(name, w.money(value, sign=name == "total"))
        for name, value in (("subtotal", net), ("tax", tax), ("total", net + tax))
    ), right=True)  # fmt: skip


def _bank(w: _Writer) -> Block:
    w.fields["iban"] = _IBANS[w.language].replace(" ", "")
    w.fields["vendor_tax_id"] = _TAX_IDS[w.language]
    return Prose((f"IBAN: {_IBANS[w.language]}",
                  f"{w.word('vendor_tax_id')}: {_TAX_IDS[w.language]}"))  # fmt: skip


def _invoice(w: _Writer) -> list[Block]:
    blocks = _title(w)
    pairs = Pairs((
        w.pair("invoice_number", w.number("invoice_number", "RE")),
        w.pair("invoice_date", w.day("invoice_date")), w.pair("due_date", w.day("due_date", 30)),
        w.pair("po_number", w.number("po_number", "PO")),
    ))  # fmt: skip
    goods, net = _goods(w)
    return [*blocks, pairs, _buyer(w), goods, _sums(w, net), _bank(w)]


def _credit_note(w: _Writer) -> list[Block]:
    blocks = _title(w)
    pairs = Pairs((
        w.pair("credit_note_number", w.number("invoice_number", "GS")),
        w.pair("invoice_date", w.day("invoice_date")),
    ))  # fmt: skip
    goods, net = _goods(w)
    w.amounts = [f"-{amount}" for amount in w.amounts]
    return [*blocks, pairs, _buyer(w), goods, _sums(w, net, minus=True)]


def _purchase_order(w: _Writer) -> list[Block]:
    blocks = _title(w)
    w.fields.pop("vendor")  # who orders writes the paper
    pairs = Pairs((
        w.pair("order_number", w.number("order_number", "PO")),
        w.pair("order_date", w.day("order_date")),
        w.pair("delivery_date", w.day("delivery_date", 14)),
    ))  # fmt: skip
    goods, net = _goods(w)
    return [*blocks, pairs, goods, _sums(w, net)]


def _delivery_note(w: _Writer) -> list[Block]:
    blocks = _title(w)
    pairs = Pairs((
        w.pair("delivery_note_number", w.number("delivery_note_number", "LS")),
        w.pair("delivery_date", w.day("delivery_date")),
        w.pair("order_number", w.number("order_number", "PO")),
    ))  # fmt: skip
    goods, _ = _goods(w, priced=False)
    return [*blocks, pairs, _buyer(w), goods]


def _receipt(w: _Writer) -> list[Block]:
    blocks = _title(w)
    date_pair = Pairs((w.pair("invoice_date", w.day("invoice_date")),))
    goods, net = _goods(w)
    w.fields["payment_method"] = "Visa"
    return [*blocks, date_pair, goods, _sums(w, net), Pairs((w.pair("payment_method", "Visa"),))]


def _contract(w: _Writer) -> list[Block]:
    a, b = w.party("first_party", "firms"), w.party("second_party", "buyers")
    number = w.pair("contract_number", w.number("contract_number", "CT"))
    start, end = w.day("contract_start"), w.day("contract_end", 730)
    w.fields["notice_period"] = w.word("months_of")
    rule = w.word("rule").format(a=a[0], a2=a[1], b=b[0])
    if w.variant == 1:
        pairs = Pairs((number, w.pair("contract_start", start), w.pair("contract_end", end),
                       w.pair("notice_period", w.word("months_of"))))  # fmt: skip
        return [Title(w.word("contract")), Prose((rule,)), pairs]
    said = Prose((w.word("run").format(start=start, end=end),
                  w.word("quit").format(n=w.word("months_of"))))  # fmt: skip
    return [Title(w.word("contract")), Pairs((number,)), Prose((rule,)), said]


def _bank_statement(w: _Writer) -> list[Block]:
    holder = w.party("account_holder", "buyers")
    w.fields["iban"] = _IBANS[w.language].replace(" ", "")
    opening = Decimal(100000 + w.seed * 977) / 100
    rows, balance = [], opening
    for n in range(4):
        amount = Decimal((w.seed * 53 + n * 3111) % 60000 - 20000) / 100
        balance += amount
        w.amounts.append(f"{amount:.2f}")
        text = f"{w.listed('firms')[n % 3][0]} {4711 + n}"
        rows.append([w.day("", n + 1), text, w.money(amount)])
    w.fields["opening_balance"], w.fields["closing_balance"] = f"{opening:.2f}", f"{balance:.2f}"
    pairs = Pairs((
        w.pair("statement_number", w.number("statement_number", "KA")),
        w.pair("account_holder", holder[0]), ("IBAN", _IBANS[w.language]),
        w.pair("opening_balance", w.money(opening, sign=True)),
    ))  # fmt: skip
    table = Rows(([w.word("booked"), w.word("text"), _BOOKED[w.language]], *rows))
    end = Pairs((w.pair("closing_balance", w.money(balance, sign=True)),), right=True)
    return [Title(w.word("bank_statement")), pairs, table, end]


_BOOKED = {"en": "Amount", "de": "Betrag", "fr": "Montant", "nl": "Bedrag", "es": "Importe"}


def _payslip(w: _Writer) -> list[Block]:
    employer = w.party("employer", "firms")
    gross = Decimal(250000 + w.seed * 1777) / 100
    net = (gross * Decimal("0.68")).quantize(Decimal("0.01"))
    w.fields |= {"employee": w.listed("people")[w.variant], "gross_pay": f"{gross:.2f}",
                 "net_pay": f"{net:.2f}"}  # fmt: skip
    month = f"{w.listed('months')[w.seed % 12]} 2026"
    w.fields["period"] = month
    pairs = Pairs((
        w.pair("employee", w.fields["employee"]),
        w.pair("employee_number", w.number("employee_number", "P")), w.pair("period", month),
    ))  # fmt: skip
    sums = Pairs((w.pair("gross_pay", w.money(gross, sign=True)),
                  w.pair("net_pay", w.money(net, sign=True))), right=True)  # fmt: skip
    return [Prose(tuple(employer)), Title(w.word("payslip")), pairs, sums]


def _offer(w: _Writer) -> list[Block]:
    blocks = _title(w)
    pairs = Pairs((
        w.pair("offer_number", w.number("offer_number", "AN")),
        w.pair("offer_date", w.day("offer_date")), w.pair("valid_until", w.day("valid_until", 30)),
    ))  # fmt: skip
    goods, net = _goods(w)
    return [*blocks, pairs, _buyer(w), goods, _sums(w, net)]


_KINDS = {
    "invoice": _invoice, "credit_note": _credit_note, "purchase_order": _purchase_order,
    "delivery_note": _delivery_note, "receipt": _receipt, "contract": _contract,
    "bank_statement": _bank_statement, "payslip": _payslip, "offer": _offer,
}  # fmt: skip


def read(made: Made) -> Document:
    """The paper as ingestion reads it, in a child process."""
    import ingestion

    return ingestion.parse(made.data, made.filename, made.format)
