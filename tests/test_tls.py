"""The TLS filter against Python's own TLS objects, fed whole and octet by octet."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
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
        with suppress(ssl.SSLWantReadError):
            self.object.unwrap()
        return self.outgoing.read()


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def join(client: Tls | Other, server: Tls | Other, size: int = 1 << 20) -> None:
    """Let the two shake hands, their octets cut to ``size``, until each has all that the other has to say."""
    client.handshake()
    while not all([feed(client.take(), server, size), feed(server.take(), client, size)]):
        pass


def feed(data: bytes, taker: Tls | Other, size: int) -> bool:
    done = taker.handshake()
    for piece in pieces(data, size):
        if done:
            assert taker.receive(piece) == b""
        else:
            done = taker.handshake(piece)
    return done


def joined(pair: Pair, version: ssl.TLSVersion) -> tuple[Tls, Tls]:
    """A client and a server of ours that have shaken hands."""
    client = Tls(client_context(pair, version), server_name="localhost")
    server = Tls(server_context(pair), server_side=True)
    join(client, server)
    return client, server


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_server_speaks_to_another_client(pair: Pair, version: ssl.TLSVersion, size: int) -> None:
    server = Tls(server_context(pair), server_side=True)
    client = Other(client_context(pair, version), server_hostname="localhost")
    join(client, server, size)

    assert server.established
    assert (server.version, server.cipher) == (client.object.version(), client.object.cipher()[0])  # type: ignore[index]
    assert b"".join(map(server.receive, pieces(client.send(b"USER me\r\n"), size))) == b"USER me\r\n"
    assert b"".join(map(client.receive, pieces(server.send(b"331 \r\n"), size))) == b"331 \r\n"
    assert not server.ended


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_client_speaks_to_another_server(pair: Pair, version: ssl.TLSVersion, size: int) -> None:
    server = Other(server_context(pair), server_side=True)
    client = Tls(client_context(pair, version), server_name="localhost")
    join(client, server, size)

    assert client.established
    assert client.version == version.name.replace("v1_", "v1.")
    assert client.peer_names == ("server", "localhost", "127.0.0.1")
    assert client.peer_certificate is not None
    assert b"".join(map(client.receive, pieces(server.send(b"220 \r\n"), size))) == b"220 \r\n"
    assert b"".join(map(server.receive, pieces(client.send(b"QUIT\r\n"), size))) == b"QUIT\r\n"


@pytest.mark.parametrize("size", [RECORD - 1, RECORD, RECORD + 1, 1_000_000])
def test_long_data_come_out_whole(pair: Pair, version: ssl.TLSVersion, size: int) -> None:
    client, server = joined(pair, version)
    data = os.urandom(size)

    sent = server.send(data)

    assert client.receive(sent) == data
    assert b"".join(map(server.receive, pieces(client.send(memoryview(data)), 100_000))) == data
    assert max(map(len, client.receive_records(server.send(data)))) == min(size, RECORD)


@pytest.mark.parametrize("size", [1, RECORD, RECORD + 1, 1_000_000])
@pytest.mark.parametrize("piece", [1000, RECORD, 100_000])
def test_long_data_come_out_whole_in_a_place_of_the_receivers(
    pair: Pair, version: ssl.TLSVersion, size: int, piece: int
) -> None:
    client, server = joined(pair, version)
    data = os.urandom(size)
    place = memoryview(bytearray(piece + RECORD))

    received = [
        bytes(place[: server.receive_into(place, memoryview(part))])
        for part in pieces(client.send(data) + client.end(), piece)
    ]

    assert b"".join(received) == data
    assert server.ended


def test_nothing_to_say_is_nothing_to_send(pair: Pair, version: ssl.TLSVersion) -> None:
    client, server = joined(pair, version)

    assert server.send(b"") == b""
    assert client.receive() == b""


def test_the_end_is_told_and_noticed(pair: Pair, version: ssl.TLSVersion) -> None:
    client, server = joined(pair, version)

    assert client.receive(server.send(b"226 \r\n") + server.end()) == b"226 \r\n"

    assert client.ended
    assert not server.ended
    client.connection_ended()


def test_one_side_goes_on_after_the_other_has_ended(pair: Pair, version: ssl.TLSVersion) -> None:
    client, server = joined(pair, version)
    end = server.end()

    assert server.receive(client.send(b"still here")) == b"still here"
    assert client.receive(end) == b""
    assert server.receive(client.end()) == b""

    assert server.ended
    assert client.ended


def test_another_end_takes_ours_for_one(pair: Pair, version: ssl.TLSVersion) -> None:
    server = Tls(server_context(pair), server_side=True)
    client = Other(client_context(pair, version), server_hostname="localhost")
    join(client, server)

    assert client.receive(server.send(b"data") + server.end()) == b"data"

    server.receive(client.end())
    assert server.ended


def test_a_connection_that_is_cut_is_told_from_one_that_ended(pair: Pair, version: ssl.TLSVersion) -> None:
    client, server = joined(pair, version)
    sent = client.send(b"all of it") + client.end()

    assert b"".join(map(server.receive, pieces(sent[:-1], 1))) == b"all of it"
    with pytest.raises(TruncatedError, match="close_notify"):
        server.connection_ended()

    server.receive(sent[-1:])
    server.connection_ended()


def test_a_connection_that_ends_during_the_handshake_is_an_error(pair: Pair) -> None:
    server = Tls(server_context(pair), server_side=True)

    with pytest.raises(TlsError, match="during the TLS handshake"):
        server.connection_ended()


def test_what_stands_behind_the_end_is_in_clear(pair: Pair, version: ssl.TLSVersion) -> None:
    client, server = joined(pair, version)

    assert server.receive(client.send(b"CCC\r\n") + client.end() + b"PASV\r\n") == b"CCC\r\n"

    assert server.ended
    assert server.unused() == b"PASV\r\n"
    assert server.unused() == b""


def test_data_that_follow_the_handshake_at_once_are_kept(pair: Pair, version: ssl.TLSVersion) -> None:
    server = Tls(server_context(pair), server_side=True)
    client = Tls(client_context(pair, version), server_name="localhost")
    client.handshake()
    server.handshake(client.take())
    client.handshake(server.take())
    if not client.established:  # TLS 1.2 takes another turn
        server.handshake(client.take())
        client.handshake(server.take())

    server.handshake(client.take() + client.send(b"first octets"))

    assert server.receive() == b"first octets"


def test_a_connection_can_be_protected_again(pair: Pair, version: ssl.TLSVersion) -> None:
    server_side, client_side = server_context(pair), client_context(pair, version)
    session = None
    for resumed in (False, True):
        client = Tls(client_side, server_name="localhost", session=session)
        server = Tls(server_side, server_side=True)
        join(client, server)
        assert client.receive(server.send(b"x")) == b"x"
        session = client.session
        assert (client.resumed, server.resumed) == (resumed, resumed)
        client.receive(server.end())
        server.receive(client.end())
        assert client.ended
        assert server.ended


def test_a_session_of_another_context_is_not_resumed(pair: Pair, version: ssl.TLSVersion) -> None:
    client_side = client_context(pair, version)
    first, server = Tls(client_side, server_name="localhost"), Tls(server_context(pair), server_side=True)
    join(first, server)
    first.receive(server.send(b"x"))

    second = Tls(client_side, server_name="localhost", session=first.session)
    server = Tls(server_context(pair), server_side=True)
    join(second, server)

    assert not second.resumed
    assert not server.resumed


def test_the_protocol_is_agreed_on(pair: Pair, version: ssl.TLSVersion) -> None:
    contexts = client_context(pair, version), server_context(pair)
    for context in contexts:
        context.set_alpn_protocols(["ftp"])
    client, server = Tls(contexts[0], server_name="localhost"), Tls(contexts[1], server_side=True)
    join(client, server)

    assert (client.protocol, server.protocol) == ("ftp", "ftp")


def test_nothing_is_agreed_on_before_the_handshake(pair: Pair) -> None:
    client = Tls(client_context(pair), server_name="localhost")

    assert (client.version, client.cipher, client.protocol, client.resumed) == ("", "", "", False)
    assert client.session is None


def test_a_client_without_a_certificate_has_no_names(pair: Pair, version: ssl.TLSVersion) -> None:
    _, server = joined(pair, version)

    assert server.peer_certificate is None
    assert server.peer_names == ()


def test_a_certificate_of_an_unknown_issuer_is_refused_and_the_server_learns_why(
    pair: Pair, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    client = Tls(client_context(make(tmp_path, "stranger"), version), server_name="localhost")
    server = Tls(server_context(pair), server_side=True)

    with pytest.raises(CertificateError, match="self-signed certificate"):
        join(client, server)
    with pytest.raises(TlsError, match="does not trust the issuer"):
        server.handshake(client.take())


def test_a_certificate_for_another_name_is_refused(pair: Pair, version: ssl.TLSVersion) -> None:
    client = Tls(client_context(pair, version), server_name="example.com")

    with pytest.raises(CertificateError, match=r"example\.com"):
        join(client, Tls(server_context(pair), server_side=True))


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (b"USER me\r\nPASS secret\r\n", "what came is not TLS"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "what came is HTTP"),
        (b"\x16\x03\x01\x00\x05\x00\x00\x00\x00\x00", "message of TLS came that does not belong"),
    ],
)
def test_what_is_no_handshake_is_an_error(pair: Pair, said: bytes, meaning: str) -> None:
    server = Tls(server_context(pair), server_side=True)

    with pytest.raises(TlsError, match=meaning):
        server.handshake(said)
    assert not server.established


def test_two_without_a_common_version_do_not_agree(pair: Pair) -> None:
    strict = server_context(pair)
    strict.minimum_version = ssl.TLSVersion.TLSv1_3
    server = Tls(strict, server_side=True)
    client = Tls(client_context(pair, ssl.TLSVersion.TLSv1_2), server_name="localhost")
    client.handshake()

    with pytest.raises(TlsError, match="no version of TLS in common"):
        server.handshake(client.take())
    with pytest.raises(TlsError, match="no version of TLS in common"):
        client.handshake(server.take())


def test_two_without_a_common_cipher_do_not_agree(pair: Pair) -> None:
    choosy = server_context(pair)
    choosy.maximum_version = ssl.TLSVersion.TLSv1_2
    choosy.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    limited = client_context(pair)
    limited.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    client = Tls(limited, server_name="localhost")
    client.handshake()

    with pytest.raises(TlsError, match="no cipher in common"):
        Tls(choosy, server_side=True).handshake(client.take())


def test_a_damaged_record_is_an_error(pair: Pair, version: ssl.TLSVersion) -> None:
    client, server = joined(pair, version)
    record = bytearray(client.send(b"secret"))
    record[-1] ^= 1

    with pytest.raises(TlsError, match="damaged"):
        server.receive_into(memoryview(bytearray(2 * RECORD)), memoryview(record))
    with pytest.raises(TlsError):
        server.receive(record)
    with pytest.raises(TlsError):
        client.receive(server.take())


def test_an_end_can_be_told_after_a_failure(pair: Pair) -> None:
    server = Tls(server_context(pair), server_side=True)
    with pytest.raises(TlsError):
        server.handshake(b"no TLS at all")
    server.take()

    assert server.end() == b""
    with pytest.raises(TlsError, match="TLS failed"):
        server.send(b"x")
