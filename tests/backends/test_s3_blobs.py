"""The bucket adapter against a store that fails in every way a network knows."""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Iterator

import pytest

from backends import s3_probe, s3_wire
from backends.s3_blobs import Place, S3Blobs
from backends.s3_wire import Wire
from core.errors import InvalidInput, NotFound, Outage
from core.patience import person_waits
from tests.fakes.s3 import FakeS3

DATA = b"0123456789" * 10


@pytest.fixture
def fake() -> Iterator[FakeS3]:
    with FakeS3().running() as running:
        yield running


@pytest.fixture
def blobs(fake: FakeS3) -> S3Blobs:
    store = S3Blobs(Place.of(fake.url), wire=Wire(4, deadline_seconds=4.0))
    store.put("t/a/x", DATA, {"tenant_id": "a"})
    fake.asked.clear()
    return store


@pytest.mark.parametrize("fault", ["503", "500", "429", "cut", "other", "reset", "garbage"])
def test_a_passing_fault_is_not_noticed(blobs: S3Blobs, fake: FakeS3, fault: str) -> None:
    fake.faults.extend([fault, fault])
    assert blobs.get("t/a/x") == DATA
    fake.faults.extend([fault] if fault not in ("cut", "other") else [])
    blobs.put("t/a/y", DATA, {})
    assert fake.objects["t/a/y"][0] == DATA


class Taken:
    def begin(self, size: int) -> None:
        self.size, self.data = size, b""

    def feed(self, piece: bytes | memoryview) -> None:
        self.data += piece


@pytest.mark.parametrize("fault", ["503", "cut", "reset", "garbage"])
def test_an_object_that_breaks_off_comes_again_from_its_first_byte(
    blobs: S3Blobs, fake: FakeS3, fault: str
) -> None:
    fake.faults.extend([fault, fault])
    taken = Taken()
    blobs.stream("t/a/x", taken)
    assert (taken.data, taken.size) == (DATA, len(DATA))
    assert blobs.get("t/a/x") == DATA, "and the next answer is its own again"
    with pytest.raises(NotFound):
        blobs.stream("t/a/none", taken)


@pytest.mark.parametrize("fault", ["503", "cut", "other", "reset", "garbage"])
def test_a_lasting_fault_says_when_to_come_back(blobs: S3Blobs, fake: FakeS3, fault: str) -> None:
    fake.faults.extend([fault] * 20)
    with pytest.raises(Outage) as caught:
        blobs.get("t/a/x")
    assert caught.value.extra["retry_after"] > 0
    assert len(fake.asked) == s3_wire.TRIES


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_no_request_outlives_its_deadline(fake: FakeS3, fault: str) -> None:
    blobs = S3Blobs(Place.of(fake.url), wire=Wire(4, deadline_seconds=1.0))
    blobs.put("t/a/x", DATA * 5, {})
    fake.faults.extend([fault] * 20)
    started = time.monotonic()
    with pytest.raises(Outage):
        blobs.get("t/a/x")
    assert time.monotonic() - started < 12, "it hangs for 20 seconds"


def test_who_waits_for_a_silent_store_is_told_soon(fake: FakeS3) -> None:
    wire = Wire(4, deadline_seconds=2.0, silence_seconds=0.3)
    blobs = S3Blobs(Place.of(fake.url), wire=wire)
    blobs.put("t/a/x", DATA, {})

    def took() -> float:
        fake.faults.clear()
        fake.faults.extend(["hang"] * 20)
        started = time.monotonic()
        with pytest.raises(Outage):
            blobs.get("t/a/x")
        return time.monotonic() - started

    waiting = contextvars.copy_context()
    waiting.run(person_waits.set, True)
    assert 2 * waiting.run(took) < took(), "a worker is more patient"


def test_a_store_that_is_down_rests_and_is_used_again(blobs: S3Blobs, fake: FakeS3) -> None:
    fake.faults.extend(["503"] * 24)
    for _ in range(8):
        with pytest.raises(Outage):
            blobs.delete("t/a/x")
    fake.asked.clear()
    with pytest.raises(Outage, match="rests"):
        blobs.get("t/a/x")
    assert fake.asked == []


def test_what_it_refuses_names_the_setting_and_no_secret(blobs: S3Blobs, fake: FakeS3) -> None:
    fake.faults.append("403")
    with pytest.raises(Outage, match="WEFT_BLOBS_URL") as caught:
        blobs.get("t/a/x")
    assert "secret" not in str(caught.value)
    assert caught.value.slug == "blobs_refused"


def test_a_bucket_that_went_away_is_not_made_again_in_silence(blobs: S3Blobs, fake: FakeS3) -> None:
    fake.buckets.clear()
    with pytest.raises(Outage, match="the bucket is gone"):
        blobs.get("t/a/x")


def test_two_installations_do_not_share_a_bucket(fake: FakeS3) -> None:
    first, other = (S3Blobs(Place.of(fake.url), owner) for owner in ("one", "two"))
    first.put("t/a/x", DATA, {})
    with pytest.raises(Outage, match="another installation"):
        other.get("t/a/x")
    apart = S3Blobs(Place.of(f"{fake.url}?prefix=two"), "two")
    apart.put("t/b/x", DATA, {})
    assert list(first.list("t/")) == ["t/a/x"]
    assert list(apart.list("")) == ["t/b/x"]


def test_only_one_creates(blobs: S3Blobs) -> None:
    assert blobs.create("t/a/new", b"1")
    assert not blobs.create("t/a/new", b"2")
    assert blobs.get("t/a/new") == b"1"
    blobs.put("t/a/new", b"3", {})
    assert blobs.get("t/a/new") == b"3"


def test_the_probe_sees_what_a_bucket_lacks(fake: FakeS3) -> None:
    blobs = S3Blobs(Place.of(fake.url))
    good = s3_probe.look(blobs)
    assert (good.conditional, good.versioning) == (True, "Off")
    assert abs(good.skew_seconds) < 3
    fake.conditional, fake.skew_seconds = False, 600.0
    bad = s3_probe.look(blobs)
    assert not bad.conditional
    assert 590 < bad.skew_seconds < 610
    assert list(blobs.list("")) == []


@pytest.mark.parametrize(
    "url",
    [
        "s3://host/bucket", "s3://key:secret@/bucket", "s3://key:secret@host", "s3://k@host/bucket",
        "s3://key:secret@host/UPPER", "s3://key:secret@host/a/b", "s3://key:secret@host/bucket?x=1",
        "s3://key:secret@host/bucket?prefix=../x",
    ],
)  # fmt: skip
def test_a_wrong_url_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Place.of(url)
    assert "secret" not in str(caught.value)


def test_the_url_s_words() -> None:
    place = Place.of("s3://k%2Fy:s%40t@h:9/bucket?tls=true&region=eu-1&prefix=a/b/")
    assert (place.key, place.secret, place.host) == ("k/y", "s@t", "h:9")
    assert (place.tls, place.region, place.prefix) == (True, "eu-1", "a/b/")


def test_credentials_are_neither_shown_nor_logged(
    fake: FakeS3, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = fake.url.replace("key:secret", "accesskey:topsecret")
    blobs = S3Blobs(Place.of(url))
    blobs.put("t/a/x", DATA, {})
    shown = repr(blobs) + repr(blobs.place) + caplog.text
    assert "topsecret" not in shown
    assert "accesskey" not in shown
