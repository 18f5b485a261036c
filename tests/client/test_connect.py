"""Connecting to hosts of several addresses (RFC 8305)."""

from __future__ import annotations

import pytest

from fairlead.client._connect import connect_any, interleave
from fairlead.client._wires.blocking import step
from fairlead.client._wires.memory import MemoryStream, MemoryWire
from fairlead.errors import ConnectError
from tests.client.script import HOST, HOST6, hang_up, stage


def connect(wire: MemoryWire, *addresses: tuple[str, int]) -> tuple[str, int]:
    stream, _ = step(connect_any(wire, addresses, timeout=10))
    return stream.peer


def wire_to(*answering: str, silent: tuple[str, ...] = ()) -> MemoryWire:
    wire = MemoryWire()

    def enter(stream: MemoryStream) -> None:
        stream.send(memoryview(b"220 ready\r\n"))

    for host in answering:
        wire.doors[host, 21] = enter
    for host in silent:
        wire.doors[host, 21] = None
    return wire


def test_families_take_turns() -> None:
    addresses = [("2001:db8::1", 21), ("2001:db8::2", 21), ("192.0.2.1", 21), ("192.0.2.2", 21), ("192.0.2.3", 21)]
    assert [host for host, _ in interleave(addresses)] == [
        "2001:db8::1",
        "192.0.2.1",
        "2001:db8::2",
        "192.0.2.2",
        "192.0.2.3",
    ]
    assert interleave([]) == []


@pytest.mark.req("C-959-CONN-1")
def test_silent_address_holds_up_the_next_for_a_quarter_second_only() -> None:
    wire = wire_to("192.0.2.1", silent=("2001:db8::1",))
    assert connect(wire, ("2001:db8::1", 21), ("192.0.2.1", 21)) == ("192.0.2.1", 21)
    assert wire.time == pytest.approx(0.253)


@pytest.mark.req("C-959-CONN-1")
def test_refusal_leads_to_the_next_address_at_once() -> None:
    wire = wire_to("192.0.2.1")
    assert connect(wire, ("2001:db8::1", 21), ("192.0.2.1", 21)) == ("192.0.2.1", 21)
    assert wire.time == pytest.approx(0.006)


def test_slow_first_address_wins_when_it_answers_first_after_all() -> None:
    wire = wire_to("2001:db8::1", "192.0.2.1")
    wire.delays["2001:db8::1", 21] = 0.3
    wire.delays["192.0.2.1", 21] = 5
    stream, round_trip = step(connect_any(wire, [("2001:db8::1", 21), ("192.0.2.1", 21)], timeout=10))
    assert stream.peer == ("2001:db8::1", 21)
    assert round_trip == pytest.approx(0.3)


@pytest.mark.req("C-959-CONN-1")
def test_nobody_answers() -> None:
    wire = wire_to(silent=("192.0.2.1",))
    with pytest.raises(ConnectError) as caught:
        connect(wire, ("2001:db8::1", 21), ("192.0.2.1", 21))
    assert str(caught.value) == (
        "cannot connect ([2001:db8::1]:21: connection refused; 192.0.2.1:21: no answer in 10.0 s); "
        "a firewall may drop the call, or the host is down"
    )
    assert wire.time == pytest.approx(10)


@pytest.mark.req("C-959-CONN-1")
def test_everybody_refuses() -> None:
    with pytest.raises(ConnectError, match="check host and port"):
        connect(MemoryWire(), ("192.0.2.1", 21), ("192.0.2.2", 21))


def test_address_that_cannot_even_be_tried() -> None:
    class NoIpv6(MemoryWire):
        def call(self, address: tuple[str, int]) -> object:  # type: ignore[override]
            if ":" in address[0]:
                raise OSError(101, "Network is unreachable")
            return super().call(address)

    wire = NoIpv6()
    wire.doors = wire_to("192.0.2.1").doors
    assert connect(wire, ("2001:db8::1", 21), ("192.0.2.1", 21)) == ("192.0.2.1", 21)


@pytest.mark.req("C-959-CONN-1")
@pytest.mark.parametrize(("family", "host"), [(4, HOST), (6, HOST6)])
def test_only_the_chosen_family_is_tried(family: int, host: str) -> None:
    on_stage = stage(
        host=host, names={"both": [HOST6, HOST]}, url="ftp://both", family=family, greeting=("220", hang_up)
    )
    on_stage.ftp.connect()
    assert on_stage.wire.calls == [(host, 21)]


def test_name_without_an_address() -> None:
    with pytest.raises(ConnectError, match="nowhere"):
        stage(url="ftp://nowhere").ftp.connect()


def test_connecting_again_ends_the_session_before() -> None:
    on_stage = stage()
    on_stage.ftp.connect()
    first = on_stage.play.control
    assert first is not None
    on_stage.ftp.connect()
    assert first.other.closed
    assert on_stage.ftp.connected
    assert on_stage.ftp.greeting is not None
