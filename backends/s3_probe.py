"""Looks at a bucket the way an operator would: can Weft rely on it?"""

from __future__ import annotations

import time
from dataclasses import dataclass

from minio.error import MinioException

from backends.s3_blobs import Place, S3Blobs
from core.errors import Outage
from core.ids import new_id


@dataclass(frozen=True, slots=True)
class Look:
    """`conditional`: a write that asks for it never replaces an object. `versioning`: `Enabled`,
    `Off`, `Suspended`, or `unknown` when the store does not tell. `skew_seconds`: its clock minus
    ours. `roundtrip_ms`: one small write, read and delete."""

    conditional: bool
    versioning: str
    skew_seconds: float
    roundtrip_ms: float


def look(blobs: S3Blobs) -> Look:
    """Writes and deletes two small objects. Raises `Outage` that says what is wrong."""
    key, data = f"probe/{new_id()}", b"weft"
    started = time.perf_counter()
    blobs.put(key, data, {})
    if blobs.get(key) != data:
        raise Outage("The object store gave back other bytes than it got.", code="blobs_refused")
    blobs.delete(key)
    took = time.perf_counter() - started
    try:
        conditional = blobs.create(key, data) and not blobs.create(key, data)
    finally:
        blobs.delete(key)
    return Look(conditional, _versioning(blobs), blobs.wire.skew_seconds or 0.0, took * 1000)


def look_at(url: str) -> Look:
    """As `look`, for the bucket of a WEFT_BLOBS_URL; without the installation's mark."""
    return look(S3Blobs(Place.of(url)))


def _versioning(blobs: S3Blobs) -> str:
    try:
        return blobs.client.get_bucket_versioning(blobs.place.bucket).status or "Off"
    except MinioException:
        return "unknown"
