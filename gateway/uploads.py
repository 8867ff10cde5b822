"""Files in: `multipart/form-data` streamed to scratch files under caps, removed afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from pydantic import ValidationError
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from core.errors import InvalidInput, TooLarge
from core.ids import new_id
from core.settings import Settings
from gateway.schemas.documents import UploadFields

FILES_MAX = 200
FIELD_BYTES_MAX = 64 * 2**10
_STALE_SECONDS = 24 * 3600
_QUOTED = re.compile(rb'"(?:\\.|[^"\\])*"')
_EXTENDED = re.compile(rb";\s*filename\*\s*=\s*(utf-8|iso-8859-1)'[^';]*'([^;\s]+)", re.IGNORECASE)


@dataclass(slots=True)
class File:
    filename: str
    content_type: str
    path: Path
    sha256: str = ""
    size: int = 0


@dataclass(slots=True)
class Form:
    """What was sent. The files are gone once the request has been answered."""

    files: list[File] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    fields: UploadFields = field(default_factory=UploadFields)

    def fingerprint(self) -> dict[str, Any]:
        """What makes two uploads the same, whatever their boundary."""
        return {
            "files": [(file.filename, file.sha256) for file in self.files],
            **self.fields.model_dump(mode="json", exclude={"password"}),
            "password": hashlib.sha256((self.fields.password or "").encode()).hexdigest(),
        }


@contextlib.asynccontextmanager
async def received(request: Request, settings: Settings) -> AsyncIterator[Form]:
    """The form of a request. Raises `InvalidInput` and `TooLarge`; nothing of it stays behind."""
    folder = settings.data_dir / "scratch" / new_id()
    folder.mkdir(parents=True)
    try:
        intake = _Intake(folder, settings.upload_bytes_max)
        await intake.take(request)
        yield intake.form
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_scratch(settings: Settings) -> None:
    """At the start: what requests of a killed process left behind."""
    scratch = settings.data_dir / "scratch"
    for folder in scratch.iterdir() if scratch.is_dir() else ():
        if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


class _Intake:
    """The parser's callbacks, part by part."""

    def __init__(self, folder: Path, file_max: int) -> None:
        self.form = Form()
        self._folder = folder
        self._file_max = file_max
        self._header = b""
        self._value = b""
        self._headers: dict[str, bytes] = {}
        self._text: bytearray | None = None
        self._name = ""
        self._file: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self._ended = False

    async def take(self, request: Request) -> None:
        _, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if not boundary or len(boundary) > 200:
            raise InvalidInput("multipart/form-data needs a boundary.", code="bad_multipart")
        parser = MultipartParser(boundary, self._callbacks())  # type: ignore[arg-type]
        try:
            async for chunk in request.stream():
                parser.write(chunk)
            parser.finalize()
        except MultipartParseError as error:
            raise InvalidInput("This is not multipart/form-data.", code="bad_multipart") from error
        finally:
            if self._file is not None:
                self._file.close()
        self._finish()

    def _callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
            "on_end": self._on_end,
        }

    def _begin(self) -> None:
        self._headers = {}
        self._header = self._value = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        disposition = self._headers.get("content-disposition", b"")
        _, options = parse_options_header(disposition)
        self._name = _decoded(options.get(b"name", b""))
        filename = _extended(disposition) or options.get(b"filename")
        if filename is None:
            self._text = bytearray()
            return
        if self._name not in ("file", "files"):
            raise InvalidInput("Send each file in a part named `file`.", code="bad_multipart")
        if len(self.form.files) >= FILES_MAX:
            raise InvalidInput(f"At most {FILES_MAX} files at once.", code="too_many_files")
        path = self._folder / str(len(self.form.files))
        kind = self._headers.get("content-type", b"application/octet-stream").decode("latin-1")
        self.form.files.append(File(_decoded(filename), kind[:127], path))
        self._file = path.open("wb")
        self._hash = hashlib.sha256()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is not None:
            self._text += data[start:end]
            if len(self._text) > FIELD_BYTES_MAX:
                raise TooLarge(
                    f"The field {self._name[:64]!r} is too large.", limit=FIELD_BYTES_MAX
                )
            return
        assert self._file is not None
        file = self.form.files[-1]
        file.size += end - start
        if file.size > self._file_max:
            raise TooLarge(
                f"A file may have at most {self._file_max} bytes.", limit=self._file_max,
                filename=file.filename,
            )  # fmt: skip
        piece = data[start:end]
        self._hash.update(piece)
        self._file.write(piece)

    def _end(self) -> None:
        if self._text is not None:
            if self._name in self.form.texts:
                raise InvalidInput(f"{self._name!r} is there twice.", code="bad_multipart")
            self.form.texts[self._name] = bytes(self._text)
            self._text = None
        elif self._file is not None:
            self._file.close()
            self._file = None
            self.form.files[-1].sha256 = self._hash.hexdigest()

    def _on_end(self) -> None:
        self._ended = True

    def _finish(self) -> None:
        if not self._ended:
            raise InvalidInput(
                "The form was cut off before its end. Send it again, whole.", code="bad_multipart"
            )
        if not self.form.files:
            raise InvalidInput("Send at least one `file`.", code="no_file")
        self.form.fields = _fields(self.form.texts)


def _fields(texts: dict[str, bytes]) -> UploadFields:
    values: dict[str, Any] = {}
    for name, raw in texts.items():
        try:
            text = raw.decode()
            values[name] = json.loads(text) if name in ("metadata", "tags") and text else text
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"The field {name[:64]!r} is not valid.", field=name[:64]) from error
        if values[name] == "":
            del values[name]
    try:
        return UploadFields.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{where or 'form'}: {first['msg']}", field=where) from error


def _extended(disposition: bytes) -> bytes | None:
    """The `filename*` of RFC 8187, which parts of a form should not have (RFC 7578) and .NET and
    old Python clients send."""
    found = _EXTENDED.search(_QUOTED.sub(b'""', disposition))
    if found is None:
        return None
    charset = "utf-8" if found[1].lower() == b"utf-8" else "latin-1"
    return unquote_to_bytes(found[2]).decode(charset, "replace").encode()


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
