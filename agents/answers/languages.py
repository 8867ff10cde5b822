"""Questions in German, French, Spanish and Dutch: their small words, what kind of answer they want
and of what thing. All patterns are over folded text."""

from __future__ import annotations

import re

from agents.answers.implied import QUALITIES
from vectorstore.words import fold

SMALL = {
    name: frozenset(words.split())
    for name, words in {
        "de": """aber alle als am an ans auf aus bei beim bin bis das dass dein deine dem den denn
            der
            des die dies diese diesem diesen dieser dieses doch du durch ein eine einem einen einer
            eines er es euch fur gibt habe haben hat hatte ich ihr ihre ihrem ihren ihrer im in ins
            ist ja kann kannst konnen konnte man mein meine meiner mich mir mit muss mussen musste
            nach nicht noch nur oder ohne sein seine seinen seiner sich sie sind so dich dir soll
            sollen sollte uber um und uns unser unsere unserer unter viel viele vielen vom von vor
            wann war waren warum was wegen welche welchem welchen welcher welches wen wem wenn wer
            werde werden wessen wie wieso weshalb wieviel wird wir wo wofur woher wohin womit worin
            woran worauf wodurch wozu wurde wurden zu zum zur zwischen lautet lauten heisst heissen
            findet statt darf durfen hoch lange oft gross genau bitte auch mehr gegen pro je wahrend
            worum weil sowohl damit dazu dabei hiess hiessen lautete ging gehen andere anderen
            anderer anderes wollen will hatten gab waren sowie zwei fast etwa ca beide beiden ab
            bekomme bekommt bekommen erhalte
            erhalt erhalten frei""",
        "fr": """a au aux avec c ce cela ces cet cette combien comment d dans de des donc du elle
            elles
            en est et etre ete il ils j je l la le les leur leurs lors lorsque ma mais me mes moi
            mon
            n ne nos notre nous on ont or ou par pas pendant peut peuvent pour pourquoi qu quand que
            quel quelle quelles quels qui quoi s sa sans se ses si soit son sont sous sur t ta te
            tes
            toi ton tu un une vers vos votre vous y doit doivent faut fait etait etaient sera seront
            avait aura appelle ai as avez avons selon chez plus lequel laquelle puis peux pouvons
            pouvez dois devons devez mes il""",
        "es": """a al como con cual cuales cuando cuanta cuantas cuanto cuantos de del donde el
            ella en
            es esta este fue ha han hay la las le lo los mas me mi no o para pero por porque que
            quien quienes se ser si son su sus tiene un una y ya fueron era cada debe deben
            puede pueden puedo podemos debo tengo tenemos nuestro nuestra""",
        "nl": """aan als bij dat de deze die dit een en er het hij hoe hoeveel hoelang hun ik in is
            je
            kan kunnen maar men met mij moet moeten na naar niet nog of om onze ons op over te tot
            uit van voor waar waarom wanneer was wat we welk welke werd wie wij wordt worden zijn zo
            zou zal ze zij bent heeft hebben mag mogen u uw jij jouw mijn jullie krijg
            krijgt krijgen
            betekent""",
        "en": """a an and are as at be been by can could did do does for from had has have how i if
            in
            into is it its many may me much must my of on or our shall should so than that the their
            them there these they this to us was we were what when where which who whom whose why
            will with would you your long often during among being his her am almost currently""",
    }.items()
}
# They say little about what is asked for.
GENERIC = {
    name: frozenset(words.split())
    for name, words in {
        "de": """dokument dokumente unterlagen fall falle thema angabe angaben information
            informationen moglich notig erforderlich geben machen macht gemacht tun sagen sagt steht
            stehen laut gemass bedeutet bedeuten genannt nennt name namen heisst art anzahl zahl
            hohe
            wert menge firma unternehmen person tag datum zeit zeitpunkt uhrzeit jahr dauer lange
            betragt insgesamt derzeit aktuell neue neuen neuer jeweils einzelne gilt gelten passiert
            passieren geschieht erste ersten erster bezeichnet bezeichnen befindet befand liegt
            betrag summe stadt land ort ursprunglich hauptsachlich normalerweise eigentlich bekannt
            bestimmt wichtig lauft laufen dauert dauern""",
        "fr": """document documents cas sujet information informations possible necessaire donner
            faire dire dit dits selon signifie nom nombre type sorte valeur quantite entreprise
            societe personne jour date temps moment heure annee duree total actuellement nouveau
            nouvelle nouveaux montant somme taux ville pays lieu endroit existe y a-t-il prevu
            prevue indique""",
        "es": """documento informacion nombre numero tipo valor empresa persona dia fecha hora ano
            total""",
        "nl": """laat document informatie naam aantal soort waarde bedrijf persoon dag datum tijd
            jaar totaal""",
    }.items()
}
_ASKING = {
    "de": r"wie|was|wer|wen|wem|wessen|wo|wann|warum|wieso|weshalb|welche[mnrs]?|wofur|womit|woher|"
    r"wohin|wieviel",
    "fr": r"combien|comment|quand|pourquoi|qui|quel(?:le)?s?|ou|que|qu|quoi",
    "es": r"cuant[oa]s?|como|cuando|donde|quien(?:es)?|cual(?:es)?|por que|que",
    "nl": r"hoe|hoeveel|wat|wie|waar|wanneer|waarom|welke?|hoelang",
    "en": r"how|what|when|where|which|who|whom|whose|why|is|are|was|were|does|do|did|can",
}

