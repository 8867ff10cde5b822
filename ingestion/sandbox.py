"""Reads a file in killable children, part by part; what they say is checked here.

A page, sheet, slide, mail or member that kills its child is skipped and named, and another
child goes on behind it.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Protocol

from core.codec import decode, encode
from core.documents import Document, Page
from core.errors import Unavailable, Unfinishable
from ingestion import forkserver, frames
from ingestion.child import HEAD
from ingestion.forkserver import Child, Ended, Lost
from ingestion.gathering import Gathered, Keep, emptiness
from ingestion.limits import Limits
from ingestion.paging import Facts, Held, Kind, Look, Opened, Raster, Skipped

_START_SECONDS = 5.0  # beyond the deadline, for the fork and the file's way
_FRAME_MAX = 2**27
_ENGINES = {forkserver.PICTURES: "rapidocr", forkserver.TESSERACT: "tesseract"}
_TIME_SIGNALS = (signal.SIGXCPU, signal.SIGALRM)


class Looker(Protocol):
    """Who reads words from pictures (`ingestion.ocr`)."""

    @property
    def name(self) -> str: ...

    def look(self, raster: Raster, seconds: float) -> Look:
        """Raises `Unfinishable` for this picture, `Unavailable` when nobody can look now."""


def achieved_level() -> dict[str, str]:
    """What walls the parsers have on this machine, for /health; empty before the first parse."""
    server = forkserver.found()
    return dict(server.level) if server else {}


def picture_walls() -> dict[str, dict[str, str]]:
    """The same of those who look at pictures, by engine; only of those that run."""
    return {
        _ENGINES[kind.partition(":")[0]]: dict(server.level)
        for kind, server in forkserver.all_found().items()
        if kind != forkserver.PARSERS
    }


def close() -> None:
    """Ends the fork servers; the next parse starts another."""
    forkserver.close()


def parse(
    data: bytes,
    filename: str,
    format: str,
    *,
    password: str | None = None,
    limits: Limits | None = None,
    ocr: Looker | None = None,
    beat: Callable[[int, int], None] = lambda _done, _total: None,
    keep: Keep | None = None,
) -> Document:
    """Reads `data` in children of its own; `ocr` looks at pages that are pictures, and `beat` hears
    of each part. `keep` is given each file within and its place as soon as it is there, perhaps
    twice; the document's attachments are then without their bytes. Raises `Unfinishable` with code
    `corrupted`, `encrypted`, `empty`, `no_pages`, `limit_memory`, `limit_time` or `too_many_parts`
    when no part could be read."""
    job = _Job(data, filename, format, password, limits or Limits(), ocr, beat, keep)
    lost = 0
    while not job.over:
        try:
            job.one_child()
        except Lost:
            lost += 1
            if lost > 1:
                raise Unavailable(
                    "The document parser was stopped from outside.", retry_after=5
                ) from None
    return job.document()


class _Job:
    """One document on its way through as many children as it takes."""

    def __init__(
        self, data: bytes, filename: str, format: str, password: str | None, caps: Limits,
        ocr: Looker | None, beat: Callable[[int, int], None], keep: Keep | None,
    ) -> None:  # fmt: skip
        self._data, self._caps, self._ocr, self._beat = data, caps, ocr, beat
        self._head = {"filename": filename, "format": format, "password": password,
                      "size": len(data)}  # fmt: skip
        self._kept = Gathered(format, keep)
        self._left = caps.seconds  # of reading; looking at pictures has a time of its own
        self._looking = caps.ocr_seconds if ocr else 0.0
        self._restarts = caps.restarts
        self._paused = 0.0  # of the present child: others looked at its pictures, kept its files
        self.over = False

    def document(self) -> Document:
        document = self._kept.document()
        if not document.attachments and not any(page.text.strip() for page in document.pages):
            raise self._kept.blame or emptiness(self._kept)
        return document

    def one_child(self) -> None:
        """Reads on from the first part that nobody told of. Raises `Lost`, and `Unfinishable` when
        the file is to blame and has no part to show."""
        server = forkserver.running()
        self._kept.begin()
        began, self._paused = time.monotonic(), 0.0
        reach = self._left + self._looking + self._caps.keeping_seconds
        try:
            with server.start(reach + _START_SECONDS) as child:
                why = self._listen(child)
        except Lost:
            forkserver.retire(server)
            raise
        finally:
            self._left -= time.monotonic() - began - self._paused
        self.over = why is None or self._gives_up(why)

    def _gives_up(self, why: Unfinishable) -> bool:
        """Whether there is no going on after `why`; the guilty part is noted else."""
        kept = self._kept
        if not kept.total:
            raise why
        kept.blame = why
        stopped = self._restarts <= 0 or self._left <= 0.1 or kept.next > kept.total
        self._restarts -= 1
        if stopped:
            if not kept.anything:
                raise why
            if kept.next <= kept.total:
                kept.warnings.append(f"Reading stopped at {kept.named(kept.next)}: {why.detail}")
            return True
        kept.skip(Skipped(kept.next, why.detail, why.slug))
        return False

    def _listen(self, child: Child) -> Unfinishable | None:
        """None when the document's end came, else why this child brought no more."""
        began = time.monotonic()
        try:
            self._ask(child, began + self._left)
            while self._hear(child, self._deadline(began)):
                pass
        except frames.Cut as cut:
            return self._blamed(child, cut.late)
        except OverflowError:
            return Unfinishable("The document has too much content.", code="limit_memory")
        except Unfinishable as told:
            return told
        return None

    def _deadline(self, began: float) -> float:
        """Of the next frame; the time that others took has moved `_left`'s end."""
        whole = began + self._left + self._paused
        page = time.monotonic() + self._caps.page_seconds
        return min(whole, page) if self._kept.total else whole

    def _ask(self, child: Child, deadline: float) -> None:
        head = json.dumps(
            {**self._head, "first": self._kept.next, "limits": self._limits()}
        ).encode()
        child.send([HEAD.pack(len(head)), head, self._data], deadline)

    def _limits(self) -> dict[str, float]:
        """What is left of them for the next child."""
        caps, kept = self._caps, self._kept
        return asdict(replace(
            caps, output_bytes=caps.output_bytes - kept.bytes, seconds=max(1.0, self._left),
            ocr_seconds=self._looking, unpacked_bytes=caps.unpacked_bytes - kept.held,
            parts=caps.parts - len(kept.files), cells=caps.cells - kept.cells,
        ))  # fmt: skip

    def _hear(self, child: Child, deadline: float) -> bool:
        """Takes in one frame; False after the document's end."""
        kept = self._kept
        kind, data = frames.receive(child.job, deadline, _FRAME_MAX)
        if kind != frames.RASTER:
            kept.bytes += len(data)
            if kept.bytes > self._caps.output_bytes:
                raise OverflowError
        if kind == frames.PAGE:
            kept.add(decode(Page, data))
            self._told()
        elif kind == frames.HELD:
            self._hold(child, decode(Held, data), deadline)
            self._told()
        elif kind == frames.FACTS:
            kept.facts.append(decode(Facts, data))
        elif kind == frames.SKIPPED:
            kept.skip(decode(Skipped, data))
        elif kind == frames.OPENED:
            kept.opened = decode(Opened, data)
        elif kind == frames.KIND:
            kept.kind = kept.kind or decode(Kind, data)
        elif kind == frames.RASTER:
            self._show(child, data)
        elif kind == frames.DOCUMENT:
            kept.end = decode(Document, data)
        elif kind == frames.ERROR:
            told = json.loads(data)
            raise Unfinishable(str(told["detail"]), code=str(told["code"]))
        else:
            raise frames.Cut
        return kind != frames.DOCUMENT

    def _told(self) -> None:
        if self._kept.total:
            self._beat(len(self._kept.pages) + len(self._kept.files), self._kept.total)

    def _hold(self, child: Child, one: Held, deadline: float) -> None:
        """The file's bytes come behind its name; keeping them is none of the child's time."""
        kind, data = frames.receive(child.job, deadline, _FRAME_MAX)
        if kind != frames.BYTES:
            raise frames.Cut
        if self._kept.held + len(data) > self._caps.unpacked_bytes:
            raise OverflowError
        began = time.monotonic()
        self._kept.hold(replace(one, file=replace(one.file, data=data)))
        self._paused += time.monotonic() - began

    def _show(self, child: Child, data: bytes) -> None:
        """Has a picture looked at and sends the words back; a failure is a warning of its page."""
        number, width, height, dpi = frames.PICTURE.unpack_from(data)
        pixels = data[frames.PICTURE.size :]
        if len(pixels) != width * height or width * height > self._caps.raster_pixels:
            raise frames.Cut
        seen = self._looked(Raster(number, width, height, dpi, pixels))
        try:
            if seen is None:
                frames.send(child.job, frames.NO_WORDS)
            else:
                frames.send(child.job, frames.WORDS, encode(Look, seen))
        except OSError as error:
            raise frames.Cut from error

    def _looked(self, raster: Raster) -> Look | None:
        if self._ocr is None:
            self._kept.blind.append(raster.number)
            return None
        if self._looking <= 0:
            self._kept.unseen[raster.number] = "the time for pictures is used up"
            return None
        began = time.monotonic()
        try:
            return self._ocr.look(raster, min(self._looking, self._caps.ocr_page_seconds))
        except Unfinishable as error:
            self._kept.unseen[raster.number] = error.detail
            return None
        finally:
            self._looking -= time.monotonic() - began
            self._paused += time.monotonic() - began

    def _blamed(self, child: Child, late: bool) -> Unfinishable:
        if late:
            child.kill()
        ended = child.ended()
        status = ended.status
        if late or ended.late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in _TIME_SIGNALS):
            return self._slow()
        if os.WIFSIGNALED(status):
            return self._killed(os.WTERMSIG(status), ended)
        return Unfinishable("The parser broke on this file.", code="corrupted")

    def _slow(self) -> Unfinishable:
        whole = self._caps.seconds
        seconds = min(self._caps.page_seconds, whole) if self._kept.total else whole
        return Unfinishable(
            f"Reading this {self._what()} takes longer than {seconds:g} seconds.",
            code="limit_time",
        )

    def _killed(self, number: int, ended: Ended) -> Unfinishable:
        # Native code that gets no memory aborts; the system's own killer uses SIGKILL.
        most = self._caps.memory_bytes
        if number in (signal.SIGABRT, signal.SIGKILL) or ended.peak > most // 2:
            return Unfinishable(
                f"Reading this {self._what()} takes more than {most // 2**20} MiB of memory.",
                code="limit_memory",
            )
        return Unfinishable(
            f"The parser broke on this {self._what()} (signal {number}).", code="corrupted"
        )

    def _what(self) -> str:
        return self._kept.part if self._kept.total else "file"
