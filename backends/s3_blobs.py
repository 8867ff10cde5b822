"""Objects in a bucket: MinIO, SeaweedFS or any other S3, by MinIO's client (Apache-2.0)."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit
from xml.etree.ElementTree import ParseError

from minio import Minio
from minio.error import MinioException, S3Error
from minio.helpers import check_bucket_name

from backends.object_keys import checked
from backends.s3_wire import RETRY_AFTER_SECONDS, Wire
from core.errors import InvalidInput, NotFound, Outage
from core.unsealing import Sink

HOW = "s3://KEY:SECRET@host:9000/BUCKET (?tls=true&region=…&prefix=…)"
_ABOUT = "X-Amz-Meta-Weft"  # one header for all metadata: no name or value can upset a proxy
_OWNER = "weft-owner"
_PART_BYTES_MIN = 5 * 2**20  # the client's smallest; above it, one request holds the whole object
_CONNECTIONS = 64  # the gateway's threads and the workers' together

_REFUSED = {
    "AccessDenied": (
        "KEY or SECRET is wrong, or KEY may not read, write, list and delete in the bucket"
    ),
    "InvalidAccessKeyId": "it does not know KEY",
    "SignatureDoesNotMatch": "SECRET is not the one that belongs to KEY",
    "NoSuchBucket": "the bucket is gone: make it again, or restore a backup",
    "InvalidBucketName": "BUCKET is not a name that it takes",
    "AuthorizationHeaderMalformed": "it wants another region: add ?region=…",
    "PermanentRedirect": "the bucket lives elsewhere: ask that host or add ?region=…",
    "RequestTimeTooSkewed": "its clock and this machine's differ: set them by NTP",
}
_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchVersion", "ResourceNotFound"})
_EXISTS = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
_UNMET = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the objects are; the words of one s3:// URL."""

    host: str
    bucket: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    tls: bool = False
    region: str = "us-east-1"
    prefix: str = ""

    @staticmethod
    def of(url: str) -> Place:
        """Raises `InvalidInput` that says how the URL has to look; it never repeats the secret."""
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        bucket, prefix = parts.path.strip("/"), asked.pop("prefix", "").strip("/")
        place = Place(
            host=parts.netloc.rpartition("@")[2], bucket=bucket,
            key=unquote(parts.username or ""), secret=unquote(parts.password or ""),
            tls=asked.pop("tls", "false") == "true", region=asked.pop("region", "us-east-1"),
            prefix=f"{checked(prefix)}/" if prefix else "",
        )  # fmt: skip
        if asked or not (place.host and place.key and place.secret and _is_bucket(bucket)):
            raise InvalidInput(f"WEFT_BLOBS_URL has to look like {HOW}.", code="bad_blobs_url")
        return place


def _is_bucket(name: str) -> bool:
    try:
        check_bucket_name(name, strict=True)
    except ValueError:
        return False
    return True


