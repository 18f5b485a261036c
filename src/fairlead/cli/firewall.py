"""``fairlead firewall``: the rules that each mode needs, at the server's and at the client's side."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead.cli.declaring import declare
from fairlead.cli.options import numeric_address, port_range
from fairlead.reach.rules import TOOLS
from fairlead.reach.rules.needs import EPHEMERAL, MODES, PASSIVE

if TYPE_CHECKING:
    from fairlead.reach.rules import RuleSet
    from fairlead.reach.rules.needs import Offer

_EXAMPLES = """\
examples:
  fairlead firewall                                   port 21, the default passive range; nft rules for this machine
  fairlead firewall --config /etc/fairlead.toml --mode epsv | nft -f -
  fairlead firewall --config /etc/fairlead.toml --place router --inside-address 10.1.1.21 --tool router
                                                      behind a NAT: what to enter in the router's pages
  fairlead firewall --side client --mode port --active-ports 40000-40009
                                                      what a client needs for active mode
  fairlead doctor --json ftp://ftp.example.com/ | fairlead firewall --report - --side client --tool windows
                                                      for a server that runs somewhere
  fairlead firewall --tool all --json                 for programs

What is printed can be run as it is; lines that begin with # explain it.
"""
_HERE = {"win32": "windows", "darwin": "pf"}
_USUAL_PORT = 21
_LOOPBACK = ("127.", "::1", "localhost")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(
        subparsers,
        "firewall",
        _EXAMPLES,
        description="Print what must pass for each mode, in the language of the firewall.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--config", metavar="FILE", help="the server's configuration file; see fairlead config")
    source.add_argument("--report", metavar="FILE", help="what fairlead doctor --json printed; - for standard input")
    parser.add_argument(
        "--listen", action="append", metavar="HOST:PORT", help="where the server listens, may be repeated (default :21)"
    )
    parser.add_argument(
        "--implicit-tls", action="append", metavar="HOST:PORT", help="where TLS comes before FTP, usually :990"
    )
    parser.add_argument("--passive-ports", metavar="A-B", help="the server's passive ports (default 61000-65535)")
    parser.add_argument(
        "--active-source-port", metavar="N", help="the port that the server calls from (default: the control port - 1)"
    )
    parser.add_argument(
        "--mode", choices=[*MODES, "all"], default="all", help="the mode that shall work (default: all of them)"
    )
    parser.add_argument("--side", choices=["server", "client"], default="server", help="whose side (default: server)")
    parser.add_argument(
        "--place",
        choices=["host", "router"],
        default="host",
        help="on the machine itself (default), or a router before it",
    )
    parser.add_argument(
        "--inside-address", type=numeric_address, metavar="ADDR", help="the machine's own address behind the router"
    )
    parser.add_argument(
        "--public-address",
        type=numeric_address,
        metavar="ADDR",
        help="the router's address, where it translates; implied by a private address inside",
    )
    parser.add_argument(
        "--active-ports",
        type=port_range,
        metavar="A-B",
        help="where the client waits in active mode (default 32768-60999, what Linux takes)",
    )
    parser.add_argument(
        "--helper",
        action="store_true",
        help="let the FTP helper of the firewall open the data connections instead; it sees nothing under TLS",
    )
    parser.add_argument(
        "--tool",
        choices=[*TOOLS, "all"],
        default=_HERE.get(sys.platform, "nftables"),
        help="the firewall (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one object instead of the rules alone")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the rules. Raises ConfigError and ArgumentError."""
    from fairlead.reach.rules import render

    offer, server, remarks = _report(args) if args.report else _configured(args)
    rules = _rules(args, offer, server)
    remarks += _remarks(args, offer, rules)
    tools = list(TOOLS) if args.tool == "all" else [args.tool]
    texts = {tool: render(tool, rules) for tool in tools}
    if args.json:
        print(json.dumps(_document(args, rules, remarks, texts), indent=2, ensure_ascii=False))
        return 0
    for line in _heading(args, remarks):
        print(f"# {line}")
    for tool, text in texts.items():
        if len(texts) > 1:
            print(f"\n# {TOOLS[tool].title}")
        print(text, end="")
    return 0


def _modes(args: argparse.Namespace) -> tuple[str, ...]:
    return MODES if args.mode == "all" else (args.mode,)


def _rules(args: argparse.Namespace, offer: Offer, server: str) -> RuleSet:
    from fairlead.reach.private import is_private
    from fairlead.reach.rules.needs import at_router, client_side, server_side

    inside = args.inside_address or ""
    if args.side == "server":
        rules = server_side(offer, _modes(args), helper=args.helper)
    else:
        rules = client_side(offer, _modes(args), args.active_ports or EPHEMERAL, server=server, helper=args.helper)
    if args.place == "host":
        return rules
    translated = bool(args.public_address) or is_private(inside)
    return at_router(rules, inside, translated=translated, offer=offer)


def _configured(args: argparse.Namespace) -> tuple[Offer, str, list[str]]:
    """What the server offers by its configuration and the options, its address where it is known, and remarks."""
    from fairlead.config.loader import load, typed
    from fairlead.config.source import Source
    from fairlead.doctor.openings import offered

    source = Source()
    if args.listen or not args.config:
        source.put(("server", "listen"), args.listen or [f":{_USUAL_PORT}"], "--listen")
    if args.implicit_tls:
        source.put(("tls", "implicit"), args.implicit_tls, "--implicit-tls")
    for name in ("passive_ports", "active_source_port"):
        text = getattr(args, name)
        if text is not None:
            flag = f"--{name.replace('_', '-')}"
            source.put(("server", name), typed(text, ("server", name), flag), flag)
    config = load(args.config, options=source)
    remarks = [
        f"The server listens at {where.host} only, which nobody else can call; --listen :{where.port} lets others."
        for where in config.server.listen
        if where.host.startswith(_LOOPBACK)
    ]
    if config.tls.certificate or config.tls.self_signed or config.tls.implicit:
        remarks.append(_blind("The server offers TLS"))
    offer = offered(
        [(where.host, where.port) for where in config.server.listen],
        [(where.host, where.port) for where in config.tls.implicit],
        config.server.passive_ports.ports,
        public=[rule.ports.ports for rule in config.server.public_address if rule.ports is not None],
        active=config.server.active,
        source_port=config.server.active_source_port,
    )
    return offer, "", remarks


