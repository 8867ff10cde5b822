# ruff: noqa: E501 - a sentence is one line
"""Labelled lines in five languages: what is personal in them is marked, and what only looks so is
not. `dev` was looked at while the detectors were made; `held_out` has sentences of its own."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.ingestion.pii import made
from tests.ingestion.pii.made import digits, grouped

_Make = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    language: str
    spans: tuple[tuple[str, int, int], ...]  # kind, start, end


def _pick(*made_by: _Make) -> _Make:
    return lambda rng: rng.choice(made_by)(rng)


def _phone(country: str) -> _Make:
    """As people write them; the ranges are those kept for examples, or mobile ones."""
    d = digits
    forms: dict[str, list[_Make]] = {
        "de": [lambda r: f"+49 30 {d(r, 4)} {d(r, 3)}", lambda r: f"0151 2{d(r, 3)} {d(r, 4)}",
               lambda r: f"089/2{d(r, 6)}", lambda r: f"(040) 66969 {d(r, 3)}",
               lambda r: f"0049 171 2{d(r, 6)}"],
        "en": [lambda r: f"020 7946 0{d(r, 3)}", lambda r: f"(212) 555-01{d(r, 2)}",
               lambda r: f"+44 7700 900{d(r, 3)}", lambda r: f"+1-202-555-01{d(r, 2)}",
               lambda r: f"415-555-01{d(r, 2)}", lambda r: f"07700 900{d(r, 3)}"],
        "fr": [lambda r: f"01 99 00 {d(r, 2)} {d(r, 2)}", lambda r: f"+33 6 39 98 {d(r, 2)} {d(r, 2)}",
               lambda r: f"06.39.98.{d(r, 2)}.{d(r, 2)}", lambda r: f"06 12 3{d(r, 1)} {d(r, 2)} {d(r, 2)}"],
        "nl": [lambda r: f"06 - 1{d(r, 7)}", lambda r: f"+31 20 624 1{d(r, 3)}",
               lambda r: f"020-624 1{d(r, 3)}", lambda r: f"06 2{d(r, 7)}"],
        "es": [lambda r: f"+34 612 {d(r, 3)} {d(r, 3)}", lambda r: f"912 {d(r, 2)} {d(r, 2)} {d(r, 2)}",
               lambda r: f"6{d(r, 2)} {d(r, 3)} {d(r, 3)}"],
    }  # fmt: skip
    return _pick(*forms[country])


def _spaced(make: _Make, *sizes: int, gap: str = " ") -> _Make:
    return lambda rng: grouped(make(rng), *sizes, gap=gap) if rng.random() < 0.6 else make(rng)


def _iban(*countries: str) -> _Make:
    def make(rng: random.Random) -> str:
        found = made.iban(rng, rng.choice(countries))
        return grouped(found, *[4] * ((len(found) - 1) // 4)) if rng.random() < 0.6 else found

    return make


def _card(rng: random.Random) -> str:
    found = made.card(rng)
    form = rng.random()
    if len(found) == 15:
        return grouped(found, 4, 6)
    return found if form < 0.3 else grouped(found, 4, 4, 4, gap=" " if form < 0.7 else "-")


def _mail(*domains: str) -> _Make:
    def make(rng: random.Random) -> str:
        name = rng.choice(["m.huber", "anna.schmidt+rechnung", "j_de_vries", "o'brien", "garcia78",
                           "Claire.Petit", "info-mb", "x"])  # fmt: skip
        return f"{name}@{rng.choice(domains)}"

    return make


def _id(language: str) -> dict[str, _Make]:
    """Slot → number. The kind is the slot's first part."""
    made_by: dict[str, dict[str, _Make]] = {
        "de": {"tax_id": _spaced(made.tax_de, 2, 3, 3), "national_id": _spaced(made.svnr_at, 4)},
        "en": {"tax_id": made.ssn_us, "national_id": _spaced(made.nino_gb, 2, 2, 2, 2)},
        "fr": {"tax_id": _spaced(made.nir_fr, 1, 2, 2, 2, 3, 3),
               "national_id": lambda r: _belgian(made.nn_be(r))},
        "nl": {"tax_id": made.bsn_nl, "national_id": made.bsn_nl},
        "es": {"tax_id": made.dni_es, "national_id": made.nie_es},
    }  # fmt: skip
    return made_by[language]


