"""What a firewall or a router is told."""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.reach.products import NETWORKS
from fairlead.reach.rules import render
from fairlead.reach.rules.model import RuleSet


def passing(rules: RuleSet) -> Mapping[str, str]:
    """``rules`` in the language of each tool."""
    return {tool: render(tool, rules).rstrip("\n") for tool in NETWORKS}
