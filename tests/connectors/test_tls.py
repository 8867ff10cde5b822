"""TLS: the checked address is called by its name; mail and passwords stay private."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.egress import Egress
from connectors.email import Email
from core.breaker import Breaker
from core.clock import FakeClock
from core.errors import Unavailable
from core.ports import EffectCall
from core.settings import Settings
from tests.fakes.sink import MailSink

NAME = "hooks.example.org"


class Secure:
    """An HTTPS server whose certificate is good for `NAME` alone; remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str | None] = []
        self.hosts: list[str] = []
        self.certificate = folder / "certificate.pem"
        _write_certificate(self.certificate, folder / "key.pem")
        secure = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                secure.hosts.append(self.headers["host"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests read the lists."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, folder / "key.pem")
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = int(self.server.server_address[1])


def _write_certificate(certificate: Path, key_file: Path, host: str = NAME) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    server = Secure(tmp_path)
    thread = threading.Thread(target=server.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()


def caller(secure: Secure, name: str) -> Egress:
    return Egress(
        f"{name}:{secure.port}",
        resolver=lambda host, port: ["127.0.0.1"],
        tls=ssl.create_default_context(cafile=secure.certificate),
        seconds_max=5,
    )


def test_the_original_name_goes_to_the_checked_address(secure: Secure) -> None:
    url = f"https://{NAME}:{secure.port}/"
    assert caller(secure, NAME).request("GET", url).status == 204
    assert (secure.names, secure.hosts) == ([NAME], [f"{NAME}:{secure.port}"])


def test_a_certificate_of_another_name_ends_the_call(secure: Secure) -> None:
    other = "other.example.org"
    with pytest.raises(Unavailable):
        caller(secure, other).request("GET", f"https://{other}:{secure.port}/")
    assert secure.hosts == []


@pytest.fixture
def mail_tls(tmp_path: Path) -> ssl.SSLContext:
    _write_certificate(tmp_path / "mail.pem", tmp_path / "mail-key.pem", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "mail.pem", tmp_path / "mail-key.pem")
    return context


def _send(sink: MailSink, user: str) -> None:
    url = sink.url.replace("smtp://127.0.0.1", f"smtp://{user}@localhost")
    clock = FakeClock()
    mail = {"to": "ap@clearpay.example", "subject": "Hello", "body": "Text"}
    settings = Settings(smtp_url=url, smtp_sender="weft@clearpay.example", _env_file=None)
    Email(settings, clock, Breaker(clock), 5.0).send(EffectCall("k", mail))


def test_mail_is_sent_by_starttls_after_signing_in(
    tmp_path: Path, mail_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
    with MailSink(tmp_path / "m", tls=mail_tls, login=("weft", "s3cret@x")) as sink:
        _send(sink, "weft:s3cret%40x")
        with pytest.raises(Unavailable, match="SMTPAuthenticationError"):
            _send(sink, "weft:wrong")
        assert [one["to"] for one in sink.deliveries()] == [["ap@clearpay.example"]]


def test_a_mail_server_that_nobody_vouches_for_gets_nothing(
    tmp_path: Path, mail_tls: ssl.SSLContext
) -> None:
    with MailSink(tmp_path / "m", tls=mail_tls, login=("weft", "s3cret")) as sink:
        with pytest.raises(Unavailable, match="SSLCertVerificationError"):
            _send(sink, "weft:s3cret")
        assert sink.deliveries() == []
