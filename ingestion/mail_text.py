"""A mail's text in paragraphs, with what it quotes marked as such."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WROTE = re.compile(
    r"(?:On .{4,160} wrote:|Am .{4,160} schrieb .{0,80}:|Le .{4,160} a écrit\s?:|"
    r"El .{4,160} escribió:|Op .{4,160} schreef .{0,80}:|"
    r"-{2,}\s*(?:Original Message|Ursprüngliche Nachricht|Forwarded message|Weitergeleitete"
    r" Nachricht|Message d'origine|Mensaje original|Oorspronkelijk bericht).*)$",
    re.IGNORECASE,
)
# Outlook puts the old headers above the old text: From, then a date or a receiver.
_FROM = re.compile(r"\W{0,3}(?:From|Von|De|Van)\W{0,3}:\W{0,3}\S", re.IGNORECASE)
_SENT = re.compile(
    r"\W{0,3}(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Verzonden|To|An|À|Para|Aan)\W{0,3}:",
    re.IGNORECASE,
)
_SEALED = "-----BEGIN PGP MESSAGE-----"
_CLEARSIGNED = re.compile(
    r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[\w-]+:[^\n]*\n)*\n?(.*?)"
    r"-----BEGIN PGP SIGNATURE-----.*?-----END PGP SIGNATURE-----",
    re.DOTALL,
)


def is_sealed(text: str) -> bool:
    return text.lstrip().startswith(_SEALED)


def unsigned(text: str) -> tuple[str, bool]:
    """The text within a PGP signature, and whether there was one."""
    found = _CLEARSIGNED.sub(lambda m: re.sub(r"(?m)^- ", "", m[1]), text)
    return found, found != text


def runs(text: str) -> Iterator[tuple[str, str]]:
    """`(kind, text)`: paragraphs and quoted stretches. All below the line that names another
    mail's writer is quoted."""
    lines = text.split("\n")
    below = _first_quoted(lines)
    run: list[str] = []
    kind = ""
    for at, line in enumerate(lines):
        now = "quote" if at >= below or line.startswith(">") else "paragraph"
        if run and (now != kind or not line.strip()):
            yield kind, "\n".join(run)
            run = []
        if line.strip():
            kind = now
            run.append(line.rstrip())
    if run:
        yield kind, "\n".join(run)


def _first_quoted(lines: list[str]) -> int:
    """The first line of the quoted mail; answers between quoted lines keep theirs marked by `>`."""
    for at, line in enumerate(lines):
        both = f"{line.strip()} {lines[at + 1].strip()}" if at + 1 < len(lines) else line.strip()
        if _WROTE.match(line.strip()) or (_WROTE.match(both) and not both.startswith(">")):
            after = [one for one in lines[at + 2 :] if one.strip()]
            if any(one.startswith(">") for one in after) and not all(
                one.startswith(">") for one in after
            ):
                continue  # answered line by line
            return at
        if _FROM.match(line) and any(_SENT.match(one) for one in lines[at + 1 : at + 4]) and at:
            return at
    return len(lines)
