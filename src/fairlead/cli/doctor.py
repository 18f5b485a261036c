"""``fairlead doctor``: try every mode, name the cause of each that fails, and say who should change what."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from fairlead.cli.declaring import declare
from fairlead.cli.ladder import add_ladder_option
from fairlead.cli.options import add_session_options, ftp_url
from fairlead.reach.products import TITLES

if TYPE_CHECKING:
    from fairlead.client.ladder import Recorder
    from fairlead.doctor.examine import Examination
    from fairlead.doctor.plan import Plan
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead doctor ftp://ftp.example.com/
  fairlead doctor ftp://ftp.example.com/pub/large.iso
  fairlead doctor --for vsftpd --for nftables ftp://ftp.example.com/
  fairlead doctor --json ftp://me@ftp.example.com/ | jq .works
  fairlead doctor --server --config fairlead.toml     on the server: its addresses, ports, firewall, certificate

exit status: 0 every mode that the server offers works, 1 some do, 5 none does, 3 no connection, 4 login refused;
with --server 0 nothing is wrong, 1 something is
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "doctor", _EXAMPLES)
    parser.add_argument(
        "url",
        nargs="?",
        type=ftp_url,
        metavar="URL",
        help="the server, as ftp://[user@]host/; a file that it names is fetched, which shows what long transfers meet",
    )
    parser.add_argument(
        "--server", action="store_true", help="in place of URL: look at a configuration from the machine it serves on"
    )
    parser.add_argument("--config", metavar="FILE", help="with --server: the configuration file")
    parser.add_argument("--json", action="store_true", help="print one object instead of the report")
    parser.add_argument(
        "--clear-password",
        action="store_true",
        help="log in without TLS, too, where the server offers it: shows the password to whoever listens on the way",
    )
    parser.add_argument(
        "--for",
        dest="products",
        action="append",
        default=[],
        choices=list(TITLES),
        metavar="PRODUCT",
        help=f"show the settings for this product, may be repeated: {', '.join(TITLES)}",
    )
    add_session_options(parser, transfers=False)
    parser.add_argument("--proxy", default=None, help=argparse.SUPPRESS)
    add_ladder_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine the server and print what was found. Raises ConfigError for the configuration of one's own."""
    from fairlead.cli.failures import guarded
    from fairlead.errors import ConfigError

    if args.server is (args.url is not None) or (args.config and not args.server):
        raise ConfigError("give the URL of a server, or --server with --config FILE for one's own; see --help")
    if args.server:
        from fairlead.cli.server_report import run as run_server

        return run_server(args)
    return guarded(args, _examine)


def _examine(args: argparse.Namespace) -> int:
    import asyncio

    from fairlead.cli.connection import show
    from fairlead.client._wires.asyncio import AsyncioWire
    from fairlead.client.ladder import Recorder
    from fairlead.client.trace import Trace
    from fairlead.doctor import report
    from fairlead.doctor.examine import examine

    _go_without_proxy(args)
    plan = _plan(args)
    recorders: dict[str, Recorder] = {}

    def watch(name: str) -> Trace | None:
        if hasattr(args, "ladder"):
            recorders[name] = Recorder(title=name)
            return recorders[name]
        return show if args.debug else None

    async def go() -> Examination:
        return await examine(AsyncioWire(), plan, watch=watch)

    with _busy(args):
        found = asyncio.run(go())
    if args.json:
        print(json.dumps(report.document(found), indent=2, ensure_ascii=False))
    else:
        _print(args, found)
    if recorders:
        _draw(args, found, recorders)
    return report.exit_code(found)


def _go_without_proxy(args: argparse.Namespace) -> None:
    """Say that nothing here goes by way of a proxy where one stands in between. Raises ConfigError for ``--proxy``."""
    from fairlead.cli.bookmarks import applied
    from fairlead.cli.connection import proxy_of
    from fairlead.cli.failures import say
    from fairlead.errors import ConfigError

    proxy = proxy_of(applied(args, args.url), args.url)
    if proxy is None:
        return
    what = f"the doctor tries the way without a proxy, and not that by way of {proxy}"
    if args.proxy is not None:
        message = f"{what}; leave --proxy out, or see what the proxy says with fairlead ls -d --proxy URL"
        raise ConfigError(message)
    say(f"{what}, which the environment or the bookmark names; what the proxy says shows with fairlead ls -d")


@contextmanager
def _busy(args: argparse.Namespace) -> Iterator[None]:
    """A line on the terminal that something goes on."""
    from rich.console import Console

    console = Console(stderr=True)
    if args.debug or not console.is_terminal:
        yield
        return
    with console.status(f"trying every mode at {args.url.host} …"):
        yield


def _print(args: argparse.Namespace, found: Examination) -> None:
    from rich.console import Console

    from fairlead.cli.findings import show

    show(Console(), found, args.products)


def _draw(args: argparse.Namespace, found: Examination, recorders: Mapping[str, Recorder]) -> None:
    """The ladder of each probe that failed: on the terminal, or each into a file beside the one that was named."""
    from fairlead.cli.ladder import draw, show
    from fairlead.reach.verdict import NOT_OFFERED

    for probe in found.probes:
        if probe.ok or probe.cause in NOT_OFFERED or probe.name not in recorders:
            continue
        ladder = replace(recorders[probe.name].ladder(), title=f"{probe.name}: {probe.cause}")
        if args.ladder is None:
            print()
            draw(ladder, sys.stdout)
        else:
            seen = probe.seen
            kind = "tls" if seen.private else "clear"
            show(ladder, args.ladder.with_stem(f"{args.ladder.stem}-{seen.mode.lower()}-ipv{seen.family}-{kind}"))


def _plan(args: argparse.Namespace) -> Plan:
    from fairlead.cli.bookmarks import applied
    from fairlead.cli.connection import known_hosts
    from fairlead.cli.credentials import credentials
    from fairlead.client.settings import Settings
    from fairlead.doctor.plan import Plan

    url: FtpUrl = args.url
    args = applied(args, url)
    user, password = credentials(url)
    wanted: dict[str, Any] = {"ftp": args.tls, "ftpes": "require", "ftps": "implicit"}
    return Plan(
        host=url.host,
        port=url.port,
        user=user,
        password=cache(password) if callable(password) else password,
        directories=url.segments if url.directory else url.segments[:-1],
        file="" if url.directory else url.segments[-1],
        tls=wanted[url.scheme],
        clear_password=args.clear_password,
        mode=args.mode,
        limit=args.timeout,
        family=args.family,
        settings=Settings(
            active_ports=args.active_ports,
            active_address=args.active_address,
            ca=args.ca,
            insecure=args.insecure,
            pin=args.pin,
            known_hosts=known_hosts(args),
        ),
    )
