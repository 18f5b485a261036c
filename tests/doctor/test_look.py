"""What a server tells of us and of itself in STAT and its greeting."""

from __future__ import annotations

import pytest

from fairlead.doctor.look import caller_in, server_in
from fairlead.proto.reply import Reply

OWN, SEEN, SERVER = "192.168.1.10", "192.0.2.2", "203.0.113.130"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("     Connected to ::ffff:192.0.2.2", SEEN),
        ("Connected from client.example (192.0.2.2)", SEEN),
        ("Connected from 192.0.2.2 port 40000 to 10.1.1.21 port 21", SEEN),
        ("Connected to 192.168.1.10", OWN),
        ("Connected to: 10.1.1.21:21", ""),
        ("Connected to 203.0.113.130", ""),
        ("Connected from 2001:db8::2 port 40000", "2001:db8::2"),
        ("vsFTPd 3.0.3 - secure, fast, stable, since 12:30:45", ""),
        ("Session timeout in seconds is 300", ""),
    ],
)
def test_the_clients_address_as_servers_show_it(line: str, expected: str) -> None:
    assert caller_in(Reply(211, "Status:", line, "End"), own=OWN, server=SERVER) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Connected from 192.0.2.2 port 40000 to 10.1.1.21 port 21", "10.1.1.21"),
        ("Connected to: 10.1.1.21:21", "10.1.1.21"),
        ("220 ProFTPD Server (Debian) [::ffff:10.1.1.21]", "10.1.1.21"),
        ("220 ProFTPD Server (Debian) [203.0.113.130]", ""),
        ("220 version 10.2.3", ""),
        ("Connected from 192.168.1.10", ""),
    ],
)
def test_the_servers_own_address_as_servers_show_it(text: str, expected: str) -> None:
    assert server_in(text, {OWN, SEEN, SERVER}) == expected
