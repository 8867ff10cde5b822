"""Writes the example files: `python -m examples.make OUTDIR [--tenant clearpay|mediops]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from examples import office_invoices as office
from examples import pdf_invoices as pdf
from examples import plain_invoices as plain
from examples.ledger import ledger
from examples.purchases import BY_NUMBER, FAULTS, INVOICES, RECEIPT

HERE = Path(__file__).parent
TENANTS = ("clearpay", "mediops")


def invoices() -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of ClearPay's business papers, the ledger last."""
    text_forms = {
        ".csv": plain.as_csv, ".txt": plain.as_txt, ".md": plain.as_markdown,
        ".json": plain.as_json, ".docx": office.docx, ".xlsx": office.xlsx,
    }  # fmt: skip
    for invoice in INVOICES:
        if invoice.number == "MH-30217":
            attached = pdf.LAYOUTS[invoice.number](invoice)
            yield "Your invoice MH-30217.eml", plain.as_mail(invoice, attached)
        elif invoice.number in pdf.LAYOUTS:
            yield invoice.filename, pdf.LAYOUTS[invoice.number](invoice)
        else:
            yield invoice.filename, text_forms[Path(invoice.filename).suffix](invoice)
    yield RECEIPT.filename, pdf.receipt(RECEIPT)
    yield "northwind-portal-copy.html", plain.as_html(BY_NUMBER["INV-2026-0412"])
    yield "scan-0007.pdf", _damaged(pdf.band(BY_NUMBER["SB-10045"]))
    yield "ledger.xlsx", ledger()


def _damaged(whole: bytes) -> bytes:
    """A PDF as a broken transfer leaves it: the start is there, the rest is noise."""
    noise = bytes((n * 37 + n // 11) % 256 for n in range(2000))
    return whole[:180] + noise


def expected() -> str:
    """`expected.json`: the faults that a review of the invoices must find."""
    faults = [
        {"kind": f.kind, "filename": f.filename, "detail": f.detail}
        | ({"also": f.also} if f.also else {})
        for f in FAULTS
    ]
    return json.dumps({"exceptions": faults}, indent=2, ensure_ascii=False) + "\n"


def files(tenant: str) -> Iterator[tuple[str, bytes]]:
    """(path below the tenant's folder, bytes) of everything that a tenant has."""
    from examples.logs import service_log

    content = HERE / "content" / tenant
    for path in sorted(content.rglob("*")):
        if path.is_file():
            yield path.relative_to(content).as_posix(), path.read_bytes()
    yield "logs/microservice-logs.json", service_log(tenant)
    if tenant == "clearpay":
        for name, data in invoices():
            yield f"invoices/{name}", data


def write(outdir: Path, tenants: tuple[str, ...] = TENANTS) -> list[Path]:
    """Writes every tenant's tree below `outdir`; gives the paths written."""
    written = []
    for tenant in tenants:
        for name, data in files(tenant):
            path = outdir / tenant / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            written.append(path)
    return written


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("Say where to write: python -m examples.make OUTDIR\n")
        return 2
    paths = write(Path(arguments[0]))
    sys.stdout.write(f"{len(paths)} files in {arguments[0]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
