"""Whether a text can be an answer of the kind that is asked for: an amount, a date, a person …"""

from __future__ import annotations

import re

from agents.answers import languages
from agents.answers.question import Asked
from agents.answers.words import stem, stems, worded
from vectorstore.words import STOP, fold

_NUMBER_WORD = (
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|once|twice|"
    r"half|third|quarter|dozens?|hundreds?|thousands?|millions?|no|none|zero|daily|weekly|hourly|"
    r"nightly|monthly|every|both|single)\b"
)
_MONTHS = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|fevrier|mar(?:ch|z|s)?|apr(?:il)?|avril|may|mai|"
    r"june?|juni|juin|july?|juli|juillet|aug(?:ust)?|aout|sept?(?:ember|embre)?|o[ck]t(?:ober|obre)?|"
    r"nov(?:ember|embre)?|de[cz](?:ember|embre)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|"
    r"septiembre|octubre|noviembre|diciembre|januari|februari|maart|mei|augustus)"
)
_TIME_WORD = (
    rf"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?!may\b){_MONTHS}\b|"
    r"\b(?:in|of|by|until|since|from|to) may\b|"
    r"\b(?:daily|weekly|hourly|nightly|monthly|quarterly|every|midnight|noon|today|tomorrow|"
    r"yesterday|quarter|week|before|after|when|once|during|as soon|immediately|until|century|"
    r"decade|spring|summer|autumn|winter)\b"
)
_DATE = re.compile(
    rf"\b\d{{4}}-\d\d-\d\d\S*|\b\d{{1,2}}\.\d{{1,2}}\.(?:\d{{4}}|\d\d)?\b|\b\d{{1,2}}/\d{{1,2}}/\d{{2,4}}\b|"
    rf"\b\d{{1,2}}(?:\.|er|st|nd|rd|th)?(?: of| de)? {_MONTHS}\b(?:,? (?:de )?\d{{4}})?|"
    rf"\b{_MONTHS} \d{{1,2}}\b(?:,? \d{{4}})?"
)
_YEAR = re.compile(r"\b1\d{3}\b|\b20\d\d\b")
_CLOCK = re.compile(r"\b\d{1,2}[:.h]\d\d\b|\b\d{1,2} ?(?:uhr|h|am|pm|a\.m\.|p\.m\.|heures?|uur)\b")
_RELATIVE = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|"
    r"\d[\d, and-]*[ -](?:day|week|month|year)s?\b|"
    r"\b\w*(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)s?\b|"
    r"\b(?:lun|mar|mercre|jeu|vendre|same)dis?\b|"
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|tenth|last|erste\w?|zweite\w?|dritte\w?|"
    r"vierte\w?|funfte\w?|zehnte\w?|letzte\w?|premier|deuxieme|troisieme|quatrieme|cinquieme|dernier|"
    r"primer|segundo|tercer|cuarto|quinto|ultimo|eerste|tweede|derde|vierde|vijfde|laatste)"
    r" (?:\w+ )?(?:day|week|month|year|\w*tag\w?|woche|monat\w?|jahr\w?|jour|"
    r"semaine|mois|dia|semana|mes|\w*dag|maand)\b"
)
_MONEY = re.compile(
    r"(?:\beur|\busd|\bgbp|\bchf|[€$£])\W{0,3}\d|"
    r"\d\s?(?:k |mio\.? |million |millionen |millions d )?"
    r"(?:eur|usd|gbp|chf|[€$£]|euros?|dollars?|francs?|franken|cents?|pounds?|pesos)"
)
_DURATION = re.compile(
    r"\b(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|decades?|centur\w+|sekunden?|"
    r"minuten?|stunden?|tagen?|tage|wochen?|monat\w*|jahr\w*|secondes?|heures?|jours?|semaines?|\w*tage?n?|mois|"
    r"ans?|annees?|segundos?|minutos?|horas?|dias?|semanas?|mes|meses|anos?|dag|dagen|weken|maand\w*|"
    r"jaar|jaren|uur|permanent\w*|unlimited|unbefristet|lifetime|until|bis|jusqu)\b"
)
_PLACE = re.compile(
    r"\b(?:in|at|near|from|to|nach|bei|am|im|an der|à|au|aux|en|dans|chez)\s+"
    r"(?:the |der |den |dem |la |le |les |l')?[A-ZÄÖÜÉ]\w|, [A-Z]\w+ and [A-Z]"
)
_WHERE = re.compile(
    r"\b(?:here|there|hier|dort|ici|in|at|on|under|behind|near|next|beside|inside|outside|into|use|im|am|auf|bei|beim|hinter|"
    r"unter|neben|vor|dans|sur|sous|chez|derriere|en|au|aux|a|est|en|sobre|bajo|op|bij|naast)\b"
)
_NO_TIME = re.compile(  # prices, shares, and numbers too long for a year
    rf"[\d.,]*(?:{_MONEY.pattern})[\d.,]*|\b\d[\d.,]*\s?(?:%|percent|prozent)|\b\d{{1,3}}(?:,\d{{3}})+\b|"
    r"(?<![\d.:-])(?!1\d{3}\b|20\d\d\b)\d{3,}\b(?![.:-]\d)"
)
_SECTION = re.compile(r"^\s*\d{1,2}(?:\.\d{1,2})+\.?\s+")
_TITLE_WORDS_MAX = 6
_DIGIT = re.compile(r"\d")
_LEGAL = frozenset(
    re.findall(
        r"\w+",
        "ag gmbh kg ohg ltd limited inc llc plc co sarl sas sa bv nv oy sl srl spa se",
    )
)
_PHONE = re.compile(
    r"(?<![\w/.-])\+?\(?\d[\d ()/-]{5,}\d|"
    r"\b(?:durchwahl|extension|ext|poste|toestel|tel\w*|phone|fax)[.:]? *\d{3,}"
)
_CAPITAL = re.compile(
    r"(?<!^)(?<![.!?] )(?<!: )\b[A-ZÄÖÜÀÉ][\w'’-]+|(?<=: )[A-ZÄÖÜÀÉ][\w'’-]+(?= [A-ZÄÖÜÀÉ]|[,;(]|$)"
)
_FIRST = re.compile(
    r"(?!The|A|An|It|This|That|These|Those|There|All|No|If|When|In|On|At|For|You|We|They|He|She)"
    r"([A-Z][a-z]+)(?<!s) (?:will|has|had|is|was|can|must|may|and [A-Z]|[a-z]+(?:s|ed)\b)"
)
_LABEL = re.compile(r"^\W*[^\W\d][^:\n]{0,30}:\W*\s+(?=\S)")
_SHARE = r"(?: ?(?:%|percent|prozent|pour cent|por ciento|procent))?"
_COUNT = re.compile(
    rf"(?<![\d:.,])(?:\d[\d.,]*(?!:)|{_NUMBER_WORD}|{languages.NUMBERS}){_SHARE}"
    r"((?:[ -]+[^\W\d_]+){1,3})"
    r"|((?:[^\W\d_]+ ){0,2}[^\W\d_]+): *\d"
)
# Somebody or some place that is told without a capital letter.
_ROLE = re.compile(
    r"\b\w*(?:manager|officer|lead|leader|head|director|team|department|board|committee|staff|owner|"
    r"supervisor|engineer|administrator|admin|accountant|accounting|client|customer|supplier|buyer|"
    r"seller|tenant|landlord|employee|employer|reviewer|physician|nurse|doctor|teacher|court|council|"
    r"people|person|users?|committee|commission|conseil|bureau|comite|assemblee|versammlung|"
    r"kommission|ausschuss|everyone|nobody|anyone|members?|parents?|contractor|president|chief|"
    r"(?<=\w{3})(?:er|or|ist)|(?:account|assist|consult|attend|ten|particip|applic|claim|serv)ant|"
    r"leiter\w*|abteilung\w*|leitung|vorstand|verwaltung|buchhaltung|amt|rat|"
    r"responsable|direction|service|equipe|comptable|client|fournisseur|salarie|employe)s?\b"
)