def _belgian(number: str) -> str:
    return f"{number[:2]}.{number[2:4]}.{number[4:6]}-{number[6:9]}.{number[9:]}"


def _makers(language: str) -> dict[str, _Make]:
    countries = {"de": ("DE", "AT", "CH"), "en": ("GB", "DE"), "fr": ("FR", "BE"),
                 "nl": ("NL", "BE"), "es": ("ES", "IT")}[language]  # fmt: skip
    return {
        "email": _mail("example.com", "mail.example.org", "firma-nord.de", "banque.fr"),
        "phone": _phone(language), "iban": _iban(*countries), "card": _card, **_id(language),
    }  # fmt: skip


# {kind} is personal; {!name} only looks so.
_LOOKALIKES: dict[str, _Make] = {
    "d8": lambda r: digits(r, 8), "d9": lambda r: r.choice("123456789") + digits(r, 8),
    "d10": lambda r: "0" + digits(r, 9), "d11": lambda r: digits(r, 11),
    "d16": lambda r: digits(r, 16), "nocard": lambda r: grouped(made.wrong_card(r), 4, 4, 4),
    "ean": lambda r: f"4{digits(r, 12)}", "date": lambda r: f"{r.randint(1, 28):02}.0{r.randint(1, 9)}.2026",
    "span": lambda r: f"2024-{r.randint(2025, 2027)}", "money": lambda r: f"1.{digits(r, 3)}.{digits(r, 3)},50",
    "sku": lambda r: f"{r.choice('ABX')}{digits(r, 3)}-{digits(r, 4)}-{digits(r, 2)}",
    "uuid": lambda r: f"{digits(r, 8)}-{digits(r, 4)}-7{digits(r, 3)}-8{digits(r, 3)}-{digits(r, 12)}",
    "noiban": lambda r: f"DE00 {digits(r, 4)} {digits(r, 4)} {digits(r, 4)} {digits(r, 4)} {digits(r, 2)}",
    "version": lambda r: f"10.{r.randint(0, 9)}.{r.randint(0, 20)}.{r.randint(1, 99)}",
    "stamp": lambda r: f"17{digits(r, 11)}", "hex": lambda r: f"{digits(r, 6)}e{digits(r, 9)}",
    "dim": lambda r: f"{r.randint(100, 900)} x {r.randint(100, 900)} x {r.randint(100, 900)} mm",
}  # fmt: skip
_ANYWHERE = (
    "request {!uuid} took 812 ms", "logo@2x.png", "react@18.2.0 and lodash@4.17.21",
    "commit {!hex} by the build", "epoch {!stamp} in the log", "EAN {!ean}",
    "git@github.com:acme/tools.git", "follow us @acme_tools", "{!dim}",
)  # fmt: skip
DEV: dict[str, tuple[str, ...]] = {
    "de": (
        "Sie erreichen mich unter {phone} oder {email}.", "Tel.: {phone}", "Bitte auf {iban} überweisen.",
        "IBAN: {iban}", "Kreditkarte {card}, gültig bis 04/28", "Steuer-ID {tax_id}",
        "SV-Nr. {national_id}", "Fragen an {email}", "Mobil {phone} / Büro {phone}",
        "Steueridentifikationsnummer: {tax_id}", "Rechnungsnummer {!d10} vom {!date}",
        "Bestellung {!d16} wurde versandt", "Artikel {!sku}, Menge 12", "Gesamt {!money} EUR",
        "Kundennummer: {!d8}", "Vertrag Nr. {!d11}", "Version {!version} ist installiert",
        "Kontrollnummer {!nocard}", "Zeitraum {!span}", "Lieferschein {!d9} vom {!date}",
    ),
    "en": (
        "Call me on {phone} or write to {email}.", "Phone: {phone}", "Pay to IBAN {iban}.",
        "Card {card} was charged", "SSN: {tax_id}", "National Insurance number {national_id}",
        "Contact {email} for details", "Mobile {phone}", "The number is {tax_id}.", "Refund to {card}",
        "Invoice {!d10} of {!date}", "Order {!d16} has shipped", "Part {!sku}", "Tracking no. {!d11}",
        "Customer number {!d8}", "Firmware {!version}", "Serial {!nocard}", "FY {!span}",
        "Ticket {!d9} was closed", "Reference {!noiban}",
    ),
    "fr": (
        "Vous pouvez me joindre au {phone} ou à {email}.", "Tél. : {phone}", "Virement sur {iban}",
        "Carte {card}", "N° de sécurité sociale : {tax_id}", "Registre national {national_id}",
        "Écrire à {email}", "Portable {phone}", "Compte {iban}, merci", "NIR {tax_id}",
        "Facture {!d10} du {!date}", "Commande {!d16}", "Article {!sku}", "Total {!money} €",
        "Client n° {!d8}", "Dossier {!d9}", "Version {!version}", "Contrôle {!nocard}",
        "Exercice {!span}", "Référence {!noiban}",
    ),
    "nl": (
        "Bel {phone} of mail {email}.", "Telefoon: {phone}", "Maak over naar {iban}",
        "Creditcard {card}", "BSN {tax_id}", "Burgerservicenummer: {national_id}", "Vragen? {email}",
        "Mobiel {phone}", "Rekening {iban} t.n.v. ons", "Betaald met {card}", "Factuur {!d10} van {!date}",
        "Order {!d16}", "Artikel {!sku}", "Klantnummer {!d8}", "Zendnummer {!d11}",
        "Versie {!version}, build {!d9}", "Controle {!nocard}", "Boekjaar {!span}", "Bedrag {!money}",
        "Referentie {!noiban}",
    ),
    "es": (
        "Llámeme al {phone} o escriba a {email}.", "Tfno.: {phone}", "Transferencia a {iban}",
        "Tarjeta {card}", "DNI {tax_id}", "NIE: {national_id}", "Correo: {email}", "Móvil {phone}",
        "Con DNI {tax_id} y domicilio en Madrid", "Cargo en {card}", "Factura {!d10} de {!date}",
        "Pedido {!d16}", "Artículo {!sku}", "Cliente {!d8}", "Albarán {!d9}", "Versión {!version}",
        "Control {!nocard}", "Ejercicio {!span}", "Total {!money} €", "Referencia {!noiban}",
    ),
}  # fmt: skip
HELD_OUT: dict[str, tuple[str, ...]] = {
    "de": (
        "Rufen Sie uns an: {phone}", "Rückfragen bitte per Mail ({email}) oder Fon {phone}",
        "Die Gutschrift geht auf das Konto {iban} der Sparkasse", "Abgebucht von {card} am 3. Mai",
        "Meine Steuernummer beim Bund lautet {tax_id}", "Versichertennummer {national_id}",
        "Absender: Huber <{email}>", "{phone}", "IdNr. {tax_id}; geb. in Wien",
        "Zahlungsempfänger Muster GmbH, {iban}", "Sendungsverfolgung: {!d11}", "HRB {!d8} Amtsgericht Köln",
        "Zählerstand {!d9} am {!date}", "Netto {!money} zzgl. USt", "Charge {!d10}, haltbar bis {!date}",
        "Die Seriennummer ist {!d16}", "Treiber {!version}", "Abmessungen {!dim}",
        "Geschäftsjahre {!span}", "ISBN 978-3-16-148410-0",
    ),
    "en": (
        "You can reach her at {phone} after five", "Reply-To: <{email}>", "Beneficiary account {iban}",
        "Paid by Visa {card} exp 09/27", "Her social security number is {tax_id}",
        "NI no: {national_id}", "cc {email}; {email}", "Fax {phone}", "Emergency contact: {phone}",
        "Amex on file: {card}", "PO {!d10} dated {!date}", "Account {!d8} is overdue by {!money}",
        "Meter reading {!d9}", "The batch number is {!d16}", "Policy {!d11} renews in May",
        "Release {!version} fixes it", "Size {!dim}", "Season {!span}", "ISBN 978-0-306-40615-7",
        "Model {!sku} is out of stock",
    ),
    "fr": (
        "Appelez le {phone} avant midi", "Courriel : {email}", "IBAN du bénéficiaire {iban}",
        "Paiement par carte bancaire {card}", "Numéro de sécu {tax_id}", "NISS {national_id}",
        "Réponse à <{email}> svp", "Mon numéro : {phone}", "Débité sur {card}", "Assuré {tax_id}",
        "Bon de commande {!d10}", "SIREN {!d9}", "Colis {!d11} expédié le {!date}",
        "Montant {!money} EUR", "Numéro de série {!d16}", "Dimensions {!dim}", "Période {!span}",
        "Logiciel version {!version}", "Matricule {!d8}", "ISBN 978-2-07-036822-8",
    ),
    "nl": (
        "U kunt mij bereiken op {phone}", "Stuur het naar {email} a.u.b.", "Tegenrekening: {iban}",
        "Afgeschreven van {card}", "Mijn burgerservicenummer is {tax_id}", "Sofinummer {national_id}",
        "Antwoord aan <{email}>", "tel {phone}", "Storten op {iban} o.v.v. factuur", "Visa {card}",
        "Inkooporder {!d10}", "KvK {!d8}", "Pakket {!d11} verzonden op {!date}", "Totaal {!money}",
        "Serienummer {!d16}", "Afmetingen {!dim}", "Seizoen {!span}", "Software versie {!version}",
        "Meterstand {!d9}", "ISBN 978-90-274-3964-2",
    ),
    "es": (
        "Puede llamar al {phone} por la tarde", "Enviar a {email} por favor", "Cuenta {iban}",
        "Pagado con tarjeta {card}", "El documento de identidad {tax_id}", "Permiso NIE {national_id}",
        "Responder a <{email}>", "Teléfono de contacto: {phone}", "Abonar en {iban} antes del lunes",
        "Visa {card} caducada", "Orden de compra {!d10}", "Expediente {!d9}", "Envío {!d11} del {!date}",
        "Importe {!money}", "Número de serie {!d16}", "Medidas {!dim}", "Temporada {!span}",
        "Programa versión {!version}", "Matrícula {!d8}", "ISBN 978-84-376-0494-7",
    ),
}  # fmt: skip
_SLOT = re.compile(r"\{(!?)(\w+)\}")


def dev() -> list[Line]:
    return list(_lines(DEV, 11))


def held_out() -> list[Line]:
    return list(_lines(HELD_OUT, 2026))


def _lines(templates: dict[str, tuple[str, ...]], seed: int) -> Iterator[Line]:
    """250: each sentence twice with other values, and ten that are of no language."""
    rng = random.Random(seed)
    for language, sentences in templates.items():
        makers = _makers(language)
        extra = [rng.choice(_ANYWHERE) for _ in range(10)]
        for sentence in (*sentences, *sentences, *extra):
            yield _filled(sentence, language, makers, rng)


def _filled(sentence: str, language: str, makers: dict[str, _Make], rng: random.Random) -> Line:
    text, at, spans = "", 0, list[tuple[str, int, int]]()
    for slot in _SLOT.finditer(sentence):
        text += sentence[at : slot.start()]
        kind = slot[2]
        value = (_LOOKALIKES if slot[1] else makers)[kind](rng)
        if not slot[1]:
            spans.append((kind, len(text), len(text) + len(value)))
        text, at = text + value, slot.end()
    return Line(text + sentence[at:], language, tuple(spans))