class S3Blobs:
    """`BlobStore` in a bucket, which is made if it is missing.

    `owner` names the installation: its mark is the first thing in the bucket, so that two do not
    share one by mistake (each would sweep away what the other stored). Open it after a fork.
    """

    def __init__(self, place: Place, owner: str = "", *, wire: Wire | None = None) -> None:
        self.place = place
        self._owner = owner
        self._opening = threading.Lock()
        self._open = False
        self.wire = wire or Wire(_CONNECTIONS)
        try:
            self.client = Minio(
                place.host, place.key, place.secret, secure=place.tls, region=place.region,
                http_client=self.wire,
            )  # fmt: skip
        except ValueError as error:  # not a host
            raise InvalidInput(
                f"WEFT_BLOBS_URL has to look like {HOW}.", code="bad_blobs_url"
            ) from error

    def __repr__(self) -> str:
        return f"S3Blobs({self.place!r})"

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        about = {_ABOUT: urlencode(dict(metadata))} if metadata else {}
        with self._told(key) as name:
            self._write(name, data, about)

    def get(self, key: str) -> bytes:
        with self._told(key) as name:
            return self.client.get_object(self.place.bucket, name).data

    def stream(self, key: str, sink: Sink) -> None:
        with self._told(key) as name, self.wire.into(sink):
            self.client.get_object(self.place.bucket, name)

    def delete(self, key: str) -> None:
        with contextlib.suppress(NotFound), self._told(key) as name:
            self.client.remove_object(self.place.bucket, name)

    def list(self, prefix: str) -> Iterator[str]:
        """In order. `prefix` may end inside a name."""
        start = self.place.prefix
        with self._told(_OWNER):
            for found in self.client.list_objects(
                self.place.bucket, prefix=start + prefix, recursive=True
            ):
                key = (found.object_name or "").removeprefix(start)
                if key != _OWNER and not found.is_dir:
                    yield key

    def metadata(self, key: str) -> Mapping[str, str]:
        with self._told(key) as name:
            headers = self.client.stat_object(self.place.bucket, name).metadata or {}
        return dict(parse_qsl(headers.get(_ABOUT, ""), keep_blank_values=True))

    def create(self, key: str, data: bytes) -> bool:
        """Stores it where nothing is stored yet; False: something is. (On a store that honours
        `If-None-Match`; `s3_probe` says whether this one does.)"""
        try:
            with self._told(key) as name, self.wire.once():
                self._write(name, data, {})
        except _UnmetError:
            return False
        return True

    def _write(self, name: str, data: bytes, about: Mapping[str, str]) -> None:
        """One request, so that a reader sees all of it or nothing."""
        self.client.put_object(
            self.place.bucket, name, io.BytesIO(data), len(data), metadata=dict(about),
            part_size=max(len(data), _PART_BYTES_MIN),
        )  # fmt: skip

    @contextlib.contextmanager
    def _told(self, key: str) -> Iterator[str]:
        """The object's full name in an opened bucket; the client's errors are told in ours."""
        name = self.place.prefix + checked(key)
        try:
            self._opened()
            yield name
        except S3Error as error:
            self._tell(error, key)
        except (MinioException, ValueError, ParseError) as error:
            raise Outage(
                f"What answers at {self.place.host} does not speak S3. Look at WEFT_BLOBS_URL.",
                code="blobs_unavailable", retry_after=RETRY_AFTER_SECONDS,
            ) from error  # fmt: skip

    def _tell(self, error: S3Error, key: str) -> NoReturn:
        code = error.code or "an error"
        if code in _MISSING:
            raise NotFound(f"There is no object {key}.") from error
        if code in _UNMET:
            raise _UnmetError from error
        if code in _REFUSED:
            raise self._refused(f"{code}: {_REFUSED[code]}") from error
        raise Outage(
            f"The object store refuses ({code}).", code="blobs_unavailable",
            retry_after=RETRY_AFTER_SECONDS,
        ) from error  # fmt: skip

    def _refused(self, why: str) -> Outage:
        place = self.place
        return Outage(
            f"The object store at {place.host}, bucket {place.bucket!r}, refuses Weft. {why} "
            "(WEFT_BLOBS_URL).",
            code="blobs_refused", retry_after=30,
        )  # fmt: skip

    # --- the bucket -----------------------------------------------------------------------------

    def _opened(self) -> None:
        if self._open:
            return
        with self._opening:
            if not self._open:
                self._make()
                self._open = True  # before the mark: it is an object too
                try:
                    self._mark()
                except BaseException:
                    self._open = False
                    raise

    def _make(self) -> None:
        if self.client.bucket_exists(self.place.bucket):
            return
        try:
            self.client.make_bucket(self.place.bucket, self.place.region)
        except S3Error as error:
            if error.code not in _EXISTS:  # another process was first
                raise

    def _mark(self) -> None:
        if not self._owner:
            return
        name = self.place.prefix + _OWNER
        if not self._marked(name):
            with contextlib.suppress(S3Error), self.wire.once():
                self._write(name, self._owner.encode(), {})
        found = self._marked(name)
        if found != self._owner:
            raise self._refused(
                "It belongs to another installation (its root key is not ours): "
                "name another bucket or ?prefix=…, or bring the right root key"
            )

    def _marked(self, name: str) -> str:
        try:
            return self.client.get_object(self.place.bucket, name).data.decode("ascii", "replace")
        except S3Error as error:
            if error.code in _MISSING:
                return ""
            raise


class _UnmetError(Exception):
    """Something is stored there already."""
