"""Captures of real sessions, taken at both ends of every topology, are explained rightly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairlead.capture.both_ends import compared
from fairlead.capture.explain import Explained
from fairlead.capture.standpoint import Standpoint
from fairlead.ladder.model import Kind
from fairlead.reach.cause import Cause
from lab.addresses import Host
from lab.expected import Cell, Mode, cells, expected
from lab.laboratory import Lab
from lab.listing import PASSWORD
from lab.probe import attempt, patience_for
from lab.servers import FAIRLEAD, LARGE_FILE, Protection, served
from lab.topologies import TOPOLOGIES, topology
from tests.lab.capturing import capturing, started

pytestmark = pytest.mark.usefixtures("laboratory")

SEEN_AT: dict[Host, dict[Cause, set[Cause]]] = {
    Host.CLIENT: {
        Cause.PASSIVE_REWRITTEN: {Cause.PASSIVE_REJECTED, Cause.PASSIVE_DROPPED},
        Cause.PASSIVE_RANGE_PARTLY_OPEN: {Cause.PASSIVE_RANGE_PARTLY_OPEN, Cause.PASSIVE_DROPPED, Cause.OK},
    },
    Host.SERVER: {
        Cause.PASSIVE_REJECTED: {Cause.PASSIVE_DROPPED},
        Cause.PASSIVE_RANGE_PARTLY_OPEN: {Cause.PASSIVE_RANGE_PARTLY_OPEN, Cause.PASSIVE_DROPPED, Cause.OK},
    },
}
"""What one end alone can tell of a cause: what is refused on its way looks from behind like what is dropped."""


def asked(cell: Cell) -> bool:
    """Whether the mode has a form for the family of the cell."""
    return cell.family == 4 or cell.mode.extended


def try_all(lab: Lab, tried: Iterable[Cell]) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(
            lambda cell: attempt(lab, cell, patience=patience_for(expected(lab.topology, cell))), tried
        ):
            pass


def mode_of(session: Explained) -> Mode | None:
    """The mode that was asked for in clear."""
    said = (step.text.split(" ")[0] for step in session.ladder.steps if step.kind is Kind.COMMAND)
    return next((Mode(verb) for verb in said if verb in list(Mode)), None)


def over(sessions: list[Explained]) -> int:
    """How many sessions have ended."""
    ends = {Kind.FIN, Kind.RST}
    return sum(any(step.connection == 0 and step.kind in ends for step in each.ladder.steps) for each in sessions)


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_capture_in_clear_tells_the_cause_at_both_ends(name: str, tmp_path: Path) -> None:
    with Lab(topology(name)) as lab, served(lab, "fairlead", Protection.CLEAR), capturing(lab, tmp_path) as captures:
        tried = [cell for cell in cells(lab.topology, private=False) if asked(cell)]
        try_all(lab, tried)
        surprises = []
        read = {host: capture.sessions(lambda found: over(found) >= len(tried)) for host, capture in captures.items()}
        for host, sessions in read.items():
            at_hand = [(each.server[0], mode_of(each), each) for each in sessions]
            for cell in tried:
                family = 4 if lab.plan.nat64 and host is Host.SERVER else cell.family
                here = [
                    each for server, mode, each in at_hand if mode is cell.mode and (":" in server) == (family == 6)
                ]
                causes = {finding.cause for each in here for finding in each.findings} or {Cause.OK}
                cause = expected(lab.topology, cell)
                if not here or not causes <= SEEN_AT[host].get(cause, {cause}):
                    surprises.append(f"{host}, {cell}: {sorted(causes)}, not {cause}; {len(here)} sessions")
            shown = "\n".join(step.text + step.note for each in sessions for step in each.ladder.steps)
            assert PASSWORD not in shown
        assert surprises == []
        for host, sessions in zip(read, compared(list(read.values())), strict=True):
            told = {mode: finding.cause for each in sessions for finding in each.findings if (mode := mode_of(each))}
            due = {cell.mode: expected(lab.topology, cell) for cell in tried}
            due = {mode: cause for mode, cause in due.items() if cause is not Cause.OK}
            if Cause.PASSIVE_RANGE_PARTLY_OPEN not in due.values():
                assert told == due, host


@pytest.mark.parametrize(
    ("name", "at_client", "at_server"),
    [
        ("open", set(), set()),
        ("client-firewall", set(), {Cause.ACTIVE_DROPPED}),
        ("server-nat-control", {Cause.PASSIVE_DROPPED, Cause.PASSIVE_PRIVATE_ADDRESS}, set()),
        ("server-firewall-reject", {Cause.PASSIVE_REJECTED}, set()),
        ("server-firewall-helper", {Cause.PASSIVE_DROPPED}, set()),
        ("server-egress", set(), {Cause.ACTIVE_DROPPED}),
    ],
)
def test_under_tls_what_passes_by_is_paired_by_hosts_and_times(
    name: str, at_client: set[Cause], at_server: set[Cause], tmp_path: Path
) -> None:
    with Lab(topology(name)) as lab, served(lab, "fairlead", Protection.REQUIRED), capturing(lab, tmp_path) as captures:
        tried = [cell for cell in cells(lab.topology, private=True) if asked(cell)]
        try_all(lab, tried)
        found = {host: capture.sessions(lambda each: over(each) >= len(tried)) for host, capture in captures.items()}
    causes = {host: {one.cause for each in sessions for one in each.findings} for host, sessions in found.items()}
    assert causes == {Host.CLIENT: at_client, Host.SERVER: at_server}
    assert all("TLS hides the dialogue" in each.unseen[0] for sessions in found.values() for each in sessions)
    worked = sum(expected(lab.topology, cell) is Cause.OK for cell in tried)
    assert [sum(each.transfers for each in sessions) for sessions in found.values()] == [worked, worked]


@pytest.mark.parametrize("protection", [Protection.CLEAR, Protection.REQUIRED])
def test_what_a_helper_opens_in_clear_and_not_under_tls_is_told(protection: Protection, tmp_path: Path) -> None:
    offered = Protection.OFFERED
    with (
        Lab(topology("server-firewall-helper")) as lab,
        served(lab, "fairlead", offered),
        capturing(lab, tmp_path) as captures,
    ):
        attempt(lab, Cell(Mode.EPSV, 4, False))
        if protection.tls:
            attempt(lab, Cell(Mode.EPSV, 4, True))
        sessions = captures[Host.CLIENT].sessions(lambda found: over(found) >= 1 + protection.tls)
    causes = [finding.cause for session in sessions for finding in session.findings]
    assert causes == ([Cause.HELPER_BLIND] if protection.tls else [])


@pytest.mark.parametrize(
    ("name", "protection", "slowly", "cause"),
    [
        ("open", Protection.CLEAR, 0.0, None),
        ("lossy", Protection.CLEAR, 0.0, None),
        ("cutter", Protection.CLEAR, 0.0, Cause.DATA_CUT),
        ("cutter", Protection.REQUIRED, 0.0, Cause.DATA_CUT),
        ("idle-killer", Protection.CLEAR, 7.0, Cause.CONTROL_FORGOTTEN),
    ],
)
def test_a_long_transfer_is_explained_at_both_ends(
    name: str, protection: Protection, slowly: float, cause: Cause | None, tmp_path: Path
) -> None:
    with Lab(topology(name)) as lab, served(lab, "fairlead", protection), capturing(lab, tmp_path) as captures:
        cell = Cell(Mode.EPSV, 4, protection.tls)
        attempt(lab, cell, patience=3.0, verb=f"RETR {LARGE_FILE}", slowly=slowly)
        for capture in captures.values():
            sessions = capture.sessions(lambda found: over(found) >= 1)
            causes = [finding.cause for session in sessions for finding in session.findings]
            assert causes == ([cause] if cause else [])
            octets = max(step.size for session in sessions for step in session.ladder.steps)
            assert octets > 900_000


def test_what_passes_an_interface_is_explained_as_it_happens() -> None:
    with Lab(topology("server-firewall")) as lab, served(lab, "fairlead", Protection.CLEAR):
        words: list[str | Path] = [FAIRLEAD, "explain", "-i", "net", "--json"]
        process = lab.start(Host.CLIENT, words, output=subprocess.PIPE)
        assert process.stdout is not None
        begun = process.stdout.readline()
        attempt(lab, Cell(Mode.EPSV, 4, False), patience=1.0)
        session = process.stdout.readline()  # it comes by itself, once the session has ended
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(10.0) == 1
    told = json.loads(begun + session + rest)
    assert [[each["cause"] for each in one["findings"]] for one in told["sessions"]] == [["passive-dropped"]]


@pytest.mark.parametrize(
    ("name", "host", "mode", "cause"),
    [
        ("client-nat", Host.HOME, Mode.EPSV, Cause.OK),
        ("client-nat", Host.HOME, Mode.PORT, Cause.ACTIVE_PRIVATE_ADDRESS),
        ("client-nat-helper", Host.HOME, Mode.PORT, Cause.OK),
        ("server-nat-range", Host.OFFICE, Mode.PASV, Cause.PASSIVE_PRIVATE_ADDRESS),
        ("server-nat-range", Host.OFFICE, Mode.EPSV, Cause.OK),
        ("rewriter", Host.INTERNET, Mode.PASV, Cause.PASSIVE_REWRITTEN),
    ],
)
def test_a_router_sees_each_session_on_both_of_its_sides(
    name: str, host: Host, mode: Mode, cause: Cause, tmp_path: Path
) -> None:
    with Lab(topology(name)) as lab, served(lab, "fairlead", Protection.CLEAR):
        capture = started(lab, host, tmp_path / "router.pcap")
        attempt(lab, Cell(mode, 4, False), patience=1.0)
        sides = 1 if host is Host.INTERNET else 2
        sessions = capture.sessions(lambda found: over(found) >= sides)
    assert [each.where for each in sessions] == [Standpoint.BETWEEN] * sides
    causes = [[finding.cause for finding in each.findings] for each in sessions]
    assert causes == [[] if cause is Cause.OK else [cause]] * sides
    if cause is Cause.OK:
        assert [each.transfers for each in sessions] == [1] * sides
