"""The calls of passive ports and small files: the accelerator's and Python's own, which do the same."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from fairlead import accelerator
from fairlead.server.dtp import DONE, NOBODY, SMALL, AcceleratedDtp, Delivery, Dtp, Outcome, PortableDtp, adopt, best
from tests.server.session import DEADLINE, free_port, receive, reset

PORT = free_port()
"""Of this process alone."""
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
        assert 0 < delivery.moved < len(octets)
        os.close(delivery.connection)
        assert receive(client) == octets[: delivery.moved]


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


def test_a_receiver_that_sends_without_end_keeps_nobody_waiting(dtp: Dtp) -> None:
    with listening(dtp) as listener, socket.socket() as client:
        with adopt(os.dup(listener)) as options:
            options.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        client.connect((HERE[4], PORT))
        client.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                client.send(bytes(1 << 20))
        assert dtp.deliver(listener, PEER[4], b"content") is DONE
        client.settimeout(DEADLINE)
        with pytest.raises(ConnectionResetError):
            receive(client)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def content_of(file: int) -> bytes:
    return os.pread(file, 1 << 20, 0)


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("size", [0, 7, 30_000])
def test_what_was_sent_up_to_the_end_is_collected(dtp: Dtp, file: int, family: int, size: int) -> None:
    octets = os.urandom(size)
    with listening(dtp, family) as listener:
        with call(family) as client:
            client.sendall(octets)
        delivery = dtp.collect(listener, PEER[family], file, SMALL)
        os.close(delivery.connection)
    assert (delivery.outcome, delivery.moved) == (Outcome.DONE, size)
    assert content_of(file) == octets


def test_nothing_is_collected_of_nobody_and_of_strangers(dtp: Dtp, file: int) -> None:
    with listening(dtp) as listener, ExitStack() as stack:
        assert dtp.collect(listener, PEER[4], file, SMALL) is NOBODY
        stack.enter_context(call(source="127.0.0.3")).sendall(b"content")
        delivery = dtp.collect(listener, PEER[4], file, SMALL)
        assert delivery.outcome is Outcome.STRANGER
        os.close(delivery.connection)
    assert content_of(file) == b""


def test_collecting_ends_where_more_is_to_come_or_the_limit_is_reached(dtp: Dtp, file: int) -> None:
    with listening(dtp) as listener, call() as client:
        client.sendall(b"begun")
        delivery = dtp.collect(listener, PEER[4], file, SMALL)
        assert (delivery.outcome, delivery.moved) == (Outcome.PARTLY, 5)
        client.sendall(b", and on")
        with adopt(delivery.connection) as connection:
            assert connection.recv(100) == b", and on"
    with listening(dtp) as listener:
        with call() as client:
            client.sendall(b" it goes")
        delivery = dtp.collect(listener, PEER[4], file, 8)
        assert (delivery.outcome, delivery.moved) == (Outcome.PARTLY, 8)
        with adopt(delivery.connection) as connection:
            assert connection.recv(100) == b""
    assert content_of(file) == b"begun it goes"


def test_a_connection_that_breaks_while_it_is_received_over_stays_the_callers(dtp: Dtp, file: int) -> None:
    with listening(dtp) as listener:
        client = call()
        begun = dtp.collect(listener, PEER[4], file, SMALL)
        client.sendall(b"content")
        reset(client)
        with pytest.raises(ConnectionResetError):
            dtp.receive(begun.connection, file, SMALL)
        os.close(begun.connection)


def test_receiving_does_not_wait_on_a_connection_that_blocks(dtp: Dtp, file: int) -> None:
    with listening(dtp) as listener, call() as client:
        begun = dtp.collect(listener, PEER[4], file, SMALL)
        os.set_blocking(begun.connection, True)
        assert dtp.receive(begun.connection, file, SMALL).outcome is Outcome.PARTLY
        client.sendall(b"content")
        assert dtp.receive(begun.connection, file, SMALL).outcome is Outcome.PARTLY
        os.close(begun.connection)
    assert content_of(file) == b"content"


def test_what_comes_later_is_received_over_the_connection(dtp: Dtp, file: int) -> None:
    with listening(dtp) as listener:
        client = call()
        begun = dtp.collect(listener, PEER[4], file, SMALL)
        assert (begun.outcome, begun.moved) == (Outcome.PARTLY, 0)
        client.sendall(b"content")
        client.close()
        received = dtp.receive(begun.connection, file, SMALL)
        assert received == Delivery(Outcome.DONE, begun.connection, len(b"content"))
        os.close(received.connection)
        assert content_of(file) == b"content"


def test_a_file_that_cannot_be_written_is_told_from_a_connection_that_broke(dtp: Dtp, file: int) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with listening(dtp) as listener:
        with call() as client:
            client.sendall(b"content")
        delivery = dtp.collect(listener, PEER[4], full, SMALL)
        os.close(delivery.connection)
        os.close(full)
        assert (delivery.outcome, delivery.moved) == (Outcome.FAULT, 7)
        assert delivery.error == errno.ENOSPC
        client = call()
        client.sendall(b"content")
        reset(client)
        with pytest.raises(ConnectionResetError):
            dtp.collect(listener, PEER[4], file, SMALL)
