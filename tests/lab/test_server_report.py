"""``fairlead doctor --server`` on a machine with a firewall: what it finds, and whether what it says mends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.addresses import Host
from lab.laboratory import Lab
from lab.servers import FAIRLEAD
from lab.topologies import topology

pytestmark = pytest.mark.usefixtures("laboratory")
SETTINGS = '[server]\nlisten = "[::]:21"\npassive_ports = "50000-50099"\nactive = false\n[storage]\nroot = "."\n'
RULES = """
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iif lo accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport { 21, 50000-50009 } accept
  }
}
"""


def examined(lab: Lab, file: Path) -> tuple[int, dict[str, Any]]:
    """The exit status and the report."""
    done = lab.run(Host.SERVER, [FAIRLEAD, "doctor", "--server", "--json", "--config", file])
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return done.returncode, report


def wrong(report: dict[str, Any]) -> list[str]:
    return [each["text"] for each in report["findings"] if each["state"] == "wrong"]


def test_what_the_firewall_drops_is_found_and_the_rules_that_are_printed_mend_it() -> None:
    with Lab(topology("open")) as lab:
        file = lab.scratch / "fairlead.toml"
        file.write_text(SETTINGS)
        lab.nft(Host.SERVER, RULES)
        status, report = examined(lab, file)
        assert status == 1
        assert wrong(report) == [
            f"IPv{family}: the passive ports 50010-50099: calls are dropped by this machine's firewall"
            for family in (4, 6)
        ]
        lab.nft(Host.SERVER, report["host"]["nftables"])
        status, report = examined(lab, file)
        assert (status, wrong(report)) == (0, [])
