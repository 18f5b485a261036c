"""Listening sockets: what is bound, what connections inherit, and what is said when it cannot be."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fairlead.errors import ConfigError
from fairlead.server.listener import Listener, bind, close, listening_address
from tests.server.session import free_port


@contextmanager
def bound(*addresses: tuple[str, int], share: bool = False) -> Iterator[list[Listener]]:
    listeners = bind(addresses, share=share)
    try:
        yield listeners
    finally:
        close(listeners)


def reached(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 10).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_listener_is_told_by_its_host_and_port() -> None:
    port = free_port()
    with bound(("127.0.0.1", port), ("::1", port), ("localhost", 0)) as listeners:
        assert [listening_address(listener) for listener in listeners[:2]] == [("127.0.0.1", port), ("::1", port)]
        assert listening_address(listeners[2])[0] in {"127.0.0.1", "::1"}


@pytest.mark.req("S-DF-MISC-8", "S-959-TEL-2")
def test_accepted_connections_send_at_once_are_kept_alive_and_have_urgent_data_in_line() -> None:
    with bound(("127.0.0.1", 0)) as (listener,):
        listener.listen()
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
                silent = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
                assert silent * connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) <= 120
                assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE)


@pytest.mark.parametrize(
    ("hosts", "heard"),
    [
        (["::"], {"127.0.0.1", "::1"}),
        (["0.0.0.0"], {"127.0.0.1"}),
        (["::1"], {"::1"}),
        (["0.0.0.0", "::"], {"127.0.0.1", "::1"}),
        (["::", "0.0.0.0"], {"127.0.0.1", "::1"}),
    ],
)
def test_the_ipv6_wildcard_serves_ipv4_too_unless_that_is_asked_for_by_itself(
    hosts: list[str], heard: set[str]
) -> None:
    port = free_port()
    with bound(*((host, port) for host in hosts)) as listeners:
        for listener in listeners:
            listener.listen()
        assert {host for host in ("127.0.0.1", "::1") if reached(host, port)} == heard


def test_workers_can_share_a_port_and_others_cannot() -> None:
    with bound(("127.0.0.1", 0), share=True) as (first,):
        address = listening_address(first)
        with bound(address, share=True) as (second,):
            for listener in (first, second):
                listener.listen()
        with pytest.raises(ConfigError):
            bind([address])


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.EADDRINUSE, "another program"),
        (errno.EACCES, "need root"),
        (errno.EADDRNOTAVAIL, "no such address"),
        (errno.ENOBUFS, os.strerror(errno.ENOBUFS)),
    ],
)
def test_why_an_address_cannot_be_had_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, code: int, advice: str
) -> None:
    class Refusing(socket.socket):
        def bind(self, _: object) -> None:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fairlead.server.listener.socket.socket", Refusing)
    with pytest.raises(ConfigError, match=advice) as caught:
        bind([("::1", 21)])
    assert "[::1]:21" in str(caught.value)


def test_a_host_that_cannot_be_found_is_told() -> None:
    with pytest.raises(ConfigError, match="cannot listen on 'no host'"):
        bind([("no host", 21)])


def test_when_one_address_cannot_be_had_none_is_kept() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ConfigError):
            bind([("127.0.0.1", port), taken.getsockname()])
        with bound(("127.0.0.1", port)):
            pass
