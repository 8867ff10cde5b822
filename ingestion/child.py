"""What runs in a parser's child: read the file from the socket, parse, answer, leave."""

from __future__ import annotations

import gc
import json
import os
import socket
import struct
from typing import Any

from core.codec import encode
from core.documents import Document
from core.errors import Unfinishable
from ingestion import jail, readers
from ingestion.limits import Limits

HEAD = struct.Struct("!I")


def warm_up() -> None:
    """Loads what a parse needs, so that a fork finds it in memory."""
    import encodings.cp1252
    import encodings.idna
    import encodings.utf_16_le  # noqa: F401

    encode(Document, Document("txt", ()))
    for format, data in (
        ("html", b"<p>x</p>"),
        ("csv", b"a,b\n1,2\n"),
        ("eml", b"Subject: x\n\nx"),
    ):
        readers.read(data, "", format, None, Limits())
    from ingestion import pdf

    pdf.load()


def run(fd: int) -> None:
    """Never returns."""
    job = socket.socket(fileno=fd)
    with job.makefile("rb") as stream:
        head = json.loads(stream.read(HEAD.unpack(stream.read(HEAD.size))[0]))
        data = stream.read(head["size"])
    limits = Limits(**head["limits"])
    gc.disable()  # a short life with many small values
    jail.enter_child(limits.memory_bytes, limits.seconds)
    answer = _answer(data, head, limits)
    job.sendall(answer)
    os._exit(0)


def _answer(data: bytes, head: dict[str, Any], limits: Limits) -> bytes:
    """`D` and a document, or `E` and a code with words for people."""
    try:
        found = readers.read(data, head["filename"], head["format"], head["password"], limits)
        body = encode(Document, found)
        if len(body) > limits.output_bytes:
            raise Unfinishable("The document has too much content.", code="limit_memory")
        return b"D" + body
    except MemoryError:
        return _error("limit_memory", "Reading this file takes more memory than allowed.")
    except RecursionError:
        return _error("too_many_parts", "The file is nested too deeply.")
    except Unfinishable as error:
        return _error(error.slug, error.detail)
    except Exception as error:  # noqa: BLE001 - the edge: whatever a hostile file does ends here
        return _error(
            "corrupted", f"The file is damaged: {type(error).__name__}: {str(error)[:200]}"
        )


def _error(code: str, detail: str) -> bytes:
    return b"E" + json.dumps({"code": code, "detail": detail}).encode()
