"""``fairlead stat``: show what a server knows of a file."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import pattern_url

if TYPE_CHECKING:
    from fairlead.client.sync import Client
    from fairlead.proto.entry import Entry
    from fairlead.proto.url import FtpUrl

_EXAMPLES = """\
examples:
  fairlead stat ftp://ftp.example.com/pub/big.iso
  fairlead stat --json 'ftp://ftp.example.com/pub/*.iso' | jq '.[].size'
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "stat", _EXAMPLES)
    parser.add_argument(
        "urls",
        nargs="+",
        type=pattern_url,
        metavar="URL",
        help="the file or directory, as ftp://[user@]host/path; *, ? and [a-z] match names",
    )
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of lines")
    talk(parser, _show)


def _show(args: argparse.Namespace) -> int:
    """Print the facts of each; those that the server does not tell are left out."""
    from fairlead.cli.naming import sessions, told

    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # names that are not UTF-8, as they are
    with told(args) as done:
        for client, urls in sessions(args, args.urls):
            for url in urls:
                for entry in _entries(client, url):
                    facts = _facts(entry)
                    if not args.json:
                        _print(facts, first=not done)
                    done.append(facts)
    return 0


def _entries(client: Client, url: FtpUrl) -> list[Entry]:
    from fairlead.cli.naming import matching
    from fairlead.proto.path import is_pattern

    return matching(client, url) if is_pattern(url.path) else [client.stat(url.path)._replace(name=url.path or "/")]


def _facts(entry: Entry) -> dict[str, Any]:
    """As ``fairlead ls --json`` has them, without the line as it came; times in ISO 8601."""
    facts = {name: fact for name, fact in entry._asdict().items() if name != "raw"}
    return {name: fact.isoformat() if isinstance(fact, datetime) else fact for name, fact in facts.items()}


def _print(facts: dict[str, Any], *, first: bool) -> None:
    from fairlead.client.trace import printable

    if not first:
        print()
    for name, fact in facts.items():
        if fact is not None:
            print(f"{name:<12}{printable(str(fact))}")