# In this order, over the folded question.
_WANTS = {
    "duration": r"\bwie lange\b|\b(?:welche[rn]? )?(?:dauer|laufzeit)\b|\b(?:kundigungs|liefer|"
    r"zahlungs|widerrufs|aufbewahrungs|gewahrleistungs)frist\b|\bcombien de temps\b|"
    r"\bquel(?:le)? est (?:la duree|le (?:delai|preavis))|\bcuanto (?:tiempo|dura|tarda)|"
    r"\bhoe ?lang\b",
    "money": r"\bwas kostet\b|\bwas kosten\b|\bwie teuer\b|\bwie viel (?:kostet|kosten|geld|"
    r"zahl\w+)|"
    r"\bwie hoch (?:ist|sind|war|waren) (?:der|die|das)? ?[\w-]*(?:preis|kosten|gebuhr\w*|betrag|"
    r"miete|budget|beitrag|gehalt|strafe|rechnung|entgelt|kaution|summe|umsatz)\b|"
    r"\bcombien (?:\w+ )?(?:coute|coutent|paye|paient)|"
    r"\bquel(?:le)? (?:est|etait|sera) (?:le |la |l )?(?:prix|cout|tarif|montant|budget|loyer|"
    r"salaire|caution)|\bcuanto (?:cuesta|vale|paga)|\bcuesta\b|"
    r"\b(?:wat|hoeveel) kost(?:en)?\b|\bhoe duur\b",
    "number": r"\bwie ?viele?n?\b|\bwie (?:oft|hoch|gross|weit|schwer|alt|schnell)\b|\bcombien\b|"
    r"\bquel pourcentage\b|\bquel(?:le)? est (?:le nombre|le taux|la taille|la part)|"
    r"\bcuant[oa]s?\b|"
    r"\bhoeveel\b|\bhoe (?:vaak|groot|hoog|ver)\b|\bwelche[rn]? (?:prozentsatz|anteil|anzahl)\b",
    "phone": r"\btelefonnummer\b|\brufnummer\b|\bdurchwahl\b|\bnumero de telephone\b|"
    r"\bnumero de telefono\b|\btelefoonnummer\b",
    "email": r"\be-?mail-?adresse\b|\badresse (?:e-?mail|electronique|mail)\b|"
    r"\bcorreo electronico\b|\be-?mailadres\b",
    "when": r"\boffnungszeiten\b|\bhoraires\b|\bheures d ouverture\b|\bopeningstijden\b|"
    r"\bhorario\b|"
    r"\bwann\b|\bquand\b|\b(?:an|in|zu|bis zu) welche[mnr] (?:\w+ )?(?:tag|datum|jahr|"
    r"monat|uhrzeit|zeitpunkt|wochentag)\b|\bwelche[ms]? (?:datum|uhrzeit|jahr|wochentag)\b|"
    r"\bum wie viel uhr\b|\bquel(?:le)? (?:date|heure|jour|annee|mois)\b|\bcuando\b|"
    r"\ben que (?:ano|fecha|dia|mes)\b|\bwanneer\b|\bin welk jaar\b|\bhoe laat\b",
    "where": r"^(?:von )?wo\b|\bwohin\b|\bwoher\b|^(?:d |jusqu )?ou\b|\bdonde\b|\bwaar\b(?!om)|"
    r"\ban welchem ort\b|\bin welche[rm] (?:stadt|land|ort|gebaude|raum)\b|"
    r"\bdans quel(?:le)? (?:ville|pays|batiment|salle)\b",
    "who": r"^(?:an |von |bei |mit |fur |durch )?(?:wer|wen|wem|wessen)\b|^(?:a |de |par |avec |"
    r"chez )?"
    r"qui\b|\bwelche (?:person|abteilung|stelle)\b|^quien(?:es)?\b|^wie (?:is|zijn|heeft|was|moet|"
    r"mag|kan|keurt|betaalt)\b|\bquel service\b",
    "why": r"\bwarum\b|\bwieso\b|\bweshalb\b|\bwodurch\b|\bpourquoi\b|\bpor que\b|\bwaarom\b|"
    r"\b(?:oorzaak|reden) (?:van|voor)\b|\b(?:causa|motivo|razon) (?:de|del|por|para)\b|"
    r"\baus welchem grund\b|\bpour quelle raison\b|\b(?:ursache|grund) (?:der|des|fur|von)\b|"
    r"\bcause d",
    "steps": r"\bwie (?:kann|konnen|muss|mussen|soll|lasst|werden|wird|wurde)\b|^wie \w+ (?:ich|"
    r"man|"
    r"wir)\b|\bcomment\b|\bque (?:faire|dois|doit|faut)\b|\bwas (?:muss|mussen|soll|tun|ist zu tun)"
    r"\b|\bcomo\b|\bhoe (?:kan|moet|wordt)\b",
}

