"""``fairlead doctor``: try every mode, name the cause of each that fails, and say who should change what."""

from __future__ import annotations

import argparse
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from fairlead.cli.options import add_session_options, ftp_url

if TYPE_CHECKING:
    from fairlead.doctor.examine import Examination
    from fairlead.doctor.plan import Plan
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead doctor ftp://ftp.example.com/
  fairlead doctor --json ftp://me@ftp.example.com/ | jq .works

exit status: 0 every mode that the server offers works, 1 some do, 5 none does, 3 no connection, 4 login refused
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "doctor",
        help="try every mode, and say why data connections fail",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", type=ftp_url, metavar="URL", help="the server, as ftp://[user@]host/")
    parser.add_argument("--json", action="store_true", help="print one object instead of the report")
    parser.add_argument(
        "--clear-password",
        action="store_true",
        help="log in without TLS, too, where the server offers it: shows the password to whoever listens on the way",
    )
    add_session_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine the server and print what was found."""
    from fairlead.cli.failures import guarded

    return guarded(args, _examine)


def _examine(args: argparse.Namespace) -> int:
    import asyncio

    from fairlead.client._wires.asyncio import AsyncioWire
    from fairlead.doctor import report
    from fairlead.doctor.examine import examine

    plan = _plan(args)

    async def go() -> Examination:
        return await examine(AsyncioWire(), plan)

    found = asyncio.run(go())
    if args.json:
        print(json.dumps(report.document(found), indent=2, ensure_ascii=False))
    return report.exit_code(found)


def _plan(args: argparse.Namespace) -> Plan:
    from fairlead.cli.credentials import credentials
    from fairlead.client.settings import Settings
    from fairlead.doctor.plan import Plan

    url: FtpUrl = args.url
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
        family=args.family,
        settings=Settings(
            active_ports=args.active_ports,
            active_address=args.active_address,
            ca=args.ca,
            insecure=args.insecure,
            pin=args.pin,
        ),
    )
