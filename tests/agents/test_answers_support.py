"""Whatever a model writes: what its quotes do not say never gets through. Claims are twisted."""

from __future__ import annotations

import random
import re

import pytest

from agents.answers.asking import answer_from
from agents.answers.question import asked
from agents.answers.support import is_supported
from tests.agents.corpus import hits_in
from tests.fakes.chat import ScriptedChat

FACTS = (
    ("Marta Lindqvist approves refunds of up to 5,000 EUR within 3 days.", "Who approves refunds?"),
    ("The tenant pays the landlord 7,450 EUR per month.", "What does the tenant pay?"),
    ("Backups are kept for 90 days in Zurich.", "How long are backups kept?"),
    ("Jonas Weber reports to Anna Krug every 2 weeks.", "To whom does Jonas Weber report?"),
    ("Hotels are paid up to 165 EUR, in London up to 230 EUR.", "Up to how much are hotels paid?"),
    ("The valve opens at 40 degrees and closes at 25 degrees.", "When does the valve open?"),
    ("Die Miete beträgt 1.200 Euro und ist am 3. März fällig.", "Wie hoch ist die Miete?"),
    ("Le préavis est de trois mois pour les bureaux.", "Quel est le préavis pour les bureaux ?"),
)
_UNITS = {
    "days": "hours", "weeks": "months", "month": "week", "EUR": "USD", "Euro": "Dollar",
    "degrees": "percent", "mois": "semaines",
}  # fmt: skip
_OTHERS = ("Pavel Novak", "Berlin", "ERR-4711", "GmbH Unrat", "17 June", "twice", "PWNED")
_OPPOSITE = {
    "approves": "rejects", "pays": "owes", "kept": "deleted", "reports": "listens", "up to": "over",
    "opens": "closes", "closes": "opens", "beträgt": "übersteigt", "paid": "earned",
    "est": "n'est pas",
}  # fmt: skip


def _twisted(fact: str, rnd: random.Random) -> str:
    """The fact with one thing changed so that it is another claim."""
    match rnd.randrange(8):
        case 0:  # another number
            numbers = re.findall(r"\d+", fact) or ["trois"]
            return fact.replace(rnd.choice(numbers), str(rnd.randrange(300, 9000)), 1)
        case 1:  # another unit
            for unit, other in _UNITS.items():
                fact = fact.replace(f" {unit}", f" {other}")
            return fact
        case 2:  # the opposite
            for word, other in _OPPOSITE.items():
                if f" {word} " in fact:
                    return fact.replace(f" {word} ", f" {other} ", 1)
            return f"It is not true that {fact}"
        case 3:  # denied
            place = rnd.randrange(1, len(fact.split()))
            words = fact.split()
            return " ".join([*words[:place], rnd.choice(("not", "never", "no")), *words[place:]])
        case 4:  # somebody or something else
            words = fact.split()
            return " ".join([*words[:-1], "with", rnd.choice(_OTHERS), words[-1]])
        case 5:  # two numbers or names in each other's place
            things = list(
                dict.fromkeys(re.findall(r"\d[\d.,]*\d|\d|\b(?!The|Die|Le|Eu)[A-Z][a-z]+\b", fact))
            )
            if len(things) < 2:
                return fact + " It costs 99 EUR."
            a, b = rnd.sample(things, 2)
            return fact.replace(a, "\0", 1).replace(b, a, 1).replace("\0", b, 1)
        case 6:  # an invented proof
            return f"{fact[:-1]} [{rnd.randrange(2, 99)}], as page {rnd.randrange(100, 999)} says."
        case _:  # an invented fact beside it
            return f"{fact[:-1]}, because {rnd.choice(_OTHERS)} said so."


def _same_claim(said: str, fact: str) -> bool:
    """What the twisting left as it was (no such word in it), or only reordered a capital."""
    plain = re.sub(r"\s*\[\d+\]", "", said)
    return plain == fact


@pytest.mark.parametrize("seed", range(40))
def test_a_twisted_claim_never_gets_through(seed: int) -> None:
    rnd = random.Random(seed)
    for fact, question in FACTS:
        found = list(hits_in("facts.md", f"Facts\n\n{fact}\n"))
        said = _twisted(fact, rnd)
        if _same_claim(said, fact):
            continue
        assert not is_supported(said, [fact]), said
        answer = answer_from(asked(question), found, None, lambda: ScriptedChat([said]))  # noqa: B023
        for sentence in answer.sentences:
            assert sentence.text in fact, (said, sentence.text)


@pytest.mark.parametrize(("fact", "question"), FACTS)
def test_what_the_quote_says_gets_through(fact: str, question: str) -> None:
    assert is_supported(fact, [fact])


@pytest.mark.parametrize(
    ("said", "quote", "supported"),
    [
        ("Refunds take up to 5 days.", "Refunds take 5 days.", False),
        ("Refunds take 5 days.", "Refunds take up to 5 days.", False),
        ("The employee pays the tax.", "The employer pays the tax.", False),
        ("Anna reports to Jonas.", "Jonas reports to Anna.", False),
        ("The train goes from Paris to Rome.", "The train goes from Rome to Paris.", False),
        ("In London hotels are paid up to 165 EUR.", FACTS[4][0], False),
        ("The shop is open on Sunday.", "The shop is open on Sunday only in May.", False),
        ("Jonas owns the oven.", "Marta owns the oven and Jonas owns the van.", False),
        ("Marta owns the oven [1].", "Marta owns the oven and Jonas owns the van.", True),
        ("Backups are made weekly.", "Backups are made daily.", False),
        ("Die Frist beträgt sechs Wochen.", "Die Frist beträgt sechs Monate.", False),
        ("Die Frist beträgt sechs Monate.", "Die Frist beträgt sechs Monate zum Jahresende.", True),
        ("Le bureau ferme à 18 h.", "Le bureau ne ferme pas à 18 h.", False),
        ("Two nurses are on duty.", "Three nurses are on duty.", False),
        ("Smoking is allowed.", "Smoking is not allowed.", False),
        ("It is 12 m wide and 9 m high.", "It is 9 m wide and 12 m high.", False),
        ("Le loyer est de 800 euros.", "Le loyer est de 4 800 euros.", False),
        ("Le loyer est de 4,800 euros.", "Le loyer est de 4\u202f800 euros.", True),
    ],
)
def test_support_of_a_claim(said: str, quote: str, supported: bool) -> None:
    assert is_supported(said, [quote]) is supported
