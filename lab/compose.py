"""Topologies that nobody listed, composed of the obstacles at random."""

from __future__ import annotations

import random

from lab.topologies import TOPOLOGIES, Topology

_CLIENT = ("", "home-nat", "home-firewall", "home-firewall-reject")
_SERVER = (
    "",
    "office-nat-control",
    "office-nat-range",
    "office-nat-range announces-public",
    "office-nat-remap announces-public",
    "office-firewall",
    "office-firewall-reject",
    "office-firewall-range",
)
_PATH = ("", "", "lossy", "cutter", "idle-killer", "rewriter", "nat64", "no-ipv4")


def compose(seed: int) -> Topology:
    """A topology that has no name of its own; the same one for the same ``seed``."""
    draw = random.Random(seed)  # to be had again from the seed
    listed = {frozenset(known.obstacles) for known in TOPOLOGIES.values()}
    while True:
        server = draw.choice(_SERVER)
        words = [draw.choice(_CLIENT), server, draw.choice(_PATH)]
        if draw.random() < 0.25:
            words.append("home-egress")
        if draw.random() < 0.25:
            words.append("office-egress")
        if draw.random() < 0.25:
            words.append("home-helper")
        # A helper takes no interest in a 227 with an address that is not the server's own.
        if "announces" not in server and draw.random() < 0.25:
            words.append("office-helper")
        obstacles = tuple(" ".join(words).split())
        if len(obstacles) > 1 and frozenset(obstacles) not in listed:
            return Topology("+".join(obstacles), obstacles)
