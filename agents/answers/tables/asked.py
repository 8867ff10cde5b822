"""A question over tables cut into tokens: words, numbers, dates, quoted text and file names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from agents.answers.tables import dates, numbers
from agents.answers.tables.dates import Period
from agents.answers.tables.times import dated, since_today
from agents.answers.tables.tokens import Asked, Doubtful, Token
from agents.answers.tables.words import language
from ingestion.fields.numbers import CODES, SIGNS
from vectorstore.words import fold

_FILE = r"[\w()&+-]+(?:\.[\w-]+)*\.(?:xlsx|xlsm|xls|ods|csv|tsv|docx|pdf|html?|md|json|txt)\b"
_TOKEN = re.compile(
    r"[\"“”„«](?P<quoted>[^\"“”„«»]{1,200})[\"“”»]|(?<!\w)['‘](?P<single>[^'’]{1,200})['’](?!\w)"
    rf"|(?P<file>{_FILE})"
    r"|(?<![\w-])(?P<date>\d{4}-\d\d?-\d\d?|\d{4}/\d\d?/\d\d?|\d\d?[./-]\d\d?[./-](?:\d{4}|\d\d))(?![\w-])"
    r"|(?<![\w-])(?P<month>(?:19|20)\d\d-[01]\d|[01]?\d/(?:19|20)\d\d)(?![\w-])"
    r"|(?<!\w)(?P<minus>[-−])?(?P<sign>[€$£])?\s?"
    r"(?P<number>\d++(?:[.,'’]\d+|[\u00a0\u202f ]\d{3}(?!\d))*)"
    r"(?:\s?(?P<after>[%€$£])|(?P<k>[kK])\b)?(?![\w-]*[^\W\d_])(?!-\d)"
    r"|(?P<word>[^\W_]+(?:[-&/.'’_+][^\W_]+)*)"
    r"|(?P<op>>=|<=|≥|≤|>|<|=|%)|(?P<stop>[?!.;:])"
)
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|re|ere|eme|e|te|ten|ter|tes)")
_ORDINALS = {
    word: number
    for number, words in enumerate((
        "first 1st erste ersten erstes erster premier premiere 1er primer eerste",
        "second 2nd zweite zweiten zweites zweiter deuxieme second segundo tweede",
        "third 3rd dritte dritten drittes dritter troisieme tercer derde",
        "fourth 4th vierte vierten viertes vierter quatrieme cuarto vierde",
    ), 1)
    for word in words.split()
}  # fmt: skip
_COUNTS = {
    word: number
    for number, words in enumerate((
        "one ein eine einen un une", "two zwei deux twee dos", "three drei trois drie tres",
        "four vier quatre cuatro", "five funf cinq vijf cinco", "six sechs six zes seis",
        "seven sieben sept", "eight acht huit", "nine neun neuf", "ten zehn dix tien diez",
    ), 1)
    for word in words.split()
}  # fmt: skip
_SCALES = {
    "thousand": 1000, "tausend": 1000, "mille": 1000, "duizend": 1000, "mil": 1000,
    "million": 10**6, "millions": 10**6, "mio": 10**6, "millionen": 10**6, "miljoen": 10**6,
}  # fmt: skip
_MONEY = {"euro": "EUR", "euros": "EUR", "dollars": "USD", "dollar": "USD", "pounds": "GBP",
          "franken": "CHF", "percent": "%", "prozent": "%", "pourcent": "%"}  # fmt: skip
_ELIDED = re.compile(r"^(?:l|d|j|qu|n|s|c|m|t|jusqu|lorsqu)['’](?=\w)", re.IGNORECASE)


def asked(text: str, today: date | None = None) -> Asked | None:
    """None for what is no single question, or holds a number that may be read in two ways.
    Without `today` no date is told from it."""
    plain = " ".join(text.split())
    bare = re.sub(_FILE, "", re.sub(r"[\"“„«][^\"”»“]*[\"”»“]", "", plain), flags=re.IGNORECASE)
    if re.search(r"[?!;]\s*\S|\w{3,}\.\s+[A-ZÄÖÜ]|\n", bare.rstrip(" ?!.")) or len(plain) > 400:
        return None
    spoken = language(plain)
    try:
        plainly = _scaled(list(_tokens(plain, spoken)))
        told = plainly if today is None else list(since_today(plainly, spoken, today))
        tokens = tuple(dated(told, spoken))
    except Doubtful:
        return None
    return Asked(
        plain, spoken, tokens, today if len(told) != len(plainly) or told != plainly else None
    )


def _tokens(text: str, spoken: str) -> Iterator[Token]:
    for place, match in enumerate(_TOKEN.finditer(text)):
        kind = match.lastgroup or ""
        quoted = match["quoted"] or match["single"]
        if quoted:
            yield Token(quoted.strip(), fold(quoted.strip()), "quoted", whole=place)
        elif match["file"]:
            yield Token(match["file"], fold(match["file"]), "file")
        elif match["date"]:
            yield _date(match["date"], spoken)
        elif match["month"]:
            yield Token(
                match["month"], match["month"], "date", period=dates.period_in(match["month"])
            )
        elif match["number"]:
            yield _number(match, spoken)
        elif match["word"]:
            yield from _words(match["word"], place)
        elif kind == "op":
            yield Token(match[0], match[0], "op")


def _date(text: str, spoken: str) -> Token:
    hit = dates.day_in(text)
    if hit is None or (hit.other is not None and spoken == "en"):
        raise Doubtful
    return Token(text, text, "date", period=Period(hit.value, hit.value))


def _number(match: re.Match[str], spoken: str) -> Token:
    read = numbers.read(match["number"])
    if read is None:  # 007
        return Token(match["number"], match["number"], "word", whole=match.start())
    value = read.number("." if spoken == "en" else ",")
    if value is None or (not read.sure and value != value.to_integral_value()):
        raise Doubtful
    if not read.sure and numbers.decimals(value) == 3:
        raise Doubtful
    sign = match["sign"] or match["after"]
    value = value * Decimal(1000) if match["k"] else value
    value = -value if match["minus"] else value
    unit = SIGNS.get(sign, sign) if sign else None
    return Token(match[0].strip(), match["number"], "number", value, unit)


def _words(text: str, place: int) -> Iterator[Token]:
    text = _ELIDED.sub("", text)
    text = re.sub(r"['’]s$", "", text)
    folded = fold(text)
    if _ORDINAL.fullmatch(folded):
        nth = int(re.sub(r"\D", "", folded))
        yield Token(text, folded, "word", Decimal(nth), ordinal=nth)
        return
    if re.search(r"['’]t$", text):
        yield Token(text, folded.replace("’", "'"), "word")
        return
    for piece in re.findall(r"[^\W_]+", text):
        ordinal = _ORDINALS.get(fold(piece))
        counted = _COUNTS.get(fold(piece))
        number = Decimal(counted) if counted else None
        yield Token(piece, fold(piece), "word", number, ordinal=ordinal, whole=place)


def _scaled(tokens: Sequence[Token]) -> list[Token]:
    """`5 million`, `500 EUR`, `10 kg` as one number."""
    found: list[Token] = []
    for token in tokens:
        last = found[-1] if found else None
        if last is not None and last.kind == "number" and last.number is not None:
            upper, word = token.text.upper(), token.fold
            if word in _SCALES and token.kind == "word":
                found[-1] = replace(last, number=last.number * Decimal(_SCALES[word]))
                continue
            unit = _MONEY.get(word) or (upper if upper in CODES and token.kind == "word" else None)
            if (
                unit is None
                and word in numbers.KNOWN_UNITS
                and len(word) <= 3
                and token.kind == "word"
            ):
                unit = word
            if unit and last.unit is None:
                found[-1] = replace(last, unit=unit)
                continue
        found.append(token)
    return found
