from __future__ import annotations

import re

import pytest

from fairlead.accounts.base import Right
from fairlead.config.values import (
    Form,
    HostName,
    Listen,
    Network,
    PasswordHash,
    PortRange,
    PublicAddress,
    RightName,
    Umask,
    UserName,
    VirtualPath,
)

HASH = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$L1qnTgpsWMa/dMHjDHhQFw"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:2121", "127.0.0.1", 2121),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:2121", "::1", 2121),
        ("[::]:21", "::", 21),
        ("[FE80::1%eth0]:65535", "fe80::1%eth0", 65535),
        (":2121", "::", 2121),
        ("localhost:2121", "localhost", 2121),
        ("ftp.example.com.:21", "ftp.example.com.", 21),
    ],
)
def test_where_to_listen(text: str, host: str, port: int) -> None:
    listen = Listen(text)

    assert (listen.host, listen.port) == (host, port)
    assert listen == text


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "'' is not HOST:PORT; write for instance 127.0.0.1:2121"),
        ("2121", "'2121' is not HOST:PORT; write for instance 127.0.0.1:2121"),
        ("localhost", "'localhost' is not HOST:PORT; write for instance localhost:2121"),
        ("::1", "'::1' is not HOST:PORT; write for instance [::1]:2121"),
        ("[::1]", "'[::1]' is not HOST:PORT; write for instance [::1]:2121"),
        ("::1:2121", "'::1:2121' can be read in two ways; put the address in brackets: [::1]:2121"),
        ("127.0.0.1:65536", "'65536' is no port; ports are numbers from 0 to 65535"),
        ("127.0.0.1:99999", "'99999' is no port; ports are numbers from 0 to 65535"),
        ("127.0.0.1:-1", "'-1' is no port; ports are numbers from 0 to 65535"),
        ("127.0.0.1:", "'' is no port; ports are numbers from 0 to 65535"),
        ("127.0.0.1:٣", "'٣' is no port; ports are numbers from 0 to 65535"),
        ("256.0.0.1:21", "'256.0.0.1' is no IPv4 address (Octet 256 (> 255) not permitted in '256.0.0.1')"),
        ("[127.0.0.1]:21", "'127.0.0.1' is no IPv6 address (At least 3 parts expected in '127.0.0.1')"),
        ("*:21", "'*' is neither an address nor a host name"),
        ("a b:21", "'a b' is neither an address nor a host name"),
    ],
)
def test_where_nobody_can_listen(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        Listen(text)


@pytest.mark.parametrize(
    ("text", "ports"),
    [("61000-65535", range(61000, 65536)), ("2000-2000", range(2000, 2001)), ("50000", range(50000, 50001))],
)
def test_a_range_of_ports(text: str, ports: range) -> None:
    assert PortRange(text).ports == ports


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "'' is no range of ports; write the first and the last one, such as 61000-65535"),
        ("61000-", "'61000-' is no range of ports; write the first and the last one, such as 61000-65535"),
        ("-65535", "'-65535' is no range of ports; write the first and the last one, such as 61000-65535"),
        ("62000-61000", "'62000-61000' begins after its end; write 61000-62000"),
        ("0-100", "'0' is no port; ports are numbers from 1 to 65535"),
        ("61000-65536", "'65536' is no port; ports are numbers from 1 to 65535"),
        ("61000:65535", "'61000:65535' is no port; ports are numbers from 1 to 65535"),
        ("a-b", "'a' is no port; ports are numbers from 1 to 65535"),
    ],
)
def test_what_is_no_range_of_ports(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        PortRange(text)


@pytest.mark.parametrize("text", ["", "auto", "203.0.113.7", "ftp.example.com"])
def test_public_addresses(text: str) -> None:
    assert PublicAddress(text) == text


@pytest.mark.parametrize("text", ["::1", "2001:db8::1", "203.0.113.7:21", "1.2.3", "a b"])
def test_what_227_cannot_announce(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is n"):
        PublicAddress(text)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Network, "10.0.0.0/8"),
        (Network, "2001:db8::/32"),
        (Network, "192.0.2.1"),
        (Network, ""),
        (VirtualPath, "/"),
        (VirtualPath, "/a/b c"),
        (HostName, "FTP.Example.com"),
        (UserName, "alice"),
        (UserName, "Ünï code"),
        (PasswordHash, HASH),
    ],
)
def test_other_forms_keep_their_text(form: type[Form], text: str) -> None:
    assert form(text) == text


@pytest.mark.parametrize(
    ("form", "text", "error"),
    [
        (Network, "10.0.0.1/8", "'10.0.0.1/8' is no network such as 10.0.0.0/8 (10.0.0.1/8 has host bits set)"),
        (VirtualPath, "a/b", "'a/b' is no absolute path without superfluous parts; write '/a/b'"),
        (VirtualPath, "/a/../b/", "'/a/../b/' is no absolute path without superfluous parts; write '/b'"),
        (VirtualPath, "/a\0", "'/a\\x00' is no path: a path holds no NUL and no line end"),
        (Umask, "22", "'22' is no umask; write three digits from 0 to 7, such as 022"),
        (Umask, "089", "'089' is no umask; write three digits from 0 to 7, such as 022"),
        (Umask, "022\n", "'022\\n' is no umask; write three digits from 0 to 7, such as 022"),
        (HostName, "a b", "'a b' is no host name; write one such as ftp.example.com"),
        (HostName, "ftp.example.com:21", "'ftp.example.com:21' is no host name; write one such as ftp.example.com"),
        (HostName, "192.0.2.7", "'192.0.2.7' is an address; write a host name such as ftp.example.com"),
        (UserName, "", "'' can name no user; take some printable characters"),
        (UserName, "a\nb", "'a\\nb' can name no user; take some printable characters"),
        (RightName, "creat", "'creat' is no right; did you mean create?"),
        (
            RightName,
            "x",
            (
                "'x' is no right; choose from list, read, create, overwrite, delete, rename, mkdir, change, none,"
                " reader, writer"
            ),
        ),
    ],
)
def test_what_fits_no_form(form: type[Form], text: str, error: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        form(text)


def test_the_bits_of_a_umask() -> None:
    assert Umask("027").bits == 0o027


def test_names_of_rights() -> None:
    assert RightName("create").right == Right.CREATE
    assert RightName("writer").right == Right.WRITER


@pytest.mark.parametrize("text", ["hunter2", "$argon2id$hunter2", "$6$rounds=5000$hunter2"])
def test_a_password_in_clear_is_refused_with_a_hint_and_never_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="`fairlead user add NAME --config FILE`") as raised:
        PasswordHash(text)

    assert "hunter2" not in str(raised.value)
