"""Pictures of phones are decoded in the child alone; what they claim is not believed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.errors import Unfinishable
from ingestion import sniff
from tests.ingestion import scans
from tests.ingestion.heics import HEIGHT, WIDTH, heic
from tests.ingestion.test_images import Looker, read

ROOT = Path(__file__).parents[2]


def dark(looker: Looker, x: int, y: int) -> bool:
    """Whether a place of the still is black; a small picture is shown at twice its size."""
    shown = looker.shown[0]
    return shown.pixels[2 * y * shown.width + 2 * x] < 40


def test_a_phone_s_picture_is_read() -> None:
    looker = Looker()
    data = heic()
    document = read(data, sniff(data, "IMG_0001.HEIC"), looker)
    assert (document.format, document.pages[0].text) == ("heic", "seen")
    assert (looker.shown[0].width, looker.shown[0].height) == (2 * WIDTH, 2 * HEIGHT)
    assert dark(looker, 20, 20)
    assert not dark(looker, 20, 100)


@pytest.mark.parametrize(
    ("turns", "place"), [(1, (20, 236)), (2, (236, 108)), (3, (108, 20))], ids=str
)
def test_a_phone_s_turn_is_undone(turns: int, place: tuple[int, int]) -> None:
    looker = Looker()
    read(heic(turns=turns), "heic", looker)
    shown = looker.shown[0]
    assert (shown.width > shown.height) is (turns == 2)
    assert dark(looker, *place)


def test_an_avif_is_told_apart_and_turned_as_its_camera_says() -> None:
    picture = Image.new("L", (1000, 2000), 255)
    picture.paste(0, (50, 1800, 100, 1900))
    exif = Image.Exif()
    exif[0x112] = 6
    data = scans.packed(picture.convert("RGB"), format="AVIF", exif=exif, speed=10)
    looker = Looker()
    assert read(data, sniff(data, "a.avif"), looker).format == "avif"
    assert (looker.shown[0].width, looker.shown[0].height) == (2000, 1000)
    assert looker.shown[0].pixels[60 * 2000 + 150] < 40


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: heic(size=(60_000, 60_000)), "limit_memory"),
        (lambda: heic(size=(9_000, 8_000)), "corrupted"),
        (lambda: heic(size=(16, 16)), "corrupted"),
        (lambda: heic(size=(0, 0)), "corrupted"),
        (lambda: heic()[:-30], "corrupted"),
        (lambda: heic()[:200], "corrupted"),
        (lambda: heic(length=2**31), "corrupted"),
        (lambda: heic(still=b"\0\0\0\x3d" + random.Random(1).randbytes(61)), "corrupted"),
        (lambda: b"\0\0\0\x18ftypheic" + bytes(500), "corrupted"),
    ],
    ids=["giant", "larger", "smaller", "nothing", "cut", "cut early", "far", "noise", "empty"],
)
def test_what_a_heic_claims_is_not_believed(made: Callable[[], bytes], code: str) -> None:
    with pytest.raises(Unfinishable) as refused:
        read(made(), "heic", Looker())
    assert refused.value.slug == code


THREADS = """
import os, sys, threading
sys.path.insert(0, sys.argv[1])
from ingestion import jail
jail.enter([])
if os.fork() == 0:
    jail.enter_child(2**30, 5, threads=sys.argv[2] == "threads")
    def tried(what):
        try:
            what()
        except (OSError, RuntimeError):
            return "refused"
        return "allowed"
    thread = threading.Thread(target=int)
    program = lambda: os.posix_spawn("/bin/true", ["true"], {})
    print(tried(thread.start), tried(os.fork), tried(program))
    sys.stdout.flush()
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="walls of the Linux kernel")
@pytest.mark.parametrize(("kind", "thread"), [("threads", "allowed"), ("none", "refused")])
def test_a_decoder_s_thread_is_no_way_to_a_process(kind: str, thread: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", THREADS, str(ROOT), kind],
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout.split()  # fmt: skip
    assert told == [thread, "refused", "refused"]
