"""The first message of TLS, as real clients write it, cut anywhere and malformed."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import LimitError
from fairlead.proto.client_hello import LIMIT, ClientHello, ClientHelloReader, parse_client_hello


def hello(server_name: str | None = None, protocols: list[str] | None = None) -> bytes:
    """What Python's own client sends first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    if protocols:
        context.set_alpn_protocols(protocols)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def in_records(message: bytes, size: int) -> bytes:
    """A message of the handshake in records of ``size``."""
    parts = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in parts)


CASES = [
    (None, None, ClientHello()),
    ("FTP.Example.COM", None, ClientHello("ftp.example.com")),
    (None, ["ftp"], ClientHello("", (b"ftp",))),
    ("h", ["h2", "http/1.1"], ClientHello("h", (b"h2", b"http/1.1"))),
]


@pytest.mark.parametrize(("server_name", "protocols", "expected"), CASES)
def test_name_and_protocols_are_read(server_name: str, protocols: list[str], expected: ClientHello) -> None:
    assert ClientHelloReader().feed(hello(server_name, protocols)) == expected


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_message_may_come_in_pieces(size: int) -> None:
    data = hello("ftp.example.com", ["ftp"])
    reader = ClientHelloReader()
    answers = [reader.feed(data[at : at + size]) for at in range(0, len(data), size)]

    assert answers[-1] == ClientHello("ftp.example.com", (b"ftp",))
    assert set(answers[:-1]) == {None}


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_message_may_be_spread_over_records(size: int) -> None:
    message = hello("ftp.example.com", ["ftp"])[5:]

    assert ClientHelloReader().feed(in_records(message, size)) == ClientHello("ftp.example.com", (b"ftp",))


@pytest.mark.parametrize(
    "data", [b"USER me\r\n", b"GET / HTTP/1.1\r\n", b"\x15\x03\x03\x00\x02\x02\x00", in_records(b"\x02\0\0\0", 4)]
)
def test_what_is_no_such_message_says_nothing(data: bytes) -> None:
    assert ClientHelloReader().feed(data) == ClientHello()


def test_a_message_without_end_is_refused() -> None:
    reader = ClientHelloReader()
    endless = in_records(b"\x01\xff\xff\xff" + bytes(LIMIT), 16384)

    with pytest.raises(LimitError):
        reader.feed(endless)


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_without_a_fault(body: bytes) -> None:
    parse_client_hello(body)
    ClientHelloReader().feed(in_records(b"\x01" + len(body).to_bytes(3) + body, 100))


@given(st.binary(max_size=80), st.integers(0, 20))
def test_malformed_extensions_are_read_without_a_fault(extension: bytes, kind: int) -> None:
    body = bytes(35) + b"\0\0\0" + bytes(2) + kind.to_bytes(2) + len(extension).to_bytes(2) + extension
    parse_client_hello(body)


def test_a_name_of_another_type_is_no_host_name() -> None:
    extension = b"\0\x04\x01\0\x01x"
    body = bytes(35) + b"\0\0\0" + bytes(2) + b"\0\0" + len(extension).to_bytes(2) + extension

    assert parse_client_hello(body) == ClientHello()
