"""``fairlead get``: fetch files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.ladder import add_ladder_option
from fairlead.cli.options import (
    add_fidelity_options,
    add_parallel_option,
    add_resume_option,
    add_session_options,
    as_text,
    file_pattern,
)
from fairlead.proto.url import FtpUrl

if TYPE_CHECKING:
    from fairlead.client._local import Writable
    from fairlead.client.sync import Client

_EXAMPLES = """\
examples:
  fairlead get ftp://ftp.example.com/pub/big.iso
  fairlead get -o isos/ 'ftp://ftp.example.com/pub/*.iso'
  fairlead get --resume -o isos/ ftp://me@ftp.example.com/big.iso
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser(
        "get", help="fetch files", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "urls",
        nargs="+",
        type=file_pattern,
        metavar="URL",
        help="the file, as ftp://[user@]host/path; *, ? and [a-z] match names, %%2A is a star that is one",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="where to put it: a file, a directory, or - for standard output; the default is its own name, here",
    )
    add_parallel_option(parser, 1, "fetch a long file in up to N parts at once, each in a session of its own")
    add_resume_option(parser)
    add_fidelity_options(parser)
    add_session_options(parser)
    add_ladder_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fetch each URL in turn."""
    from fairlead.cli.failures import guarded
    from fairlead.cli.ladder import recorded

    return guarded(args, recorded(_get))


def _get(args: argparse.Namespace) -> int:
    from fairlead.client._glob import is_pattern
    from fairlead.errors import ConfigError

    several = len(args.urls) > 1 or any(is_pattern(url.path) for url in args.urls)
    if several and args.output not in {None, "-"} and not Path(args.output).is_dir():
        message = f"{args.output} is no directory, and several files cannot go into one; make the directory first"
        raise ConfigError(message)
    for url in args.urls:
        if is_pattern(url.path):
            _fetch_matching(args, url)
        else:
            _fetch(args, url, sys.stdout.buffer if args.output == "-" else _target(args.output, url))
    return 0


def _fetch_matching(args: argparse.Namespace, url: FtpUrl) -> None:
    """Fetch the files that ``url`` matches; their names, which the server made up, lead nowhere else."""
    from fairlead.cli.connection import connected
    from fairlead.cli.naming import matching
    from fairlead.client.names import inside
    from fairlead.proto.entry import Kind

    with connected(args, url, ()) as client:
        for entry in matching(client, url):
            if entry.kind in {Kind.DIRECTORY, Kind.OTHER}:
                continue
            target = inside(args.output or ".", entry.name.rpartition("/")[2])
            _receive(args, client, url, entry.name, sys.stdout.buffer if args.output == "-" else target)


def _fetch(args: argparse.Namespace, url: FtpUrl, target: Path | Writable) -> None:
    from fairlead.cli.connection import connected

    *directory, name = url.segments
    with connected(args, url, directory) as client:
        _receive(args, client, url, name, target)


def _receive(args: argparse.Namespace, client: Client, url: FtpUrl, name: str, target: Path | Writable) -> None:
    from fairlead.cli.progress import progress

    with progress(args, name) as on_progress:
        named = isinstance(target, Path)
        client.download(
            name,
            target,
            resume=args.resume and named,
            text=as_text(args, url),
            verify=args.verify,
            times=args.times and named,
            parallel=args.parallel,
            on_progress=on_progress,
        )


def _target(output: str | None, url: FtpUrl) -> Path:
    """Where the file goes; its own name never leads out of the directory (it may hold an encoded ``/``)."""
    from fairlead.errors import ConfigError

    place = Path(output or ".")
    if output is not None and not place.is_dir():
        if output.endswith("/") or not place.parent.is_dir():
            message = f"there is no directory for {output}; make it first"
            raise ConfigError(message)
        return place
    name = url.segments[-1].rpartition("/")[2]
    if name in {"", ".", ".."}:
        message = f"{url} gives the file no name here; choose one with -o"
        raise ConfigError(message)
    return place / name
