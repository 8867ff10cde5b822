# ruff: noqa: E501 - a sentence is told on a line
"""Texts in the encodings of the world, tables with spans, and records that are too many."""

from __future__ import annotations

import json

import pytest

from core.errors import Unfinishable, UnsupportedFormat
from ingestion import Limits, html, json_, sniff, text

WORDS = {
    "cp1251": "Договор поставки заключён между двумя сторонами в городе Москве.",
    "koi8-r": "Договор поставки заключён между двумя сторонами в городе Москве.",
    "shift_jis": "この契約は東京で締結されました。両当事者は以下の通り合意する。",
    "gb18030": "本合同由双方在北京签订。双方同意以下条款和条件。",
    "cp1253": "Η σύμβαση υπογράφηκε στην Αθήνα μεταξύ των δύο μερών.",
    "utf-16-le": "Größe und Länge für Köln ohne Marke am Anfang.",
    "utf-16-be": "Größe und Länge für Köln ohne Marke am Anfang.",
}


@pytest.mark.parametrize(("encoding", "words"), WORDS.items())
def test_texts_are_read_in_their_encoding(encoding: str, words: str) -> None:
    data = "\n".join([words] * 5).encode(encoding)
    assert sniff(data, "noname") == "txt"
    assert text.read(data, Limits()).pages[0].text.split("\n")[0] == words


CENTRAL = (
    "Umowa została zawarta w Łodzi między stronami, które zgadzają się na poniższe warunki płatności.",
    "Smlouva byla uzavřena v Plzni mezi smluvními stranami, které souhlasí s těmito podmínkami. Žádost",
    "Zmluva bola uzavretá v Košiciach medzi zmluvnými stranami, ktoré súhlasia; ľahká úľava, časť, či.",
    "A szerződést a felek Győrben kötötték, és az alábbi feltételekkel értenek egyet; fizetendő, űrlap.",
    "Ugovor je sklopljen u Osijeku između stranaka koje pristaju na sljedeće uvjete plaćanja i još što.",
    "Pogodba je bila sklenjena med strankama; račun je treba plačati v roku, znesek je še določen, že.",
    "Contractul a fost încheiat în oraşul Braşov între părţi, care sunt de acord cu următoarele condiţii.",
)
WESTERN = (
    "Der Vertrag wurde in Köln geschlossen; die Größe der Fläche beträgt 40 m² für jährlich 3 € Gebühr.",
    "Le contrat a été signé à Orléans; le cœur de l’œuvre, où l’on paye à la première échéance dûment.",
    "El contrato se firmó en A Coruña. ¿Quién paga la 1ª cuota? El año próximo, según el artículo 3º.",
    "O contrato foi assinado em São Paulo; as condições são válidas até à revisão, no 2º ano, e não há mais.",
    "Il contratto è stato firmato; perciò pagherà di più, cioè così sarà già lunedì, né potrà esser giù.",
    "Kontrakten blev underskrevet i Århus; køber og sælger er enige om følgende vilkår på førstkommende.",
    "Leping sõlmiti Tallinnas; pooled nõustuvad järgmiste tingimustega, šokolaad, žürii, käesolev öö.",
    "Samningurinn var gerður í Reykjavík; það er þörf á því að greiða, ef aðilar eru sammála um þetta.",
    "Alþingi samþykkti lög um íþróttir; samþykktin er birt í dag og íþróttamenn fagna henni.",
    "Raumbedarf 40 m³, dazu 12 m³ Kies; siehe Anmerkung¹ und Anmerkung³ für die Länge der Größen.",
    "Sopimus tehtiin Jyväskylässä; osapuolet hyväksyvät nämä ehdot, šekki ja žurnaali, yötä päivää.",
    "Het contract werd gesloten in Curaçao; de cliënt, één geïnteresseerde, betaalt vóór de 3e termijn.",
)


@pytest.mark.parametrize("words", CENTRAL)
def test_central_europe_is_told_by_its_letters(words: str) -> None:
    assert text.read(words.encode("cp1250"), Limits()).pages[0].text == words


@pytest.mark.parametrize("words", WESTERN)
def test_the_west_stays_the_west(words: str) -> None:
    assert text.read(words.encode("cp1252"), Limits()).pages[0].text == words


def test_names_that_stand_twice_are_told_and_the_last_is_kept() -> None:
    for data in (b'{"sum": 1, "sum": 2}', b'{"sum": 1, "sum": 2}\n{"sum": 3}\n'):
        document = json_.read(data, Limits())
        assert "2" in document.pages[0].text
        assert "1" not in document.pages[0].text
        assert document.warnings == (
            "The name 'sum' stands more than once in one object (1 objects); the last value was kept.",
        )
    assert json_.read(b'[{"a": 1}, {"a": 2}]', Limits()).warnings == ()


def test_numbers_of_two_bytes_are_no_text() -> None:
    with pytest.raises(UnsupportedFormat):
        sniff(b"".join(n.to_bytes(2, "little") for n in range(200)), "noname")


def test_cells_that_reach_down_take_their_column() -> None:
    page = html.read(
        b"<table><tr><th>Area</th><th>Item</th><th>Sum</th></tr>"
        b"<tr><td rowspan=2>North</td><td>Pens</td><td>3</td></tr><tr><td>Ink</td><td>4</td></tr>"
        b"<tr><td>South</td><td colspan=2>none</td></tr>"
        b"<tr><td>East</td><td>Ink</td><td>5</td></tr>"
        b"</table>",
        Limits(),
    ).pages[0]
    places = [[(cell.text, cell.col) for cell in row] for row in page.tables[0].rows]
    assert places[1:] == [
        [("North", 0), ("Pens", 1), ("3", 2)], [("Ink", 1), ("4", 2)],
        [("South", 0), ("none", 1)], [("East", 0), ("Ink", 1), ("5", 2)],
    ]  # fmt: skip


def test_lists_in_lists_have_their_depth() -> None:
    page = html.read(b"<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>", Limits()).pages[0]
    assert [(page.text[b.start : b.end], b.level) for b in page.blocks] == [
        ("a", 1), ("b", 2), ("c", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("lines", [True, False])
def test_a_long_list_of_records_is_read_one_by_one(lines: bool) -> None:
    one = {"name": "x" * 500, "n": 1}
    many = [one] * 4000
    data = "\n".join(map(json.dumps, many)) if lines else json.dumps(many, indent=1)
    document = json_.read(data.encode(), Limits(cells=1000))
    assert document.metadata["records"] == 500
    assert document.warnings == ("Only the first 500 records were read: there are too many.",)


def test_more_columns_than_cells_allow_are_cut_by_rows() -> None:
    many = [{f"k{n}": n} for n in range(50)]
    document = json_.read(json.dumps(many).encode(), Limits(cells=500))
    assert document.warnings == ("Only the first 10 of 50 records were read.",)


@pytest.mark.parametrize("end", ["", ", {", "x]"])
def test_a_long_list_that_is_cut_off_is_damaged(end: str) -> None:
    data = "[" + ", ".join(['{"a": "' + "x" * 1000 + '"}'] * 1200) + end
    with pytest.raises(Unfinishable) as caught:
        json_.read(data.encode(), Limits())
    assert caught.value.slug == "corrupted"
