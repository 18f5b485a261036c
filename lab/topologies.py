"""The topologies that have a name, each composed of obstacles; others are composed likewise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from lab.addresses import Host, Plan
from lab.obstacles import OBSTACLES, Obstacle, rules


@dataclass(frozen=True)
class Topology:
    """Five machines in a row with ``obstacles`` (names of :data:`OBSTACLES`) between them.

    Raises KeyError for an obstacle that does not exist, ValueError for two of which one would hide the other.
    """

    name: str
    obstacles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        roles: Counter[tuple[Host, str]] = Counter()
        for obstacle in self.parts:
            for role in ("inbound", "outbound", "nat"):
                roles[obstacle.host, role] += getattr(obstacle, role) is not None
            roles[obstacle.host, "middlebox"] += bool(obstacle.middlebox)
        for (host, role), count in roles.items():
            if count > 1:
                message = f"{self.name}: two obstacles decide about {role} at {host}"
                raise ValueError(message)

    @cached_property
    def parts(self) -> tuple[Obstacle, ...]:
        """The obstacles themselves."""
        return tuple(OBSTACLES[name] for name in self.obstacles)

    @property
    def says(self) -> str:
        """What stands in the way, in words."""
        return "; ".join(part.says for part in self.parts) or "nothing"

    @cached_property
    def plan(self) -> Plan:
        """Who has which address."""
        nat64 = any(part.middlebox == "nat64" for part in self.parts)
        return Plan(
            client_private=any(part.host is Host.HOME and part.nat is not None for part in self.parts),
            server_private=any(part.host is Host.OFFICE and part.nat is not None for part in self.parts),
            client_v4=not nat64,
            v4=not any(part.no_v4 for part in self.parts),
            nat64=nat64,
        )

    @property
    def announced(self) -> str:
        """The address that the server is told to announce; empty for its own."""
        return self.plan.public if any(part.announces_public for part in self.parts) else ""

    def rules(self, host: Host) -> str:
        """The nft text of a router."""
        return rules(self.parts, host, self.plan)

    def sysctls(self, host: Host) -> dict[str, str]:
        """The kernel's settings of a router."""
        return {key: value for part in self.parts if part.host is host for key, value in part.sysctls.items()}


TOPOLOGIES: dict[str, Topology] = {
    name: Topology(name, tuple(obstacles.split()))
    for name, obstacles in {
        "open": "",
        "client-nat": "home-nat",
        "client-nat-helper": "home-nat home-helper",
        "client-firewall": "home-firewall",
        "server-nat-control": "office-nat-control",
        "server-nat-range": "office-nat-range",
        "server-nat-right": "office-nat-range announces-public",
        "server-nat-remap": "office-nat-remap announces-public",
        "server-firewall": "office-firewall",
        "server-firewall-reject": "office-firewall-reject",
        "server-firewall-range": "office-firewall-range",
        "server-firewall-helper": "office-firewall office-helper",
        "server-egress": "office-egress",
        "both-nat": "home-nat office-nat-range announces-public",
        "both-closed": "home-firewall office-firewall",
        "ipv6-only": "no-ipv4 home-firewall",
        "nat64-like": "nat64",
        "rewriter": "rewriter",
        "idle-killer": "idle-killer",
        "lossy": "lossy",
        "cutter": "cutter",
    }.items()
}


def topology(name: str) -> Topology:
    """The topology of that name, or one composed of obstacles as ``home-nat+lossy``; raises KeyError for neither."""
    return TOPOLOGIES[name] if name in TOPOLOGIES else Topology(name, tuple(name.split("+")))
