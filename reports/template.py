"""A template is data: YAML or JSON, checked whole before it is used; errors name line and field."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InvalidInput, NotFound
from reports.value import ChartKind, Kind, Tone

_FOLDER = Path(__file__).parent / "templates"
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")
_BYTES_MAX = 256 * 1024
Where = Annotated[str, Field(pattern=r"^[\w-]+(\.[\w-]+)*$", max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Parameter(_Part):
    title: str = ""
    default: str | int | float | bool = ""


class ColumnSpec(_Part):
    """`field` is a path in the row, `sources` another one, to proofs kept beside the value.
    `computed` says how a figure without a source came about. `proven` names a field of the row:
    where it is true, text without a source is withheld. `words` shows codes as words."""

    field: Where
    title: str
    format: Kind = "text"
    currency: Where | None = None
    computed: str = ""
    weight: float = Field(0.0, ge=0, le=20)
    sources: Where | None = None
    proven: Where | None = None
    tones: dict[str, Tone] = {}
    words: dict[str, str] = {}


class TextSpec(_Part):
    """With `each`, one paragraph per item, named `item` in `heading` and `text`.

    `sentences` is a path to `[{text, sources}]` printed instead of `text`; with `sources`, a path
    to the proofs of `text`, what has none is not printed: `empty` is.
    """

    kind: Literal["text"]
    title: str
    each: Where | None = None
    heading: str = ""
    text: str = ""
    sentences: Where | None = None
    sources: Where | None = None
    empty: str = ""
    when: Where | None = None


class TileSpec(_Part):
    label: str
    source: Where = Field(alias="from")
    format: Kind = "number"
    currency: Where | None = None
    computed: str = ""
    each: Where | None = None


class FiguresSpec(_Part):
    kind: Literal["figures"]
    title: str
    tiles: tuple[TileSpec, ...] = Field(min_length=1, max_length=24)
    when: Where | None = None


class TableSpec(_Part):
    """`columns` empty: one text column per key of the rows, in their order."""

    kind: Literal["table"]
    title: str
    source: Where = Field(alias="from")
    columns: tuple[ColumnSpec, ...] = Field((), max_length=40)
    role: Literal["", "main", "exceptions"] = ""
    empty: str = "Nothing to show."
    note: str = ""
    when: Where | None = None


class SeriesSpec(_Part):
    field: Where
    title: str = ""


class ChartSpec(_Part):
    """One chart per value of `split` (a path in the row, a currency say). `top` keeps the largest
    labels and sums the others into `Other`."""

    kind: Literal["chart"]
    title: str
    source: Where = Field(alias="from")
    chart: ChartKind = "bar"
    label: Where
    words: dict[str, str] = {}
    series: tuple[SeriesSpec, ...] = Field(min_length=1, max_length=8)
    format: Kind = "number"
    split: Where | None = None
    unit: str = ""
    top: int = Field(12, ge=1, le=60)
    computed: str = ""
    when: Where | None = None


SectionSpec = Annotated[TextSpec | FiguresSpec | TableSpec | ChartSpec, Field(discriminator="kind")]


class Template(_Part):
    """`facts` names the task that makes what the template reads; `rows` come with the request."""

    name: str = Field(pattern=_NAME.pattern)
    title: str = Field(min_length=1, max_length=300)
    subtitle: str = ""
    summary: str = ""
    facts: Literal["check_invoices", "answer", "rows"] = "rows"
    parameters: dict[str, Parameter] = {}
    sections: tuple[SectionSpec, ...] = Field(min_length=1, max_length=60)


def parse(source: str | dict[str, Any]) -> Template:
    """YAML, JSON or an already parsed object. Raises `InvalidInput` with
    `errors: [{line, field, detail}]`."""
    text = source if isinstance(source, str) else ""
    if len(text) > _BYTES_MAX:
        raise InvalidInput("This template is too large (256 KiB at most).", code="bad_template")
    node = _node(text) if text else None
    data = yaml.safe_load(text) if text else source
    if not isinstance(data, dict):
        raise _refused([{"line": 1, "field": "", "detail": "a template is a mapping"}])
    try:
        return Template.model_validate(data)
    except ValidationError as error:
        raise _refused([_fault(dict(item), node) for item in error.errors()]) from error


def _node(text: str) -> yaml.Node | None:
    try:
        if re.search(r"(^|[\s:\-,\[{])\*\w", text) and "&" in text:
            # Aliases can unfold to gigabytes; a template has no use for them.
            raise _refused([{"line": None, "field": "", "detail": "YAML aliases are not allowed"}])
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        message = getattr(error, "problem", None) or "not YAML"
        raise _refused([{"line": line, "field": "", "detail": message}]) from error


def _fault(item: dict[str, Any], node: yaml.Node | None) -> dict[str, Any]:
    kinds = {"text", "figures", "table", "chart"}
    path = [part for part in item["loc"] if not (isinstance(part, str) and part in kinds)]
    field = ".".join(str(part) for part in path)
    return {"line": _line(node, path), "field": field, "detail": item["msg"]}


def _line(node: yaml.Node | None, path: list[Any]) -> int | None:
    """The line of the deepest part of `path` that the text has."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    for part in path:
        following: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, following = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            following = node.value[part]
            line = following.start_mark.line + 1
        if following is None:
            break
        node = following
    return line


def _refused(errors: list[dict[str, Any]]) -> InvalidInput:
    first = errors[0]
    where = f"line {first['line']}, " if first["line"] else ""
    what = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    return InvalidInput(f"This template cannot be used: {where}{what}", code="bad_template",
                        errors=errors)  # fmt: skip


def builtin_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def builtin(name: str) -> Template:
    """Raises `NotFound` for a name that does not ship with the platform."""
    if name not in builtin_names():
        raise NotFound(f"There is no report template {name!r}.", known=list(builtin_names()))
    return parse((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