def counts_well(asked: Asked, text: str) -> bool:
    """A number with all of what is counted: `20 days of vacation`, not `27 days at a time`."""
    after = _after_counts(asked, text) if asked.counted else ()
    return any(asked.counted <= set(_counted_things(asked, words)) for words in after)


def _counted_things(asked: Asked, words: list[str]) -> list[str]:
    """Of `three years employees may …` nothing: the years are counted."""
    first = next((at for at, word in enumerate(words) if word in asked.counted), 0)
    return [] if any(_DURATION.fullmatch(word) for word in words[:first]) else words


def _after_counts(asked: Asked, text: str) -> list[list[str]]:
    counts = (m.group(m.lastindex or 0) for m in _COUNT.finditer(_DATE.sub(" ", fold(text))))
    return [[stem(word, asked.language) for word in worded(after)] for after in counts]


def answers_well(asked: Asked, text: str) -> bool:
    """Whether a text has just what was asked for: the counted thing, money, a date."""
    low = fold(text)
    if asked.counted:
        return counts_well(asked, text) or any(
            asked.counted & set(_counted_things(asked, after[:2]))
            for after in _after_counts(asked, text)
        )
    if asked.wants == "money":
        return bool(_MONEY.search(low))
    if asked.wants == "when":
        return any(sign.search(low) for sign in (_DATE, _CLOCK, _YEAR, _RELATIVE))
    if asked.wants == "where":
        return _PLACE.search(text) is not None
    if asked.wants == "duration":
        return fits("duration", text) and bool(_DURATION.search(low))
    return asked.wants not in ("text", "steps", "who", "why") and fits(asked.wants, text)


