# ruff: noqa: E501 - a file is told on a line
"""Mail: nested, split into many, with heads that lie."""

from __future__ import annotations

import base64

from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, case

_HEAD = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: s\r\nMIME-Version: 1.0\r\n"


def nested(levels: int) -> bytes:
    """Mails in mails."""
    made = _HEAD + b"Content-Type: text/plain\r\n\r\nThe bottom.\r\n"
    return _HEAD + (b"Content-Type: message/rfc822\r\n\r\n" + _HEAD) * levels + made[len(_HEAD) :]


def parts(count: int) -> bytes:
    body = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * count
    return _HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + body + b"--b--\r\n"


def boundaries(levels: int) -> bytes:
    made = _HEAD
    for level in range(levels):
        made += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    return made + b"Content-Type: text/plain\r\n\r\nx\r\n"


def injected() -> bytes:
    word = base64.b64encode(b"hello\r\nBcc: all@example.com\r\n\r\nNot the body")
    return (b"From: a@example.com\r\nSubject: =?utf-8?B?" + word + b"?=\r\n"
            b"Content-Type: text/plain\r\n\r\nThe body.\r\n")  # fmt: skip


def attached(name: bytes, body: bytes = b"Zm9v") -> bytes:
    return (_HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain'
            b"\r\n\r\nSee attached.\r\n--b\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\""
            + name + b"\"\r\n\r\n" + body + b"\r\n--b--\r\n")  # fmt: skip


CASES = (
    case("eml-5000-levels", "a.eml", lambda: nested(5_000), READY, LIMITED, BROKEN),
    case("eml-100-levels", "a.eml", lambda: nested(100), READY, LIMITED, BROKEN),
    case("eml-100k-parts", "a.eml", lambda: parts(24_000), READY, LIMITED),
    case("eml-2k-parts", "a.eml", lambda: parts(2_000), READY, LIMITED),
    case("eml-3k-boundaries", "a.eml", lambda: boundaries(3_000), READY, LIMITED, BROKEN, EMPTY),
    case("eml-injected-head", "a.eml", injected, READY),
    case("eml-attached-traversal", "a.eml", lambda: attached(b"../../../tmp/weft-escaped"), READY),
    case("eml-attached-nul", "a.eml", lambda: attached(b"a\0b.txt"), READY, BROKEN, REFUSED),
    case("eml-bad-base64", "a.eml", lambda: attached(b"a.txt", b"%%%=" * 10_000), READY),
    case("eml-unknown-charset", "a.eml", lambda: _HEAD
         + b"Content-Type: text/plain; charset=\"x-\xff\xfe\"\r\n\r\nbody\r\n", READY),
    case("eml-long-head", "a.eml", lambda: _HEAD + b"X: " + b"y" * 900_000 + b"\r\n\r\nbody\r\n",
         READY, LIMITED, REFUSED),
    case("eml-200k-heads", "a.eml", lambda: _HEAD + b"X: y\r\n" * 100_000 + b"\r\nbody\r\n", READY,
         LIMITED),
    case("mbox-10k", "a.mbox", lambda: b"From a@example.com Thu Jan  1 00:00:00 2026\n"
         b"From: a@example.com\nSubject: s\n\nbody\n\n" * 10_000, READY, LIMITED, BROKEN,
         "unsupported_format"),
    case("mbox-from-alone", "a.mbox", lambda: b"From \n" * 1_000, READY, LIMITED, BROKEN, EMPTY,
         REFUSED),
)  # fmt: skip
