"""Names, addresses and birth dates, by what stands around them: no list of names, no model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestion.pii.values import Finding

_UP, _LOW = r"A-ZÀ-ÖØ-ÞŁŚŽČŠ", r"a-zà-öø-ÿłśžčš"
_WORD = rf"(?:[{_UP}][{_LOW}]+(?:[-'’][{_UP}]?[{_LOW}]+)*|[{_UP}]['’][{_UP}][{_LOW}]+|[{_UP}]\.)"
_JOIN = r"(?:von|van|de|der|den|del|della|di|da|du|la|le|zu|zur|ter|ten|y|bin|al|dos)"
_NAME = rf"{_WORD}(?:[ \u00a0](?:{_JOIN} ){{0,2}}{_WORD}){{0,3}}(?!\w)"
_FULL = rf"{_WORD}(?:[ \u00a0](?:{_JOIN} ){{0,2}}{_WORD}){{1,3}}(?!\w)"
_TITLE = r"(?:(?:Dr|Prof|Dipl|Ing|Mag)\.? ?(?:-?Ing\.? )?){0,3}"
_SALUTATION = (
    r"Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.?|Miss|Monsieur|Madame|Mme|Mlle|M\.|Sr\.|Sra\.|Señora?|Don|Doña"
    r"|Sig\.(?:ra)?|Signora?|[Dd]e heer|Mevrouw|[Mm]evr\.|Dhr\."
)
_SURE_LABEL = (
    r"(?:full |last |first )?name|ansprechpartner(?:in)?|contact(?: person)?|patient(?:in)?"
    r"|mitarbeiter(?:in)?|employee|nom|naam|nombre|nome|kontoinhaber(?:in)?|account holder"
    r"|titulaire|titular|contactpersoon|cardholder|customer name|kundenname"
)
_LABEL = (
    rf"{_SURE_LABEL}|(?:sur|given |vor|nach|zu|familien)name|vor- und nachname|kontakt"
    r"|nom et prénom|prénom|voornaam|achternaam|nombre y apellidos|apellidos?|cognome|inhaber"
    r"|karteninhaber(?:in)?|intestatario|rekeninghouder|salarié|empleado|dipendente|werknemer"
    r"|bearbeiter(?:in)?|signed by|unterzeichnet von|geschäftsführer(?:in)?|attn|z\. ?hd\.?"
)
_GREETING = (
    "Dear|Hello|Hi|Hallo|Lieber?|Bonjour|Cher|Chère|Beste|Geachte|Hola|Estimad[oa]|Querid[oa]"
    "|Ciao|Gentile|Car[oa]"
)
_CLOSING = (
    r"(?:kind |best |warm )?regards|sincerely(?: yours)?|yours faithfully|cordialement"
    r"|mit (?:freundlichen|besten|herzlichen) grüßen|(?:viele|beste|liebe) grüße|bien à vous"
    r"|met vriendelijke groet(?:en)?|groeten|(?:un )?saludos?(?: cordiales)?|atentamente"
    r"|cordiali saluti|distinti saluti"
)
_NAMES = tuple(re.compile(one, re.MULTILINE) for one in (
    rf"\b(?:{_SALUTATION}) {_TITLE}(?P<x>{_NAME})",
    rf"\b(?:Dr|Prof)\.(?: (?:Dr|med|phil|rer|nat|jur)\.){{0,3}} (?P<x>{_NAME})",
    rf"\b(?i:{_LABEL})\s?[:=|]\s*{_TITLE}(?P<x>{_NAME})(?=\s*$)",
    rf"\b(?i:{_SURE_LABEL})\s?[:=|]\s*{_TITLE}(?P<x>{_FULL})",
    rf"^(?:{_GREETING}) (?P<x>{_NAME}),",
    rf"(?i:{_CLOSING}),?[ ]*\n\s*{_TITLE}(?P<x>{_FULL})(?=[ ]*$)",
))  # fmt: skip
_FIRM = re.compile(
    r"\b(?:GmbH|AG|KG|OHG|SE|UG|Ltd|Limited|Inc|LLC|LLP|Corp|SA|SAS|SARL|SRL|SpA|BV|NV|SL|Co"
    r"|Company|Team|Support|Service|Group|Holding|Bank|Damen|Herren|Sir|Madam|Customer|Kunde"
    r"|Kundin|All|Alle|Colleagues|Kollegen)\b\.?",
    re.IGNORECASE,
)
_CAP = rf"[{_UP}][{_LOW}.'’-]+"
_TOWN = rf"{_CAP}(?:(?: |-)(?:am|an der|im|la|le|sur|den|del|de|di|upon|{_CAP})){{0,4}}"
_BRITISH = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_COUNTRY = r"(?:D|A|CH|F|B|L|NL|I|E)[- ]"
_POSTAL = (
    rf"(?:,? ?\n?[ ]*(?:{_COUNTRY})?\d{{4,5}}(?: ?[A-Z]{{2}})?,? {_TOWN}"
    rf"|,? ?\n?[ ]*{_TOWN},? (?:[A-Z]{{2}},? \d{{5}}(?:-\d{{4}})?|{_BRITISH}))?"
)
_NUMBER = r"\d{1,4}(?: ?[a-z]\b)?(?:[-/]\d{1,4})?"
_STREET_END = (
    r"[Ss]tra(?:ß|ss)e|[Ss]tr\.|[Ww]eg|[Pp]latz|[Gg]asse|[Aa]llee|[Rr]ing|[Dd]amm|[Uu]fer"
    r"|straat|laan|plein|gracht|kade|singel|dijk"
)
_ENGLISH = (
    r"Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Square"
    r"|Terrace|Close|Crescent|Gardens|Row|Mews"
)
_FRENCH = r"rue|avenue|boulevard|bd|place|chemin|allée|impasse|quai|route|cours|square"
_SOUTHERN = (
    r"(?:Calle|C/|Avenida|Avda?\.|Plaza|Paseo|Carrer|Ronda|Camino) ?"
    r"|(?:Via|Viale|Piazza|Corso|Vicolo|Largo|Rua|Praça) "
)
_POINTS = r"(?:N|S|E|W|NW|NE|SW|SE|North|South|East|West)"
_GERMANIC_ADDRESS = (
    rf"\b(?:(?:{_CAP}[ -]){{0,3}}[{_UP}]?[{_LOW}]*(?:{_STREET_END})"
    rf"|(?:Am|An der|Im|Auf der|Unter den|Zum|Zur) {_CAP}) {_NUMBER}{_POSTAL}"
)
_ENGLISH_ADDRESS = (
    rf"\b\d{{1,5}}[A-Za-z]? (?:{_POINTS}\.? )?(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}"
    rf"(?:{_ENGLISH})\b\.?(?: {_POINTS}\b)?"
    rf"(?:,? (?:Apt|Suite|Flat|Unit|#)\.? ?\w{{1,5}})?{_POSTAL}"
)
_FRENCH_ADDRESS = (
    rf"\b\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:{_FRENCH})"
    r"(?: (?:de|du|des|la|le|les|à|aux|en)\b| d['’]| l['’]| de l['’])*"
    rf" ?{_CAP}(?:[ -](?:de |du |des |la )?{_CAP}){{0,3}}{_POSTAL}"
)
_SOUTHERN_ADDRESS = (
    rf"\b(?:{_SOUTHERN})(?:(?:de|del|de la|de los|della|dei|delle|di|do|da|dos) )?{_CAP}"
    rf"(?: (?:(?:de|del|la|e|di|y) )?{_CAP}){{0,3}},? (?:n[.º°]? ?)?{_NUMBER}{_POSTAL}"
)
_ADDRESSES = tuple(
    re.compile(one)
    for one in (_GERMANIC_ADDRESS, _ENGLISH_ADDRESS, _FRENCH_ADDRESS, _SOUTHERN_ADDRESS)
)
_DATE = (
    r"\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2,4}|\d{4}-\d{2}-\d{2}"
    rf"|\d{{1,2}}(?:\.|st|nd|rd|th|er)? (?:de )?[{_UP}{_LOW}]{{3,10}}\.? (?:de )?\d{{4}}"
    rf"|[{_UP}][{_LOW}]{{2,9}} \d{{1,2}},? \d{{4}}"
)
_BORN = re.compile(
    r"(?i:\b(?:geb(?:oren|urtstag|urtsdatum|\.)|d\.?o\.?b\.?|date of birth|birth\s?da(?:te|y)|born"
    r"|née?|date de naissance|geboortedatum|fecha de nacimiento|f\. ?nac\.|nacid[oa]|nat[oa]"
    rf"|data di nascita|data de nascimento))(?: (?:am|on|le|op|el|il))?\s?[:=|]?\s*(?P<x>{_DATE})"
)


def names(text: str) -> Iterator[Finding]:
    for place, sign in enumerate(_NAMES):
        for found in sign.finditer(text):
            line_end = text.find("\n", found.end())
            rest = text[found.start("x") : line_end if line_end >= 0 else None][:80]
            if not _FIRM.search(found["x"]) and not _FIRM.match(rest[len(found["x"]) :].lstrip()):
                sure = 0.8 if place in (0, 1, 3) else 0.7
                yield Finding("name", found.start("x"), found.end("x"), sure)


def addresses(text: str) -> Iterator[Finding]:
    for sign in _ADDRESSES:
        for found in sign.finditer(text):
            sure = 0.9 if re.search(r"\d{4,5}|[A-Z]\d", found.group()[5:]) else 0.75
            yield Finding("address", found.start(), found.end(), sure)


def birth_dates(text: str) -> Iterator[Finding]:
    for found in _BORN.finditer(text):
        yield Finding("birth_date", found.start("x"), found.end("x"), 0.95)