def tells(asked: Asked, text: str) -> bool:
    """Whether it can be an answer by what the question has not said itself: a number asked for is
    another one than the question's own."""
    if (asked.intents or asked.wants in ("who", "where", "steps")) and _repeats(asked, text):
        return False
    if _is_title(asked, text):
        return False
    text = _SECTION.sub("", text)
    if asked.wants == "who":
        return _names_another(asked, text) or _begins_named(asked, text)
    if asked.wants not in ("number", "money", "duration", "when"):
        return fits(asked.wants, text)
    low = fold(text)
    for number in asked.numbers:
        low = re.sub(rf"(?<![\d.,]){re.escape(number)}(?![\d])", " ", low)
    return fits(asked.wants, low) or _says_of_itself(asked, low)


def _says_of_itself(asked: Asked, low: str) -> bool:
    """`The deposit is three monthly rents`: a price need not be money where the thing asked for
    is what the sentence is about."""
    first = stems(" ".join(low.split()[:4]), asked.language)
    return asked.wants == "money" and bool(asked.attribute & first) and fits("number", low)


def _repeats(asked: Asked, text: str) -> bool:
    """`Date: 3 November 2026` tells nothing to who asked why something was late that day."""
    value = _LABEL.sub("", text, count=1)
    return value != text and stems(value, asked.language) <= stems(asked.text, asked.language)


def _begins_named(asked: Asked, text: str) -> bool:
    """`Ben will collect it`: a first word may be a name, where the question does not say it."""
    found = _FIRST.match(text)
    return found is not None and stem(fold(found[1]), asked.language) not in asked.terms


def _names_another(asked: Asked, text: str) -> bool:
    """Somebody whom the question does not name itself. What follows a colon may begin a
    sentence."""
    named = [*_CAPITAL.findall(text), *(found[0] for found in _ROLE.finditer(fold(text)))]
    return any(stem(fold(word), asked.language) not in asked.terms for word in named)


def _is_title(asked: Asked, text: str) -> bool:
    """`4.2 Password requirements`: no sentence, and no word that the question lacks."""
    if text.rstrip().endswith((".", "!")) or len(text.split()) > _TITLE_WORDS_MAX:
        return False
    if asked.wants in ("phone", "email"):
        return False
    told = (w for w in worded(text, asked.language) if not w.isdigit() and w not in STOP)
    words = [w for w in told if w not in _LEGAL or _DIGIT.search(text)]
    return all(stem(word, asked.language) in asked.terms for word in words)


def fits(wants: str, text: str) -> bool:
    """Whether a text can be an answer of that kind at all."""
    low = fold(text)
    match wants:
        case "money":
            low = _DATE.sub(" ", low)
            return bool(
                _MONEY.search(low) or re.search(rf"(?<![\w-])\d{{3,}}|\d[.,]\d\d\b|{_FREE}", low)
            )
        case "number":
            low = _DATE.sub(" ", low)
            return bool(re.search(rf"\d|{_NUMBER_WORD}|{languages.NUMBERS}", low))
        case "duration":
            return bool(re.search(rf"\d|{_NUMBER_WORD}|{languages.NUMBERS}", low)) or bool(
                _DURATION.search(low)
            )
        case "when":
            low = _NO_TIME.sub(" ", low)
            timed = re.search(rf"\d|{_TIME_WORD}|{languages.TIMES}", low)
            return bool(timed or _RELATIVE.search(low))
        case "where":
            return bool(re.search(r"(?<!^)\b[A-Z]", text) or _WHERE.search(low))
        case "who":
            return bool(re.search(r"(?<!^)[A-Z]", text) or _ROLE.search(low))
        case "phone":
            return _PHONE.search(_DATE.sub(" ", low)) is not None
        case "email":
            return bool(re.search(r"\S@\S+\.\S", low))
    return True


_FREE = r"\b(?:free|kostenlos|kostenfrei|gratuit\w*|gratis|no charge|without charge)\b"
