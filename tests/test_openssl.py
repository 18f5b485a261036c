"""What is asked of OpenSSL behind ssl's back, and that nothing is where it cannot be."""

from __future__ import annotations

import ctypes
import ssl
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from fairlead import openssl
from fairlead.errors import TlsError
from fairlead.tls import Tls
from tests.certificates import Pair, make
from tests.test_tls import joined, server_context

CIPHERSUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make(tmp_path_factory.mktemp("certificates"), "server", "localhost")


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Look for the functions anew."""
    openssl._functions.cache_clear()
    yield
    openssl._functions.cache_clear()


def test_a_ticket_comes_with_what_is_sent_next(pair: Pair) -> None:
    client, server = joined(pair, ssl.TLSVersion.TLSv1_3)
    client.receive(server.send(b"220"))
    before = client.session
    assert before is not None

    assert server.add_ticket()
    assert client.receive(server.send(b"226")) == b"226"

    after = client.session
    assert after is not None
    assert after.id != before.id


def test_the_new_ticket_resumes_the_session(pair: Pair) -> None:
    client, server = joined(pair, ssl.TLSVersion.TLSv1_3)
    assert server.add_ticket()
    client.receive(server.send(b"226"))

    again = Tls(client._object.context, server_name="localhost", session=client.session)
    other = Tls(server._object.context, server_side=True)
    again.handshake()
    other.handshake(again.take())
    again.handshake(other.take())
    assert other.handshake(again.take())
    assert other.resumed


def test_there_are_no_further_tickets_in_1_2(pair: Pair) -> None:
    client, server = joined(pair, ssl.TLSVersion.TLSv1_2)

    assert not server.add_ticket()
    assert client.receive(server.send(b"226")) == b"226"


def test_there_are_none_before_the_handshake_and_none_from_a_client(pair: Pair) -> None:
    server = Tls(server_context(pair), server_side=True)
    assert not server.add_ticket()

    client, server = joined(pair, ssl.TLSVersion.TLSv1_3)
    assert not client.add_ticket()
    assert server.receive(client.send(b"NOOP")) == b"NOOP"


def joined_under(context: ssl.SSLContext, pair: Pair, version: ssl.TLSVersion) -> Tls:
    """A client's end of a connection with a server of ``context``."""
    trusting = ssl.create_default_context(cafile=str(pair.certificate))
    trusting.maximum_version = version
    client, server = Tls(trusting, server_name="localhost"), Tls(context, server_side=True)
    client.handshake()
    while not server.handshake(client.take()):
        client.handshake(server.take())
    if not client.established:
        client.handshake(server.take())
    client.receive(server.send(b"x"))
    return client


@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_live_as_long_as_they_are_told(pair: Pair, version: ssl.TLSVersion) -> None:
    context = server_context(pair)
    assert openssl.tune(context, session_lifetime=12345, ciphersuites=CIPHERSUITES)

    session = joined_under(context, pair, version).session

    assert session is not None
    assert session.ticket_lifetime_hint == 12345


@pytest.mark.parametrize("first", ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"])
def test_the_first_cipher_of_the_server_that_the_client_has_is_chosen(pair: Pair, first: str) -> None:
    context = server_context(pair)
    assert openssl.tune(context, session_lifetime=60, ciphersuites=f"{first}:TLS_AES_256_GCM_SHA384")

    assert joined_under(context, pair, ssl.TLSVersion.TLSv1_3).cipher == first


def test_ciphers_that_do_not_exist_are_not_set(pair: Pair) -> None:
    context = server_context(pair)
    assert not openssl.tune(context, session_lifetime=60, ciphersuites="TLS_ROT_13")

    assert joined_under(context, pair, ssl.TLSVersion.TLSv1_3).cipher == "TLS_AES_256_GCM_SHA384"


def resumed(pair: Pair, version: ssl.TLSVersion, circles: list[bytes], *, stateful: bool = False) -> list[bool]:
    """Whether each connection after the first resumes the one before; they are in these circles of one context."""
    context = server_context(pair)
    if stateful:
        context.options |= ssl.OP_NO_TICKET
    trusting = ssl.create_default_context(cafile=str(pair.certificate))
    trusting.maximum_version = version
    session, found = None, []
    for circle in circles:
        client, server = Tls(trusting, server_name="localhost", session=session), Tls(context, server_side=True)
        server.bind(circle, tickets=1)
        client.handshake()
        while not server.handshake(client.take()):
            client.handshake(server.take())
        client.handshake(server.take())
        client.receive(server.send(b"x"))
        found.append(server.resumed)
        session = client.session
        client.receive(server.end())
        server.receive(client.end())
    return found[1:]


@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
def test_only_those_of_one_circle_resume_each_other(pair: Pair, version: ssl.TLSVersion, stateful: bool) -> None:
    """With tickets, and with sessions that the server keeps."""
    circles = [b"one", b"one", b"two", b"two", b"on", b"one"]

    assert resumed(pair, version, circles, stateful=stateful) == [True, False, True, False, False]


@pytest.mark.parametrize("tickets", [0, 1, 3])
def test_a_connection_gives_as_many_tickets_as_it_is_told(pair: Pair, tickets: int) -> None:
    context = server_context(pair)
    client = Tls(ssl.create_default_context(cafile=str(pair.certificate)), server_name="localhost")
    server = Tls(context, server_side=True)
    server.bind(b"circle", tickets=tickets)
    client.handshake()
    server.handshake(client.take())
    client.handshake(server.take())
    assert server.handshake(client.take())

    records, at = 0, 0
    sent = server.take()
    while at < len(sent):
        at += 5 + int.from_bytes(sent[at + 3 : at + 5])
        records += 1
    assert records == tickets


@pytest.mark.parametrize("circle", [bytes(33), bytes(300)])
def test_a_name_of_a_circle_that_is_too_long_is_none(pair: Pair, circle: bytes) -> None:
    with pytest.raises(TlsError, match="who may resume"):
        Tls(server_context(pair), server_side=True).bind(circle, tickets=1)


def impossible(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "another Python":
        monkeypatch.setattr(sys, "implementation", SimpleNamespace(name="pypy"))
    elif how == "no library":
        monkeypatch.setattr(ctypes, "CDLL", raising(OSError))
    else:
        monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())


def raising(kind: type[Exception]) -> Any:
    def act(*_: object) -> None:
        raise kind

    return act


@pytest.mark.parametrize("how", ["another Python", "no library", "no such function"])
def test_where_it_cannot_be_done_nothing_is(pair: Pair, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    client, server = joined(pair, ssl.TLSVersion.TLSv1_3)
    impossible(monkeypatch, how)

    assert not openssl.tune(server_context(pair), session_lifetime=1, ciphersuites=CIPHERSUITES)
    assert not server.add_ticket()
    assert not openssl.bind(server._object, b"circle", tickets=0)
    assert client.receive(server.send(b"226")) == b"226"


@pytest.mark.parametrize("inner", [None, object(), (1, 2, 3, 4, 5)])
def test_what_is_no_connection_of_ssl_is_not_believed(inner: object) -> None:
    """The last has room for the words, and they are others."""

    class Disguised(tuple[int, ...]):
        __slots__ = ()
        context = None

    connection: Any = SimpleNamespace(_sslobj=Disguised(inner) if isinstance(inner, tuple) else inner)

    assert not openssl.add_ticket(connection)
