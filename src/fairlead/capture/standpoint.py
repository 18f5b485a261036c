"""Where a capture was made: what did not arrive there may have arrived elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fairlead.capture.connection import Connection, Flow


class Standpoint(StrEnum):
    """Whose machine captured."""

    CLIENT = "client"
    SERVER = "server"
    BOTH = "both"
    BETWEEN = "between"
    UNKNOWN = "unknown"


_BY_ENDS: Mapping[tuple[bool | None, bool | None], Standpoint] = {
    (True, True): Standpoint.BOTH,
    (True, False): Standpoint.CLIENT,
    (True, None): Standpoint.CLIENT,
    (False, True): Standpoint.SERVER,
    (False, False): Standpoint.BETWEEN,
}
"""By whether the client and whether the server sent from the machine that captured."""


def standpoint(control: Connection) -> Standpoint:
    """Where ``control`` was captured, as far as directions and times to live tell."""
    client, server = control.flows
    near = _near(client), _near(server)
    return _BY_ENDS.get(near, Standpoint.UNKNOWN)


def _near(flow: Flow) -> bool | None:
    """Whether the sender is the machine that captured; None where it sent nothing."""
    if flow.hops == Flow().hops:
        return None
    return flow.hops == 0 and flow.outgoing is not False  # a router sends on what it did not make
