"""Runs in the peers' own environment: reads the papers of a folder, prints what each peer got."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Got = dict[str, Any]


def pdfplumber(path: Path) -> Got:
    import pdfplumber as peer

    text, tables = [], []
    with peer.open(path) as pdf:
        for page in pdf.pages:
            text.append(page.extract_text())
            tables += [[[cell or "" for cell in row] for row in t] for t in page.extract_tables()]
    return {"text": "\n".join(text), "tables": tables, "headings": []}


def markitdown(path: Path) -> Got:
    from markitdown import MarkItDown

    return _markdown(MarkItDown(enable_plugins=False).convert(path).text_content)


def docling_parse(path: Path) -> Got:
    from docling_parse.pdf_parser import DoclingPdfParser

    pdf = DoclingPdfParser(loglevel="fatal").load(path_or_stream=str(path))
    lines = [cell.text for _, page in pdf.iterate_pages() for cell in page.textline_cells]
    return {"text": "\n".join(lines), "tables": [], "headings": []}


def docling(path: Path) -> Got:
    """Its parsers of office formats; what it does with PDF needs torch and models from the net."""
    from docling.backend.html_backend import HTMLDocumentBackend
    from docling.backend.msexcel_backend import MsExcelDocumentBackend
    from docling.backend.msword_backend import MsWordDocumentBackend
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.document import InputDocument

    kind, backend = {
        "docx": (InputFormat.DOCX, MsWordDocumentBackend),
        "xlsx": (InputFormat.XLSX, MsExcelDocumentBackend),
        "html": (InputFormat.HTML, HTMLDocumentBackend),
    }[path.suffix[1:]]
    asked = InputDocument(path_or_stream=path, format=kind, backend=backend, filename=path.name)
    return _markdown(backend(asked, path_or_stream=path).convert().export_to_markdown())


_RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+.!|<>-])")


def _markdown(text: str) -> Got:
    """Tables between bars and headings behind `#`; the rest is text."""
    tables: list[list[list[str]]] = []
    headings, plain, inside = [], [], False
    for line in _ESCAPE.sub(r"\1", text).splitlines():
        stripped = line.strip()
        if stripped.startswith("|") and stripped.endswith("|"):
            if not inside:
                tables.append([])
            inside = True
            if not _RULE.fullmatch(stripped):
                tables[-1].append([cell.strip() for cell in stripped.strip("|").split("|")])
                plain.append(stripped.replace("|", " "))
            continue
        inside = False
        if stripped.startswith("#"):
            headings.append(stripped.lstrip("# ").strip("* "))
        plain.append(stripped.lstrip("#").replace("**", ""))
    return {"text": "\n".join(plain), "tables": tables, "headings": headings}


READS: dict[str, tuple[Callable[[Path], Got], tuple[str, ...]]] = {
    "pdfplumber": (pdfplumber, ("pdf",)),
    "markitdown": (markitdown, ("pdf", "docx", "xlsx", "html", "eml")),
    "docling-parse": (docling_parse, ("pdf",)),
    "docling": (docling, ("docx", "xlsx", "html")),
}


def main(folder: Path, name: str) -> None:
    read, formats = READS[name]
    for path in sorted(folder.iterdir()):
        if path.suffix[1:] not in formats:
            continue
        begun = time.perf_counter()
        try:
            got = read(path)
        except Exception as error:  # noqa: BLE001 - a peer that fails on a paper scores nothing there
            got = {"text": "", "tables": [], "headings": [], "error": repr(error)[:200]}
        print(json.dumps({"name": path.name, "seconds": time.perf_counter() - begun, **got}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
