from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from workflows import expressions

SCOPE: dict[str, Any] = {
    "inputs": {"email": "a@b.example", "limit": 3, "none": None},
    "documents": ["d1", "d2"],
    "steps": {"check": {"output": {"count": 2, "names": ["Nordwind"]}, "status": "completed"}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.limit", 3),
        ("documents[0]", "d1"),
        ("documents[-1]", "d2"),
        ("documents[9]", None),
        ("steps.check.output.names[0]", "Nordwind"),
        ("steps['check'].status == 'completed'", True),
        ("steps.check.output.count > 0 and inputs.email != ''", True),
        ("not documents or len(documents) >= 2", True),
        ("'d1' in documents and 'd3' not in documents", True),
        ("inputs.none > 1", False),
        ("inputs.nothing.at.all", None),
        ("(1 < 2) == true", True),
        ("inputs.limit in [1, 2, 3]", True),
        ("'it\\'s'", "it's"),
        ("-2.5 < -1", True),
    ],
)
def test_an_expression_says_what_it_reads(text: str, value: Any) -> None:
    assert expressions.evaluate(text, SCOPE) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "1 +",
        "open('x')",
        "a.__class__()",
        "len(a, b)",
        "a..b",
        "[1,",
        "a ==",
        "and",
        "a[b]",
    ],
)
def test_what_is_not_the_language_is_refused_with_its_column(text: str) -> None:
    with pytest.raises(InvalidInput, match="Column") as caught:
        expressions.parse(text)
    assert caught.value.slug == "bad_expression"


def test_names_of_python_reach_nothing_of_python() -> None:
    assert expressions.evaluate("inputs.__class__.__mro__", SCOPE) is None


def test_nesting_is_limited() -> None:
    with pytest.raises(InvalidInput, match="20 deep"):
        expressions.parse("(" * 50 + "1" + ")" * 50)


def test_work_is_limited() -> None:
    with pytest.raises(InvalidInput, match="steps"):
        expressions.evaluate("1 in big", {"big": list(range(20_000))})


def test_alone_a_placeholder_keeps_its_type_and_inside_text_it_is_written_out() -> None:
    payload = {"all": "${documents}", "line": "${inputs.limit} of ${len(documents)}", "n": [1]}
    assert expressions.fill(payload, SCOPE) == {
        "all": ["d1", "d2"], "line": "3 of 2", "n": [1]
    }  # fmt: skip


@given(st.text(max_size=200))
def test_no_text_at_all_breaks_the_parser(text: str) -> None:
    slug = "bad_expression"
    try:
        expressions.evaluate(text, SCOPE)
    except InvalidInput as error:
        slug = error.slug
    assert slug == "bad_expression"


_atoms = st.one_of(
    st.integers(-9, 9).map(str), st.sampled_from(["true", "false", "null", "'x'", "inputs.limit"])
)
_texts = st.recursive(
    _atoms,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or", "==", "!="]), inner).map(
        lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
    ),
    max_leaves=12,
)


@given(_texts)
def test_logic_agrees_with_python(text: str) -> None:
    def python(node: Any) -> Any:
        kind = node[0]
        if kind == "value":
            return node[1]
        if kind == "path":
            return 3
        left = python(node[1])
        if kind == "and":
            return left and python(node[2])
        if kind == "or":
            return left or python(node[2])
        return (left == python(node[2])) is (kind == "==")

    assert expressions.evaluate(text, SCOPE) == python(expressions.parse(text))
