"""What our server makes of real obstacles: which cause it names to the client and to the operator."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from fairlead.reach.cause import Cause
from lab.addresses import CONTROL_PORT, REMAPPED_PORTS, Host
from lab.laboratory import Lab
from lab.listing import PASSWORD, USER
from lab.servers import Protection, Served, served
from lab.topologies import topology
from tests.server.session import DEADLINE, Control, receive

pytestmark = pytest.mark.usefixtures("laboratory")
CALL = 0.5
"""Seconds that the client tries to make a data connection."""


@contextmanager
def standing(name: str, settings: str = "data_connect_timeout = 1.0") -> Iterator[Served]:
    """Our server in the topology ``name``, in clear, with further ``settings``."""
    with Lab(topology(name)) as lab:
        file = lab.scratch / "fairlead.toml"
        file.write_text(f"[server]\n{settings}\n")
        with served(lab, "fairlead", Protection.CLEAR, ["--config", str(file)]) as running:
            yield running


def dialogue(running: Served, act: Callable[[Control], str], family: int = 4) -> str:
    """What ``act`` gives for a session of the client's."""
    lab = running.lab
    address = next(name for name in lab.plan.names if (":" in name) == (family == 6))

    def inside() -> str:
        with Control(socket.create_connection((address, CONTROL_PORT), 10)) as control:
            assert control.read().code == 220
            assert control.codes(f"USER {USER}", f"PASS {PASSWORD}", "TYPE I") == [331, 230, 200]
            return act(control)

    return lab.inside(Host.CLIENT, inside)


def await_record(running: Served, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first record of the log that is ``what``; the server writes some of them together."""
    deadline = time.monotonic() + DEADLINE
    while True:
        records: list[dict[str, Any]] = [
            json.loads(line) for line in running.log().splitlines() if line.startswith("{")
        ]
        if found := next(filter(what, records), None):
            return found
        assert time.monotonic() < deadline, records
        time.sleep(0.01)  # between two looks


def listed(control: Control, connection: socket.socket | None) -> str:
    """The reply to LIST, whose data come over ``connection`` where there is one."""
    opening = control.ask("LIST")
    if opening.code not in {125, 150}:
        return f"{opening.code} {opening.text}"
    if connection is not None:
        with connection:
            receive(connection)
    reply = control.read()
    return f"{reply.code} {reply.text}"


def passive(command: str) -> Callable[[Control], str]:
    """A listing over the connection that ``command`` gets, at the address that the reply names, if any."""

    def act(control: Control) -> str:
        reply = control.ask(command)
        host = control.socket.getpeername()[0]
        if command == "EPSV":
            port = int(reply.text.split("|")[3])
        else:
            numbers = reply.text.split("(")[1].split(")")[0].split(",")
            host, port = ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])
        connection = None
        with suppress(OSError):
            connection = socket.create_connection((host, port), CALL)
        return listed(control, connection)

    return act


def active(control: Control) -> str:
    """A listing over the connection that the server makes, where it can."""
    host = control.socket.getsockname()[0]
    with socket.create_server((host, 0)) as listener:
        port = listener.getsockname()[1]
        reply = control.ask(f"PORT {host.replace('.', ',')},{port >> 8},{port & 255}")
        if reply.code != 200:
            return f"{reply.code} {reply.text}"
        control.send("LIST")
        assert control.read().code == 150
        listener.settimeout(CALL)
        with suppress(OSError), listener.accept()[0] as connection:
            receive(connection)
        final = control.read()
        return f"{final.code} {final.text}"


CASES = [
    ("server-firewall", passive("PASV"), 4, "425", Cause.PASSIVE_DROPPED),
    ("server-firewall", passive("EPSV"), 6, "425", Cause.PASSIVE_DROPPED),
    ("server-firewall-reject", passive("EPSV"), 4, "425", Cause.PASSIVE_DROPPED),
    ("server-nat-range", passive("PASV"), 4, "425", Cause.PASSIVE_PRIVATE_ADDRESS),
    ("server-egress", active, 4, "425", Cause.ACTIVE_DROPPED),
    ("client-firewall", active, 4, "425", Cause.ACTIVE_DROPPED),
    ("client-nat", active, 4, "504", Cause.ACTIVE_PRIVATE_ADDRESS),
]


@pytest.mark.parametrize(("name", "act", "family", "code", "cause"), CASES)
def test_the_cause_is_named_in_the_reply_and_in_the_log(
    name: str, act: Callable[[Control], str], family: int, code: str, cause: Cause
) -> None:
    with standing(name) as running:
        answer = dialogue(running, act, family)
        assert answer.startswith(code)
        assert answer.endswith(f"({cause})")
        assert await_record(running, lambda record: record.get("cause") == cause)


def test_a_port_that_a_client_gave_up_is_in_the_log() -> None:
    def hang(control: Control) -> str:
        port = int(control.ask("EPSV").text.split("|")[3])
        with suppress(OSError):
            socket.create_connection((control.socket.getpeername()[0], port), CALL).close()
        return control.ask("QUIT").text

    with standing("server-firewall", "") as running:
        dialogue(running, hang)
        record = await_record(running, lambda record: record["event"] == "passive-uncalled")
        assert record["cause"] == Cause.PASSIVE_DROPPED
        assert record["seconds"] >= CALL


@pytest.mark.parametrize("command", ["PASV", "EPSV"])
def test_ports_that_a_router_maps_are_announced_as_it_maps_them(command: str) -> None:
    public = topology("server-nat-remap").announced
    ports = f"{REMAPPED_PORTS[0]}-{REMAPPED_PORTS[-1]}"
    with standing("office-nat-remap", f'public_address = [{{ address = "{public}", ports = "{ports}" }}]') as running:
        assert dialogue(running, passive(command)).startswith("226")
