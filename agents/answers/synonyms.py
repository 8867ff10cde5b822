"""Words that mean about the same in the documents of an office, per language (folded)."""

from __future__ import annotations

from functools import lru_cache

from agents.answers.inflection import root
from vectorstore.words import fold

_LISTS = {
    "de": """verantwortlich zuständig leiter leitet betreut verantwortung;kosten preis kostet gebühr
        betrag entgelt tarif;frist zeitraum dauer dauert;kündigung kündigen beenden auflösen;gehalt
        lohn vergütung;mitarbeiter beschäftigte angestellte personal mitarbeiterin;chef leiter
        leitung vorgesetzte vorgesetzter;kunde auftraggeber käufer besteller;lieferant verkäufer
        auftragnehmer anbieter;zahlen bezahlen überweisen begleichen zahlung;genehmigen freigeben
        genehmigung freigabe zustimmen zustimmung erlauben;verschieben verschoben verlegt vertagt;
        beginnen starten anfangen beginn start;enden ende endet ablaufen läuft schluss;grund ursache
        weshalb warum weil auslöser;beheben behoben lösung gelöst behebung abhilfe;bedeuten heisst
        bedeutung steht;aufbewahren gespeichert aufbewahrung speichern aufbewahrt;löschen gelöscht
        löschung entfernen vernichtet;melden gemeldet benachrichtigen informieren mitteilen
        verständigen;stattfinden findet statt abgehalten;urlaub urlaubstage ferien;homeoffice
        mobilarbeit telearbeit;höchstens maximal maximum höchstmenge obergrenze;mindestens minimum
        minimal;öffnungszeiten geöffnet öffnet;beschliessen beschlossen entschieden entscheidung
        beschluss vereinbart;teilnehmen teilgenommen anwesend teilnehmer;kaufen gekauft anschaffen
        beschaffen erworben;störung ausfall fehler;rabatt nachlass skonto;schicken senden versenden
        gesendet zusenden;telefonnummer telefon rufnummer durchwahl;adresse anschrift;jährlich jahr;
        monatlich monat;wöchentlich woche;täglich tag;erhalten bekommen kriegen bekommt;auftreten
        passieren geschehen passiert;sitz hauptsitz gerichtsstand;verzug verspätung verspätet;strafe
        vertragsstrafe pönale;erneuern verlängern verlängerung verlängert""",
    "fr": """responsable chargé dirige charge référent;prix coût tarif coûte montant frais;durée
        délai
        période dure;résiliation résilier résilié préavis;salaire rémunération paie;employé salarié
        collaborateur personnel agent;chef directeur directrice responsable;client acheteur;
        fournisseur vendeur prestataire;payer paiement régler règlement verser versement;approuver
        approbation valider validation autoriser autorisation accord accorder;reporter reporté
        décalé déplacé repoussé;commencer début débuter démarrer;finir fin terminer expire échéance;
        cause raison pourquoi origine car;résoudre résolution réparer solution corriger;signifier
        signifie désigne correspond;conserver conservé conservation stocker garder;supprimer
        suppression effacer détruit;informer prévenir avertir signaler notifier;congé vacances
        congés;télétravail distance;maximum maximal plus plafond;minimum minimal moins;ouvert ouvre
        ouverture horaires;décider décision décidé convenu;participer participant présent assister;
        acheter achat acquérir;panne incident interruption arrêt;remise réduction escompte rabais;
        envoyer envoi transmettre adresser;téléphone numéro;siège adresse;annuel an année;mensuel
        mois;hebdomadaire semaine;quotidien jour;recevoir obtenir toucher;arriver produire survenir;
        retard tardif;pénalité amende indemnité;renouveler renouvellement reconduction prolonger;
        signer signature signé;livraison livrer livré""",
    "es": """responsable encargado;precio coste tarifa cuesta importe;plazo duración período dura;
        pagar pago abonar;aprobar aprobación autorizar;motivo causa razón;cliente comprador;empleado
        trabajador personal;empezar comenzar inicio;terminar fin finaliza vence;enviar envío;
        comprar compra adquirir;año anual;mes mensual;semana semanal;día diario""",
    "nl": """verantwoordelijk bevoegd leider;prijs kosten kost bedrag tarief;termijn duur periode
        duurt;betalen betaling voldoen;goedkeuren goedkeuring toestemming;oorzaak reden waarom
        omdat;klant koper;medewerker werknemer personeel;beginnen start begin;eindigen einde;
        opzeggen opzegging beëindigen;bewaren bewaartermijn opslaan;sturen verzenden;jaar jaarlijks;
        maand maandelijks;week wekelijks;dag dagelijks""",
}


@lru_cache(maxsize=8)
def groups(language: str) -> dict[str, frozenset[str]]:
    """Root → all roots of its group; empty for a language without a list."""
    found: dict[str, frozenset[str]] = {}
    for line in _LISTS.get(language, "").split(";"):
        roots = frozenset(root(fold(word), language) for word in line.split())
        for one in roots:
            found[one] = found.get(one, frozenset()) | roots
    return found
