"""The small language of `${…}` and `when`: fields, literals, comparisons, and/or/not, in, len().

A recursive-descent parser into tuples and an interpreter with limits on depth and steps: no eval,
no calls to anything else, no way to reach Python objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from core.errors import InvalidInput
from workflows.tokens import Token, bad, tokens

LENGTH_MAX = 2_000
DEPTH_MAX = 20
STEPS_MAX = 10_000

Node = tuple[Any, ...]
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_RESERVED = frozenset({"and", "or", "not", "in", "len", *_WORDS})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = tokens(source)
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._either()
        if self._here.kind != "end":
            raise self._unexpected()
        return node

    @property
    def _here(self) -> Token:
        return self._tokens[self._at]

    def _unexpected(self) -> InvalidInput:
        seen = self._here
        what = "the end" if seen.kind == "end" else repr(seen.text)
        return bad(f"Column {seen.at + 1}: {what} does not fit here.")

    def _take(self, text: str) -> bool:
        if self._here.text == text and self._here.kind in ("sign", "name"):
            self._at += 1
            return True
        return False

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise bad(f"Column {self._here.at + 1}: {text!r} is missing.")

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise bad(f"An expression may be nested {DEPTH_MAX} deep at most.")
        node = self._both()
        while self._take("or"):
            node = ("or", node, self._both())
        self._depth -= 1
        return node

    def _both(self) -> Node:
        node = self._negation()
        while self._take("and"):
            node = ("and", node, self._negation())
        return node

    def _negation(self) -> Node:
        count = 0
        while self._take("not"):
            count += 1
        node = self._comparison()
        return ("not", node) if count % 2 else node

    def _comparison(self) -> Node:
        left = self._value()
        sign = self._here.text
        if self._here.kind == "sign" and sign in _COMPARISONS:
            self._at += 1
            return (sign, left, self._value())
        if self._take("in"):
            return ("in", left, self._value())
        if self._here.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            return ("not", ("in", left, self._value()))
        return left

    def _value(self) -> Node:
        token = self._here
        if self._take("("):
            node = self._either()
            self._need(")")
            return node
        if self._take("["):
            return ("list", *self._items("]"))
        if token.kind == "name" and token.text == "len":
            self._at += 1
            self._need("(")
            node = self._either()
            self._need(")")
            return ("len", node)
        if token.kind in ("number", "text"):
            self._at += 1
            return ("value", _literal(token))
        if token.kind == "name" and token.text in _WORDS:
            self._at += 1
            return ("value", _WORDS[token.text])
        if token.kind == "name" and token.text not in _RESERVED:
            return self._path()
        raise self._unexpected()

    def _items(self, closing: str) -> Iterator[Node]:
        if self._take(closing):
            return
        yield self._either()
        while self._take(","):
            yield self._either()
        self._need(closing)

    def _path(self) -> Node:
        parts: list[str | int] = [self._here.text]
        self._at += 1
        while True:
            if self._take("."):
                if self._here.kind != "name":
                    raise self._unexpected()
                parts.append(self._here.text)
                self._at += 1
            elif self._take("["):
                parts.append(self._index())
                self._need("]")
            else:
                return ("path", tuple(parts))

    def _index(self) -> str | int:
        token = self._here
        if token.kind == "text" or (token.kind == "number" and "." not in token.text):
            self._at += 1
            return str(_literal(token)) if token.kind == "text" else int(token.text)
        raise self._unexpected()


def _literal(token: Token) -> Any:
    if token.kind == "text":
        return re.sub(r"\\(.)", r"\1", token.text[1:-1])
    return float(token.text) if "." in token.text else int(token.text)


@lru_cache(maxsize=2048)
def parse(source: str) -> Node:
    """Raises `InvalidInput` (`bad_expression`) that names the column."""
    if len(source) > LENGTH_MAX:
        raise bad(f"An expression may have {LENGTH_MAX} characters at most.")
    return _Parser(source).parse()


def paths(node: Node) -> Iterator[tuple[str | int, ...]]:
    """Every field that the expression names."""
    if node[0] == "path":
        yield node[1]
    elif node[0] != "value":
        for part in node[1:]:
            yield from paths(part)


class _Meter:
    def __init__(self) -> None:
        self.left = STEPS_MAX

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise bad(f"The expression took more than {STEPS_MAX} steps.")


def evaluate(source: str, scope: Mapping[str, Any]) -> Any:
    """What the expression says of `scope`. A field that is not there is null."""
    return _evaluate(parse(source), scope, _Meter())


def holds(source: str, scope: Mapping[str, Any]) -> bool:
    """The truth of a `when`."""
    return bool(evaluate(source, scope))


def _evaluate(node: Node, scope: Mapping[str, Any], meter: _Meter) -> Any:
    meter.spend()
    kind = node[0]
    if kind == "value":
        return node[1]
    if kind == "path":
        return _follow(scope, node[1])
    if kind == "and":
        return _evaluate(node[1], scope, meter) and _evaluate(node[2], scope, meter)
    if kind == "or":
        return _evaluate(node[1], scope, meter) or _evaluate(node[2], scope, meter)
    if kind == "not":
        return not _evaluate(node[1], scope, meter)
    values = [_evaluate(part, scope, meter) for part in node[1:]]
    if kind == "list":
        return values
    if kind == "len":
        return _length(values[0])
    if kind == "in":
        return _contains(values[1], values[0], meter)
    return _compare(kind, values[0], values[1])


def _follow(scope: Mapping[str, Any], path: Sequence[str | int]) -> Any:
    at: Any = scope
    for part in path:
        if isinstance(at, Mapping) and isinstance(part, str):
            at = at.get(part)
        elif isinstance(at, list | tuple) and isinstance(part, int):
            at = at[part] if -len(at) <= part < len(at) else None
        else:
            return None
    return at


def _length(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise bad("len() takes a text, a list or a mapping.")


def _contains(haystack: Any, needle: Any, meter: _Meter) -> bool:
    if haystack is None:
        return False
    if isinstance(haystack, str):
        return isinstance(needle, str) and needle in haystack
    if isinstance(haystack, list | tuple | Mapping):
        meter.spend(len(haystack))
        return needle in haystack
    raise bad("`in` looks into a text, a list or a mapping.")


def _compare(sign: str, left: Any, right: Any) -> bool:
    if sign in ("==", "!="):
        return bool(left == right) is (sign == "==")
    if left is None or right is None:
        return False
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (left, right))
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        raise bad(f"{sign!r} compares two numbers or two texts.")
    if sign == "<":
        return bool(left < right)
    if sign == "<=":
        return bool(left <= right)
    return bool(left > right) if sign == ">" else bool(left >= right)


def placeholders(value: Any) -> Iterator[str]:
    """Every expression inside `${…}` anywhere in a JSON value."""
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from placeholders(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from placeholders(part)


def fill(value: Any, scope: Mapping[str, Any]) -> Any:
    """A `with:` with every `${…}` filled in. Alone it keeps its type; inside text it is written."""
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole:
            return evaluate(whole[1], scope)
        return _PLACEHOLDER.sub(lambda match: _written(evaluate(match[1], scope)), value)
    if isinstance(value, Mapping):
        return {key: fill(part, scope) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [fill(part, scope) for part in value]
    return value


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
