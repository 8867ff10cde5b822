"""A question over tables cut into tokens: words, numbers, dates, quoted text and file names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from agents.answers.tables import dates, numbers
from agents.answers.tables.dates import MONTH_NAMES, NO_YEAR, Period
from agents.answers.tables.words import language, listed
from ingestion.fields.numbers import CODES, SIGNS
from vectorstore.words import fold

_FILE = r"[\w()&+-]+(?:\.[\w-]+)*\.(?:xlsx|xlsm|xls|ods|csv|tsv|docx|pdf|html?|md|json|txt)\b"
_TOKEN = re.compile(
    r"[\"“”„«](?P<quoted>[^\"“”„«»]{1,200})[\"“”»]|(?<!\w)['‘](?P<single>[^'’]{1,200})['’](?!\w)"
    rf"|(?P<file>{_FILE})"
    r"|(?<![\w-])(?P<date>\d{4}-\d\d?-\d\d?|\d{4}/\d\d?/\d\d?|\d\d?[./-]\d\d?[./-](?:\d{4}|\d\d))(?![\w-])"
    r"|(?<![\w-])(?P<month>(?:19|20)\d\d-[01]\d|[01]?\d/(?:19|20)\d\d)(?![\w-])"
    r"|(?<!\w)(?P<sign>[€$£])?\s?(?P<number>\d++(?:[.,'’]\d+|[\u00a0\u202f ]\d{3}(?!\d))*)"
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
_QUARTERS = listed("quarter quartal quartals quartales trimestre kwartaal")
_HALVES = listed("half halbjahr halbjahres semestre")
_SCALES = {
    "thousand": 1000, "tausend": 1000, "mille": 1000, "duizend": 1000, "mil": 1000,
    "million": 10**6, "millions": 10**6, "mio": 10**6, "millionen": 10**6, "miljoen": 10**6,
}  # fmt: skip
_MONEY = {"euro": "EUR", "euros": "EUR", "dollars": "USD", "dollar": "USD", "pounds": "GBP",
          "franken": "CHF", "percent": "%", "prozent": "%", "pourcent": "%"}  # fmt: skip
_OF = listed("of de des du d von the le la del im en in")
_ELIDED = re.compile(r"^(?:l|d|j|qu|n|s|c|m|t|jusqu|lorsqu)['’](?=\w)", re.IGNORECASE)
_MONTH_LEADS = listed(
    "in of for since from to until between and before after during through till by"
)
_NOT_MONTHS = frozenset(("ago", "set", "dic", "ene", "mar", "jan", "dec", "may"))


@dataclass(frozen=True, slots=True)
class Token:
    """`whole` is the place of the chunk that a part of `PO-10231` belongs to."""

    text: str
    fold: str
    kind: str  # word | number | date | quoted | file | op
    number: Decimal | None = None
    unit: str | None = None
    period: Period | None = None
    ordinal: int | None = None
    whole: int = -1


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    language: str
    tokens: tuple[Token, ...]

    @property
    def files(self) -> list[str]:
        return [token.fold for token in self.tokens if token.kind == "file"]


def asked(text: str) -> Asked | None:
    """None for what is no single question, or holds a number that may be read in two ways."""
    plain = " ".join(text.split())
    bare = re.sub(_FILE, "", re.sub(r"[\"“„«][^\"”»“]*[\"”»“]", "", plain), flags=re.IGNORECASE)
    if re.search(r"[?!;]\s*\S|\w{3,}\.\s+[A-ZÄÖÜ]|\n", bare.rstrip(" ?!.")) or len(plain) > 400:
        return None
    spoken = language(plain)
    try:
        tokens = list(_tokens(plain, spoken))
    except _Doubtful:
        return None
    return Asked(plain, spoken, tuple(_dated(_scaled(tokens), spoken)))


class _Doubtful(Exception):
    """A number or date of two readings."""


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
        raise _Doubtful
    return Token(text, text, "date", period=Period(hit.value, hit.value))


def _number(match: re.Match[str], spoken: str) -> Token:
    read = numbers.read(match["number"])
    if read is None:  # 007
        return Token(match["number"], match["number"], "word", whole=match.start())
    value = read.number("." if spoken == "en" else ",")
    if value is None or (not read.sure and value != value.to_integral_value()):
        raise _Doubtful
    if not read.sure and numbers.decimals(value) == 3:
        raise _Doubtful
    sign = match["sign"] or match["after"]
    value = value * Decimal(1000) if match["k"] else value
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


def _dated(tokens: Sequence[Token], spoken: str) -> Iterator[Token]:
    at = 0
    while at < len(tokens):
        found = _period(tokens, at, spoken)
        if found is None:
            yield tokens[at]
            at += 1
        else:
            period, end = found
            text = " ".join(token.text for token in tokens[at:end])
            yield Token(text, fold(text), "date", period=period)
            at = end


def _period(tokens: Sequence[Token], at: int, spoken: str) -> tuple[Period, int] | None:
    first = tokens[at]
    if first.kind == "date" and first.period:
        return first.period, at + 1
    if (quarter := _quarter(tokens, at)) is not None:
        return quarter
    month = _month(tokens, at, spoken)
    day = _day_number(first)
    if month is None and day:
        after = at + 1 + (tokens[at + 1 : at + 2] != [] and tokens[at + 1].fold in _OF)
        later = _month(tokens, after, spoken, led=True)
        if later is not None:
            year, end = _year_at(tokens, after + 1)
            return _day(year, later, day), end
    if month is not None:
        after_day = _day_number(tokens[at + 1]) if at + 1 < len(tokens) else None
        if after_day:
            year, end = _year_at(tokens, at + 2)
            return _day(year, month, after_day), end
        year, end = _year_at(tokens, at + 1)
        made = dates.month(year, month)
        return (made, end) if made else None
    year, end = _year_at(tokens, at)
    if year != NO_YEAR and end == at + 1:
        if at + 1 < len(tokens) and (q := re.fullmatch(r"[qt]([1-4])", tokens[at + 1].fold)):
            return dates.quarter(year, int(q[1])), at + 2
        return dates.year_of(year), end
    return None


def _day(year: int, month: int, day: int) -> Period:
    hit = dates.iso(f"{year:04d}-{month:02d}-{day:02d}")
    if hit is None:
        raise _Doubtful
    return hit


def _day_number(token: Token) -> int | None:
    if token.unit or token.number is None or token.number != token.number.to_integral_value():
        return None
    plain = token.kind == "number" or (token.ordinal is not None and token.text[:1].isdigit())
    return int(token.number) if plain and 1 <= token.number <= 31 else None


def _month(tokens: Sequence[Token], at: int, spoken: str, *, led: bool = False) -> int | None:
    if at >= len(tokens) or tokens[at].kind != "word" or tokens[at].fold not in MONTH_NAMES:
        return None
    word = tokens[at]
    led = led or (at > 0 and tokens[at - 1].fold in _MONTH_LEADS)
    dated = at + 1 < len(tokens) and (_year_at(tokens, at + 1)[0] != NO_YEAR)
    if spoken == "en" and not word.text[:1].isupper() and not (led or dated):
        return None
    if word.fold in _NOT_MONTHS and not word.text[:1].isupper() and spoken not in ("es",):
        return None
    if word.fold in ("ago", "set", "dic", "ene") and spoken != "es":
        return None
    if word.fold == "mars" and spoken == "en":
        return None
    return MONTH_NAMES[word.fold]


def _year_at(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """(year, end); `NO_YEAR` and where it looked when there is none."""
    start = at
    if at < len(tokens) and tokens[at].fold in _OF and tokens[at].kind == "word":
        at += 1
    if at < len(tokens) and re.fullmatch(r"(?:19|20)\d\d", tokens[at].fold):
        token = tokens[at]
        if token.kind == "number" and token.unit is None:
            return int(token.fold), at + 1
    return NO_YEAR, start


def _quarter(tokens: Sequence[Token], at: int) -> tuple[Period, int] | None:
    """`Q1 2026`, `first quarter of 2026`, `2. Quartal`, `quarter 3`, `H1 2026`."""
    first = tokens[at]
    short = re.fullmatch(r"([qth])([1-4])", first.fold)
    if short and first.kind == "word":
        year, end = _year_at(tokens, at + 1)
        return _part(short[1] == "h", year, int(short[2]), end)
    follow = tokens[at + 1].fold if at + 1 < len(tokens) else ""
    number = first.ordinal or _day_number(first)
    if number and number <= 4 and follow in _QUARTERS | _HALVES:
        year, end = _year_at(tokens, at + 2)
        return _part(follow in _HALVES, year, number, end)
    if first.fold in _QUARTERS and at + 1 < len(tokens) and (n := _day_number(tokens[at + 1])):
        year, end = _year_at(tokens, at + 2)
        return _part(False, year, n, end) if n <= 4 else None
    return None


def _part(half: bool, year: int, number: int, end: int) -> tuple[Period, int] | None:
    if not half:
        return dates.quarter(year, number), end
    if number > 2:
        return None
    return dates.months(year, 6 * number - 5, 6 * number), end
