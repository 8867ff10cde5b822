"""Reads a Dockerfile and a .dockerignore: what a builder without an engine needs to know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """`RUN python -m venv .uv` is the word RUN with the text that follows, flags apart."""

    word: str
    text: str
    flags: dict[str, str] = field(default_factory=dict)

    def listed(self) -> list[str]:
        """The exec form, or the words."""
        return list(json.loads(self.text)) if self.text.startswith("[") else self.text.split()


def steps(path: Path) -> list[Step]:
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [_step(line) for line in joined.splitlines() if line.strip()]


def _step(line: str) -> Step:
    word, _, text = line.partition(" ")
    flags: dict[str, str] = {}
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", text.lstrip()):
        flags[found[1]] = found[2]
        text = text.lstrip()[found.end() :]
    return Step(word.upper(), text.strip(), flags)


def stages(path: Path) -> list[list[Step]]:
    """Each begins with its FROM."""
    found: list[list[Step]] = []
    for step in steps(path):
        if step.word == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def context(root: Path) -> Iterator[Path]:
    """The files that a build is given, by the folder's .dockerignore: the last pattern that names a
    file, or a folder above it, decides. (https://docs.docker.com/build/concepts/context/)"""
    patterns = [
        (line.startswith("!"), re.compile(_expression(line.lstrip("!"))))
        for line in (root / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for path in _walk(root, patterns, root):
        yield path.relative_to(root)


def _walk(folder: Path, patterns: list[tuple[bool, re.Pattern[str]]], root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if path.is_dir() and not path.is_symlink():
            if folder != root or name not in (".git", ".venv", "build", "data"):
                yield from _walk(path, patterns, root)
        elif _let_in(name, patterns):
            yield path


def _let_in(name: str, patterns: list[tuple[bool, re.Pattern[str]]]) -> bool:
    parts = name.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    taken = True
    for again, pattern in patterns:
        if any(pattern.fullmatch(one) for one in above):
            taken = again
    return taken


def _expression(pattern: str) -> str:
    """`**/x` at any depth; `*` stops at a slash."""
    text = ""
    for part in re.split(r"(\*\*/|\*)", pattern):
        text += {"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part))
    return text
