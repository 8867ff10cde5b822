"""A hostile file costs one child; the platform does not notice."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import Limits, achieved_level, forkserver, parse, sandbox, zygote
from ingestion.child import SHEET
from ingestion.gathering import collect
from ingestion.paging import Opened, Reading, Skipped
from tests.ingestion import builders

ROOT = Path(__file__).parents[2]
MIB = 2**20


def refusal(data: bytes, name: str, format: str, limits: Limits | None = None) -> str:
    with pytest.raises(Unfinishable) as caught:
        parse(data, name, format, limits=limits)
    assert caught.value.detail
    return caught.value.slug


def server() -> psutil.Process:
    parse(b"warm", "a.txt", "txt")
    running = forkserver.found()
    assert running is not None
    return psutil.Process(running.process.pid)


def eventually(done: object, seconds: float = 10) -> bool:
    assert callable(done)
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not done():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.02)
    return True


def test_a_document_comes_back_whole_from_the_child() -> None:
    document = parse("Grüße\n\nfrom here".encode(), "a.txt", "txt")
    assert document.pages[0].text == "Grüße\n\nfrom here"


def test_the_sheet_that_warms_the_parsers_up_is_read_as_any_other() -> None:
    document = parse(SHEET, "a.pdf", "pdf")
    assert document.text == "The 2 words"
    assert not document.warnings


def test_bytes_of_attachments_survive_the_way_back() -> None:
    message = builders.mail("See file", From="a@b.example", Subject="x")
    message.add_attachment(
        bytes(range(256)), maintype="application", subtype="x-y", filename="a.bin"
    )
    assert parse(message.as_bytes(), "m.eml", "eml").attachments[0].data == bytes(range(256))


def test_memory_hunger_ends_the_child_alone() -> None:
    before = server()
    bomb = builders.docx(f"<w:p>{'<w:r><w:t>A</w:t></w:r>' * 900_000}</w:p>")
    assert refusal(bomb, "a.docx", "docx", Limits(memory_bytes=150 * MIB)) == "limit_memory"
    assert parse(b"still here", "a.txt", "txt").pages[0].text == "still here"
    assert server().pid == before.pid


def test_a_deadline_ends_the_child_alone() -> None:
    # pdfium needs far longer for this than it is given.
    slow = bad_page_pdf(before=0, after=0)
    started = time.monotonic()
    assert refusal(slow, "a.pdf", "pdf", Limits(seconds=0.4)) == "limit_time"
    assert time.monotonic() - started < 15
    assert parse(b"still here", "a.txt", "txt").pages[0].text == "still here"


def test_a_page_that_never_ends_is_skipped_and_named() -> None:
    document = parse(bad_page_pdf(2, 2), "a.pdf", "pdf", limits=Limits(page_seconds=0.4))
    assert [page.number for page in document.pages] == [1, 2, 4, 5]
    assert [page.text for page in document.pages] == ["page 1", "page 2", "page 4", "page 5"]
    assert document.warnings[0].startswith("page 3 was skipped: Reading this page takes longer")
    assert document.metadata["pages"] == 5


def test_a_bad_first_page_costs_itself_alone() -> None:
    document = parse(bad_page_pdf(0, 2), "a.pdf", "pdf", limits=Limits(page_seconds=0.4))
    assert [page.number for page in document.pages] == [2, 3]


def test_a_bad_last_page_leaves_the_document_its_facts() -> None:
    document = parse(bad_page_pdf(1, 0), "a.pdf", "pdf", limits=Limits(page_seconds=0.4))
    assert [page.number for page in document.pages] == [1]
    assert document.metadata["pages"] == 2


def test_children_are_started_again_so_many_times() -> None:
    limits = Limits(page_seconds=0.3, restarts=1)
    document = parse(bad_page_pdf(1, 1, bad=3), "a.pdf", "pdf", limits=limits)
    assert [page.number for page in document.pages] == [1]
    assert document.warnings[0].startswith("page 2 was skipped: ")
    assert document.warnings[1].startswith("Reading stopped at page 3: ")


def test_the_time_of_the_whole_document_holds_over_all_children() -> None:
    limits = Limits(seconds=0.9, page_seconds=0.4, restarts=50)
    started = time.monotonic()
    document = parse(bad_page_pdf(1, 1, bad=9), "a.pdf", "pdf", limits=limits)
    assert time.monotonic() - started < 15
    assert [page.number for page in document.pages] == [1]
    assert "Reading stopped at page" in document.warnings[-1]


def test_a_reader_without_a_child_names_its_skipped_pages_too() -> None:
    def reading() -> Reading:
        yield Opened(3, Document("pdf", ()))
        yield Page(1, "one")
        yield Skipped(2, "it is damaged")
        yield Page(3, "three")
        return Document("pdf", ())

    document = collect(reading())
    assert [page.text for page in document.pages] == ["one", "three"]
    assert document.warnings == ("page 2 was skipped: it is damaged.",)


def bad_page_pdf(before: int, after: int, bad: int = 1) -> bytes:
    """Pages that say their number, and between them `bad` ones whose form draws itself by way of
    eleven others, ten times each: pdfium needs far longer for one than it is given."""
    count = 12
    total = before + bad + after
    forms = 4 + 2 * total
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(total))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {total}>>", font]
    for n in range(total):
        is_bad = before <= n < before + bad
        resources = f"<</Font<</A 3 0 R>>/XObject<</F0 {forms} 0 R>>>>"
        page = f"/MediaBox[0 0 600 800]/Contents {5 + 2 * n} 0 R/Resources{resources}"
        objects.append(f"<</Type/Page/Parent 2 0 R{page}>>")
        good = f"BT /A 12 Tf 72 700 Td (page {n + 1}) Tj ET"
        objects.append(_stream("/F0 Do " * 10 if is_bad else good))
    for n in range(count - 1):
        inner = f"/Resources<</XObject<</F{n + 1} {forms + n + 1} 0 R>>>>"
        objects.append(_stream(f"/F{n + 1} Do " * 10, _FORM + inner))
    font = f"/Resources<</Font<</A {font}>>>>"
    objects.append(_stream("BT /A 9 Tf 10 10 Td (x) Tj ET", _FORM + font))
    out = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{content}endobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n{len(out)}\n%%EOF"
    return out + end.encode()


_FORM = "/Type/XObject/Subtype/Form/BBox[0 0 600 800]"


def _stream(content: str, extra: str = "") -> str:
    return f"<<{extra}/Length {len(content)}>>stream\n{content}\nendstream "


def test_an_answer_over_the_cap_is_refused() -> None:
    assert refusal(b"word " * 50_000, "a.txt", "txt", Limits(output_bytes=10_000)) == "limit_memory"


def test_files_are_read_side_by_side() -> None:
    def one(number: int) -> str:
        return parse(f"file {number}".encode() * 1000, "a.txt", "txt").pages[0].text[:8].strip()

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(one, range(40)))
    assert [text.startswith(f"file {n}"[:8]) for n, text in enumerate(texts)] == [True] * 40


def test_nothing_is_left_behind() -> None:
    process = server()
    here = psutil.Process()
    before = here.num_fds(), process.num_fds()
    for _ in range(20):
        parse(b"x", "a.txt", "txt")
        refusal(b"%PDF-1.7 broken", "a.pdf", "pdf")
    assert eventually(lambda: not process.children())
    assert eventually(lambda: here.num_fds() <= before[0] and process.num_fds() <= before[1])


def test_a_killed_server_is_replaced() -> None:
    old = server()
    old.kill()
    assert parse(b"again", "a.txt", "txt").pages[0].text == "again"
    assert server().pid != old.pid


def test_the_idle_server_is_small() -> None:
    held = server().memory_full_info().pss if sys.platform == "linux" else 0
    assert held < 40 * MIB


def test_the_server_dies_with_its_parent() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ingestion import forkserver, parse\n"
        "parse(b'x', 'a.txt', 'txt')\n"
        "print(forkserver.found().process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(ROOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        assert psutil.pid_exists(orphan)
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not _alive(orphan))


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_house_and_its_data_are_no_files_of_the_parsers() -> None:
    allowed = {path.resolve() for path in zygote._own_files()}
    assert ROOT not in allowed
    assert not allowed & set(ROOT.parents)


def test_parsers_are_never_loaded_into_the_platform() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from ingestion import parse, sniff\n"
        "data = b'<!doctype html><p>x'\n"
        "parse(data, 'a.html', sniff(data, 'a.html'))\n"
        "libraries = {'lxml', 'pypdfium2', 'selectolax', 'python_calamine'}\n"
        "print(sorted(libraries & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script, str(ROOT)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


def test_walls_are_named() -> None:
    server()
    level = achieved_level()
    assert level["limits"] == "rlimits"
    assert set(level) == {"limits", "network", "files", "calls"}


WALLS = """
import os, socket, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ingestion import jail
level = jail.enter([Path(sys.argv[1]) / "core"])
if os.fork() == 0:
    jail.enter_child(2**30, 5)
    def tried(what):
        try:
            what()
        except OSError:
            return "refused"
        return "allowed"
    inside = {
        "socket": tried(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 1)),
        "read": tried(lambda: open(sys.argv[1] + "/pyproject.toml").read()),
        "own": tried(lambda: open(sys.argv[1] + "/core/errors.py").read()),
        "write": tried(lambda: open("/tmp/weft-wall", "w").write("x")),
        "fork": tried(os.fork),
        "program": tried(lambda: os.execv("/bin/true", ["true"])),
        "kill": tried(lambda: os.kill(os.getppid(), 0)),
    }
    print(level["network"], level["files"], level["calls"], inside, flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="walls of the Linux kernel")
