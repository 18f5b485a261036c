"""The pool of passive ports: within the range, unpredictable, and honest when it is empty."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from fairlead.errors import DataConnectionError
from fairlead.reach.cause import Cause
from fairlead.server.dtp import PortableDtp
from fairlead.server.ports import Lease, PortPool
from tests.server.session import WORKER

FIRST = 30_000 + WORKER * 100
"""Ports of this process alone."""
RANGE = range(FIRST, FIRST + 32)


@contextmanager
def leases(pool: PortPool, count: int, host: str = "127.0.0.1") -> Iterator[list[Lease]]:
    with ExitStack() as stack:
        leased = [pool.lease(host) for _ in range(count)]
        for lease in leased:
            stack.callback(pool.give_back, lease)
        yield leased


def listener_of(lease: Lease) -> socket.socket:
    """The socket, by a descriptor of its own."""
    return socket.socket(fileno=os.dup(lease.descriptor))


@pytest.mark.req("S-2577-PASV-2")
def test_every_port_of_the_range_is_given_once_and_none_outside_it() -> None:
    pool = PortPool(RANGE)
    with leases(pool, len(RANGE)) as leased:
        assert sorted(lease.port for lease in leased) == list(RANGE)
        assert pool.in_use == len(RANGE)
        for lease in leased:
            with listener_of(lease) as listener:
                assert listener.getsockname() == ("127.0.0.1", lease.port)
                assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            assert not os.get_blocking(lease.descriptor)
    assert pool.in_use == 0


@pytest.mark.req("S-2577-PASV-2")
def test_ports_come_in_no_order() -> None:
    with (
        leases(PortPool(RANGE), len(RANGE)) as first,
        leases(PortPool(range(FIRST + 40, FIRST + 72)), len(RANGE)) as second,
    ):
        assert [lease.port - FIRST for lease in first] != [lease.port - FIRST - 40 for lease in second]
        assert [lease.port for lease in first] != sorted(lease.port for lease in first)


def test_the_choice_is_the_random_octets_and_nothing_else() -> None:
    def drawn(octets: bytes) -> list[int]:
        with leases(PortPool(RANGE, lambda size: (octets * size)[:size]), 3) as leased:
            return [lease.port for lease in leased]

    assert drawn(b"\x07\0\0\0") == drawn(b"\x07\0\0\0")
    assert drawn(b"\x07\0\0\0")[0] == RANGE[7]
    assert drawn(b"\x08\0\0\0")[0] == RANGE[8]


@pytest.mark.req("S-2577-PASV-2", "S-ERR-6")
def test_an_empty_pool_says_so_at_once_and_serves_again_later() -> None:
    pool = PortPool(range(FIRST, FIRST + 2))
    with leases(pool, 2):
        with pytest.raises(DataConnectionError, match=f"{FIRST}-{FIRST + 1}") as caught:
            pool.lease("127.0.0.1")
        assert caught.value.cause == Cause.PASSIVE_EXHAUSTED
        assert pool.exhausted == 1
        with leases(pool, 1, "127.0.0.2"):
            assert pool.in_use == 3, "another address has ports of its own"
    with leases(pool, 2):
        assert pool.exhausted == 1


def test_ports_others_hold_are_passed_over() -> None:
    pool = PortPool(range(FIRST, FIRST + 4))
    with ExitStack() as stack:
        for port in (FIRST, FIRST + 2, FIRST + 3):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        with leases(pool, 1) as (lease,):
            assert lease.port == FIRST + 1
            with pytest.raises(DataConnectionError):
                pool.lease("127.0.0.1")


def test_a_port_is_free_again_while_its_old_connection_is_in_time_wait() -> None:
    pool = PortPool(range(FIRST, FIRST + 1))
    for _ in range(3):
        lease = pool.lease("127.0.0.1")
        with socket.create_connection(("127.0.0.1", FIRST)) as client, listener_of(lease) as listener:
            connection, _ = listener.accept()
            connection.close()  # the server ends first: the port is in TIME_WAIT
            assert client.recv(1) == b""
        pool.give_back(lease)


def test_ipv6_listeners_take_no_ipv4() -> None:
    with leases(PortPool(range(FIRST, FIRST + 1)), 1, "::1") as (lease,):
        with listener_of(lease) as listener:
            assert listener.getsockname()[:2] == ("::1", FIRST)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", FIRST))


class WithoutDescriptors(PortableDtp):
    def __init__(self, code: int) -> None:
        self._code = code

    def listen(self, host: str, port: int) -> int:
        raise OSError(self._code, os.strerror(self._code))


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE])
def test_without_descriptors_there_is_no_port_either(code: int) -> None:
    pool = PortPool(RANGE)
    pool.dtp = WithoutDescriptors(code)
    with pytest.raises(DataConnectionError) as caught:
        pool.lease("127.0.0.1")
    assert caught.value.cause == Cause.PASSIVE_EXHAUSTED
    assert pool.in_use == 0


def test_an_address_that_is_not_there_is_no_matter_of_ports() -> None:
    with pytest.raises((DataConnectionError, OSError)) as caught:
        PortPool(RANGE).lease("192.0.2.1")
    assert getattr(caught.value, "cause", None) != Cause.PASSIVE_EXHAUSTED
