"""A bucket of S3 or of what speaks like it (MinIO, SeaweedFS, Ceph), by signed requests."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote_plus, urlsplit

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net, Reply
from ingestion.parts import tree
from ingestion.sources import Access, Config, Pulled
from ingestion.sources.files import Entry, FilesConfig, Unreadable, matching, pulled, stopped, told

_PIECE = 16_000_000  # below what the way out lets through at once
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_EMPTY = hashlib.sha256(b"").hexdigest()
# What S3 answers → our code and who has to act
_GRANTS = (
    "This key may not list and read the bucket {bucket!r}. Whoever keeps it grants s3:ListBucket "
    "and s3:GetObject."
)
_REGION = "The bucket is in another region. Correct `region` and `endpoint`."
_ANSWERS = {
    "NoSuchBucket": ("no_bucket", "There is no bucket {bucket!r}. Correct `bucket`."),
    "InvalidAccessKeyId": ("sign_in_refused", "The access key is not known there. Correct it."),
    "SignatureDoesNotMatch": ("sign_in_refused", "The secret key is wrong. Correct it."),
    "AccessDenied": ("not_allowed", _GRANTS),
    "AuthorizationHeaderMalformed": ("bad_region", _REGION),
    "PermanentRedirect": ("bad_region", _REGION),
    "RequestTimeTooSkewed": ("clock", "This server's clock is wrong. Its operator sets it."),
}


class S3Config(FilesConfig):
    endpoint: Annotated[
        str, Field(max_length=255, description="such as https://s3.eu-central-1.amazonaws.com")
    ]
    bucket: Annotated[str, Field(max_length=63)]
    prefix: Annotated[str, Field(max_length=1000, description="keys that begin with this")] = ""
    region: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9-]+$")] = "us-east-1"
    style: Annotated[
        Literal["path", "virtual"],
        Field(description="path: endpoint/bucket/key; virtual: bucket.endpoint/key"),
    ] = "path"
    settle_seconds: Annotated[
        float, Field(ge=0, le=3600, description="an object is whole once it is seen")
    ] = 0.0


class S3:
    kind = "s3"
    config: type[Config] = S3Config
    secrets: Mapping[str, str] = {
        "access_key": "the key's id", "secret_key": "the key itself",
        "session_token?": "of a key that is for a while only",
    }  # fmt: skip

    def check(self, config: S3Config, net: Net) -> None:
        if not _BUCKET.fullmatch(config.bucket) or ".." in config.bucket:
            raise InvalidInput(
                "A bucket's name has 3 to 63 small letters, digits, dots and dashes.",
                code="bad_bucket", field="config.bucket",
            )  # fmt: skip
        net.check(config.endpoint)
        parts = urlsplit(config.endpoint)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise InvalidInput(
                "An endpoint is a scheme and a host, without bucket and path.",
                code="bad_url", field="config.endpoint",
            )  # fmt: skip
        net.check(_base(config))

    def test(self, access: Access) -> str:
        return told(_Bucket(access).entries())

    def pull(self, access: Access) -> Iterator[Pulled]:
        bucket = _Bucket(access)
        yield from pulled(access, bucket.entries(), bucket.read, whole=True)


class _Bucket:
    def __init__(self, access: Access) -> None:
        self._access, self._config = access, access.config

    def entries(self) -> list[Entry]:
        return matching(self._walk(), self._config)

    def read(self, one: Entry) -> bytes | None:
        """In pieces, all of the version that was listed."""
        key, tag = self._config.prefix + one.key, str(one.metadata["etag"])
        data = bytearray()
        while len(data) <= self._access.bytes_max:
            headers = {"if-match": tag, "accept-encoding": "identity"}
            if one.size > _PIECE:
                headers["range"] = f"bytes={len(data)}-{len(data) + _PIECE - 1}"
            reply = self._ask(key, {}, headers)
            if reply.status in (404, 412):
                return None  # gone or changed meanwhile: the next pull sees
            if reply.status == 403:
                raise Unreadable("This key may not read it (s3:GetObject).")
            self._expect(reply, 200, 206)
            data += reply.body
            if reply.status == 200 or len(data) >= one.size or not reply.body:
                break
        return bytes(data)

    def _walk(self) -> Iterator[Entry]:
        after = ""
        while True:
            stopped(self._access)
            query = {"list-type": "2", "prefix": self._config.prefix, "max-keys": "1000",
                     "encoding-type": "url"}  # fmt: skip
            if not self._config.recursive:
                query["delimiter"] = "/"
            if after:
                query["continuation-token"] = after
            reply = self._ask("", query, {})
            self._expect(reply, 200)
            page = _Page(reply.body)
            yield from (one for each in page.contents if (one := self._entry(each)))
            if not page.next or page.next == after:
                return
            after = page.next

    def _entry(self, about: Mapping[str, str]) -> Entry | None:
        key = unquote_plus(about.get("Key", ""))
        name = key.removeprefix(self._config.prefix)
        size = about.get("Size", "")
        hidden = any(part.startswith(".") for part in name.split("/"))
        plain = name.isprintable() and not hidden and size.isdecimal()
        if not plain or not name or name.endswith("/"):
            return None  # a folder's mark, say
        tag, changed = about.get("ETag", ""), _seconds(about.get("LastModified", ""))
        return Entry(name, tag.strip('"')[:64], int(size), changed, {"etag": tag})

    def _ask(self, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        url = _base(self._config) + _escaped(key, "/")
        told_of = "&".join(f"{_escaped(k)}={_escaped(v)}" for k, v in sorted(query.items()))
        signed = sign(
            "GET", url, told_of, headers, self._access.secrets, self._config.region,
            datetime.fromtimestamp(self._access.clock.now_ms() / 1000, UTC),
        )  # fmt: skip
        whole = f"{url}?{told_of}" if told_of else url
        return self._access.net.request("GET", whole, headers=signed, redirects_max=0)

    def _expect(self, reply: Reply, *wanted: int) -> None:
        """Raises who has to act."""
        if reply.status in wanted:
            return
        place = urlsplit(self._config.endpoint).netloc
        if reply.status in (408, 425, 429) or reply.status >= 500:
            raise Unavailable(f"{place} answered {reply.status}.", code="unavailable")
        slug, words = _ANSWERS.get(_code_of(reply), ("refused", "It answered {status}."))
        detail = words.format(bucket=self._config.bucket, status=reply.status)
        raise Unfinishable(f"{place}: {detail}", code=slug)


class _Page:
    def __init__(self, body: bytes) -> None:
        root = _xml(body)
        self.contents = [
            {_local(part): part.text or "" for part in each}
            for each in root if _local(each) == "Contents"
        ]  # fmt: skip
        said = {_local(each): each.text or "" for each in root}
        self.next = said.get("NextContinuationToken", "")


def sign(
    method: str, url: str, query: str, headers: Mapping[str, str], secrets: Mapping[str, str],
    region: str, now: datetime,
) -> dict[str, str]:  # fmt: skip
    """The headers with AWS Signature Version 4 over an empty body. `query` is sorted and escaped
    (docs.aws.amazon.com, Signature Version 4 for API requests)."""
    parts = urlsplit(url)
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    usual = {(80, "http"), (443, "https"), (None, "http"), (None, "https")}
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    host = host if (parts.port, parts.scheme) in usual else f"{host}:{parts.port}"
    sent = {"host": host, "x-amz-content-sha256": _EMPTY, "x-amz-date": moment, **headers}
    if token := secrets.get("session_token"):
        sent["x-amz-security-token"] = token
    names = sorted(sent)
    canonical = "\n".join([
        method, parts.path or "/", query, *(f"{name}:{sent[name].strip()}" for name in names), "",
        ";".join(names), _EMPTY,
    ])  # fmt: skip
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{secrets['secret_key']}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), "sha256").digest()
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={secrets['access_key']}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={key.hex()}"
    )
    return sent


def _base(config: S3Config) -> str:
    """Of the bucket, with a slash at its end."""
    parts = urlsplit(config.endpoint)
    if config.style == "virtual":
        return f"{parts.scheme}://{config.bucket}.{parts.netloc}/"
    return f"{parts.scheme}://{parts.netloc}/{config.bucket}/"


def _escaped(text: str, safe: str = "") -> str:
    return quote(text, safe=safe + "-_.~")


def _xml(body: bytes) -> Any:
    try:
        return tree(body)
    except Unfinishable as error:
        raise Unfinishable(
            "The answer is not one of S3. Correct `endpoint`.", code="not_s3"
        ) from error


def _code_of(reply: Reply) -> str:
    try:
        root = tree(reply.body)
    except Unfinishable:
        return ""
    return next((each.text or "" for each in root if _local(each) == "Code"), "")


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


SOURCE = S3()
