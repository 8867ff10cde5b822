"""What one document may cost. Real bytes are counted, never the sizes that a file claims."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` is wall time of reading and CPU time of one parser; bytes are bytes."""

    seconds: float = 30.0
    page_seconds: float = 10.0  # of those, one part where parts can be skipped
    restarts: int = 5  # children started anew after a part that killed one
    keeping_seconds: float = 900.0  # the files within on their way to where they are kept
    memory_bytes: int = 512 * MIB  # address space of the child
    output_bytes: int = 96 * MIB  # JSON handed to the parent
    unpacked_bytes: int = 200 * MIB  # inflated from a container, all parts together; files in it
    pages: int = 5_000
    cells: int = 300_000
    parts: int = 1_000  # mail parts and attachments, container entries times ten
    depth: int = 32  # mails in mails, lists in lists, values in values
    raster_pixels: int = 40_000_000  # of a picture; what holds more is refused or made smaller
    ocr_page_seconds: float = 30.0  # looking at one page's picture
    ocr_seconds: float = 900.0  # looking at all pictures of one document
