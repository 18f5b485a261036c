"""What must come of each mode in a topology, drawn from its obstacles alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from fairlead.reach.cause import Cause
from lab.addresses import CONTROL_PORT, PASSIVE_PORTS, Host
from lab.topologies import Topology

Family = Literal[4, 6]


class Mode(StrEnum):
    """How the data connection is agreed upon."""

    EPSV = "EPSV"
    PASV = "PASV"
    EPRT = "EPRT"
    PORT = "PORT"

    @property
    def passive(self) -> bool:
        """Whether the client calls."""
        return self in {Mode.EPSV, Mode.PASV}

    @property
    def extended(self) -> bool:
        """Whether it carries IPv6 (RFC 2428)."""
        return self in {Mode.EPSV, Mode.EPRT}


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to try: a mode over a family, in clear or under TLS."""

    mode: Mode
    family: Family
    private: bool

    def __str__(self) -> str:
        return f"{self.mode} over IPv{self.family} {'under TLS' if self.private else 'in clear'}"


def families(topology: Topology) -> tuple[Family, ...]:
    """The families in which the client can call the server."""
    if topology.plan.nat64 or not topology.plan.v4:
        return (6,)
    return (4, 6)


def cells(topology: Topology, *, private: bool) -> list[Cell]:
    """All that can be tried in a topology at one level of protection."""
    return [Cell(mode, family, private) for family in families(topology) for mode in Mode]


def expected(topology: Topology, cell: Cell) -> Cause:
    """What becomes of a mode that is taken at its word: PASV calls the address that was announced."""
    if cell.family == 6 and not cell.mode.extended:
        return Cause.FAMILY_UNSUPPORTED
    if topology.plan.nat64 and not cell.mode.passive:
        return Cause.FAMILY_UNSUPPORTED  # the server knows the client by IPv4, the client itself by IPv6
    return _passive(topology, cell) if cell.mode.passive else _active(topology, cell)


def works(topology: Topology, cell: Cell) -> bool | None:
    """Whether our client gets a listing: it calls the server's own address whatever PASV announces.

    None where that depends on the port that the server draws.
    """
    cause = expected(topology, cell)
    if cause is Cause.PASSIVE_PRIVATE_ADDRESS:
        cause = _passive(topology, Cell(Mode.EPSV, cell.family, cell.private))
    return None if cause is Cause.PASSIVE_RANGE_PARTLY_OPEN else cause is Cause.OK


def _repaired(topology: Topology, cell: Cell, host: Host) -> bool:
    """Whether a helper at ``host`` reads the dialogue."""
    return not cell.private and any(part.helper for part in topology.parts if part.host is host)


def _passive(topology: Topology, cell: Cell) -> Cause:
    """What is wrong with the address or the port comes first: it stays wrong when every firewall is opened."""
    helped = _repaired(topology, cell, Host.OFFICE)
    if cell.mode is Mode.PASV and topology.plan.server_private and not topology.announced and not helped:
        return Cause.PASSIVE_PRIVATE_ADDRESS
    if any(part.middlebox == "rewriter" for part in topology.parts) and not cell.private:
        return Cause.PASSIVE_REWRITTEN
    for part in topology.parts:
        if part.host is Host.HOME and part.outbound is not None and not _repaired(topology, cell, Host.HOME):
            return Cause.PASSIVE_DROPPED if part.answer == "drop" else Cause.PASSIVE_REJECTED
    for part in topology.parts:
        if part.host is not Host.OFFICE or part.inbound is None or helped:
            continue
        lets_in = {port for ports in part.inbound for port in ports} - {CONTROL_PORT}
        if not lets_in.intersection(PASSIVE_PORTS):
            return Cause.PASSIVE_DROPPED if part.answer == "drop" else Cause.PASSIVE_REJECTED
        if not lets_in.issuperset(PASSIVE_PORTS):
            return Cause.PASSIVE_RANGE_PARTLY_OPEN
    return Cause.OK


def _active(topology: Topology, cell: Cell) -> Cause:
    home = [part for part in topology.parts if part.host is Host.HOME]
    helped = _repaired(topology, cell, Host.HOME)
    if cell.family == 4 and topology.plan.client_private and not helped:
        return Cause.ACTIVE_PRIVATE_ADDRESS
    for part in topology.parts:
        if part.host is Host.OFFICE and part.outbound is not None and not _repaired(topology, cell, Host.OFFICE):
            return Cause.ACTIVE_DROPPED if part.answer == "drop" else Cause.ACTIVE_REJECTED
    for part in home:
        if part.inbound is not None and not helped:
            return Cause.ACTIVE_DROPPED if part.answer == "drop" else Cause.ACTIVE_REJECTED
    return Cause.OK


def expected_of_long(topology: Topology, *, private: bool) -> Cause:
    """What becomes of a transfer of some megabytes that takes ten seconds; OK where no listing comes through."""
    tried = cells(topology, private=private)
    if not any(expected(topology, cell) is Cause.OK for cell in tried):
        return Cause.OK
    if any(part.name == "cutter" for part in topology.parts):
        return Cause.DATA_CUT
    return Cause.CONTROL_FORGOTTEN if any(part.name == "idle-killer" for part in topology.parts) else Cause.OK


def acceptable(topology: Topology, cell: Cell, *, server: str = "fairlead", offered: bool = False) -> frozenset[Cause]:
    """The causes that a good diagnosis may name.

    ``offered`` tells that the server lets logins pass in clear and under TLS alike, so that both can be compared.
    """
    cause = expected(topology, cell)
    if offered and cell.private and _helper_matters(topology, cell):
        return frozenset({Cause.HELPER_BLIND})
    if cause is Cause.PASSIVE_REWRITTEN and server != "fairlead":
        # Nobody but Fairlead's server says on which port it waits.
        return frozenset({cause, Cause.PASSIVE_REJECTED, Cause.PASSIVE_DROPPED})
    return frozenset({cause})


def _helper_matters(topology: Topology, cell: Cell) -> bool:
    clear = Cell(cell.mode, cell.family, False)
    bare = Topology("without helpers", tuple(part.name for part in topology.parts if not part.helper))
    return expected(topology, clear) is Cause.OK and expected(bare, clear) is not Cause.OK


def seen_from_outside(topology: Topology, cell: Cell) -> bool:
    """Whether somebody at the client can know what to change for a cell.

    Where the server announces its public address, nothing shows that a router stands before it, nor what that maps.
    """
    return not (topology.announced and cell.family == 4 and cell.mode.passive)


def can_list(topology: Topology, tried: Iterable[Cell]) -> bool | None:
    """Whether our client gets a listing by itself; None where that depends on the port that the server draws."""
    outcomes = {works(topology, cell) for cell in tried}
    return True if True in outcomes else None if None in outcomes else False
