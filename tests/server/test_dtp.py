"""The calls of passive ports and small files: the accelerator's and Python's own, which do the same."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fairlead.server.dtp import DONE, NOBODY, AcceleratedDtp, Dtp, Outcome, PortableDtp, adopt, best
from fairlead.storage.local import accelerator
from tests.server.session import DEADLINE, WORKER, receive, reset

PORT = 34_000 + WORKER
"""A port of this process alone."""
HERE = {4: "127.0.0.1", 6: "::1"}
PEER = {family: socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, HERE[family]) for family in HERE}


def accelerated() -> AcceleratedDtp:
    _, library = accelerator.find()
    if library is None:
        pytest.skip("the accelerator is not built: make install, with gcc")
    return AcceleratedDtp(library)


@pytest.fixture(params=[PortableDtp, accelerated])
def dtp(request: pytest.FixtureRequest) -> Dtp:
    made: Dtp = request.param()
    return made


@contextmanager
def listening(dtp: Dtp, family: int = 4) -> Iterator[int]:
    listener = dtp.listen(HERE[family], PORT)
    try:
        yield listener
    finally:
        os.close(listener)


def call(family: int = 4, source: str = "") -> socket.socket:
    return socket.create_connection((HERE[family], PORT), DEADLINE, (source, 0) if source else None)


def test_the_accelerator_is_preferred_where_there_is_one() -> None:
    _, library = accelerator.find()
    assert isinstance(best(), PortableDtp if library is None else AcceleratedDtp)


@pytest.mark.parametrize("family", [4, 6])
def test_it_listens_without_blocking_at_one_address_of_one_family(dtp: Dtp, family: int) -> None:
    with listening(dtp, family) as listener, adopt(os.dup(listener)) as shown:
        assert shown.getsockname()[:2] == (HERE[family], PORT)
        assert shown.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        assert not os.get_blocking(listener)
        assert not os.get_inheritable(listener)
        with pytest.raises(ConnectionRefusedError):
            call(10 - family)


def test_an_address_that_is_in_use_or_not_here_is_an_error(dtp: Dtp) -> None:
    with listening(dtp), pytest.raises(OSError, match="in use") as taken:
        dtp.listen(HERE[4], PORT)
    assert taken.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError, match="assign") as foreign:
        dtp.listen("192.0.2.1", PORT)
    assert foreign.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("octets", [b"", b"content", bytes(65536)])
def test_the_peer_gets_all_octets_and_the_end(dtp: Dtp, family: int, octets: bytes) -> None:
    with listening(dtp, family) as listener, call(family) as client:
        assert dtp.deliver(listener, PEER[family], octets) is DONE
        assert receive(client) == octets


def test_where_nobody_called_nothing_is_waited_for(dtp: Dtp) -> None:
    with listening(dtp) as listener:
        assert dtp.deliver(listener, PEER[4], b"content") is NOBODY


@pytest.mark.req("S-2577-PASV-3")
def test_a_stranger_gets_nothing_and_is_handed_over(dtp: Dtp) -> None:
    with listening(dtp) as listener, call(source="127.0.0.3") as stranger, call() as client:
        delivery = dtp.deliver(listener, PEER[4], b"content")
        assert delivery.outcome is Outcome.STRANGER
        with adopt(delivery.connection) as connection:
            assert connection.getpeername() == stranger.getsockname()
        assert receive(stranger) == b""
        assert dtp.deliver(listener, PEER[4], b"content") is DONE
        assert receive(client) == b"content"


def test_an_address_of_the_other_family_is_a_stranger(dtp: Dtp) -> None:
    with listening(dtp) as listener, call():
        delivery = dtp.deliver(listener, PEER[6], b"content")
        assert delivery.outcome is Outcome.STRANGER
        os.close(delivery.connection)


def test_what_the_connection_does_not_take_at_once_is_left_to_the_caller(dtp: Dtp) -> None:
    octets = bytes(range(256)) * 256
    with listening(dtp) as listener, socket.socket() as client:
        with adopt(os.dup(listener)) as options:
            options.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(DEADLINE)
        client.connect((HERE[4], PORT))
        delivery = dtp.deliver(listener, PEER[4], octets)
        assert delivery.outcome is Outcome.PARTLY
        assert 0 < delivery.sent < len(octets)
        os.close(delivery.connection)
        assert receive(client) == octets[: delivery.sent]


def test_a_connection_that_was_reset_is_an_error_and_is_closed(dtp: Dtp) -> None:
    with listening(dtp) as listener:
        free = os.dup(listener)
        os.close(free)
        reset(call())
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            dtp.deliver(listener, PEER[4], b"content")
        following = os.dup(listener)
        os.close(following)
        assert following == free


def test_a_receiver_that_sent_against_the_rules_gets_all_the_same(dtp: Dtp) -> None:
    with listening(dtp) as listener, call() as client:
        client.sendall(bytes(10_000))
        assert dtp.deliver(listener, PEER[4], b"content") is DONE
        assert receive(client) == b"content"
