"""What firewalls and routers must let through, and how each of them is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from fairlead.errors import ArgumentError
from fairlead.reach.rules import cloud, firewalld, iptables, nftables, pf, router, ufw, windows
from fairlead.reach.rules.model import Forward, Opening, Place, RuleSet

__all__ = ["TOOLS", "Forward", "Opening", "Place", "RuleSet", "Tool", "render"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A firewall that can be told: its name in options and reports, its title for people, who writes its rules."""

    name: str
    title: str
    render: Callable[[RuleSet], str]
    """Raises ArgumentError for ports and addresses that are none."""


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("nftables", "nftables", nftables.render),
        Tool("iptables", "iptables and ip6tables", iptables.render),
        Tool("ufw", "ufw (Ubuntu)", ufw.render),
        Tool("firewalld", "firewalld (Fedora, Red Hat, SUSE)", firewalld.render),
        Tool("pf", "pf (BSD, macOS)", pf.render),
        Tool("windows", "Windows firewall", windows.render),
        Tool("aws", "AWS security group", cloud.render_aws),
        Tool("gcp", "Google Cloud firewall rules", cloud.render_gcp),
        Tool("azure", "Azure network security group", cloud.render_azure),
        Tool("router", "A router's own pages, in words", router.render),
    )
}
"""All firewalls that can be told, by name."""


def render(tool: str, rules: RuleSet) -> str:
    """What ``tool`` must be told so that it lets ``rules`` through: commands, a file or sentences, as it takes them.

    Raises ArgumentError for a tool that nobody knows, and for ports and addresses that are none.
    """
    if tool not in TOOLS:
        close = get_close_matches(tool, TOOLS, 1)
        meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(TOOLS)}"
        raise ArgumentError(f"nobody knows the firewall {tool!r}; {meant}")
    return TOOLS[tool].render(rules)
