"""``fairlead copy``: copy a file from one server to another."""

from __future__ import annotations

import argparse
import json

from fairlead.cli.declaring import declare, talk
from fairlead.cli.options import file_url, ftp_url

_EXAMPLES = """\
examples:
  fairlead copy ftp://me@one.example.com/big.iso ftp://me@two.example.com/mirror/
  fairlead copy ftp://me@one.example.com/a ftp://me@two.example.com/b
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = declare(subparsers, "copy", _EXAMPLES)
    parser.add_argument("source", type=file_url, metavar="SOURCE", help="the file, as ftp://[user@]host/path")
    parser.add_argument("target", type=ftp_url, metavar="TARGET", help="where to copy it; a directory ends with /")
    parser.add_argument("--json", action="store_true", help="print an object that tells how it went")
    talk(parser, _copy)


def _copy(args: argparse.Namespace) -> int:
    """Let the servers exchange the file, or carry it from one to the other and say so."""
    from fairlead.cli.connection import connected
    from fairlead.cli.failures import say
    from fairlead.cli.ladder import of_one_session
    from fairlead.cli.progress import progress

    *directory, name = args.source.segments
    place = args.target.segments if args.target.directory else args.target.segments[:-1]
    copy = name.rpartition("/")[2] if args.target.directory else args.target.segments[-1]
    with (
        connected(of_one_session(args), args.source, directory) as source,
        connected(of_one_session(args), args.target, place) as target,
        progress(args, name) as on_progress,
    ):
        result = source.copy(name, target, copy, on_progress=on_progress)
    if result.detour:
        say(f"the data went through this machine: {result.detour}")
    if args.json:
        facts = {"size": result.size, "seconds": result.seconds, "mode": result.mode, "detour": result.detour}
        print(json.dumps({"source": str(args.source), "target": str(args.target), **facts}, indent=2))
    return 0
