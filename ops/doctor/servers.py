"""The servers that the settings name, each asked as Weft itself uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from core.errors import InvalidInput, WeftError
from core.settings import Settings
from ops.doctor.finding import Finding, fail, ok, warn

SKEW_SECONDS_MAX = 5.0
LAG_MAX = 1000  # messages; more is said, less is a moment's work


def examine(settings: Settings) -> Iterator[Finding]:
    """Nothing for the embedded defaults: they are files and threads."""
    if _scheme(settings.jobs_url).startswith("celery+"):
        yield from _guarded("bell", "WEFT_JOBS_URL", lambda: _redis(settings, "bell"))
    if _scheme(settings.limits_url).startswith("redis"):
        yield from _guarded("limits", "WEFT_LIMITS_URL", lambda: _redis(settings, "limits"))
    if _scheme(settings.bus_url).startswith("kafka"):
        yield from _guarded("kafka", "WEFT_BUS_URL", lambda: _kafka(settings))
    if _scheme(settings.blobs_url) == "s3":
        yield from _guarded("bucket", "WEFT_BLOBS_URL", lambda: _bucket(settings))
    if _scheme(settings.models_url) == "ollama":
        yield from _guarded("ollama", "WEFT_MODELS_URL", lambda: _ollama(settings))


def _scheme(url: str) -> str:
    return urlsplit(url).scheme


def _guarded(check: str, setting: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except InvalidInput as error:
        yield fail(check, error.detail, f"correct {setting}")
    except WeftError as error:
        yield fail(check, error.detail, f"start the server, or correct {setting}")


def _redis(settings: Settings, check: str) -> Iterator[Finding]:
    from backends.redis_client import roundtrip_ms

    url, setting = {
        "bell": (settings.jobs_url.removeprefix("celery+"), "WEFT_JOBS_URL"),
        "limits": (settings.limits_url, "WEFT_LIMITS_URL"),
    }[check]
    yield ok(check, f"Redis answers in {roundtrip_ms(url, setting):.1f} ms")


def _kafka(settings: Settings) -> Iterator[Finding]:
    from backends import kafka_topics

    cluster = kafka_topics.Cluster.at(settings.bus_url)
    missing = kafka_topics.missing(cluster)
    if missing:
        words = f"no topic {', '.join(missing)}"
        yield fail("kafka", words, "start the relay and the intake: they make what is missing")
        return
    waiting = sum(kafka_topics.lag(cluster).values())
    if waiting > LAG_MAX:
        words = f"{waiting} messages wait for the intake"
        yield warn("kafka", words, "start more of weft serve --only intake")
        return
    yield ok("kafka", f"every topic is there; {waiting} messages wait for the intake")


def _bucket(settings: Settings) -> Iterator[Finding]:
    from backends.s3_probe import look_at

    seen = look_at(settings.blobs_url)
    words = f"answers in {seen.roundtrip_ms:.0f} ms, versioning {seen.versioning}"
    if not seen.conditional:
        todo = "use a store with If-None-Match (MinIO, SeaweedFS); until then one writer at a time"
        yield fail("bucket", f"{words}; it ignores conditional writes", todo)
    else:
        yield ok("bucket", f"{words}, conditional writes hold")
    yield clock("bucket clock", seen.skew_seconds)


def clock(check: str, skew_seconds: float) -> Finding:
    """Another machine's clock against ours."""
    words = f"{abs(skew_seconds):.1f} s {'ahead of' if skew_seconds > 0 else 'behind'} this machine"
    if abs(skew_seconds) > SKEW_SECONDS_MAX:
        return fail(check, words, "set both clocks by NTP (timedatectl set-ntp true)")
    return ok(check, words)


def _ollama(settings: Settings) -> Iterator[Finding]:
    from models.chat_ollama import installed

    host = urlsplit(settings.models_url).netloc
    names = [model.name for model in installed(f"http://{host}")]
    wanted = settings.chat_model
    if wanted and wanted not in names:
        yield fail("ollama", f"{wanted} is not there", f"ollama pull {wanted}")
    elif not names:
        yield warn("ollama", f"{host} answers but has no chat model", "ollama pull llama3.1")
    else:
        yield ok("ollama", f"{host} has {', '.join(names)}")
