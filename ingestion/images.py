"""Pictures as documents: decoded by Pillow in the child, handed on as gray pixels, page by page."""

from __future__ import annotations

import io
import warnings
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.magic import by_magic
from ingestion.paging import Opened, Raster, Reading, Skipped
from ingestion.seen import page_seen

_KINDS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "AVIF", "MPO")
_NAMES = {"MPO": "jpeg", "HEIF": "heic"}
_DECODED_PIXELS = 80_000_000  # a page of a plan at 300 dpi; in colour a quarter of a gigabyte
_SMALL = 1_800  # pixels of the longer side: letters of a screen or a fax are made larger
_INCHES = 11.7  # the longer side of A4, where the picture does not say how large it is
Broken = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, RuntimeError)


def read(data: bytes, limits: Limits) -> Document:
    from ingestion.gathering import collect

    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Each frame of a TIFF is a page; of a moving picture the first one is read."""
    image = _opened(data)
    kind = _NAMES.get(image.format, image.format.lower())
    frames = int(getattr(image, "n_frames", 1))
    total = min(frames, limits.pages) if kind == "tiff" else 1
    about = Document(
        kind, (), metadata={"pages": total, "width": image.width, "height": image.height}
    )
    yield Opened(total, about)
    told = []
    if kind == "tiff" and total < frames:
        told.append(f"Only the first {total} of {frames} pages were read.")
    elif kind != "tiff" and frames > 1:
        what = "main picture of the file" if kind == "heic" else "first picture of a moving one"
        told.append(f"Only the {what} was read.")
    for number in range(first, total + 1):
        try:
            raster = _raster(image, number, limits)
        except Broken as error:
            yield Skipped(number, f"it is damaged ({str(error)[:80] or type(error).__name__}).")
            continue
        look = (yield raster) if raster is not None else None
        yield (
            page_seen(raster, look)
            if raster is not None and look
            else Page(number, "", layer="empty")
        )
    return Document(kind, (), metadata=about.metadata, warnings=tuple(told))


def _opened(data: bytes) -> Any:
    from PIL import AvifImagePlugin, Image, UnidentifiedImageError

    kinds = _KINDS if by_magic(data, "")[0] != "heic" else _heic()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a child starts none
    Image.MAX_IMAGE_PIXELS = _DECODED_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        return Image.open(io.BytesIO(data), formats=kinds)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except (UnidentifiedImageError, *Broken) as error:
        raise Unfinishable("The picture is damaged and cannot be opened.", code="corrupted") from (
            error
        )


def _heic() -> tuple[str, ...]:
    """Decoded by libheif and libde265 of the pi-heif wheel, in one thread that libde265 starts."""
    import pi_heif

    pi_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False, decode_threads=0
    )
    return ("HEIF",)


def _too_large() -> Unfinishable:
    most = _DECODED_PIXELS // 1_000_000
    return Unfinishable(
        f"The picture has more than {most} million pixels. Make it smaller and send it again.",
        code="limit_memory",
    )


def _raster(image: Any, number: int, limits: Limits) -> Raster | None:
    """As a reader holds it, in gray; None where it is of one colour."""
    from PIL import Image, ImageOps

    if number > 1:
        image.seek(number - 1)
    if image.width * image.height > _DECODED_PIXELS:
        raise _too_large()
    if limits.ocr_seconds <= 0:
        image.load()  # damaged or not, that is told all the same
        return Raster(number, 0, 0, 300.0, b"")
    dpi = _dpi(image)
    image.draft("L", (image.width, image.height))
    gray = _gray(ImageOps.exif_transpose(image))
    low, high = gray.getextrema()
    if low == high:
        return None
    scale = min(1.0, (limits.raster_pixels / (gray.width * gray.height)) ** 0.5 * 0.999)
    if max(gray.size) < _SMALL:
        scale = 2.0
    if scale != 1.0:
        size = (max(1, int(gray.width * scale)), max(1, int(gray.height * scale)))
        gray = gray.resize(size, Image.Resampling.BICUBIC)
    return Raster(number, gray.width, gray.height, dpi * scale, gray.tobytes())


def _gray(image: Any) -> Any:
    """What is transparent is paper; more than eight bits are cut to eight."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        most = float(image.getextrema()[1]) or 1.0
        return (
            image.convert("F").point(lambda value: value * (255.0 / max(255.0, most))).convert("L")
        )
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("L")
    return image if image.mode == "L" else image.convert("L")


def _dpi(image: Any) -> float:
    told = image.info.get("dpi")
    try:
        dpi = float(told[0]) if told else 0.0
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        dpi = 0.0
    return dpi if 71 < dpi <= 1200 else max(72.0, max(image.size) / _INCHES)
