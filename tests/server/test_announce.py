"""The address that 227 names, by the client's network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

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
            return [announcer.address_for(peer, LOCAL) for peer in peers]
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
        assert announcer.address_for("192.0.2.1", LOCAL) == "203.0.113.9"
        announcer.change([Announce("ftp.example.com", refresh=0.001)])
        await names.asked_again(announcer)

    assert announced([Announce("", "10.0.0.0/8")], "192.0.2.1", during=change) == (["203.0.113.1"], [])


def test_addresses_are_told_from_names() -> None:
    assert [is_address(text) for text in ("192.0.2.1", "2001:db8::1", "ftp.example.com", "1.2.3")] == [
        True, True, False, False,
    ]  # fmt: skip
