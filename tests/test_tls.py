"""The TLS filter against Python's own TLS objects, fed whole and octet by octet."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import CertificateError, TlsError, TruncatedError
from fairlead.tls import RECORD, Tls
from tests.certificates import Pair, make

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", "localhost", "127.0.0.1")


@pytest.fixture(params=VERSIONS, ids=["1.2", "1.3"])
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    chosen: ssl.TLSVersion = request.param
    return chosen


def server_context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


def client_context(pair: Pair, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pair.certificate))
    context.maximum_version = version
    return context


class Other:
    """An end made of Python's own objects."""

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, **options)

    def handshake(self, data: bytes = b"") -> bool:
        self.incoming.write(data)
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def take(self) -> bytes:
        return self.outgoing.read()

    def send(self, data: bytes) -> bytes:
        self.object.write(data)
        return self.outgoing.read()

    def receive(self, data: bytes = b"") -> bytes:
        self.incoming.write(data)
        received = b""
        try:
            while piece := self.object.read(1 << 20):
                received += piece
        except ssl.SSLWantReadError:
            pass
        return received

    def end(self) -> bytes:
        try:
            self.object.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def join(client: Tls | Other, server: Tls | Other, size: int = 1 << 20) -> None:
    """Let the two shake hands, their octets cut to ``size``."""
    client.handshake()
    done = False
    while not done:
        done = False
        for giver, taker in ((client, server), (server, client)):
            for piece in pieces(giver.take(), size):
                done = taker.handshake(piece) and taker is server
                if done:
                    return


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_server_speaks_to_another_client(pair: Pair, version: ssl.TLSVersion, size: int) -> None:
    server = Tls(server_context(pair), server_side=True)
    client = Other(client_context(pair, version), server_hostname="localhost")
    join(client, server, size)

    assert server.established
    assert client.receive(server.take()) == b""
    assert (server.version, server.cipher) == (client.object.version(), client.object.cipher()[0])  # type: ignore[index]
    assert b"".join(map(server.receive, pieces(client.send(b"USER me\r\n"), size))) == b"USER me\r\n"
    assert b"".join(map(client.receive, pieces(server.send(b"331 \r\n"), size))) == b"331 \r\n"
    assert not server.ended


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_client_speaks_to_another_server(pair: Pair, version: ssl.TLSVersion, size: int) -> None:
    server = Other(server_context(pair), server_side=True)
    client = Tls(client_context(pair, version), server_name="localhost")
    join(client, server, size)
    client.handshake(server.take())

    assert client.established
    assert client.version == version.name.replace("v1_", "v1.")
    assert client.peer_names == ("server", "localhost", "127.0.0.1")
    assert client.peer_certificate is not None
    assert b"".join(map(client.receive, pieces(server.send(b"220 \r\n"), size))) == b"220 \r\n"
    assert b"".join(map(server.receive, pieces(client.send(b"QUIT\r\n"), size))) == b"QUIT\r\n"