TIMES = (
    r"\b(?:sofort\w*|umgehend|unverzuglich|fristlos|immediat\w*|aussitot|inmediat\w*|"
    r"onmiddellijk)\b|"
    r"\b(?:montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?|lundis?|"
    r"mardis?|"
    r"mercredis?|jeudis?|vendredis?|samedis?|dimanches?|januar|februar|marz|mai|juni|juli|oktober|"
    r"dezember|janvier|fevrier|mars|avril|juin|juillet|aout|septembre|octobre|novembre|decembre|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|"
    r"lunes|martes|miercoles|jueves|viernes|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|"
    r"zondag|januari|februari|maart|mei|augustus|"
    r"taglich|wochentlich|monatlich|jahrlich|quartal\w*|jahrhundert\w*|siecle|wenn|sobald|nachdem|"
    r"bevor|vor|nach|lorsque|apres|avant|des que|chaque|fin|debut|ende|anfang|trimestre)\b"
)
NUMBERS = (
    r"\b(?:zwei|drei|vier|funf|sechs|sieben|acht|neun|zehn|elf|zwolf|zwanzig|dreissig|"
    r"hundert|tausend|einmal|zweimal|dreimal|halb\w*|taglich|wochentlich|monatlich|jahrlich|"
    r"jede[nrs]?|"
    r"kein\w*|dutzend|beide|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|quinze|vingt|"
    r"trente|cent|mille|aucun\w*|chaque|tous les|toutes les|moitie|tiers|quart|dizaine|"
    r"dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|veinte|twee|drie|vijf|zes|zeven|tien)\b"
)

