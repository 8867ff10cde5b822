"""German, French, Spanish and Dutch words without their endings, so that forms of one word
meet.

Light stemming after Savoy, "Light Stemming Approaches for the French, Portuguese, German and
Hungarian Languages" (SAC 2006): endings go one after another, and no dictionary is needed.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ENDINGS = {
    "de": "keit heit lich isch ung end tet ern em en er es et st te ig e n s t",
    "fr": """issement ement ment ation ateur atrice ition sion tion ance ence aison iss able euse
        eur ive if aient erait eront ante ant ees ee aux al ait ais ez er ir ent on s e x i t a""",
    "es": """amiento imiento acion icion ador mente idad ancia encia able ible ando iendo aron
        ieron aba ada ado ida ido aria ara era ar er ir as es os an en a e o s""",
    "nl": "heid lijk ing end sten tten den ten de te en er et st e n s t d",
}
_ORDERED = {
    name: tuple(sorted(endings.split(), key=len, reverse=True))
    for name, endings in _ENDINGS.items()
}
# `gezahlt`, `eingereicht`; not `Gebühr`, `genehmigt`: there the syllable belongs to the word.
_PARTICIPLE = {
    "de": re.compile(
        r"^(ab|an|auf|aus|bei|durch|ein|fest|her|hin|los|mit|nach|um|vor|weiter|zu|zuruck|"
        r"zusammen)?"
        r"ge(?!nehm|buhr|halt|richt|sell|wahr|rat|biet|baud|mein|schaft|setz|winn|nerat|samt|rust|"
        r"fahr|wicht|heim|sund|legen|trank|gen|nug|schenk|such|dank|lande|burt|wohn|fahrt)"
        r"(?=\w{4,}(?:t|en|te[nrms]?)$)"
    ),
    "nl": re.compile(r"^(aan|af|in|op|uit|mee|over|toe|voor|door|terug)?ge(?=\w{3,}(?:d|t|en)$)"),
}
# A strong verb has another vowel in each of its forms: the first form stands for all.
_STRONG = {
    "de": """schreib schrieb;geb gib gab;nehm nimm nahm nomm;sprech sprich sprach sproch;treff
        triff traf troff;zieh zog zoge;schliess schloss;find fand fund;beginn begann begonn;bleib
        blieb;steig stieg;werf wirf warf worf;helf hilf half holf;steh stand;bring bracht;denk
        dacht;verlier verlor verlust;
        entscheid entschied;unterscheid unterschied;erhalt erhielt;gelt gilt
        galt;sterb stirb starb storb;unterschreib unterschrieb;tret tritt trat;versteh verstand;
        vertret vertritt vertrat;ubernehm ubernimm ubernahm ubernomm;vergeb vergib vergab;besteh
        bestand;enthalt enthielt;abschliess abschloss;beschliess beschloss;trag trug;fahr fuhr""",
    "fr": """pay pai paie paye payer;ecri ecriv ecr;pren pris prenn prend;met mis mett;recev recoi
            recu;ven
        vien vend viend;ten tien tiend;ouvr ouvert;offr offert;soumet soumis;permet permis""",
    "es": """devolv devuelv devuelt devolucion;abr abiert;escrib escrit;pon puest;resolv resuelv
        resuelt;cubr cubiert;renov renuev;empez empiez;comenz comienz;cerr cierr;cost cuest;cont
        cuent;encontr encuentr;mostr muestr;prob prueb;ven vien;ten tien;pid ped;hac hech hic""",
}
_SAME = {
    name: {form: forms.split()[0] for forms in table.split(";") for form in forms.split()}
    for name, table in _STRONG.items()
}


@lru_cache(maxsize=50_000)
def root(word: str, language: str) -> str:
    """Of a folded word; the word itself in another language."""
    endings = _ORDERED.get(language)
    if endings is None or any(char.isdigit() for char in word):
        return word
    if participle := _PARTICIPLE.get(language):
        word = participle.sub(r"\1", word)
    bare = _bare(word, endings)
    return _SAME.get(language, {}).get(bare, bare)


def _bare(word: str, endings: tuple[str, ...]) -> str:
    """One ending after another, as long as four letters stay (three before a long ending)."""
    for ending in endings:
        stays = len(word) - len(ending)
        if word.endswith(ending) and stays >= (3 if len(ending) > 3 else 4):
            return _bare(word[:stays], endings)
    return word


def compounded(term: str, word: str) -> bool:
    """`frist` and `kundigungsfrist`, `gericht` and `gerichtshof`: one word is the other's part. A
    longer term is less sure: `Vorsitz` is no `Sitz`."""
    short, long = sorted((term, word), key=len)
    if len(short) < 4 or len(long) < len(short) + (4 if long == term else 3):
        return False
    return long.endswith(short) or (len(short) >= 5 and long.startswith(short))
