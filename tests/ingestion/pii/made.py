"""Numbers that are right in all their digits and belong to nobody."""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module
from typing import Any

from stdnum import luhn
from stdnum.iso7064 import mod_97_10


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def grouped(text: str, *sizes: int, gap: str = " ") -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return gap.join([*parts, *([text[at:]] if at < len(text) else [])])


def iban(rng: random.Random, country: str) -> str:
    shape = {"DE": "18", "AT": "16", "NL": "a10", "FR": "23", "ES": "20", "IT": "b22", "GB": "a14",
             "BE": "12", "CH": "17"}[country]  # fmt: skip
    letters = {"a": "INGB", "b": "X"}.get(shape[0], "")
    body = letters + digits(rng, int(shape.lstrip("ab")))
    check = mod_97_10.calc_check_digits(body + country)
    return f"{country}{check}{body}"


def card(rng: random.Random) -> str:
    start, size = rng.choice([("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16)])
    body = start + digits(rng, size - 1 - len(start))
    return body + luhn.calc_check_digit(body)


def wrong_card(rng: random.Random) -> str:
    good = card(rng)
    return good[:-1] + str((int(good[-1]) + rng.randint(1, 9)) % 10)


def until(name: str, make: Callable[[], str]) -> str:
    """What `make` gives, once stdnum's module accepts it."""
    module: Any = import_module(f"stdnum.{name}")
    while True:
        if module.is_valid(found := make()):
            return found


def tax_de(rng: random.Random) -> str:
    return until("de.idnr", lambda: rng.choice("123456789") + digits(rng, 10))


def nir_fr(rng: random.Random) -> str:
    body = (f"{rng.choice('12')}{rng.randint(50, 99)}{rng.randint(1, 12):02}"
            f"{rng.randint(1, 95):02}{rng.randint(1, 600):03}{rng.randint(1, 900):03}")  # fmt: skip
    return f"{body}{97 - int(body) % 97:02}"


def bsn_nl(rng: random.Random) -> str:
    return until("nl.bsn", lambda: rng.choice("123456789") + digits(rng, 8))


def dni_es(rng: random.Random) -> str:
    return until("es.dni", lambda: digits(rng, 8) + rng.choice("TRWAGMYFPDXBNJZSQVHLCKE"))


def nie_es(rng: random.Random) -> str:
    letters = "TRWAGMYFPDXBNJZSQVHLCKE"
    return until("es.nie", lambda: rng.choice("XYZ") + digits(rng, 7) + rng.choice(letters))


def nino_gb(rng: random.Random) -> str:
    return f"{rng.choice('ABEHJL')}{rng.choice('ABCEHJ')}{digits(rng, 6)}{rng.choice('ABCD')}"


def ssn_us(rng: random.Random) -> str:
    return until("us.ssn", lambda: f"{rng.randint(1, 665):03}-{rng.randint(1, 99):02}-"
                                   f"{rng.randint(1, 9999):04}")  # fmt: skip


def fiscal_it(rng: random.Random) -> str:
    def make() -> str:
        letters = "".join(rng.choices("BCDFGLMNPRSTVZ", k=6))
        month, day = rng.choice("ABCDEHLMPRST"), rng.randint(1, 28)
        body = f"{letters}{rng.randint(40, 99)}{month}{day:02}H{rng.randint(100, 900)}"
        check: str = import_module("stdnum.it.codicefiscale").calc_check_digit(body)
        return body + check

    return until("it.codicefiscale", make)


def svnr_at(rng: random.Random) -> str:
    return until("at.vnr", lambda: f"{rng.randint(1000, 9999)}{rng.randint(1, 28):02}"
                                   f"{rng.randint(1, 12):02}{rng.randint(40, 99)}")  # fmt: skip


def nn_be(rng: random.Random) -> str:
    body = f"{rng.randint(50, 99)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}{digits(rng, 3)}"
    return f"{body}{97 - int(body) % 97:02}"


def ahv_ch(rng: random.Random) -> str:
    return until("ch.ssn", lambda: f"756.{digits(rng, 4)}.{digits(rng, 4)}.{digits(rng, 2)}")
