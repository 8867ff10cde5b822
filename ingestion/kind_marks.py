"""Marks of a kind of text: words that only such texts use, labels that stand together, shapes of
lines. Several of one group count once; a single mark proves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from ingestion.needles import Sought, sought


def _words(*words: str) -> tuple[Sought, ...]:
    """Patterns that begin at the beginning of a word."""
    return tuple(sought(rf"(?<!\w)(?:{word})(?!\w)", word) for word in words)


def _labels(*words: str) -> tuple[Sought, ...]:
    """The same where they head a line, or something by a colon."""
    return tuple(
        sought(rf"(?:^[\W\d]{{0,8}}(?:{w})(?!\w)|(?<!\w)(?:{w})\s{{0,3}}[:#])", w) for w in words
    )


_PAID = _words(
    r"(?:cash|change|visa|mastercard|maestro|debit|girocard|bar|rückgeld|cb|carte bancaire"
    r"|esp[eè]ces"
    r"|rendu|efectivo|tarjeta|cambio|contant|pin|kartenzahlung)\b[^\n]{0,20}\d",
    r"thank you for (?:your (?:visit|purchase|payment)|shopping|riding|dining)"
    r"|vielen dank für ihren"
    r"|wir danken für ihren|merci de votre (?:visite|achat)|gracias por su|bedankt voor"
    r"|come again"
    r"|thanks for (?:riding|your order)",
    r"auth(?:\.|orization)?(?: code)?[: ]+\w*\d|approved|cashier|terminal|till|bon-?nr",
    r"(?:we|has|have) received (?:your|a|the) (?:payment|gift|donation)|paid (?:with"
    r"|by) (?:card|visa"
    r"|mastercard|cash)|charged to|betrag dankend|bezahlt mit|by card|proof of payment|payé par",
    r"ticket de caisse|bon de caisse|beleg|kassenzettel|quittung|receipt|kassabon|recibo",
    r"(?:sub)?total|summe|gesamt|[aà] payer|totaal",
)  # fmt: skip
_LEGAL = _words(
    r"whereas|witnesseth|in witness whereof", r"hereby|hereto|hereunder|hereof|herein"
    r"|hereinafter",
    r"thereof|thereunder|thereto", r"the undersigned|by and (?:between|among)"
    r"|undersigned part(?:y|ies)",
    r"govern(?:ed|ing) (?:by|law)|construed (?:under|in accordance)|laws of", r"shall",
    r"confidential information|force majeure|event of default|limitation of liability"
    r"|indemnif\w+",
    r"terms and conditions|full force and effect|agree as follows|agree to be bound|bound by",
    r"terminat\w+ (?:on|upon|by|after|this)|written notice|successors and assigns",
    r"liability is limited|limited to (?:eur|usd|gbp|[$€£])|either party|each party",
    r"auftraggeber|auftragnehmer|vermieter|mieter|verkäufer|vertragspartner|arbeitgeber"
    r"|arbeitnehmer",
    r"§\s?\d+", r"kündigung\w*|laufzeit|haftung|vertragsgegenstand|gerichtsstand|vergütung",
    r"ci-après|il a été convenu|d'une part|bailleur|preneur|reconduction", r"art(?:icle|ikel"
    r"|ículo)\.? \d",
    r"reunidos|de una parte|arrendador\w*|cláusula|primera\.?-", r"ondergetekenden|hierna"
    r"|komen overeen",
)  # fmt: skip
_LEGAL_TITLE = re.compile(
    r"^\W*(?:[\w&.,'-]+ ){0,5}(?:agreement|contract|amendment|addendum|joinder|lease|licen[cs]e"
    r"|deed"
    r"|guarant[ye]e?|indenture|promissory note|non-disclosure|nda|terms of (?:engagement"
    r"|service|use)"
    r"|power of attorney|mandate|undertaking|warranty|consent|\w*vertrag|vereinbarung|contrat"
    r"|convention|avenant|contrato|convenio|\w*overeenkomst)\b(?! (?:no|number|nr)\b)",
    re.IGNORECASE,
)
_STEPS = _labels(
    r"purpose|objectives?|zweck|ziel|objet|objectif|doel|objetivo",
    r"scope|geltungsbereich|anwendungsbereich|domaine d'application|toepassingsgebied|alcance"
    r"|applies to",
    r"responsib\w+|verantwortlich\w*|responsables?|roles?|owner|zuständig\w*",
    r"procedure|instructions?|steps?(?: \d+)?|process steps|durchführung|étapes|déroulement"
    r"|ablauf"
    r"|werkwijze|pasos",
    r"materials?|equipment|tools needed|before you start|preparation|voraussetzungen|prérequis"
    r"|matériel",
    r"revision|version|effective(?: date)?|review date|approved by|stand",
    r"rollback|escalation|when|who|records?|references|definitions",
    r"gefahren\w*|schutzmaßnahmen|verhalten|safety|precautions",
)  # fmt: skip
_STEPS_TITLE = re.compile(
    r"\b(?:work(?:ing)? instructions?|arbeitsanweisung|betriebsanweisung|dienstanweisung"
    r"|anleitung"
    r"|verfahrensanweisung|mode opératoire|procédure|protocole|werkinstructie|procedimiento"
    r"|instrucci[oó]n\w*|procedures?|process|routine|checklist|guideline|runbook|playbook|sop)\b"
    r"|^\W*(?:how we|handling of)\b",
    re.IGNORECASE | re.MULTILINE,
)
_STEP = re.compile(
    r"(?:^|(?<=[.;:] ))\s*(?:\d{1,2}(?:\.\d+)?[.)]?|step \d+:|\(?[a-z]\)|[-*•])\s+[A-ZÀ-Ü]\w+",
    re.MULTILINE | re.IGNORECASE,
)
_CASE = (
    _labels(
        r"symptoms?|problem(?: description)?|issue|impact|what happened|störung|fehlerbild"
        r"|symptôme"
        r"|problème|summary|d2 problem|síntoma|probleem"
    ),
    _words(
        r"(?:root )?causes?(?:\s*:| was| were)|root causes?|d4 root|why:|ursache\w*"
        r"|cause racine|cause :"
        r"|causa|oorzaak|contributing factors|caused by|because"
    ),
    _words(
        r"resolution|resolved|solution|solved|fix(?:ed)?(?=[\s:.])|corrective actions?|lösung"
        r"|behoben"
        r"|maßnahmen?|correctif|oplossing|solución|to resolve|patched|workaround|mitigation"
    ),
    _words(
        r"prevention|verified|closed|incident clos|lessons learned|timeline|post-?mortem|rca|8d"
        r"|after-action|action items|backfilled|ergebnis|no data lost|follow-up actions"
    ),
)
_MEETING = _labels(
    r"attendees|present|participants|anwesend\w*|teilnehmer\w*|présents|aanwezig|asistentes"
    r"|on the call"
    r"|people",
    r"apologies|absent|entschuldigt|afwezig|excusés",
    r"agenda|tagesordnung|top \d+|ordre du jour|orden del día|topics?(?: \d+)?",
    r"decisions?|decided|agreed|beschl[uü]ss\w*|décisions?|besluit\w*|acuerdos|resolved that",
    r"action (?:items?|points?)|actions?|ai|to ?do|next steps?|follow[- ]?up|actiepunt\w*"
    r"|aufgaben",
    r"next (?:meeting|call)|nächster termin|prochaine réunion|volgende vergadering",
    r"discussion|discussed|talked about|open questions|went well|did not go well|notes?",
) + _words(
    r"called to order|adjourned|(?:meeting|session) closed", r"motion|seconded|unanimously"
    r"|re-?elected",
    r"the (?:chair|treasurer|minutes of)|members? present|apologies were",
    r"(?:we|was|were|all) agreed|we (?:discussed|walked through|talked)|will (?:test|send|write"
    r"|draft)",
)  # fmt: skip
_MEETING_TITLE = re.compile(
    r"\b(?:meeting|minutes|stand-?up|sync|retro(?:spective)?|kick-?off|1:1|one-on-one"
    r"|call (?:with"
    r"|summary|notes)|notes (?:from|of)|board|\w*protokoll|\w*sitzung|\w*besprechung|jour fixe"
    r"|compte[- ]rendu|réunion|verslag|vergadering|acta|reunión)\b",
    re.IGNORECASE,
)
_TICKET = _labels(
    r"ticket(?: (?:id|no|number))?|case (?:number|id)|request (?:id|no)|vorgang\w*",
    r"reporter|reported by|opened(?: by)?|requested by|requester|raised by|submitted by|melder"
    r"|gemeldet von|demandeur|solicitante|user|contact|customer|caller|melder",
    r"assignees?|assigned to|assignment group|zugewiesen(?: an)?|asignado a|assigné à|bearbeiter",
    r"priority|severity|urgency|priorität|dringlichkeit|priorité|prioridad|prioriteit|impact",
    r"status|state|statut|estado|zustand",
    r"category|issue type|type|labels?|milestone|component|product|kategorie|affected",
    r"steps to reproduce|expected|actual|reproduces?|environment",
    r"(?:short |problem )?description|beschreibung|descripción|omschrijving|subject|work notes",
    r"next update|due|sla|created",
)  # fmt: skip
_TICKET_TITLE = re.compile(
    r"\b(?:tickets?|incident|case|support|help ?desk|service desk|(?:bug|feature"
    r"|change) (?:report"
    r"|request)|request|\w*anfrage|störungsmeldung|demande|solicitud|melding)\b|#\d{2,}"
    r"|\b[A-Z]{2,8}-?\d{2,}",
    re.IGNORECASE,
)
_CODED = re.compile(
    r"^\W{0,4}(?P<code>[A-Z]{1,8}[-_ ]?\d{1,6}[A-Z]?|\d{1,6}|[45]\d\d)(?!\w|[.,]\d|[-/.]\d)"
    r"(?P<mark>[.):]?)\W{1,12}(?=[A-Za-zÀ-ü_]{3})(?P<text>.*)$",
    re.MULTILINE,
)
_CODES = re.compile(
    r"\b(?:codes?|errors?|faults?|alarms?|exit|sqlstate|troubleshooting|diagnos\w+|messages?"
    r"|\w*fehler\w*|störung\w*|erreurs?|errores|foutcodes?|meldungen)\b|\w+codes?\b",
    re.IGNORECASE,
)
_MOST = 4  # above what the words of a title count
_PRICED = re.compile(r"\d[.,]\d\d\b\D{0,4}$")


_BILLED = _labels(
    r"invoice(?: (?:no|number|date|#))?\.?|rechnung(?:snummer|sdatum)?|facture|factura"
    r"|factuur\w*",
    r"(?:amount|balance|total) due|please pay|pay by|zahlbar|rechnungsbetrag|net à payer"
    r"|te betalen"
    r"|total a pagar|payable",
    r"bill(?:ed)? to|sold to|invoice to|kundennummer|customer (?:no|number)|client",
    r"(?:zzgl\.? )?(?:\d+ ?% )?(?:vat|mwst|ust|tva|btw|iva|sales tax)",
) + _words(
    r"iban|sort code|bank (?:details|transfer)|bankverbindung|überweis\w+",
    r"net(?:to)? \d+|within \d+ days|innerhalb von|due date|échéance|vencimiento|vervaldatum"
    r"|terms:",
    r"qty|quantity|unit price|menge|einzelpreis|quantité|prix unitaire|cantidad|aantal",
)  # fmt: skip


def _hits(patterns: tuple[Sought, ...], text: str) -> int:
    small = text.lower()
    return sum(pattern.fits(text, small) for pattern in patterns)


def _invoice(head: str, text: str) -> int:
    return max(0, _hits(_BILLED, text) - 2)


def _receipt(head: str, text: str) -> int:
    return max(0, _hits(_PAID, text) - 1)


def _contract(head: str, text: str) -> int:
    titled = any(_LEGAL_TITLE.match(line) for line in head.splitlines()[:4] if line.strip())
    return max(0, _hits(_LEGAL, text) - 1) + 2 * titled


def _sop(head: str, text: str) -> int:
    listed = len(_STEP.findall(text)) >= 3
    titled = _STEPS_TITLE.search("\n".join(head.splitlines()[:2])) is not None
    labels = _hits(_STEPS, text)
    return (max(0, labels - 1) + listed + 2 * titled) if titled or labels > 1 else 0


def _resolution(head: str, text: str) -> int:
    problem, cause, fix, more = (_hits(group, text) > 0 for group in _CASE)
    told = problem + cause + fix + more
    return told if cause + fix + more >= 2 and (cause or fix) and (fix or more) else 0


def _meeting_notes(head: str, text: str) -> int:
    titled = _MEETING_TITLE.search("\n".join(head.splitlines()[:2])) is not None
    hits = _hits(_MEETING, text)
    return max(0, hits - 1) + titled if titled or hits > 2 else 0


def _ticket(head: str, text: str) -> int:
    titled = _TICKET_TITLE.search("\n".join(head.splitlines()[:2])) is not None
    hits = _hits(_TICKET, text)
    return max(0, hits - 1) + titled if titled or hits > 3 else 0


def _error_codes(head: str, text: str) -> int:
    """A list of codes with what each means: no prices, no count from one."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = [m for m in _CODED.finditer(text) if not _PRICED.search(m["text"])]
    codes = [m["code"] for m in found]
    lettered = sum(code[0].isalpha() for code in codes)
    told = _CODES.search("\n".join(head.splitlines()[:2])) is not None
    if len(set(codes)) < 3 or len(codes) * 2 < len(lines):
        return 0
    if lettered * 2 < len(codes) and (not told or [m["mark"] for m in found].count(".") > 1):
        return 0
    return 2 + 2 * told


_RULES: dict[str, Callable[[str, str], int]] = {
    "invoice": _invoice, "receipt": _receipt, "contract": _contract, "sop": _sop,
    "resolution": _resolution, "meeting_notes": _meeting_notes, "ticket": _ticket,
    "error_codes": _error_codes,
}  # fmt: skip


def marks(head: str, text: str) -> dict[str, int]:
    """How many marks of each kind the text bears; `head` are its title and first lines."""
    return {kind: min(rule(head, text), _MOST) for kind, rule in _RULES.items()}
