from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ArgumentError
from fairlead.proto.host import format_host, parse_host


@pytest.mark.req("S-7151-1")
@pytest.mark.parametrize(
    ("argument", "host", "is_address"),
    [
        ("ftp.example.com", "ftp.example.com", False),
        ("FTP.Example.COM", "ftp.example.com", False),
        ("localhost", "localhost", False),
        ("a", "a", False),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", False),
        ("3com.example", "3com.example", False),
        ("1.2.3", "1.2.3", False),
        ("a" * 63 + ".example", "a" * 63 + ".example", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("[::1]", "::1", True),
        ("[2001:DB8::0:7]", "2001:db8::7", True),
    ],
)
def test_a_name_or_an_address(argument: str, host: str, is_address: bool) -> None:
    assert parse_host(argument) == (host, is_address)


@pytest.mark.req("S-7151-3")
@pytest.mark.parametrize(
    "argument",
    [
        "", "a..b", ".a", "a.", "-x", "x-", "a.-b", "a_b", "a b", "ftp.example.com:21", "192.0.2.7:21", "::1", "[::1",
        "[::1]:21", "[192.0.2.7]", "[fe80::1%eth0]", "[]", "300.0.0.1", "1.2.3.04", "b\u00fccher.example", "\u212a",
        "a" * 64, ".".join(["a" * 50] * 6), "a\n", "a/b", "*.example.com",
    ],
)  # fmt: skip
def test_anything_else_is_malformed(argument: str) -> None:
    with pytest.raises(ArgumentError):
        parse_host(argument)


@given(st.ip_addresses())
def test_addresses_are_read_back(address: object) -> None:
    assert parse_host(format_host(str(address))) == (str(address), True)


def test_a_scope_is_left_out() -> None:
    assert format_host("fe80::1%eth0") == "[fe80::1]"
    assert format_host("ftp.example.com") == "ftp.example.com"
