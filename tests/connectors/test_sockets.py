"""Mail boxes and file servers are reached under the same rules as web addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from connectors.egress import Egress
from core.errors import InvalidInput, Unavailable
from tests.connectors.test_egress import HOSTS


class Echo:
    """A loopback server that sends back what it reads, and counts who came."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            with one:
                one.sendall(one.recv(100))

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


def test_a_place_that_the_operator_allows_is_connected_to(echo: Echo) -> None:
    with Egress(f"127.0.0.1:{echo.port}").connect("127.0.0.1", echo.port, tls=False) as wire:
        wire.sendall(b"EHLO")
        assert wire.recv(10) == b"EHLO"


@pytest.mark.parametrize("host", [host for host in HOSTS if "#" not in host and "/" not in host])
def test_no_spelling_of_a_private_address_is_dialled(echo: Echo, host: str) -> None:
    def never(name: str, port: int) -> list[str]:
        raise AssertionError(f"{name} was looked up")

    for port in (echo.port, 143, 22):
        with pytest.raises(InvalidInput):
            Egress(resolver=never).connect(host, port, tls=False)
    assert echo.connections == 0


@pytest.mark.parametrize("port", [25, 80, 465, 587, 3306, 0, -1, 70000])
def test_ports_that_are_no_mail_box_or_file_server_are_refused(port: int) -> None:
    with pytest.raises(InvalidInput):
        Egress().check_place("mail.example.org", port)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::1"], []])
def test_a_name_that_turns_private_is_not_dialled(found: list[str]) -> None:
    with pytest.raises(Unavailable) as caught:
        Egress(resolver=lambda host, port: found).connect("mail.example.org", 143, tls=False)
    assert caught.value.detail == "mail.example.org:143 could not be reached."


def test_a_server_without_tls_is_told_as_such_and_let_go(echo: Echo) -> None:
    net = Egress(f"localhost:{echo.port}")
    with pytest.raises(Unavailable, match="not with TLS") as caught:
        net.connect("localhost", echo.port, tls=True)
    assert (caught.value.slug, echo.connections) == ("no_tls", 1)


def test_a_second_connection_goes_to_the_address_of_the_first_and_nowhere_else(echo: Echo) -> None:
    other, net = Echo(), Egress(f"127.0.0.1:{echo.port}")
    try:
        with (
            net.connect("127.0.0.1", echo.port, tls=False) as control,
            net.connect_beside(control, other.port) as data,
        ):
            assert data.getpeername() == ("127.0.0.1", other.port)
            for port in (0, 25, 80, 1023, 65536):
                with pytest.raises(InvalidInput):
                    net.connect_beside(control, port)
    finally:
        other.close()
