"""What the clauses of an English contract agree, and what in them is none of its terms."""

from __future__ import annotations

import pytest

from core.documents import Document, Page
from ingestion.fields import extract

_REST = "\n\nEach party keeps its records in good order and bears its own costs. " * 30


def said(*clauses: str) -> dict[str, str | None]:
    """The fields of a long contract with these clauses."""
    top = (
        "SUPPLY AGREEMENT\n\n"
        "This Supply Agreement is between Orla Mills Ltd. and Vant Foods, Inc.\n"
    )
    text = top + "\n\n".join(clauses) + _REST
    fields = extract(
        Document("txt", (Page(1, text),), language="en", document_type="contract"), "d", "a.txt"
    ).fields
    for value in fields.values():
        if value.value is not None:
            assert value.source is not None
            assert text[value.source.start : value.source.end] == value.source.quote
    return {name: value.value for name, value in fields.items()}


@pytest.mark.parametrize(
    ("clause", "name", "value"),
    [
        ("This Agreement is made as of the 21st day of June, 2019 by the parties.",
         "contract_date", "2019-06-21"),
        ('Made on June 1, 2019 (the "Effective Date").', "contract_start", "2019-06-01"),
        ("The term of this Agreement shall be three (3) years from the Effective Date.",
         "term", "three (3) years"),
        ("This Agreement shall continue in force for a period of 18 months.", "term", "18 months"),
        ("The term of this Agreement begins today and shall end on March 15, 2022.",
         "contract_end", "2022-03-15"),
        ("This Agreement renews automatically for successive one (1) year terms.",
         "renewal_term", "one (1) year"),
        (("Either party may terminate this Agreement for any reason upon sixty (60) days' prior "
          "written notice."), "notice_period", "sixty (60) days"),
        (("This Agreement renews unless a party gives notice of non-renewal at least 90 days "
          "before the end of the then-current term."), "notice_period", "90 days"),
        (("This Agreement is governed by and construed under the laws of the State of Ohio, "
          "without regard to conflicts."), "governing_law", "Ohio"),
        ("This Agreement shall be governed by English law.", "governing_law", "English"),
    ],
)  # fmt: skip
def test_a_clause_says_a_term(clause: str, name: str, value: str) -> None:
    assert said(clause)[name] == value


@pytest.mark.parametrize(
    ("clause", "name"),
    [
        ("Records are kept for a period of two (2) years after termination of this Agreement.",
         "term"),
        ("The parties keep secrets during the term and for a period of five years thereafter.",
         "term"),
        (("If a party breaches this Agreement, the other may terminate it upon ten (10) days' "
          "written notice."), "notice_period"),
        ("An audit under this Agreement needs three days' prior written notice.", "notice_period"),
        (("Vant Foods is a corporation organized and existing under the laws of the State of "
          "Idaho, and it will construe nothing."), "governing_law"),
        ("The parties entered into a certain Loan Agreement dated July 1, 2017.", "contract_date"),
        ("Vant may use the brand until July 1, 2022.", "contract_end"),
        ("The loan agreement was effective as of June 25, 2013 among others.", "contract_start"),
    ],
)  # fmt: skip
def test_what_a_clause_says_of_something_else_is_no_term(clause: str, name: str) -> None:
    assert said(clause)[name] is None


def test_the_parties_are_names_and_no_sentences() -> None:
    found = said("The Buyer appoints the agent, between the Distributor and the Customer.")
    assert (found["first_party"], found["second_party"]) == ("Orla Mills Ltd", "Vant Foods, Inc")


def test_a_role_in_brackets_is_no_part_of_a_name() -> None:
    text = (
        "CONTRACT\n\nThis contract is concluded between Tern Limited (the provider) and Vale PLC."
    )
    read = extract(Document("txt", (Page(1, text),), language="en"), "d", "a.txt").fields
    assert (read["first_party"].value, read["second_party"].value) == ("Tern Limited", "Vale PLC")
