"""The address that 227 names, by the client's network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from fairlead.errors import ConfigError
from fairlead.server.announce import Announcer, is_address
from fairlead.server.settings import Announce

LOCAL = "10.0.0.5"
AGAIN = 3
"""By the time a name is asked for so often, the second answer has been taken."""


def announced(
    rules: Sequence[Announce], *peers: str, during: Callable[[Announcer], Coroutine[Any, Any, None]] | None = None
) -> tuple[list[str], list[str]]:
    """The address for each peer, and what the operator was told."""
    notices: list[str] = []

    async def ask() -> list[str]:
        announcer = Announcer(rules, notices.append)
        await announcer.start()
        try:
            if during is not None:
                await during(announcer)
            return [announcer.place_for(peer, LOCAL, 0)[0] for peer in peers]
        finally:
            await announcer.stop()

    return asyncio.run(ask()), notices


@pytest.mark.req("S-DF-PASV-4")
def test_without_rules_the_address_of_the_control_connection_is_named() -> None:
    assert announced((), "192.0.2.1") == ([LOCAL], [])


@pytest.mark.req("S-DF-PASV-4")
def test_the_first_rule_whose_network_holds_the_client_decides() -> None:
    rules = [Announce("", "10.0.0.0/8"), Announce("203.0.113.1", "192.0.2.0/24"), Announce("203.0.113.2")]
    peers = ["10.1.2.3", "192.0.2.9", "198.51.100.1", "fe80::1%eth0"]
    assert announced(rules, *peers)[0] == [LOCAL, "203.0.113.1", "203.0.113.2", "203.0.113.2"]


@pytest.mark.req("S-DF-PASV-4")
def test_a_client_no_rule_is_for_is_told_the_address_of_the_control_connection() -> None:
    assert announced([Announce("203.0.113.1", "192.0.2.0/24")], "198.51.100.1")[0] == [LOCAL]


class Names:
    """Answers for names, in place of the system's resolver."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str | None) -> None:
        self.asked = 0
        self.again = asyncio.Event()
        self.answers = list(answers)
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", self.getaddrinfo)

    async def getaddrinfo(self, host: str, *_: object, **__: object) -> list[Any]:
        assert host == "ftp.example.com"
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if self.asked == AGAIN:
            self.again.set()
        if answer is None:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, 0))]

    async def asked_again(self, _: Announcer) -> None:
        async with asyncio.timeout(10):
            await self.again.wait()


@pytest.mark.req("S-DF-PASV-4")
def test_a_name_is_resolved_at_the_start_and_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, "203.0.113.1", "203.0.113.2")
    rules = [Announce("ftp.example.com", refresh=0.001)]
    assert announced(rules, "192.0.2.1")[0] == ["203.0.113.1"]
    names.asked = 0
    assert announced(rules, "192.0.2.1", during=names.asked_again)[0] == ["203.0.113.2"]


@pytest.mark.req("S-DF-PASV-4")
def test_the_last_address_of_a_name_stays_while_it_cannot_be_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, "203.0.113.1", None)
    addresses, notices = announced([Announce("ftp.example.com", refresh=0.001)], "192.0.2.1", during=names.asked_again)
    assert addresses == ["203.0.113.1"]
    assert "ftp.example.com" in notices[0]
    assert "203.0.113.1" in notices[0]


@pytest.mark.req("S-DF-PASV-4")
def test_a_name_that_never_was_resolved_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, None)
    addresses, notices = announced([Announce("ftp.example.com")], "192.0.2.1")
    assert addresses == [LOCAL]
    assert "address of the control connection" in notices[0]


@pytest.mark.req("S-DF-PASV-4")
def test_other_rules_are_followed_at_once_and_their_names_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, "203.0.113.1")

    async def change(announcer: Announcer) -> None:
        announcer.change([Announce("203.0.113.9")])
        assert announcer.place_for("192.0.2.1", LOCAL, 0)[0] == "203.0.113.9"
        announcer.change([Announce("ftp.example.com", refresh=0.001)])
        await names.asked_again(announcer)

    assert announced([Announce("", "10.0.0.0/8")], "192.0.2.1", during=change) == (["203.0.113.1"], [])


PASSIVE = range(50_000, 50_100)
PUBLIC = range(40_000, 40_100)


@pytest.mark.parametrize(
    ("peer", "place", "port"),
    [
        ("10.1.2.3", (LOCAL, 50_007), 50_007),
        ("192.0.2.1", ("203.0.113.7", 40_007), 40_007),
        ("2001:db8:5::1", (LOCAL, 41_007), 41_007),
        ("2001:db8::1", ("203.0.113.7", 50_007), 50_007),
    ],
)
def test_ports_are_mapped_one_to_one_for_the_clients_of_a_rule(peer: str, place: tuple[str, int], port: int) -> None:
    rules = [
        Announce("", "10.0.0.0/8"),
        Announce("", "2001:db8:5::/48", range(41_000, 41_100)),
        Announce("203.0.113.7", ports=PUBLIC),
    ]
    announcer = Announcer(rules, lambda _: None, PASSIVE)
    assert (announcer.place_for(peer, LOCAL, 50_007), announcer.port_for(peer, 50_007)) == (place, port)


def test_an_address_of_ipv6_stays_and_its_port_is_mapped() -> None:
    announcer = Announcer([Announce("203.0.113.7", "::/0", PUBLIC)], lambda _: None, PASSIVE)
    assert announcer.place_for("2001:db8::1", "2001:db8::7", 50_000) == ("2001:db8::7", 40_000)


def test_a_port_of_a_range_that_is_gone_stays() -> None:
    announcer = Announcer([Announce("203.0.113.7", ports=PUBLIC)], lambda _: None, PASSIVE)
    assert announcer.port_for("192.0.2.1", 61_000) == 61_000


@pytest.mark.parametrize(
    ("public", "proposal"), [(range(40_000, 40_010), "40000-40099"), (range(65_500, 65_536), "65436-65535")]
)
def test_public_ports_are_as_many_as_the_passive_ones(public: range, proposal: str) -> None:
    with pytest.raises(ConfigError, match=f"write {proposal}, or other passive_ports"):
        Announcer([Announce("203.0.113.7", ports=public)], lambda _: None, PASSIVE)


def test_addresses_are_told_from_names() -> None:
    assert [is_address(text) for text in ("192.0.2.1", "2001:db8::1", "ftp.example.com", "1.2.3")] == [
        True, True, False, False,
    ]  # fmt: skip
