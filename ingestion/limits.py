"""What one document may cost. Real bytes are counted, never the sizes that a file claims."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """`seconds` is wall time and CPU time of one parser; bytes are bytes."""

    seconds: float = 30.0
    memory_bytes: int = 768 * MIB  # address space of the child
    output_bytes: int = 96 * MIB  # JSON handed to the parent
    unpacked_bytes: int = 200 * MIB  # inflated from a container, all parts together
    pages: int = 5_000
    cells: int = 300_000
    parts: int = 1_000  # mail parts and attachments, container entries times ten
    depth: int = 32  # mails in mails, lists in lists, values in values
