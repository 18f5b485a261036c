"""Our client where the control connection is forgotten while data flows, which takes longer than that."""

from __future__ import annotations

import io

import pytest

from fairlead.client.sync import Client
from fairlead.client.trace import CommandSent, Record, SessionRenewed, Settled
from lab.addresses import Host
from lab.laboratory import Lab
from lab.listing import PASSWORD, USER
from lab.servers import LARGE_FILE, LARGE_SIZE, Protection, served
from lab.topologies import topology

pytestmark = pytest.mark.usefixtures("laboratory")
SECONDS = 8
"""How long the transfer takes; the control connection may be idle for 5."""


def fetch(**settings: float) -> tuple[int, list[Record]]:
    """How many octets came, and what the client tells of it; PWD is asked for in the end."""
    records: list[Record] = []
    with Lab(topology("idle-killer")) as lab, served(lab, "fairlead", Protection.CLEAR):
        address = next(name for name in lab.plan.names if ":" not in name)

        def session() -> int:
            target = io.BytesIO()
            with Client(
                f"ftp://{address}",
                user=USER,
                password=PASSWORD,
                tls="off",
                limit_rate=LARGE_SIZE // SECONDS,
                trace=records.append,
                **settings,  # type: ignore[arg-type]
            ) as ftp:
                ftp.download(LARGE_FILE, target)
                assert ftp.pwd() == "/"
            return len(target.getvalue())

        return lab.inside(Host.CLIENT, session), records


def logins(records: list[Record]) -> int:
    return sum(isinstance(record, CommandSent) and record.text.startswith("USER") for record in records)


@pytest.mark.req("C-1123-UI-2")
def test_noop_keeps_the_control_connection_in_mind() -> None:
    octets, records = fetch(noop_interval=2.0)
    assert octets == LARGE_SIZE
    assert not any(isinstance(record, Settled | SessionRenewed) for record in records)
    assert logins(records) == 1


@pytest.mark.req("C-1123-RPL-10")
def test_reply_that_was_lost_with_the_control_connection_is_settled() -> None:
    octets, records = fetch(final_timeout=2.0)
    assert octets == LARGE_SIZE
    assert any(isinstance(record, Settled) for record in records)
    assert logins(records) == 2