# "Wie hoch ist die KAUTION …", "Quel est le MONTANT …": group `noun`.
_ART_DE = r"(?:(?:der|die|das|den|dem|des|ein|eine|unser|unsere|ihr|ihre|mein|meine) )?"
_ART_FR = r"(?:(?:le|la|les|un|une|notre|nos|votre|vos|son|sa) |l )?"
_OF = {
    "de": re.compile(
        rf"\b(?:was|wie|wer|wo|wann|welche[rsnm]?)(?: \w+)? (?:ist|sind|war|waren|lautet|heisst|"
        rf"betragt|betragen) {_ART_DE}(?P<noun>[\w-]+)"
    ),
    "fr": re.compile(
        rf"\b(?:quel(?:le)?s?|qui|quand|ou|combien) (?:est|sont|etait|etaient|sera) {_ART_FR}"
        r"(?P<noun>[\w-]+)"
    ),
    "es": re.compile(
        r"\b(?:cual(?:es)?|quien(?:es)?|donde|cuando) (?:es|son|fue|era) (?:(?:el|la|los|las) )?"
        r"(?P<noun>[\w-]+)"
    ),
    "nl": re.compile(
        r"\b(?:wat|wie|waar|hoe \w+) (?:is|zijn|was) (?:(?:de|het|een) )?(?P<noun>[\w-]+)"
    ),
}
_HOW = re.compile(
    r"\b(?:wie|hoe|que tan) ([a-z]+) (?:ist|sind|war|waren|is|zijn|was|darf|mag|es)\b"
)
_COUNTED = {
    "de": re.compile(r"\bwie ?viele?n? (?P<noun>[\w-]{3,})"),
    "fr": re.compile(r"\bcombien d[e ] ?(?P<noun>[\w-]{3,})"),
    "es": re.compile(r"\bcuant[oa]s (?P<noun>[\w-]{3,})"),
    "nl": re.compile(r"\bhoeveel (?P<noun>[\w-]{3,})"),
}


def language(text: str) -> str | None:
    """`de`, `fr`, `es` or `nl`; None is English or unknown."""
    low = fold(text)
    said = re.findall(r"[^\W_]+", low)
    votes = {name: sum(1 for word in said if word in small) for name, small in SMALL.items()}
    for name, asking in _ASKING.items():
        first = rf"^(?:\w{{1,4}} )?(?:{asking})\b"
        votes[name] += 2 if re.search(first, " ".join(said)) else 0
    # `Was bedeutet …` begins like English, too: what it goes on with decides.
    more = {name: sum(1 for word in said if word in GENERIC.get(name, ())) for name in votes}
    best = max(votes, key=lambda name: (votes[name], more[name], name == "en"))
    return None if best == "en" or votes[best] < 2 else best


def wants(text: str) -> str:
    """The kind of answer that a folded question in another language wants."""
    said = " ".join(re.findall(r"[\w-]+", text))
    return next((kind for kind, sign in _WANTS.items() if re.search(sign, said)), "text")


def counted(text: str, language: str) -> str | None:
    """`Tage` of "wie viele Tage": a folded word."""
    found = _COUNTED[language].search(" ".join(re.findall(r"[\w-]+", text)))
    return found["noun"] if found else None


def asked_of(text: str, language: str) -> list[str]:
    """The folded nouns that stand for what is asked of a thing."""
    said = " ".join(re.findall(r"[\w-]+", text))
    found = _OF[language].search(said)
    qualities = [word for word in _HOW.findall(said) if word in QUALITIES]
    return [*qualities, *([found["noun"]] if found else [])]
