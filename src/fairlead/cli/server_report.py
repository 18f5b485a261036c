"""``fairlead doctor --server``: the report for people and for programs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from fairlead.doctor.finding import State
from fairlead.doctor.places import span
from fairlead.reach.rules import TOOLS, render

if TYPE_CHECKING:
    from rich.console import Console

    from fairlead.doctor.server import Report

RIGHT, WRONG = 0, 1
MARKS = {
    State.RIGHT: ("right", "green"),
    State.DOUBTFUL: ("look", "yellow"),
    State.WRONG: ("wrong", "bold red"),
}


def run(args: argparse.Namespace) -> int:
    """Look at the machine; 1 where something is wrong. Raises ConfigError."""
    import json

    from rich.console import Console

    from fairlead.config.build import build
    from fairlead.config.loader import load
    from fairlead.doctor.server import look

    report = look(build(load(args.config)).settings)
    if args.json:
        print(json.dumps(report.document(), indent=2, ensure_ascii=False))
    else:
        show(Console(), report, args.products)
    return RIGHT if report.right else WRONG


def show(console: Console, report: Report, tools: Sequence[str] = ()) -> None:
    """Print ``report`` with the rules for those of ``tools`` that are firewalls, else for nftables and in words."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for finding in report.findings:
        mark, style = MARKS[finding.state]
        said = Text(finding.text)
        if finding.advice:
            said.append(f"\n-> {finding.advice}", style="dim")
        table.add_row(Text(mark, style=style), Text(finding.subject), said)
    console.print(table)
    wanted = [tool for tool in tools if tool in TOOLS]
    console.print()
    console.print("What clients are told", style="bold")
    for told in report.told:
        where = told.address or "the address that they call"
        console.print(f"  {told.clients or 'all others'}: {where}, ports {span(told.ports)}", highlight=False)
    for place, rules in (("This machine's firewall", report.host), ("A router before it", report.router)):
        if rules is None:
            continue
        for tool in wanted or (("nftables",) if rules is report.host else ("router",)):
            console.print()
            console.print(f"{place} ({tool})", style="bold")
            console.print(Text(indent(render(tool, rules).rstrip(), "  ")), soft_wrap=True)