def _blind(why: str) -> str:
    return (
        f"{why}: helpers and inspecting firewalls (ALG, conntrack) see nothing of the dialogue then, so the ports of"
        " data connections must be opened by rules such as these"
    )


def _report(args: argparse.Namespace) -> tuple[Offer, str, list[str]]:
    """As :func:`_configured`, from what the doctor found. Raises ConfigError for what is no report of it."""
    from fairlead.doctor.openings import offered
    from fairlead.errors import ConfigError
    from fairlead.reach.advice import range_of

    try:
        text = sys.stdin.read() if args.report == "-" else Path(args.report).read_text("utf-8")
        found = json.loads(text)
        host, _, number = found["target"].rpartition(":")
        seen = [probe["evidence"] for probe in found["probes"]]
        ports = sorted(
            {int(each["port"]) for probe, each in zip(found["probes"], seen, strict=True) if _passive(probe, each)}
        )
        addresses = {str(each["peer"]) for each in seen if each.get("peer")}
        under_tls = found["control"] is not None and bool(found["control"].get("tls"))
        port = int(number)
    except OSError as error:
        raise ConfigError(f"cannot read the report {args.report}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{args.report} is no report of the doctor; make one with: fairlead doctor --json URL > report.json"
        ) from error
    remarks = [_blind(f"{host} offers TLS")] if under_tls else []
    passive = port_range(args.passive_ports) if args.passive_ports else range_of(ports)
    if not args.passive_ports:
        told = f"ports {ports[0]}-{ports[-1]} of the server were seen" if ports else "no passive port was seen"
        remarks.append(f"The report does not tell the whole passive range ({told}): compare with the server's setting")
    if args.place == "router" and args.side == "server" and not args.inside_address:
        args.inside_address = _inside(seen)
    offer = offered([("", port)], [], passive)
    return offer, addresses.pop() if len(addresses) == 1 else "", remarks


def _passive(probe: Mapping[str, Any], evidence: Mapping[str, Any]) -> bool:
    return str(probe["mode"]).lower() in PASSIVE and bool(evidence.get("port"))


def _inside(seen: list[dict[str, Any]]) -> str | None:
    """The server's own address behind a router, where 227 told it."""
    from fairlead.reach.private import is_private

    told = (str(each["host"]) for each in seen if each.get("host") and each.get("host") != each.get("peer"))
    return next((host for host in told if is_private(host)), None)


def _remarks(args: argparse.Namespace, offer: Offer, rules: RuleSet) -> list[str]:
    """What the rules alone do not say."""
    remarks = []
    active = not PASSIVE.issuperset(_modes(args))
    if active and not offer.active:
        remarks.append("The server's setting active = false: it calls nobody, whatever firewalls let through")
    if active and args.side == "client" and not args.active_ports and not args.helper:
        remarks.append(
            "Without --active-ports the client waits at any of these ports; give it a few, and name the same here"
        )
    if args.helper:
        remarks.append(
            "The helper reads PORT, PASV and their kin in clear only: under TLS no data connection will pass"
        )
    if args.place == "router" and not args.inside_address and rules.openings:
        which = "server" if args.side == "server" else "client"
        remarks.append(f"Without --inside-address these let through calls of all machines, not of the {which} alone")
    if rules.forwards and args.side == "server" and not PASSIVE.isdisjoint(_modes(args)):
        public = args.public_address or "ADDRESS"
        remarks.append(
            f"Behind this router the server must announce its address: fairlead serve --public-address {public}"
        )
    if rules.forwards and args.side == "client":
        public = args.public_address or "ADDRESS"
        remarks.append(f"Behind this router the client must announce its address: --active-address {public}")
    return remarks


def _heading(args: argparse.Namespace, remarks: list[str]) -> Iterator[str]:
    modes = ", ".join(mode.upper() for mode in _modes(args))
    where = "on the machine itself" if args.place == "host" else "on the router before it"
    yield f"For the {args.side}, {where}; modes: {modes}"
    yield from remarks


def _document(args: argparse.Namespace, rules: RuleSet, remarks: list[str], texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "side": args.side,
        "place": args.place,
        "modes": [mode.upper() for mode in _modes(args)],
        "remarks": remarks,
        "openings": [
            {
                "purpose": each.purpose,
                "direction": "in" if each.inbound else "out",
                "ports": _ends(each.ports),
                "source_ports": None if each.source_ports is None else _ends(each.source_ports),
                "remote": each.remote,
                "host": each.host,
                "family": each.family,
            }
            for each in rules.openings
        ],
        "forwards": [
            {"purpose": each.purpose, "ports": _ends(each.ports), "host": each.host, "to": _ends(each.to)}
            for each in rules.forwards
        ],
        "helper_ports": list(rules.helper_ports),
        "rules": dict(texts),
    }


def _ends(ports: range) -> list[int]:
    """The first and the last port."""
    return [ports[0], ports[-1]]
