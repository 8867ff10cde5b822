"""What a paper says, as its maker knows it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

Rows = list[list[str]]

_WORDS = (  # noqa: SIM905
    "pressure valve station reading change shift report supplier delivery order customer quality "
    "inspection schedule budget estimate contract warehouse transport package machine bearing "
    "coolant sensor voltage current balance account payment receipt discount margin forecast "
    "quarter region branch manager engineer technician audit result failure repair service "
    "interval threshold standard material steel copper plastic surface coating weight length "
    "width height volume density temperature humidity storage transfer document archive backup "
    "network server request response latency capacity demand supply growth decline stable "
    "increase reduce approve reject review confirm cancel extend replace install remove measure"
).split()
_SMALL = "the a of in and for with after before between from was is were by at under this".split()  # noqa: SIM905


@dataclass
class Sample:
    """A file and its truth: `words` in reading order, `tables` as rows of cells, `headings`."""

    name: str
    format: str
    data: bytes = b""
    words: list[str] = field(default_factory=list)
    tables: list[Rows] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)

    def says(self, *texts: str) -> None:
        self.words += " ".join(texts).split()

    def heading(self, text: str) -> str:
        self.headings.append(text)
        self.says(text)
        return text

    def table(self, rows: Rows) -> Rows:
        self.tables.append(rows)
        self.says(*(cell for row in rows for cell in row))
        return rows


class Speech:
    """Words, sentences and cells from a seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def word(self) -> str:
        return self._random.choice(_WORDS)

    def title(self, count: int = 3) -> str:
        return " ".join(self.word().capitalize() for _ in range(count))

    def sentence(self, count: int = 12) -> str:
        words = [self._random.choice(_SMALL) if at % 3 == 1 else self.word() for at in range(count)]
        return f"{' '.join(words).capitalize()} {self.number()}."

    def prose(self, sentences: int = 5) -> str:
        return " ".join(self.sentence() for _ in range(sentences))

    def number(self) -> str:
        return str(self._random.randint(100, 99_999))

    def amount(self) -> str:
        return f"{self._random.randint(1, 9_999)}.{self._random.randint(0, 99):02d}"

    def code(self) -> str:
        return f"{self._random.choice('ABKMRSTX')}-{self._random.randint(1000, 9999)}"

    def rows(self, columns: int, count: int, empty: float = 0.0) -> Rows:
        """A header and `count` rows; codes first, then words and amounts in turn."""
        head = ["Code", *(self.title(1) for _ in range(columns - 1))]
        body = []
        for _ in range(count):
            cells = [self.code()]
            for column in range(1, columns):
                told = f"{self.word()} {self.word()}" if column == 1 else self.amount()
                cells.append("" if self._random.random() < empty else told)
            body.append(cells)
        return [head, *body]
