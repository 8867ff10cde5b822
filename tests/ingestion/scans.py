"""Pages as a scanner gives them: printed by ReportLab, drawn by pdfium, made worse on purpose."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from tests.ingestion import builders

ENGLISH = (
    "The supplier shall deliver the goods within thirty days",
    "after written confirmation of the order. Partial deliveries",
    "need the buyer's consent. The price is 12,480.50 EUR and is",
    "payable within 14 days to purchasing@example.com, 27 Harbour",
    "Street, Bristol BS1 4RN. Invoice INV-2026/0417 is enclosed.",
)
GERMAN = (
    "Der Käufer prüft die Ware unverzüglich und rügt Mängel",
    "binnen sieben Werktagen. Gewährleistungsansprüche verjähren",
    "nach 24 Monaten. Rechnung Nr. 4711 über 1.250,00 Euro geht",
    "an die Münchner Straße 27, 80331 München, größtenteils bar.",
)


def printed(*lines: str, font: str = "Helvetica", size: float = 11, dpi: float = 300) -> Any:
    """A gray picture of an A4 page."""
    import pypdfium2

    def draw(canvas: Any) -> None:
        canvas.setFont(font, size)
        for number, line in enumerate(lines):
            canvas.drawString(62, 770 - size * 1.4 * number, line)

    pdf = pypdfium2.PdfDocument(builders.pdf(draw))
    try:
        bitmap = pdf[0].render(scale=dpi / 72, grayscale=True)
        return bitmap.to_pil().convert("L").copy()
    finally:
        pdf.close()


def packed(*pictures: Any, format: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    more = {"save_all": True, "append_images": list(pictures[1:])} if len(pictures) > 1 else {}
    pictures[0].save(target, format, **more, **options)
    return target.getvalue()


def scan_pdf(*pictures: Any) -> bytes:
    return packed(*pictures, format="PDF", resolution=300)


@cache
def strip_of(*lines: str) -> Any:
    """A picture that is cheap to read."""
    return printed(*lines, dpi=200).crop((0, 100, 1654, 200 + 45 * len(lines)))


def share(wanted: tuple[str, ...], text: str) -> float:
    """Of the words, each counted as often as it stands there."""
    from collections import Counter

    words, got = Counter(" ".join(wanted).split()), Counter(text.split())
    return sum((words & got).values()) / max(1, words.total())