def test_the_child_reaches_nothing() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        told = subprocess.run(
            [sys.executable, "-c", WALLS, str(ROOT), port],
            capture_output=True, text=True, timeout=30, check=True,
        ).stdout  # fmt: skip
    network, files, calls = told.split()[:3]
    if network != "none":
        assert "'socket': 'refused'" in told
    if files == "landlock":
        assert "'read': 'refused'" in told
        assert "'write': 'refused'" in told
        assert "'own': 'allowed'" in told
    if calls == "seccomp":
        assert "'fork': 'refused'" in told
        assert "'program': 'refused'" in told
        assert "'kill': 'refused'" in told


def test_the_environment_of_the_parsers_is_empty() -> None:
    if sys.platform == "linux":
        assert server().environ() == {}


def test_a_flate_bomb_in_a_pdf_is_limited() -> None:
    packed = zlib.compress(b"BT (x) Tj ET " * 8_000_000, 9)
    page = b"%PDF-1.7\n" + (
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    )
    data = page + packed + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    code = refusal(data, "a.pdf", "pdf", Limits(seconds=2, memory_bytes=200 * MIB))
    assert code in ("limit_memory", "limit_time", "empty")


def test_parsing_works_after_the_thread_that_began_it_has_ended() -> None:
    sandbox.close()
    thread = threading.Thread(target=parse, args=(b"x", "a.txt", "txt"))
    thread.start()
    thread.join(30)
    assert parse(b"y", "a.txt", "txt").pages[0].text == "y"
    assert forkserver.found() is not None
