"""The document: cover, portrait and landscape pages, running head and foot, metadata."""

from __future__ import annotations

import io
from typing import Any

from reportlab import rl_config
from reportlab.lib.utils import ImageReader, TimeStamp
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

from reports.pdf import fonts
from reports.pdf.ink import Ink, fill, rule
from reports.pdf.parts import shortened
from reports.theme import A4, BOTTOM, INK, LINE, MARGIN, MUTED, PAPER, TOP, mixed
from reports.value import Report
from reports.wording import clean, day, moment

_TOTAL = "pages-in-all"
# Base 85 is for mail that loses the eighth bit; it costs a fifth of the bytes and of the time.
rl_config.useA85 = 0
LANDSCAPE = (A4[1], A4[0])


class Pages(BaseDocTemplate):
    """A4; the date inside the file is the report's own, so equal reports are equal files."""

    def __init__(self, out: io.BytesIO, report: Report, ink: Ink) -> None:
        super().__init__(
            out, pagesize=A4, leftMargin=0, rightMargin=0, topMargin=0, bottomMargin=0,
            pageCompression=1, invariant=1, title=clean(report.title) or "Report",
            author=clean(report.branding.name), subject=clean(report.subtitle), creator="Weft",
        )  # fmt: skip
        self.report, self.ink = report, ink
        self.addPageTemplates([
            PageTemplate("cover", [_frame(A4)], onPage=self._cover, pagesize=A4),
            PageTemplate("portrait", [_frame(A4)], onPage=self._page, pagesize=A4),
            PageTemplate("landscape", [_frame(LANDSCAPE)], onPage=self._page, pagesize=LANDSCAPE),
        ])  # fmt: skip

    def canvas_maker(self, *args: Any, **kwargs: Any) -> Canvas:
        canvas = _Canvas(*args, **kwargs)
        canvas.ink = self.ink
        canvas.date(self.report.created_ms)
        canvas.showOutline()
        return canvas

    def _page(self, canvas: Canvas, _document: Any) -> None:
        wide, high = canvas._pagesize  # type: ignore[attr-defined]
        self._place(canvas, high)
        right, report = wide - MARGIN, self.report
        head = high - 36
        brand = shortened(clean(report.branding.name), 7.6, 180, True)
        self.ink.text(canvas, MARGIN, head, brand, 7.6, colour=self.ink.accent, bold=True)
        title = shortened(clean(report.title), 7.6, right - MARGIN - 220)
        self.ink.text(canvas, right, head, title, 7.6, colour=MUTED, align="right")
        rule(canvas, LINE, MARGIN, right, head - 8, 0.6)
        made = day(moment(report.created_ms))
        self.ink.text(canvas, MARGIN, 30, made, 7.4, colour=MUTED)
        self._number(canvas, right - 20, 30)

    def _place(self, canvas: Canvas, high: float) -> None:
        number = canvas.getPageNumber()
        canvas.bookmarkPage(f"page-{number}", fit="XYZ", left=0, top=high, zoom=0)

    def _number(self, canvas: Canvas, x: float, y: float) -> None:
        """`n / N`: N is a form that is drawn when the last page is known."""
        self.ink.text(canvas, x, y, f"{canvas.getPageNumber()}", 7.4, colour=MUTED, align="right")
        canvas.saveState()
        canvas.translate(x, y)
        canvas.doForm(_TOTAL)
        canvas.restoreState()

    def _cover(self, canvas: Canvas, _document: Any) -> None:
        wide, high = A4
        self._place(canvas, high)
        report, accent = self.report, self.ink.accent
        fill(canvas, accent, 0, high - 330, wide, 330)
        fill(canvas, mixed(accent, 0.75), 0, high - 336, wide, 6)
        self._logo(canvas, high)
        canvas.addOutlineEntry("Cover", "page-1", 0, False)
        size = 31.0
        lines = fonts.wrapped(clean(report.title), size, wide - 2 * MARGIN, True)
        while len(lines) > 4 and size > 12:
            size -= 2
            lines = fonts.wrapped(clean(report.title), size, wide - 2 * MARGIN, True)
        lines = lines[:12]
        y = high - 268 + (len(lines) - 1) * size * 1.22
        for line in lines:
            self.ink.text(canvas, MARGIN, y, line, size, colour=PAPER, bold=True)
            y -= size * 1.22
        for line in fonts.wrapped(clean(report.subtitle), 11.5, wide - 2 * MARGIN)[:2]:
            self.ink.text(canvas, MARGIN, y + 4, line, 11.5, colour=mixed(accent, 0.12))
            y -= 16
        self._particulars(canvas, high - 380)
        self.ink.text(canvas, MARGIN, 30, "Every figure names its source.", 7.4, colour=MUTED)
        self._number(canvas, wide - MARGIN - 20, 30)

    def _logo(self, canvas: Canvas, high: float) -> None:
        name, x = clean(self.report.branding.name), MARGIN
        picture = _picture(self.report.branding.logo)
        if picture is not None:
            wide, tall = picture.getSize()
            scale = min(40 / tall, 160 / wide)
            canvas.drawImage(picture, MARGIN, high - 90, wide * scale, tall * scale, mask="auto")
            x += wide * scale + 14
        name = shortened(name, 14, A4[0] - MARGIN - x, True)
        self.ink.text(canvas, x, high - 75, name, 14, colour=PAPER, bold=True)

    def _particulars(self, canvas: Canvas, y: float) -> None:
        rows = [("Created", day(moment(self.report.created_ms))), *self.report.parameters]
        if self.report.sources:
            sources = self.report.sources
            documents = len({source.document_id for source in sources})
            places = f"{len(sources):,} place{'s' * (len(sources) > 1)}"
            rows.append(("Sources", f"{places} in {documents:,} document{'s' * (documents > 1)}"))
        for name, given in rows[:18]:
            label = shortened(clean(name), 9.4, 130)
            self.ink.text(canvas, MARGIN, y, label, 9.4, colour=MUTED)
            for line in fonts.wrapped(clean(given), 9.4, A4[0] - 2 * MARGIN - 140)[:3]:
                self.ink.text(canvas, MARGIN + 140, y, line, 9.4, colour=INK)
                y -= 14
            y -= 5


def _frame(size: tuple[float, float]) -> Frame:
    wide, high = size
    return Frame(MARGIN, BOTTOM, wide - 2 * MARGIN, high - TOP - BOTTOM, leftPadding=0,
                 rightPadding=0, topPadding=0, bottomPadding=0)  # fmt: skip


def _picture(logo: bytes | None) -> ImageReader | None:
    """None for bytes that are no picture: a report is not lost for a logo."""
    if not logo:
        return None
    try:
        return ImageReader(io.BytesIO(logo))
    except (OSError, ValueError, SyntaxError):
        return None


class _Canvas(Canvas):
    ink: Ink

    def date(self, at_ms: int) -> None:
        stamp, at = TimeStamp(1), moment(at_ms)
        stamp.t, stamp.lt = at.timestamp(), at.timetuple()
        stamp.YMDhms = tuple(at.timetuple())[:6]
        self._doc._timeStamp = stamp  # type: ignore[attr-defined]

    def save(self) -> None:
        total = self.getPageNumber() - 1
        self.beginForm(_TOTAL, 0, -4, 40, 12)
        self.ink.text(self, 0, 0, f" / {total}", 7.4, colour=MUTED)
        self.endForm()
        super().save()
