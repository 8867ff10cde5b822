"""Whom ClearPay buys from. Invented companies; the IBANs are their countries' specimen numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vendor:
    name: str
    address: tuple[str, ...]
    tax_id: str
    iban: str
    bank: str
    mail: str
    phone: str


NORTHWIND = Vendor(
    "Northwind Cloud Services Inc.", ("500 Harbor Boulevard, Suite 1200", "Seattle, WA 98101, USA"),
    "EIN 91-2047713", "Routing 125000024 · Account 004412087", "Cascade National Bank",
    "billing@northwind-cloud.example", "+1 206 555 0142",
)  # fmt: skip
KESSLER = Vendor(
    "Kessler Datentechnik GmbH", ("Ottostraße 27", "80333 München"),
    "DE 274 119 853", "DE89 3704 0044 0532 0130 00", "Isar Handelsbank",
    "rechnung@kessler-datentechnik.example", "+49 89 5550 1770",
)  # fmt: skip
ATLAS = Vendor(
    "Atlas Telecom LLC", ("77 Meridian Way", "Denver, CO 80202, USA"),
    "EIN 84-3310926", "Routing 102000076 · Account 77103311", "Front Range Bank",
    "invoices@atlas-telecom.example", "+1 303 555 0187",
)  # fmt: skip
ALPEN = Vendor(
    "Alpen Papier & Büro KG", ("Innrain 112", "6020 Innsbruck, Österreich"),
    "ATU 6618 2340", "AT61 1904 3002 3457 3201", "Tiroler Gewerbebank",
    "buchhaltung@alpen-papier.example", "+43 512 555 630",
)  # fmt: skip
LUMEN = Vendor(
    "Lumen Design Studio", ("4 Weavers Lane", "Cork T12 Y8HN, Ireland"),
    "IE 9812345B", "IE29 AIBK 9311 5212 3456 78", "Lee Valley Bank",
    "accounts@lumen-studio.example", "+353 21 555 0119",
)  # fmt: skip
SENTINEL = Vendor(
    "Sentinel Backup Corp.", ("1900 Lakeshore Drive", "Chicago, IL 60614, USA"),
    "EIN 36-4471820", "Routing 071000013 · Account 90217755", "Prairie Trust",
    "ar@sentinel-backup.example", "+1 312 555 0166",
)  # fmt: skip
BRIGHTWATER = Vendor(
    "Brightwater Consulting Partners", ("212 Beacon Street", "Boston, MA 02116, USA"),
    "EIN 04-3902217", "Routing 011000015 · Account 55190346", "Commonwealth Savings",
    "office@brightwater.example", "+1 617 555 0131",
)  # fmt: skip
GLOBEX = Vendor(
    "Globex Licensing SAS", ("31 rue de la Fontaine", "69003 Lyon, France"),
    "FR 40 303 265 045", "FR14 2004 1010 0505 0001 3M02 606", "Crédit du Rhône",
    "facturation@globex-licensing.example", "+33 4 55 50 17 22",
)  # fmt: skip
TRANSIT = Vendor(
    "Transit Freight B.V.", ("Waalhaven Oostzijde 81", "3087 BM Rotterdam, Netherlands"),
    "NL 0044 95 445 B01", "NL91 ABNA 0417 1643 00", "Maasbank",
    "debiteuren@transit-freight.example", "+31 10 555 0148",
)  # fmt: skip
MERIDIAN = Vendor(
    "Meridian Hosting Ltd", ("Unit 9, Kelvin Park", "Glasgow G12 8QQ, United Kingdom"),
    "GB 980 7806 84", "GB29 NWBK 6016 1331 9268 19", "Clyde & Forth Bank",
    "billing@meridian-hosting.example", "+44 141 555 0173",
)  # fmt: skip
PACIFIC = Vendor(
    "Pacific Couriers Inc.", ("88 Embarcadero South", "San Francisco, CA 94105, USA"),
    "EIN 94-1120456", "Routing 121000248 · Account 66207781", "Golden Gate Trust",
    "billing@pacific-couriers.example", "+1 415 555 0109",
)  # fmt: skip
JUNIPER = Vendor(
    "Juniper Translations", ("Via Torino 61", "20123 Milano, Italy"),
    "IT 12345670017", "IT60 X054 2811 1010 0000 0123 456", "Banca dei Navigli",
    "studio@juniper-translations.example", "+39 02 5550 1184",
)  # fmt: skip
ORBIT = Vendor(
    "Orbit Compute Inc.", ("2450 Innovation Parkway", "Austin, TX 78744, USA"),
    "EIN 74-2298031", "Routing 111000025 · Account 90033155", "Lone Star Commercial",
    "receivables@orbit-compute.example", "+1 512 555 0175",
)  # fmt: skip
HARBOR = Vendor(
    "Harbor Bistro", ("3 Custom House Plaza", "Boston, MA 02110, USA"),
    "EIN 04-7731029", "", "", "hello@harbor-bistro.example", "+1 617 555 0102",
)  # fmt: skip
