"""What the doctor found, for a person: the verdict, a table of the probes, what to change and who."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import fill, indent
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fairlead.doctor.advice import advice, verdict, way
from fairlead.doctor.report import server_product
from fairlead.reach.advice import Advice
from fairlead.reach.cause import Cause
from fairlead.reach.explanations import EXPLANATIONS, Owner
from fairlead.reach.products import NETWORKS, SERVERS, TITLES
from fairlead.reach.verdict import NOT_OFFERED

if TYPE_CHECKING:
    from fairlead.doctor.examine import Examination, Probe
    from fairlead.doctor.look import Look

_ON_THE_WAY = {Cause.PASSIVE_DROPPED, Cause.PASSIVE_RANGE_PARTLY_OPEN, Cause.HELPER_BLIND}
_COLUMN = 18
"""Cells of a product's name and what stands before it."""
_HEADINGS = {
    Owner.YOU: "You",
    Owner.YOUR_NETWORK: "Your network",
    Owner.SERVERS_NETWORK: "The server's network",
    Owner.SERVER: "The server",
}


def show(console: Console, found: Examination, products: Collection[str]) -> None:
    """Print the report; ``products`` are those whose settings are wanted in full, none for a choice that fits."""
    good = not _failing(found) and bool(found.probes)
    console.print(Text(verdict(found), style="bold green" if good else "bold"), highlight=False)
    for look in found.looks:
        console.print()
        console.print(Text(_heading(look)), style="dim", highlight=False)
        probes = [probe for probe in found.probes if probe.seen.family == look.family]
        if probes:
            console.print(_table(probes))
    for cause in _failing(found):
        _explain(console, cause)
        if cause in _ON_THE_WAY and way(found):
            _prose(console, way(found), "  ")
    advised = advice(found)
    if advised:
        console.print()
        console.print("What to change, the least effort first", style="bold")
        for each in advised:
            _show_advice(console, each, found, products)


def _heading(look: Look) -> str:
    words = [f"over IPv{look.family}, {look.address[0]}"]
    if look.cause is not Cause.OK:
        return f"{words[0]}: {look.cause}{f' ({look.said})' if look.said else ''}"
    words.append(f"round trip {look.round_trip * 1000:.1f} ms")
    if look.seen and look.seen != look.local:
        words.append(f"you are {look.local} here and {look.seen} there")
    if look.security is not None:
        words.append(f"{look.security.version}{', certificate not accepted' if look.certificate else ''}")
    elif not look.offers_tls:
        words.append("no TLS offered")
    return "; ".join(words)


def _table(probes: Sequence[Probe]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("mode")
    kinds = list(dict.fromkeys(probe.seen.private for probe in probes))
    for private in kinds:
        table.add_column("under TLS" if private else "in clear", no_wrap=True)
    for mode in dict.fromkeys(probe.seen.mode for probe in probes):
        row = {probe.seen.private: probe for probe in probes if probe.seen.mode == mode}
        table.add_row(mode, *(_cell(row[private]) if private in row else Text("") for private in kinds))
    return table


def _cell(probe: Probe) -> Text:
    if probe.ok:
        return Text("✓ works", style="green")
    if probe.cause in NOT_OFFERED:
        return Text(f"– {probe.cause}", style="dim")
    return Text(f"✗ {probe.cause}", style="red")


def _failing(found: Examination) -> list[Cause]:
    causes = [look.cause for look in found.looks] + [probe.cause for probe in found.probes]
    return [cause for cause in dict.fromkeys(causes) if cause is not Cause.OK and cause not in NOT_OFFERED]


def _explain(console: Console, cause: Cause) -> None:
    console.print()
    console.print(Text(cause.value, style="red"))
    _prose(console, EXPLANATIONS[cause].sentence, "  ")


def _show_advice(console: Console, each: Advice, found: Examination, products: Collection[str]) -> None:
    console.print()
    line = Text(f"{_HEADINGS[each.owner]}: ", style="bold cyan")
    line.append(each.text, style="default not bold")
    console.print(line, highlight=False)
    chosen = _chosen(each, found, products)
    for name, text in chosen.items():
        if "\n" in text or len(text) > console.width - _COLUMN:
            _exactly(console, Text(f"  {TITLES[name]}", style="dim"))
            _exactly(console, Text(indent(text, "    ")))
        else:
            _exactly(console, Text.assemble((f"  {name:{_COLUMN - 2}}", "dim"), text))
    hidden = [name for name in each.settings if name not in chosen]
    if hidden and not products:
        _prose(console, f"with --for: {', '.join(hidden)}", "  ", style="dim")


def _exactly(console: Console, text: Text) -> None:
    """Print what is to be copied: no line is broken, however long."""
    console.print(text, soft_wrap=True, highlight=False)


def _prose(console: Console, text: str, before: str, style: str = "") -> None:
    wrapped = fill(text, console.width, initial_indent=before, subsequent_indent=before, break_on_hyphens=False)
    console.print(Text(wrapped, style=style), highlight=False)


def _chosen(each: Advice, found: Examination, products: Collection[str]) -> dict[str, str]:
    if products:
        return {name: text for name, text in each.settings.items() if name in products}
    if each.owner is Owner.SERVER:
        product = server_product(found)
        known = {product} if product in each.settings else {name for name in SERVERS if name != "fairlead-config"}
        return {name: text for name, text in each.settings.items() if name in known}
    return {name: text for name, text in each.settings.items() if name not in NETWORKS}
