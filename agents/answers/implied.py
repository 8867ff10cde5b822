"""What a text says without the word: `25 Nm` is a torque, `86 kg` a weight, and a name in a list of
contacts is who is responsible. In five languages, folded."""

from __future__ import annotations

import re
from functools import lru_cache

from vectorstore.words import fold

_MEASURED = r"\d\s?(?:{})(?![\w/])"
_UNITS = {
    "nm|newton": "torque drehmoment anzugsmoment couple par koppel",
    "kg|g|t|lbs?|kilos?|tonnes?|tons?|kilogram\\w*|gramm\\w*|grams?|tonnen": "weight weigh weighs "
    "heavy gewicht schwer wiegt poids pese lourd peso pesa zwaar weegt",
    "db(?:\\(a\\))?|dezibel|decibels?": "loud noise laut lautstarke schallpegel larm bruit bruyant "
    "ruido ruidoso geluid luid",
    "°c?|°f|grad|degrees?|degres|grados|graden": "temperature hot warm cold temperatur heiss kalt "
    "chaud froid temperatura caliente frio temperatuur heet koud",
    "kw|w|ps|hp|watt": "power leistung puissance potencia vermogen",
    "v|kv|volt": "voltage spannung tension voltaje spanning",
    "bar|psi|k?pa|mbar": "pressure druck pression presion druk",
    "km/h|mph|m/s|rpm|u/min|min-1": "speed fast geschwindigkeit drehzahl schnell vitesse velocidad "
    "snelheid",
    "qm|m²|m2|square \\w+|quadratmetern?|metres carres|metros cuadrados|vierkante meter": "area "
    "floorspace flache surface superficie oppervlakte groot grande gross large big",
    "l|litres?|liters?|litern?|litros?|m³|ml": "volume capacity fassungsvermogen inhalt contenance "
    "capacite capacidad inhoud",
}
_MEASURES = tuple(
    (re.compile(_MEASURED.format(unit)), frozenset(words.split())) for unit, words in _UNITS.items()
)
# `Spares: …; Name: Marc Vidal`: a row that names somebody for something.
_NAMES = re.compile(
    r"\b(?:name|nom|naam|nombre|contact|kontakt|ansprechpartner\w*|contacto|contactpersoon)"
    r"(?: \||:) "
)
_IN_CHARGE = frozenset(
    re.findall(
        r"\w+",
        "responsible verantwortlich zustandig responsable encargado verantwoordelijk contact",
    )
)
# Asked for by these, a text has to say as much: `how loud is it` is no question about its heat.
QUALITIES = frozenset(
    re.findall(
        r"\w+",
        """heavy loud hot warm cold schwer laut heiss kalt lourd bruyant chaud froid zwaar luid heet
        koud""",
    )
)


@lru_cache(maxsize=4_000)
def implied(text: str) -> frozenset[str]:
    """The words."""
    low = fold(text)
    found = [words for sign, words in _MEASURES if sign.search(low)] if _DIGIT.search(low) else []
    return frozenset().union(*found, _IN_CHARGE if _NAMES.search(low) else ())


_DIGIT = re.compile(r"\d")
