"""What was said, by whom and when."""

from __future__ import annotations

import pytest

from core.codec import decode, encode
from core.documents import Cell, Document
from core.errors import Unfinishable
from core.grid import Grid
from ingestion import Limits, subtitles

VTT = """WEBVTT - Weekly call

STYLE
::cue { color: red }

NOTE made by a machine

intro
00:01.000 --> 00:04.500 align:start
<v Anna Berg>We ship on <b>Friday</b> &amp; not before.

01:00:05.000 --> 01:00:06.000
BOB: Agreed: on Friday.
"""
SRT = (
    "1\r\n00:00:01,000 --> 00:00:02,500\r\n- Anna: Hello\r\n- Bob: Hi\r\n\r\n"
    "2\r\n00:00:03,000 --> 00:00:04,000\r\n<i>Music</i>\r\nthe rule is: none\r\n"
)


def _rows(text: str, encoding: str = "utf-8") -> list[tuple[str, ...]]:
    document = subtitles.read(text.encode(encoding), Limits())
    return [tuple(cell.text for cell in row) for row in document.pages[0].tables[0].rows[1:]]


def test_cues_have_times_and_speakers() -> None:
    assert _rows(VTT) == [
        ("00:00:01.000", "00:00:04.500", "Anna Berg", "We ship on Friday & not before."),
        ("01:00:05.000", "01:00:06.000", "BOB", "Agreed: on Friday."),
    ]
    document = subtitles.read(VTT.encode(), Limits())
    assert (document.format, document.title) == ("vtt", "Weekly call")
    assert document.metadata["speakers"] == ["Anna Berg", "BOB"]
    assert document.metadata["seconds"] == 3606.0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_two_who_speak_in_one_cue_are_told_apart(encoding: str) -> None:
    assert _rows(SRT, encoding) == [
        ("00:00:01.000", "00:00:02.500", "Anna", "Hello"),
        ("00:00:01.000", "00:00:02.500", "Bob", "Hi"),
        ("00:00:03.000", "00:00:04.000", "", "Music the rule is: none"),
    ]


def test_without_times_there_is_nothing_to_read() -> None:
    with pytest.raises(Unfinishable) as caught:
        subtitles.read(b"WEBVTT\n\nno times\n", Limits())
    assert caught.value.slug == "corrupted"


def test_a_long_talk_is_kept_by_columns_and_comes_back_as_its_cells() -> None:
    cues = "".join(
        f"00:00:{n % 60:02}.000 --> 00:00:59.000\nAnna: word {n}\n\n" for n in range(600)
    )
    whole = subtitles.read(f"WEBVTT\n\n{cues}".encode(), Limits())
    rows = decode(Document, encode(Document, whole)).pages[0].tables[0].rows
    assert isinstance(rows, Grid)
    assert rows[0][0] == Cell("start", 0, 0, "start")
    assert rows[600][2:] == (Cell("Anna", 600, 2, "Anna"), Cell("word 599", 600, 3, "word 599"))
