"""``fairlead cat``: files to standard output."""

from __future__ import annotations

import argparse
import sys

from fairlead.cli.ladder import add_ladder_option
from fairlead.cli.options import add_session_options, file_url

_EXAMPLES = """\
examples:
  fairlead cat ftp://ftp.example.com/pub/README
  fairlead cat ftp://ftp.example.com/backup.tar.gz | tar tz
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "cat",
        help="print files on standard output",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("urls", nargs="+", type=file_url, metavar="URL", help="the file, as ftp://[user@]host/path")
    add_session_options(parser)
    add_ladder_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print each URL's file in turn, octet for octet."""
    from fairlead.cli.failures import guarded
    from fairlead.cli.ladder import recorded

    return guarded(args, recorded(_cat))


def _cat(args: argparse.Namespace) -> int:
    from fairlead.cli.connection import connected

    for url in args.urls:
        *directory, name = url.segments
        with connected(args, url, directory) as client:
            client.download(name, sys.stdout.buffer, text=url.type == "A")
    return 0
