"""YAML as plain JSON values: no tags, no aliases, no dates, so neither objects nor bombs."""

from __future__ import annotations

import re
from typing import Any

import yaml

_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,15})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,16}\.[0-9]{1,16}(?:[eE][-+]?[0-9]{1,3})?")
_WORDS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
}


def plain_yaml(text: str, nodes_max: int, depth_max: int) -> Any:
    """The only document in it, by YAML 1.2's core schema. Raises `ValueError` in words."""
    # The C parser where it was built in: fifty times as fast, the same events.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _built(yaml.parse(text, Loader=loader), nodes_max, depth_max)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _built(events: Any, nodes_max: int, depth_max: int) -> Any:
    """`open_` are the containers being filled, each with the key that waits for its value."""
    root: list[Any] = []
    open_: list[tuple[Any, list[Any]]] = [(root, [])]
    documents = 0
    for count, event in enumerate(events):
        if count > 2 * nodes_max or len(open_) > depth_max:
            raise ValueError(f"more than {nodes_max:,} parts, or more than {depth_max} deep")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases (*name) are not taken; write it out")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise ValueError("there is more than one document in it")
        elif isinstance(event, yaml.ScalarEvent):
            _put(open_[-1], _scalar(event))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            _put(open_[-1], made)
            open_.append((made, []))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            open_.pop()
    return root[0] if root else None


def _put(place: tuple[Any, list[Any]], value: Any) -> None:
    container, waiting = place
    if isinstance(container, list):
        container.append(value)
    elif waiting:
        key = waiting.pop()
        if key in container:
            raise ValueError(f"{key!r} stands there twice")
        container[key] = value
    elif isinstance(value, dict | list):
        raise ValueError("a name is no plain text")
    else:
        waiting.append(_name(value))


def _name(value: Any) -> str:
    """As JSON has it: the answer 200 is "200"."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _scalar(event: yaml.ScalarEvent) -> Any:
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
