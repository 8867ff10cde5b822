"""Running text: headings, lists, headers and footers, bookmarks, forms, letters of other fonts."""

from __future__ import annotations

from typing import Any

from benchmarks.papers.drawing import column, drawn, flowing, styles, table, wrapped
from benchmarks.papers.values import Sample, Speech


def prose(name: str, variant: int) -> Sample:
    from reportlab.platypus import Paragraph

    sample, speech, look = Sample(name, "pdf"), Speech(name), styles()
    story = []
    for part in range(6 + variant):
        level = "h1" if part % 3 == 0 else "h2"
        story.append(Paragraph(sample.heading(f"{speech.title()} {part + 1}"), look[level]))
        for _ in range(3):
            text = speech.prose()
            sample.says(text)
            story.append(Paragraph(text, look["text"]))
    sample.data = flowing(story)
    return sample


def numbered(name: str, variant: int) -> Sample:
    """Headings of the text's own size, bold."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        y = 780.0
        for part in range(5):
            title = sample.heading(f"{part + 1}.{variant + 1} {speech.title()}")
            canvas.setFont("Helvetica-Bold", 10)
            canvas.drawString(72, y, title)
            text = speech.prose(4)
            sample.says(text)
            y = column(canvas, wrapped(text, 450), 72, y - 20) - 12

    sample.data = drawn(draw)
    return sample


def bookmarked(name: str, variant: int) -> Sample:
    """Only the bookmarks say what is a heading."""
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        for part in range(4):
            title = sample.heading(speech.title(4))
            canvas.bookmarkPage(f"p{part}")
            canvas.addOutlineEntry(title, f"p{part}", level=part % 2)
            text = speech.prose(8 + variant)
            sample.says(text)
            column(canvas, [title, *wrapped(text, 450)], 72, 780)
            canvas.showPage()

    sample.data = drawn(draw)
    return sample


def lists(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(72, 790, sample.heading(speech.title()))
        y = 750.0
        for part in range(14):
            sign = f"{part + 1}." if variant else "•"
            text = speech.sentence(9)
            sample.says(sign, text)
            y = column(canvas, [f"{sign} {text}"], 90, y) - 4

    sample.data = drawn(draw)
    return sample


def running(name: str, variant: int) -> Sample:
    """The same line above and below each of four pages."""
    sample, speech = Sample(name, "pdf"), Speech(name)
    top = speech.title(4)

    def draw(canvas: Any) -> None:
        for page in range(4):
            text, foot = speech.prose(14 + variant), f"Page {page + 1} of 4"
            sample.says(top, text, foot)
            column(canvas, [top], 72, 815, 8)
            column(canvas, wrapped(text, 450), 72, 770)
            column(canvas, [foot], 270, 30, 8)
            canvas.showPage()

    sample.data = drawn(draw)
    return sample


def letter(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        address = [speech.title(2), f"{speech.title(1)} Street {variant + 7}", speech.title(1)]
        sample.says(*address)
        column(canvas, address, 72, 760)
        date = f"2026-0{variant + 3}-14"
        sample.says(date)
        canvas.drawRightString(520, 690, date)
        subject = sample.heading(f"Subject: {speech.title()}")
        canvas.setFont("Helvetica-Bold", 12)
        canvas.drawString(72, 650, subject)
        y = 620.0
        for _ in range(4):
            text = speech.prose(3)
            sample.says(text)
            y = column(canvas, wrapped(text, 450), 72, y) - 10

    sample.data = drawn(draw)
    return sample


def letters(name: str, variant: int) -> Sample:
    """Umlauts and accents in an embedded font."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    sample, speech = Sample(name, "pdf"), Speech(name)
    spoken = (
        "Die Prüfung der Größe ergab: übermäßige Abweichung – 12,5 % über dem Grenzwert.",
        "Le contrôle qualité a été réalisé à l’été; la pièce n’était pas conforme.",
        "La señal llegó después del mediodía; año fiscal según el presupuesto.",
    )

    def draw(canvas: Any) -> None:
        canvas.setFont("Vera", 10)
        for at in range(12):
            text = f"{at + 1 + variant * 12} {spoken[at % 3]} {speech.number()}"
            sample.says(text)
            canvas.drawString(60, 780 - 16 * at, text)

    sample.data = drawn(draw)
    return sample


def form(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "pdf"), Speech(name)

    def draw(canvas: Any) -> None:
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(72, 780, sample.heading(speech.title()))
        told = []
        for at in range(6 + variant):
            label, field, value = speech.title(2), f"field_{at}", f"{speech.word()} {at}"
            sample.says(label)
            column(canvas, [label], 72, 740 - 34 * at)
            canvas.acroForm.textfield(
                name=field, value=value, x=260, y=732 - 34 * at, width=200, height=20
            )
            told.append(f"{field}: {value}")
        sample.says(*told)

    sample.data = drawn(draw)
    return sample


def notes(name: str, variant: int) -> Sample:
    """Raised figures and notes at the foot, with a table between."""
    from reportlab.platypus import Paragraph

    sample, speech, look = Sample(name, "pdf"), Speech(name), styles()
    story: list[Any] = [Paragraph(sample.heading(speech.title()), look["h1"])]
    for _ in range(3):
        text = speech.prose(4)
        sample.says(text)
        story.append(Paragraph(text, look["text"]))
    story.append(table(sample.table(speech.rows(4, 5 + variant))))
    foot = [f"{n} {speech.sentence(6)}" for n in (1, 2)]
    for text in foot:
        sample.says(text)
        story.append(Paragraph(f'<font size="7">{text}</font>', look["text"]))
    sample.data = flowing(story)
    return sample


MAKERS = {
    "prose": prose, "numbered": numbered, "bookmarked": bookmarked, "lists": lists,
    "running": running, "letter": letter, "letters": letters, "form": form, "notes": notes,
}  # fmt: skip
